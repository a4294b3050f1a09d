import type { Call } from '../calls/call.ts';
import type { AgentStatusChange } from '../calls/output.ts';
import type { CallID } from '../cti/ids.ts';
import type { Admission, CallStore, Switch } from '../ports.ts';

/** What the shard reports of itself: logged once, with the call's id. */
export interface ShardLog {
  error(what: string, error: unknown, callID?: CallID): void;
  storeAway(error: unknown): void;
  storeBack(): void;
}

/** What a shard needs of the world. */
export interface ShardDeps {
  /** Stasis application and node, such as `ringmaster@pbx-1`. */
  readonly shard: string;
  readonly fence: number;
  readonly store: CallStore;
  readonly switch: Switch;
  readonly admission: Admission;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: ShardLog;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  /** A call has changed and is stored; with the statuses that agents came to by it. */
  readonly onChanged: (call: Call, statuses: readonly AgentStatusChange[]) => void;
  /** Another instance owns the shard now: everything here is let go. */
  readonly onFenced: (shard: string) => void;
  /** Inputs of all calls together that may wait while the store is away; default 100,000. */
  readonly backlogLimit?: number;
}
