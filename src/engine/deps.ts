import type { CallID } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { Admission, Caller, CallPlacing, CallStore, FloorStore, MaskStore } from '../ports.ts';
import type { Directory } from './directory.ts';
import type { FloorPost } from './floor-post.ts';
import type { NodeBoard } from './node-board.ts';
import type { PlacedAs } from './placed-as.ts';
import type { Recordings } from './recordings.ts';
import type { ShardLog } from './shard-deps.ts';

/** What the engine writes to the log; the call's id goes with it where there is one. */
export interface EngineLog extends ShardLog {
  info(what: string, details?: Readonly<Record<string, unknown>>): void;
}

/** What the engine needs of the world. */
export interface EngineDeps {
  readonly store: CallStore;
  readonly floors: FloorStore;
  readonly admission: Admission;
  readonly directory: Directory;
  readonly recordings: Recordings;
  readonly masks: Pick<MaskStore, 'counterpart'>;
  /** Unix ms. */
  readonly now: () => number;
  /** 32 lower-case hex digits of randomness. */
  readonly randomHex: () => string;
  /** Seconds that a phone rings where nothing else is said. */
  readonly ringTimeout: number;
  readonly log: EngineLog;
  /** Redis answers, as far as is known. While it does not, no call begins. */
  readonly storeAnswers: () => boolean;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  /** A newer instance owns the shard: this one must not go on. */
  readonly onFenced: (shard: string) => void;
  /** All shards that there are, here or at another instance; absent: all are here. */
  readonly shards?: () => readonly string[];
  /** Nodes that there are; absent: all are here. */
  readonly nodeCount?: number;
  /** What is known of the nodes beyond what lives here; absent: nothing. */
  readonly board?: NodeBoard;
  /** The way to agents and queues, and to calls, of another instance; absent: there is none. */
  readonly post?: () => Pick<FloorPost, 'note' | 'effect'>;
  /** Places a call in a shard of another instance; absent: all shards are here. */
  readonly placing?: () => {
    placeAs(
      caller: Caller,
      callID: CallID,
      params: ParamsOf<'RequestMakeCall'>,
      as: PlacedAs,
    ): ReturnType<CallPlacing['place']>;
  };
}
