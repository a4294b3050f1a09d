import type { AgentStatus } from '../cti/agent-status.ts';
import type { Refusal } from '../cti/errors.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { Call } from './call.ts';
import type { Command } from './command.ts';

/** What a step leads to: the next call, what subscribers are told, what the switch is asked to do. Timers are in the call. */
export interface Outcome {
  readonly call: Call;
  readonly events: readonly NewCtiEvent[];
  readonly commands: readonly Command[];
  /** Statuses that agents come to, in order: kept with the agents, once the call is stored. */
  readonly statuses: readonly AgentStatusChange[];
}

/** An agent, by the DN of his phone, comes to a status. */
export interface AgentStatusChange {
  readonly dn: string;
  readonly status: AgentStatus;
}

/** A request that may not be carried out: a value, not an exception. The call stays as it was. */
export interface Refused {
  readonly refusal: Refusal;
}

export const isRefused = (o: Outcome | Refused): o is Refused => 'refusal' in o;
