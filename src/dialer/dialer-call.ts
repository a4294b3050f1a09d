import type { ConnectionStatus } from '../cti/connection-status.ts';
import type { FlowStatus } from '../cti/flow-status.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { HangupCause } from '../cti/leg-ending.ts';

/**
 * Where a call of the dialler is:
 * - `waiting`: in its flow's queue, to be placed when it is due;
 * - `placing`: claimed by an instance under a callID; Ringmaster is being asked;
 * - `live`: Ringmaster has the call;
 * - `ended`: nothing more will be done.
 */
export type Phase = 'waiting' | 'placing' | 'live' | 'ended';

/** One leg of a call that was placed, as the event log told it. */
export interface Leg {
  readonly partyID: string;
  readonly callID: CallID;
  readonly role: 'agent' | 'customer';
  readonly number: string;
  /** Unix ms; what never came is absent. */
  readonly startedAt: number;
  readonly ringingAt?: number;
  readonly answeredAt?: number;
  readonly bridgedAt?: number;
  readonly endedAt: number;
  readonly hangupCause: HangupCause;
  readonly q850: number;
  readonly sipCode?: number;
  /** The phone or the trunk ended it. */
  readonly remote: boolean;
  readonly connectionStatus: ConnectionStatus;
  /** Number shown to the customer. */
  readonly did?: string;
  /** Digits that Ringmaster was told it sent. */
  readonly dtmf?: string;
}

/** The call as it is being placed or lives. */
export interface Placing {
  readonly callID: CallID;
  /** DN of the agent who is called. */
  readonly agent?: string;
  /** The queue that calls the customer; then there is no agent beforehand. */
  readonly queue?: string;
  /** Unix ms. */
  readonly claimedAt: number;
  /** Status from before the claim. */
  readonly before: FlowStatus;
  /** Agent and customer talk. */
  readonly answered?: true;
}

/** The campaigncall of a call that is not done yet. */
export interface OpenCampaigncall {
  /** Its number among those of the call, from 0. */
  readonly n: number;
  /** Unix ms. */
  readonly createdAt: number;
}

/** One call of a request: everything that is known of it, as plain JSON. It is one value in Redis. */
export interface DialerCall {
  readonly uuid: string;
  readonly requestId: string;
  readonly companyId: CompanyId;
  readonly accountId: string;
  readonly flowId: string;
  readonly clientIdentifier: string;
  readonly numbers: readonly string[];
  readonly variables: Readonly<Record<string, string | number | boolean>>;
  readonly status: FlowStatus;
  readonly phase: Phase;
  /** Unix ms, when it is to be placed. */
  readonly dueAt: number;
  /** It goes before all others of its flow: an attempt that has begun is finished first. */
  readonly urgent: boolean;
  /** Which of the numbers is tried. */
  readonly index: number;
  /** Attempts that have failed. */
  readonly agentAttempts: number;
  readonly customerAttempts: number;
  /** Times in a row that it failed on our side. */
  readonly faults: number;
  readonly placing?: Placing;
  /** Campaigncalls that are done; absent: none. */
  readonly campaigncalls?: number;
  /** The campaigncall that is not. */
  readonly campaigncall?: OpenCampaigncall;
  /** Legs of all attempts, oldest first; the oldest go where there are too many. */
  readonly legs: readonly Leg[];
  readonly history: readonly { readonly status: FlowStatus; readonly at: number }[];
  /** Newest event that has been taken into account. */
  readonly lastEventID: number;
  readonly acceptedAt: number;
  /** Unix ms of the last change of its status. */
  readonly changedAt: number;
  readonly endedAt?: number;
}

/** What an operator has set a flow to. */
export interface FlowState {
  readonly state: 'running' | 'paused' | 'stopped';
  /** Unix ms; 0: never set. */
  readonly since: number;
}

export const RUNNING: FlowState = { state: 'running', since: 0 };

/**
 * The status to show. A pause touches no call by itself: what waits in a paused flow shows PAUSE, and RESUME from the
 * end of the pause until something becomes of it.
 */
export function shownStatus(call: DialerCall, flow: FlowState): FlowStatus {
  if (call.phase !== 'waiting') return call.status;
  if (flow.state === 'paused') return 'PAUSE';
  return flow.state === 'running' && flow.since > call.changedAt ? 'RESUME' : call.status;
}
