import type { Readable } from 'node:stream';
import type { Agent } from './agents/agent.ts';
import type { Call } from './calls/call.ts';
import type { Command } from './calls/command.ts';
import type { Fact } from './calls/input.ts';
import type { Refusal } from './cti/errors.ts';
import type { CtiEventName, NewCtiEvent } from './cti/events.ts';
import type { AgentID, CallID, CompanyId } from './cti/ids.ts';
import type { ParamsOf } from './cti/requests.ts';

/**
 * The ports between the engine and the world, named for what they do for the core. Adapters implement them
 * (switch, store, rpc); nothing here has behaviour.
 */

// ── switch ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A channel that the dialplan handed over. */
export interface Arrival {
  readonly channel: string;
  /** Arguments of Stasis(app,…): `inbound,<dialled>` from a trunk, `dialled,<dialled>` from a phone of ours. */
  readonly origin: 'trunk' | 'phone';
  readonly dialled: string;
  /** Caller's number as the network gave it, `anonymous` if it gave none. */
  readonly caller: string;
  /** Name of the PJSIP endpoint that it came in on. */
  readonly endpoint: string;
}

/** What the switch tells the engine, synchronously and in the node's own order. It never waits for the engine. */
export interface SwitchListener {
  onArrival(node: string, arrival: Arrival): void;
  onFact(node: string, fact: Fact): void;
  /** After every (re)connection: all channels of ours that the node has, and the bridges with who is in them. */
  onResync(node: string, found: NodeContents): void;
  /**
   * A command was not carried out: Asterisk refused it, failed or did not answer. It is the object that was handed over.
   */
  onCommandFailed(node: string, callID: CallID, command: Command): void;
  onHealth(node: string, serving: boolean): void;
  /** Phones of a node that can be reached, by endpoint: told after every (re)connection, and kept up to date. */
  onPhones(node: string, reachable: ReadonlySet<string>): void;
  /** A phone cannot be reached on this node any more. */
  onPhoneLost(node: string, endpoint: string): void;
}

/** What a node really has, at the moment of a resynchronisation. */
export interface NodeContents {
  readonly channels: readonly {
    readonly channel: string;
    /** Asterisk's channel state: Down, Ring, Ringing, Up, … */
    readonly state: string;
    /** It is in our application. */
    readonly ours: boolean;
    /** Its phone has put the other side on hold; absent where that is not known. */
    readonly onHold?: boolean;
    /** How it came, if the dialplan handed it to us. */
    readonly arrival?: Arrival;
  }[];
  readonly bridges: readonly { readonly bridge: string; readonly channels: readonly string[] }[];
  /** Channels that are just being dialled: that they are not listed says nothing about them. */
  readonly underWay: ReadonlySet<string>;
  /** When Asterisk was started, Unix ms; 0 if it does not say. Calls from before have died with what ran then. */
  readonly startedAt: number;
  /** Calls whose commands are still being carried out. */
  readonly busy: ReadonlySet<string>;
}

/** One Asterisk node, in the calls' terms. */
export interface Switch {
  readonly node: string;
  /** Its event socket is open and its REST answers. */
  readonly serving: boolean;
  /**
   * Carries out a call's commands, in order. Never throws and never waits: what fails comes back as a fact about the
   * leg that it concerns.
   */
  perform(callID: CallID, commands: readonly Command[]): void;
  /** Something that was told could not be kept: has the node tell anew what it has, as after a reconnection. */
  resync(): void;
}

/** Says whether one more call may begin, before anybody's phone rings. */
export interface Admission {
  /**
   * Takes a place for a call.
   *
   * @returns undefined if it may begin, else why not: `channel-limit` (calls at once or calls per second of node,
   *   trunk or company), `no-node`
   */
  admit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): 'channel-limit' | undefined;
  /** Gives the place back, once the call has ended. Giving back what was never taken does nothing. */
  release(callID: CallID): void;
  /**
   * Takes a place on a trunk for one more leg of a call that has its own place already.
   *
   * @returns why not, if the trunk has no room
   */
  admitLeg(callID: CallID, trunk: string): 'channel-limit' | undefined;
  /**
   * Says which trunks the legs of a call are on now, one entry for each leg: places that no leg uses any more are given
   * back, and legs that were found alive have theirs whatever the limits say.
   */
  legsOf(callID: CallID, trunks: readonly string[]): void;
  /** Gives a call that was found alive at a start its place, whatever the limits say. */
  readmit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): void;
}

