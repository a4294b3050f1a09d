import type { AgentStatus } from '../cti/agent-status.ts';
import type { CallID, PartyID } from '../cti/ids.ts';

/** What a call tells the floor after each of its changes: not what happened but how it stands, so that the last note counts. */
export interface CallNote {
  readonly callID: CallID;
  /** Present while somebody in the call waits for an agent. */
  readonly waiting?: WaitingNote;
  /** The company's own phones in the call, those that have left it among them. */
  readonly parties: readonly PartyNote[];
}

export interface WaitingNote {
  readonly queue: string;
  /** Since when the caller has waited, over all queues, Unix ms: the longest waiting is served first. */
  readonly since: number;
  /** When the call came into this queue, Unix ms. */
  readonly enteredAt: number;
  /** Somebody is being rung for it. */
  readonly rung: boolean;
  /** Number of the last assignment that the call has taken; 0 if none. */
  readonly assignment: number;
  /** It has been sent on once and came back: not again. */
  readonly overflowed: boolean;
}

export interface PartyNote {
  readonly partyID: PartyID;
  readonly dn: string;
  /** Its leg lives: rung, talking or on its way out. */
  readonly present: boolean;
  /** Number of the assignment that brought it in. */
  readonly assignment?: number;
  /** Of a queue's agent who has talked: seconds of after-call work. */
  readonly wrapUp: number;
  readonly answered: boolean;
  /** A queue's agent who let the call go by: no answer, refused, busy, not reached. */
  readonly missed: boolean;
}

/** A status that a call gave an agent, by the DN of his phone. */
export interface NotedStatus {
  readonly dn: string;
  readonly status: AgentStatus;
}
