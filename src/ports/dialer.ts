import type { Refusal } from '../cti/errors.ts';
import type { NewEventOf } from '../cti/events.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { Caller } from './rpc.ts';

/** What came of asking for a call under a chosen id. */
export type PlacingOutcome =
  | { readonly result: unknown }
  | {
      readonly refusal: Refusal;
      /** Nobody has the call's shard now, so nobody could look whether an earlier asking has begun it. */
      readonly unasked?: true;
    };

/** What is stored of a call. */
export interface CallTrace {
  /** `unknown`: it was never heard of, or too long ago. */
  readonly state: 'live' | 'ended' | 'unknown';
  /** What its events tell of those who have left it, and of its end if it has ended: as when they were stored with it. */
  readonly ends: readonly (NewEventOf<'EventReleased'> | NewEventOf<'EventCallDeleted'>)[];
  /** The customer has been put through. */
  readonly established: boolean;
}

/**
 * Places calls under ids that are chosen beforehand, for those who must not place one twice. The phones of such a call are
 * dialled once, whatever dies meanwhile (calls/once.ts).
 */
export interface CallPlacing {
  /** An id for a call, on the node where it would best be placed now; undefined while no call may begin. */
  chooseCallID(): CallID | undefined;
  /**
   * RequestMakeCall under a chosen id. A call that has this id already, live or ended, is answered as if it had just been
   * made, and nothing is placed.
   *
   * @param trunk by which numbers are called; the company's where absent
   * @returns its result, or the refusal: NotReady where this asking has begun nothing and it may be tried again under a new
   *   id, unless an earlier one may have and nobody could look (`unasked`); CTIException where it may have been begun and
   *   nobody could say so: it is to be asked for again under this one
   */
  place(caller: Caller, callID: CallID, params: ParamsOf<'RequestMakeCall'>, trunk?: string): Promise<PlacingOutcome>;
  /** What is stored of a call: with it are stored its events, so this tells what they told, or will. */
  traceOf(companyId: CompanyId, callID: CallID): Promise<CallTrace>;
}

/** How far a customer is whom a queue has called. */
export interface CustomerProgress {
  /**
   * `ringing`: has not answered yet; `waiting`: has, and nobody is being rung for him; `offered`: an agent's phone rings;
   * `served`: he has been put through, or has gone.
   */
  readonly state: 'ringing' | 'waiting' | 'offered' | 'served';
  /** Unix ms. */
  readonly answeredAt?: number;
  readonly bridgedAt?: number;
}

/** How far the calls are that queues have placed, as it is now. */
export interface QueueWatch {
  /** @returns undefined where the call does not live here */
  customerProgress(companyId: CompanyId, callID: CallID): CustomerProgress | undefined;
}

/** A call of the dialler as the store keeps it. The store does not look into the document. */
export interface DialerDocument {
  readonly uuid: string;
  /** JSON. */
  readonly json: string;
  readonly version: number;
}

/** A call of the dialler to be stored. */
export interface DialerEntry {
  readonly uuid: string;
  readonly json: string;
  readonly flowId: string;
  /** Place in its flow's queue: Unix ms when it is due, lower goes first; undefined: it does not wait. */
  readonly queue?: number;
  /** It is being placed or lives. */
  readonly active: boolean;
  /** It has ended: kept so many seconds more. */
  readonly ttl?: number;
}

/** A call as whoever follows it has it in memory. */
export interface HeldDialerCall extends DialerEntry {
  /** That the store gave it. */
  readonly version: number;
}

export interface DialerCommit extends DialerEntry {
  readonly companyId: CompanyId;
  /** Fencing token of the company's dialler. */
  readonly token: number;
  readonly version: number;
  /** Newest event of the company that this takes into account. */
  readonly seen?: number;
  /** A message for the flow's webhook, to be delivered after those of the same call that wait already. */
  readonly message?: string;
  /** Takes one call off this account's balance, if it has one; without any left nothing is stored. */
  readonly charge?: string;
  /** Is stored only where none of the account's lists keeps this number from being called. */
  readonly unlessBarred?: NumberBar;
  /** Gives one call back to this account's balance, if it has one. */
  readonly refund?: string;
  /** The campaigncall that this tells of; unless `fresh`, one that is not kept any more stays away. */
  readonly campaigncall?: CampaigncallEntry & { readonly fresh: boolean };
  /** Is added to what is counted of the flow. */
  readonly tally?: DialerTally;
}

/** A number that is about to be called, and what may keep it from that beside the black list. */
export interface NumberBar {
  readonly account: string;
  /** In its canonical form. */
  readonly number: string;
  /** It must be on the white list. */
  readonly testing: boolean;
  /** It must not be on the DND list, unless it is on the white list. */
  readonly marketing: boolean;
}

