import type { Agent } from '../agents/agent.ts';
import type { Call } from '../calls/call.ts';
import type { CtiEventName, NewCtiEvent } from '../cti/events.ts';
import type { AgentID, CompanyId } from '../cti/ids.ts';
import type { NodeDrain, NodeReach, NodeReport } from './nodes.ts';

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
  /**
   * A newer owner has written: this instance must let go of the shard. `perhaps`: an earlier try of the same commit got no
   * answer, so that it may have been stored before.
   */
  | { readonly outcome: 'fenced'; readonly perhaps?: boolean }
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
   *
   * @param leased the fence of a lease that is held already
   */
  takeShard(shard: string, companies?: readonly CompanyId[], leased?: number): Promise<number>;
}

/** What came of asking for a lease. */
export type LeaseAnswer =
  | { readonly outcome: 'held'; readonly fence: number }
  /** `freeInMs`: after so long it is free, unless its owner renews it. */
  | { readonly outcome: 'taken'; readonly freeInMs: number };

/** An instance that gives signs of life. */
export interface Member {
  /** Of this one process: no other has ever had it. */
  readonly id: string;
  readonly says: {
    /** Where the other instances reach it; absent: they do not. */
    readonly url?: string;
    /** It is about to end, and takes no shard any more. */
    readonly leaving: boolean;
    /** By node, of those of which it owns something; absent: it does not say. */
    readonly nodes?: Readonly<Record<string, NodeReport>>;
    /** By node, of all that it has looked at; absent: it does not say. */
    readonly reach?: Readonly<Record<string, NodeReach>>;
    /** Shards that are offered to it and whose event socket it has open by now. */
    readonly opened?: readonly string[];
  };
}

/** A shard's lease as it is now. */
export interface LeaseState {
  readonly shard: string;
  /** Who holds it. */
  readonly owner?: string;
  /** To whom its owner offers it. */
  readonly to?: string;
  /** It runs out in so many ms, if it is not renewed; 0 where nobody holds it. */
  readonly freeInMs: number;
  /** Only of those that were to be renewed: whether it still is this instance's, under the same fence. */
  readonly kept?: boolean;
}

/** Who there is, and who holds what. */
export interface Overview {
  readonly members: readonly Member[];
  readonly leases: readonly LeaseState[];
  /** Nodes that take no new calls, by id. */
  readonly draining: ReadonlyMap<string, NodeDrain>;
}

/**
 * Who owns a shard, for a limited time. The fence that comes with a lease refuses every earlier owner's commits. Methods
 * reject (StoreUnavailable) while Redis cannot be reached.
 */
export interface Leases {
  /**
   * One sign of life: renews what is held, and tells how everything stands. A lease that has run out and that nobody has
   * taken since goes on under the same fence.
   *
   * @param held fences by shard
   * @param shards all that there are
   */
  beat(says: Member['says'], held: ReadonlyMap<string, number>, shards: readonly string[]): Promise<Overview>;
  /** Takes the lease if it is free or already this instance's; every success has a new and higher fence. */
  acquire(shard: string): Promise<LeaseAnswer>;
  /** Says to whom the shard is to go, so that it can prepare; `undefined`: to nobody any more. */
  offer(shard: string, fence: number, to: string | undefined): Promise<boolean>;
  /** Gives the lease to another instance, or back. Giving what is no longer held does nothing. @returns whether it was */
  give(shard: string, fence: number, to?: string): Promise<boolean>;
  /** Takes this instance off the list of those there are. */
  leave(): Promise<void>;
  /** Notes for all instances that a node takes no new calls; where that is noted already, nothing changes. */
  drainNode(node: string, by: string, reason: string | undefined): Promise<void>;
  /** Takes that note away. */
  resumeNode(node: string): Promise<void>;
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
