import type { Agent } from '../agents/agent.ts';
import type { AgentRequest } from '../agents/verbs.ts';
import type { Refusal } from '../cti/errors.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { AgentID, CallID, CompanyId } from '../cti/ids.ts';
import type { CallNote, NotedStatus, WaitingNote } from './note.ts';

/** How a queue is served: its part of the configuration. */
export interface QueueSettings {
  readonly id: string;
  readonly overflow?: {
    readonly afterSeconds: number;
    readonly to: { readonly queue: string } | { readonly number: string };
  };
}

/** The shard under whose fence the store writes agents and queues. */
export const FLOOR_SHARD = 'floor';

/** The queues of a company, by id. */
export type Queues = ReadonlyMap<string, QueueSettings>;

/** A call that waits for an agent. */
export interface Waiting extends WaitingNote {
  readonly callID: CallID;
  /** Assignment under way: intended, on its way to the call, or ringing there. */
  readonly assigned?: { readonly assignment: number; readonly agentID: AgentID };
  /** The call has been asked to go elsewhere. */
  readonly sentOn?: boolean;
}

/**
 * All agents and queues of one company: one value, changed by one input at a time, so that no two calls can get one
 * agent. What waits where is told by the calls themselves and could be gathered from them again at any time.
 */
export interface Floor {
  readonly companyId: CompanyId;
  readonly agents: ReadonlyMap<AgentID, Agent>;
  readonly waiting: ReadonlyMap<CallID, Waiting>;
}

/** Everything that can happen to a floor. */
export type FloorInput =
  | AgentRequest
  /** Calls have changed, or are over: then nobody in them is present and nothing waits. */
  | {
      readonly kind: 'notes';
      readonly notes: readonly { readonly note: CallNote; readonly statuses: readonly NotedStatus[] }[];
    }
  /** A call could not take an assignment, or be sent on: it had changed meanwhile, or is gone. */
  | { readonly kind: 'declined'; readonly callID: CallID; readonly assignment?: number }
  | { readonly kind: 'phone-lost'; readonly dn: string }
  /** Something is due. */
  | { readonly kind: 'tick' }
  /**
   * At a start: all calls that live, and the last state of those that do not and that an agent may still be thought to be
   * in. Agents are let go of calls that are in neither.
   */
  | { readonly kind: 'recover'; readonly live: readonly CallNote[]; readonly over: readonly CallNote[] };

/** What the floor asks of the calls, once its own state is stored. */
export type FloorEffect =
  | {
      readonly do: 'assign';
      readonly callID: CallID;
      readonly queue: string;
      readonly dn: string;
      readonly assignment: number;
    }
  /** The overflow of the queue `from`. */
  | { readonly do: 'to-queue'; readonly callID: CallID; readonly from: string; readonly queue: string }
  | {
      readonly do: 'to-number';
      readonly callID: CallID;
      readonly from: string;
      readonly number: string;
      readonly assignment: number;
    };

/** What a step leads to. */
export interface FloorOutcome {
  readonly floor: Floor;
  readonly events: readonly NewCtiEvent[];
  readonly effects: readonly FloorEffect[];
  /** The agent that a request was about. */
  readonly agent?: Agent;
}

/** A request that may not be carried out; the floor stays as it was. */
export interface FloorRefused {
  readonly refusal: Refusal;
}

export const isFloorRefused = (o: FloorOutcome | FloorRefused): o is FloorRefused => 'refusal' in o;

export const emptyFloor = (companyId: CompanyId): Floor => ({ companyId, agents: new Map(), waiting: new Map() });

/** The agent who is logged in on a phone. */
export function agentOnPhone(agents: Iterable<Agent>, dn: string): Agent | undefined {
  for (const agent of agents) if (agent.dn === dn && agent.state !== 'Logout') return agent;
  return undefined;
}

/** When something is due next, Unix ms; undefined if nothing is. */
export function nextDue(floor: Floor, queues: Queues): number | undefined {
  let due: number | undefined;
  const earlier = (at: number | undefined): void => {
    if (at !== undefined && (due === undefined || at < due)) due = at;
  };
  for (const agent of floor.agents.values()) earlier(agent.afterCall?.until);
  if (!anyOverflows(queues)) return due;
  for (const waiting of floor.waiting.values()) if (isAlone(waiting)) earlier(overflowAt(waiting, queues));
  return due;
}

/** Calls that wait are sent on from at least one of the queues. */
export function anyOverflows(queues: Queues): boolean {
  for (const queue of queues.values()) if (queue.overflow) return true;
  return false;
}

/** Nobody is assigned or rung, and it has not been asked to go elsewhere. */
export const isAlone = (w: Waiting): boolean => w.assigned === undefined && !w.rung && w.sentOn !== true;

/** When a waiting call is sent on, Unix ms; undefined if it stays. */
export function overflowAt(waiting: Waiting, queues: Queues): number | undefined {
  const overflow = queues.get(waiting.queue)?.overflow;
  return overflow === undefined || waiting.overflowed ? undefined : waiting.enteredAt + overflow.afterSeconds * 1000;
}