// ── store ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** One commit: a call's next state and what it tells, stored together or not at all. */
export interface Commit {
  readonly companyId: CompanyId;
  /** Stasis application whose calls these are; the fence is its. */
  readonly shard: string;
  /** Grows with every change of the shard's owner: an owner that only slept is refused. */
  readonly fence: number;
  readonly call: Call;
  /** Version that the call has in the store before this commit; 0: it does not exist yet. */
  readonly version: number;
  readonly events: readonly NewCtiEvent[];
  /**
   * Names this commit, so that repeating it after StoreUnavailable is harmless: if it had been stored and only the reply
   * was lost, the answer is `stored` again. Without it the same object counts as the same commit, and an equal but
   * different one is a `conflict`.
   */
  readonly token?: string;
}

export type CommitResult =
  /** Stored. `lastEventID`: of the last event of this commit, 0 if it had none. */
  | { readonly outcome: 'stored'; readonly version: number; readonly lastEventID: number }
  /** A newer owner has written: this instance must let go of the shard. */
  | { readonly outcome: 'fenced' }
  /** The stored version is another one: somebody else writes this call. */
  | { readonly outcome: 'conflict'; readonly version: number };

/** Where live calls are kept. Methods reject (StoreUnavailable) while Redis cannot be reached. */
export interface CallStore {
  commit(commit: Commit): Promise<CommitResult>;
  /** Appends events that belong to no stored call (refusals). */
  append(companyId: CompanyId, events: readonly NewCtiEvent[]): Promise<void>;
  /** A call, live or ended within the time that ended calls are kept, with its version. */
  load(companyId: CompanyId, callID: string): Promise<{ call: Call; version: number } | undefined>;
  /** All live calls of a shard, over all companies given. */
  loadLive(companies: readonly CompanyId[], shard: string): Promise<{ call: Call; version: number }[]>;
  /**
   * Takes the shard: returns a fence higher than every earlier one. In the companies given, the earlier owner is
   * refused from now on; in others, from this owner's first commit on.
   */
  takeShard(shard: string, companies?: readonly CompanyId[]): Promise<number>;
}

/** What has changed of a company's agents and queues, and what it tells, stored together or not at all. */
export interface FloorCommit {
  readonly companyId: CompanyId;
  readonly fence: number;
  /** Version that the floor has in the store before this commit; 0: none. The same object is the same commit. */
  readonly version: number;
  /** Agents that have changed; without `agent`, one that is forgotten. */
  readonly agents: readonly { readonly agentID: AgentID; readonly agent?: Agent }[];
  /** Calls that wait in a queue, since Unix ms; without `since`, one that does so no more. */
  readonly waiting: readonly { readonly queue: string; readonly callID: string; readonly since?: number }[];
  /** These are all agents and all that waits: whatever else the store has goes. */
  readonly whole?: true;
  readonly events: readonly NewCtiEvent[];
}

/** Where agents and queues are kept. Methods reject (StoreUnavailable) while Redis cannot be reached. */
export interface FloorStore {
  commitFloor(commit: FloorCommit): Promise<CommitResult>;
  /** `waiting`: what the store lists as waiting, as `<queue>:<callID>`. */
  loadFloor(companyId: CompanyId): Promise<{ version: number; agents: Agent[]; waiting: string[] }>;
}

/** An event as the log holds it: its JSON is made once and spliced into every subscriber's message. */
export interface LoggedEvent {
  readonly eventID: number;
  readonly messageID: CtiEventName;
  readonly callID?: string;
  /** Every DN that the event names as a party's own (thisDN). */
  readonly thisDN?: string;
  /** The whole event as JSON text, eventID included. */
  readonly json: string;
}

/** The company event log: what subscribers hear, in the order in which they hear it. */
export interface EventLog {
  /** Newest eventID; 0 if the log is empty. */
  lastEventID(companyId: CompanyId): Promise<number>;
  /**
   * Events later than `after`, oldest first, at most `limit`.
   *
   * @returns `expired` if events later than `after` have already fallen out of the log
   */
  read(companyId: CompanyId, after: number, limit: number): Promise<readonly LoggedEvent[] | 'expired'>;
  /**
   * Calls `listener` with the new events of a company, in order and without a gap, until the returned function is
   * called. It begins at or before what a `lastEventID` asked for after this call will answer: who asks for both in this
   * order and drops what is not later than that id misses nothing.
   *
   * @param lost called when events have gone that the listener was never given (Redis lost its log, or was away for
   *   longer than the log keeps events); what follows comes after the gap
   */
  tail(companyId: CompanyId, listener: (events: readonly LoggedEvent[]) => void, lost?: () => void): () => void;
}

