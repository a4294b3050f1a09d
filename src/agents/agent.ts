import type { AgentStatus } from '../cti/agent-status.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { AgentID, CallID, CompanyId, PartyID } from '../cti/ids.ts';
import type { AgentStateName } from '../cti/request-fields.ts';
import type { PhoneType } from '../cti/roles.ts';

/**
 * Reason codes of our own making, from the range that the seed leaves to the company (12 to 98).
 *
 * - `MissedCall`: a queue rang the agent, who did not answer, refused, or was busy or not reached.
 * - `PhoneLost`: the agent's phone has lost its registration, or does not answer Asterisk's qualify any more.
 */
export const OWN_REASONS = { MissedCall: 97, PhoneLost: 98 } as const;

/** A queue's call that the agent is reserved for, is rung for, or is in. */
export interface Acquired {
  readonly callID: CallID;
  readonly queue: string;
  /** The phone that is rung. */
  readonly dn: string;
  /** Number of the assignment within the call: the party that it leads to carries it. */
  readonly assignment: number;
}

/** After-call work: NotReady with reason 4. */
export interface AfterCallWork {
  /** The call that it follows; absent where the agent asked for it without one. */
  readonly callID?: CallID;
  readonly partyID?: PartyID;
  /** Unix ms when it ends by itself; absent: never. */
  readonly until?: number;
  /** What the agent was before, and becomes again. */
  readonly before: { readonly state: 'Ready' | 'NotReady'; readonly reasonCode?: number };
}

/**
 * An agent, as plain JSON. The seed's machine has three states:
 *
 *     Logout ──login──► Ready ◄──► NotReady
 *        ▲────logout────┴────────────┘
 *
 * Whether the agent is in a call stands beside it: `acquired` for the calls of queues, `calls` for all that the agent's
 * phone is in. The state is what the agent wants to be between calls, and may be changed during one.
 */
export interface Agent {
  readonly agentID: AgentID;
  readonly agentUUID: string;
  /** The phone that the agent works from. */
  readonly dn: string;
  readonly queues: readonly string[];
  readonly phoneType?: PhoneType;
  readonly state: AgentStateName;
  readonly reasonCode?: number;
  /** Unix ms. */
  readonly stateSince: number;
  readonly status: AgentStatus;
  /** Unix ms. */
  readonly statusSince: number;
  /** The last status that a call gave, kept when the call is over: how it ended for the agent. */
  readonly callStatus?: AgentStatus;
  /** Unix ms. */
  readonly callStatusSince?: number;
  /** Since when the agent has had nothing to do, Unix ms: the longest idle is served first. */
  readonly idleSince: number;
  /** Calls that the agent's phone is rung by or talks in. */
  readonly calls: readonly CallID[];
  readonly acquired?: Acquired;
  readonly afterCall?: AfterCallWork;
}

/** What the functions of this room tell and need to know; the floor's turn is one. */
export interface AgentTurn {
  readonly companyId: CompanyId;
  /** Unix ms. */
  readonly now: number;
  tell(event: NewCtiEvent): void;
}

export const isLoggedIn = (agent: Agent): boolean => agent.state !== 'Logout';

/** In a call, or reserved for one. */
export const isBusy = (agent: Agent): boolean => agent.acquired !== undefined || agent.calls.length > 0;

/** May be given a queue's call. */
export const isFree = (agent: Agent): boolean => agent.state === 'Ready' && !isBusy(agent);

const RESTING = { Logout: 'RELEASED', Ready: 'AVAILABLE', NotReady: 'PAUSED' } as const satisfies Record<
  AgentStateName,
  AgentStatus
>;

/** The agent with a status, set now unless it was so before. */
export function withStatus(agent: Agent, status: AgentStatus, now: number): Agent {
  return agent.status === status ? agent : { ...agent, status, statusSince: now };
}

/** The agent with the status of one who is in no call; one who is in a call keeps the status that the call gave. */
export function rested(agent: Agent, now: number): Agent {
  return isLoggedIn(agent) && isBusy(agent) ? agent : withStatus(agent, RESTING[agent.state], now);
}