/** What a call adds to the counts of its flow. */
export interface DialerTally {
  /** Hours since 1970. */
  readonly hour: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** How long and how many campaigncalls of a flow are kept. */
export interface CampaigncallBounds {
  readonly keepSeconds: number;
  readonly keepAtMost: number;
}

/** A campaigncall to be stored; the store does not look into its JSON. */
export interface CampaigncallEntry extends CampaigncallBounds {
  readonly id: string;
  readonly json: string;
}

/**
 * The campaigncalls of a company's flows, in the order in which they came about. They are written with the calls of the
 * dialler that they tell of. Methods reject (StoreUnavailable) while Redis cannot be reached.
 */
export interface CampaigncallStore {
  /** Stores one that is not there yet; one that is stays as it is. */
  add(companyId: CompanyId, flowId: string, entry: CampaigncallEntry): Promise<void>;
  /** @param flowIds where it may be @returns its JSON */
  find(companyId: CompanyId, flowIds: readonly string[], id: string): Promise<string | undefined>;
  /**
   * Those of some flows, newest first.
   *
   * @param before only those whose place is lower: the place of the last one that was read
   */
  list(
    companyId: CompanyId,
    flowIds: readonly string[],
    limit: number,
    before?: number,
  ): Promise<{ readonly place: number; readonly json: string }[]>;
}

export type DialerCommitResult = 'stored' | 'not-leading' | 'conflict' | 'no-balance' | 'barred';

/** The next message of a call that waits for its webhook. */
export interface DialerMessage {
  readonly uuid: string;
  readonly json: string;
  /** Attempts that have failed. */
  readonly failures: number;
}

/**
 * What the dialler keeps in Redis. One instance leads a company's dialler: it alone places calls, follows them and
 * delivers messages; its token is checked by every script that writes. Methods reject (StoreUnavailable) while Redis
 * cannot be reached.
 */
export interface DialerStore {
  /** Takes or keeps the lead. @returns the token; undefined while another instance leads */
  lead(companyId: CompanyId, owner: string, durationMs: number): Promise<number | undefined>;
  /** Gives the lead back, if it is still this token's. */
  resign(companyId: CompanyId, token: number): Promise<void>;
  /**
   * Names the calls that the leader has in memory: a store that has lost their latest state has it again before it can be
   * asked for anything.
   *
   * @param held asked after a loss, and answered at once
   * @returns to be called when they are held no more
   */
  holding(companyId: CompanyId, held: () => readonly HeldDialerCall[]): () => void;
  /**
   * Stores a request and its calls, unless the same payload was stored within the last day.
   *
   * @param request `json` is what a question for the request's id is answered from
   */
  accept(
    companyId: CompanyId,
    request: { readonly id: string; readonly json: string; readonly flowId: string; readonly checksum: string },
    calls: readonly DialerEntry[],
    ttl: number,
  ): Promise<'stored' | 'repeated'>;
  commit(commit: DialerCommit): Promise<DialerCommitResult>;
  load(companyId: CompanyId, uuids: readonly string[]): Promise<DialerDocument[]>;
  request(companyId: CompanyId, id: string): Promise<string | undefined>;
  /** Calls that are being placed or live. */
  active(companyId: CompanyId): Promise<DialerDocument[]>;
  /**
   * The first calls of a flow's queue that are due.
   *
   * @param now Unix ms
   * @returns them, in order, and when the next one is due (Unix ms), if one waits
   */
  due(
    companyId: CompanyId,
    flowId: string,
    now: number,
    limit: number,
  ): Promise<{ readonly calls: DialerDocument[]; readonly next?: number }>;
  waiting(companyId: CompanyId, flowId: string): Promise<number>;
  /** What was counted of a flow, by hour since 1970; both ends included, at most 31 days. */
  tallies(
    companyId: CompanyId,
    flowId: string,
    from: number,
    to: number,
  ): Promise<ReadonlyMap<number, Readonly<Record<string, number>>>>;
  /** Newest event that the dialler has taken into account; undefined: none ever. */
  seen(companyId: CompanyId): Promise<number | undefined>;
  setSeen(companyId: CompanyId, token: number, eventID: number): Promise<void>;
  flowStates(companyId: CompanyId): Promise<Readonly<Record<string, string>>>;
  setFlowState(companyId: CompanyId, flowId: string, json: string): Promise<void>;
  /** @param first what it is where there is none yet @returns calls left */
  balance(companyId: CompanyId, account: string, first: number): Promise<number>;
  /** Messages that are due, the longest waiting first, one for each call. */
  dueMessages(companyId: CompanyId, now: number, limit: number): Promise<DialerMessage[]>;
  /** When the next message is due, Unix ms. */
  nextMessageAt(companyId: CompanyId): Promise<number | undefined>;
  /**
   * A message has been delivered: the next one of its call is due at once. As with the two below, one that is not its call's
   * first any more has been dealt with already, and nothing changes.
   */
  delivered(companyId: CompanyId, token: number, message: DialerMessage): Promise<void>;
  /** It has not; it is due again at this moment (Unix ms). */
  notDelivered(companyId: CompanyId, token: number, message: DialerMessage, at: number): Promise<void>;
  /** It never will: it is set aside, and the next one is due at once. */
  deadLetter(companyId: CompanyId, token: number, message: DialerMessage, flowId: string): Promise<void>;
  /** Messages of a flow that were set aside are delivered once more. @returns how many */
  replay(companyId: CompanyId, flowId: string, now: number): Promise<number>;
  deadLetters(companyId: CompanyId, flowId: string): Promise<number>;
}

/** A flow of the dialler that the admin API has made. */
export interface StoredFlow {
  readonly id: string;
  /** Grows with every change, from 1. */
  readonly version: number;
  /** It takes no requests any more; what it had placed is still followed. */
  readonly removed: boolean;
  readonly json: string;
}

export interface FlowChange {
  readonly id: string;
  /** Absent: it stays what it is. */
  readonly json?: string;
  /** `new`: there must be none; `any`: there must be one; a number: the version that it must have. */
  readonly expected: 'new' | 'any' | number;
  readonly removed: boolean;
  /** Unix ms. */
  readonly now: number;
}

/** The new version; or why nothing was changed: it is there or is another version, there is no room, there is none. */
export type FlowChangeResult = number | 'conflict' | 'full' | 'missing';

/** Flows that are made while the service runs. All methods reject while the store is away. */
export interface FlowStore {
  /** Grows with every change of the company's flows; 0: there never was one. */
  revision(companyId: CompanyId): Promise<number>;
  all(companyId: CompanyId): Promise<StoredFlow[]>;
  change(companyId: CompanyId, change: FlowChange): Promise<FlowChangeResult>;
}