// ── recordings ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What was recorded of a call, as it lies on the node that carried it. */
export interface RecordingFile {
  /** Bytes of `samples`. */
  readonly size: number;
  /**
   * Signed 16-bit little-endian samples at 8000 Hz, left and right in turn. Must be read to its end or destroyed.
   */
  readonly samples: Readable;
}

export interface RecordingFiles {
  /**
   * @returns undefined where the company has no recording of that id
   * @throws where the node that may have it cannot be asked
   */
  open(companyId: CompanyId, recordUUID: string, signal?: AbortSignal): Promise<RecordingFile | undefined>;
}

// ── rpc ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Who asks: from the API key. */
export interface Caller {
  readonly companyId: CompanyId;
  readonly keyName: string;
  readonly scopes: ReadonlySet<string>;
}

/** What the RPC serves: one function for all methods of the table; parameters have passed their schema. */
export interface Requests {
  /** @returns the method's result, or the refusal; never throws for a client's mistake */
  request(caller: Caller, method: string, params: unknown): Promise<{ result: unknown } | { refusal: Refusal }>;
}

/** Who may use the HTTP endpoints beside the RPC: its keys, with their scopes and rates. */
export interface ApiAccess {
  /**
   * Takes one request off the rate of the key in an `Authorization` header.
   *
   * @returns whose it is; or why not: no key of ours, or one over its rate
   */
  admit(authorization: string | undefined): Caller | 'unauthorized' | 'too-fast';
}

/** What /readyz tells. */
export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly redis: boolean;
  readonly nodes: Readonly<Record<string, string>>;
}

// ── masking ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Which two numbers reach each other through a number of ours. Numbers are canonical: digits with the country's code. */
export interface MaskStore {
  /**
   * Gives a pair a number of the pool under which neither of the two is in another pair; the one that it has already,
   * with the new validity, if it has one.
   *
   * @param until Unix ms
   * @returns undefined where no number of the pool is free for them
   */
  allocate(
    companyId: CompanyId,
    pool: readonly string[],
    pair: readonly [string, string],
    until: number,
    now: number,
  ): Promise<string | undefined>;
  /** Takes a pair's number back. @returns whether it had it */
  release(companyId: CompanyId, did: string, pair: readonly [string, string]): Promise<boolean>;
  /** Whom a caller reaches through a number of ours now; undefined where nobody. */
  counterpart(companyId: CompanyId, did: string, caller: string, now: number): Promise<string | undefined>;
}

