import type { ContactReason, ContactStatus } from '../cti/contact-status.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { ContactMessage } from './message.ts';

/**
 * Where a contact is:
 * - `waiting`: in its queue, or about to go back there (`notBefore`);
 * - `cancelling`: a cancel was in time, and the queue is being told;
 * - `offered`: a task, shown to an agent who has not accepted it yet;
 * - `calling`: a callback, as a call from the agent to the customer;
 * - `held`: a task that an agent has accepted;
 * - `ended`: handled or discarded.
 */
export type ContactPhase = 'waiting' | 'cancelling' | 'offered' | 'calling' | 'held' | 'ended';

/** The agent whom the queue has chosen. */
export interface ChosenAgent {
  readonly dn: string;
  readonly agentID: string;
  /** Number of the assignment, for the floor. */
  readonly assignment: number;
  /** Unix ms. */
  readonly at: number;
}

/** A callback or task request: everything that is known of it, as plain JSON. It is one value in Redis. */
export interface Contact {
  readonly id: string;
  readonly companyId: CompanyId;
  readonly kind: 'callback' | 'task';
  readonly feedId: string;
  /** Absent where it never came to a queue. */
  readonly queue?: string;
  /** Absent where the request could not be read. */
  readonly message?: ContactMessage;
  readonly status: ContactStatus;
  readonly reason: ContactReason;
  /** Unix ms, since when it has that status and reason. */
  readonly at: number;
  readonly phase: ContactPhase;
  /** Under which it waits in the queue, and a callback's call is made; another one each time that it goes there. */
  readonly ticket?: CallID;
  readonly agent?: ChosenAgent;
  /** Since when it has waited, Unix ms: its place in the queue, which it keeps. */
  readonly since: number;
  /** The queue has sent it on once. */
  readonly overflowed?: true;
  /** Unix ms before which it does not go back to the queue. */
  readonly notBefore?: number;
  /** Until when the agent may accept it, Unix ms. */
  readonly offeredUntil?: number;
  /** Times that the customer was called in vain. */
  readonly attempts: number;
  /** Times that it was offered. */
  readonly offers: number;
  /** A cancel came when an agent was being rung: it counts if he does not come to talk to the customer. */
  readonly cancelAsked?: true;
  readonly createdAt: number;
  readonly endedAt?: number;
}

/** What of a feed a contact's steps depend on. */
export interface ContactPlan {
  /** Times that the customer is called. */
  readonly attempts: number;
  /** Seconds. */
  readonly retryAfter: number;
  /** Seconds. */
  readonly acceptTimeout: number;
}