// ── dialer ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Places calls under ids that are chosen beforehand, for those who must not place one twice. */
export interface CallPlacing {
  /** An id for a call, on the node where it would best be placed now; undefined while no call may begin. */
  chooseCallID(): CallID | undefined;
  /**
   * RequestMakeCall under a chosen id. A call that has this id already, live or ended, is answered as if it had just been
   * made, and nothing is placed.
   *
   * @returns its result, or the refusal: NotReady where nothing was begun and it may be tried again under a new id
   */
  place(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
  ): Promise<{ result: unknown } | { refusal: Refusal }>;
  /** What is known of a call: whether it lives, has ended, or was never heard of (or too long ago). */
  whatIs(companyId: CompanyId, callID: CallID): Promise<'live' | 'ended' | 'unknown'>;
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
  /** Gives one call back to this account's balance, if it has one. */
  readonly refund?: string;
  /** The campaigncall that this tells of; unless `fresh`, one that is not kept any more stays away. */
  readonly campaigncall?: CampaigncallEntry & { readonly fresh: boolean };
  /** Is added to what is counted of the flow. */
  readonly tally?: DialerTally;
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

export type DialerCommitResult = 'stored' | 'not-leading' | 'conflict' | 'no-balance';

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
  /** The first message of a call has been delivered: the next one is due at once. */
  delivered(companyId: CompanyId, token: number, uuid: string): Promise<void>;
  /** It has not; it is due again at this moment (Unix ms). */
  notDelivered(companyId: CompanyId, token: number, uuid: string, at: number): Promise<void>;
  /** It never will: it is set aside, and the next one is due at once. */
  deadLetter(companyId: CompanyId, token: number, uuid: string, flowId: string): Promise<void>;
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

// ── contacts ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lets so many through in a second. */
export interface Rate {
  /** @returns false where it is over the rate */
  take(): boolean;
}

/**
 * Something that is no call and waits in a queue for an agent as calls do, or has one. Its callID is a ticket: the call
 * that comes of it, if one does, goes by the same id and takes the agent over.
 */
export interface Ticket {
  readonly callID: CallID;
  /** Present while it waits. */
  readonly waiting?: {
    readonly queue: string;
    /** Unix ms: its place. */
    readonly since: number;
    /** Number of the last assignment that it has taken. */
    readonly assignment: number;
    /** An agent has it before him, and has not taken it yet. */
    readonly offered: boolean;
    /** It has been sent on once: not again. */
    readonly overflowed: boolean;
  };
  /** Whom it has, or had. */
  readonly agent?: {
    readonly dn: string;
    readonly assignment: number;
    /** He is busy with it, or it is offered to him. */
    readonly present: boolean;
    /** He has taken it. */
    readonly taken: boolean;
    /** He let it go by. */
    readonly missed: boolean;
  };
}

/** Those who put tickets in queues. What is told here is told once, synchronously; the answer is a new ticket's state. */
export interface TicketHolder {
  /** The tickets of a company that are out, as at a start. */
  tickets(companyId: CompanyId): readonly Ticket[];
  /** An agent has been chosen. @returns false where it is no ticket of this holder's; one that it is is declined later */
  assigned(
    companyId: CompanyId,
    callID: CallID,
    agent: { readonly dn: string; readonly agentID: AgentID; readonly assignment: number },
  ): boolean;
  /**
   * It has waited too long for its queue.
   *
   * @param queue where it goes now; undefined: it stays
   * @returns false where it is no ticket of this holder's
   */
  sentOn(companyId: CompanyId, callID: CallID, queue: string | undefined): boolean;
}

/** What became of the call of a ticket. */
export interface TicketCall {
  readonly state: 'live' | 'ended' | 'unknown';
  /** Agent and customer talk, or talked. */
  readonly bridged: boolean;
  /** It was over before that because the agent's phone was not answered. */
  readonly agentMissed: boolean;
}

/** Queues for those who hold tickets. */
export interface TicketDesk {
  /** Names the one who holds tickets; before the floors are opened. */
  serve(holder: TicketHolder): void;
  /** Agents and queues of a company are served here. */
  open(companyId: CompanyId): boolean;
  /** How a ticket stands now. */
  tell(companyId: CompanyId, ticket: Ticket): void;
  /** A ticket did not take an assignment. */
  decline(companyId: CompanyId, callID: CallID, assignment: number): void;
  /** A ticket's agent is called, and when he has answered its customer, under the ticket's id. */
  call(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    of: { readonly queue: string; readonly assignment: number },
  ): Promise<{ result: unknown } | { refusal: Refusal }>;
  becameOf(companyId: CompanyId, callID: CallID): Promise<TicketCall>;
  /**
   * How a place in a queue stands.
   *
   * @param since Unix ms
   * @returns how many wait before it and have nobody yet, and how many agents of the queue are logged in
   */
  standing(companyId: CompanyId, queue: string, since: number): { readonly ahead: number; readonly agents: number };
}

/** A contact as the store keeps it; it does not look into the document. */
export interface ContactDocument {
  readonly id: string;
  readonly json: string;
  readonly version: number;
}

export interface ContactCommit {
  readonly companyId: CompanyId;
  readonly id: string;
  readonly json: string;
  /** Version that it has in the store before this commit; 0: none. */
  readonly version: number;
  /** It is handled or discarded: kept so long and so many. */
  readonly ended?: { readonly keepSeconds: number; readonly keepAtMost: number };
}

/** Where contacts are kept. Methods reject (StoreUnavailable) while Redis cannot be reached. */
export interface ContactStore {
  /** The same commit again, after its reply was lost, is answered as the first time. */
  commit(commit: ContactCommit): Promise<'stored' | 'conflict'>;
  find(companyId: CompanyId, id: string): Promise<ContactDocument | undefined>;
  /** Those that are neither handled nor discarded. */
  live(companyId: CompanyId): Promise<ContactDocument[]>;
}
