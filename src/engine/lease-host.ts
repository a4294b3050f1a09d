import type { Leases, Member } from '../ports.ts';

/** How a shard came here. */
export type TakenHow = 'free' | 'taken-over' | 'handed-over';

/** What a shard needs of whoever runs it. */
export interface ShardHost {
  /** It has an event socket, so that its taking over can be seen. */
  hasSocket(shard: string): boolean;
  /** The node that it is on; undefined where it has none. */
  nodeOf(shard: string): string | undefined;
  /** Its event socket stands here, as far as is known. */
  stands(shard: string): boolean;
  /** The shard is to come from another instance: opens its socket, and holds back what comes on it until `begin`. */
  prepare(shard: string): void;
  /**
   * The shard is ours: takes up its calls, opens its socket if need be. Resolves once it serves, or will by itself.
   *
   * @param how `handed-over`: its owner has finished everything that he had begun
   */
  begin(shard: string, fence: number, how: TakenHow): Promise<void>;
  /** Another client has taken over the socket, though the shard is ours: opens it again. */
  reopen(shard: string): void;
  /** Its calls are compared with what its node has, once more. */
  compare(shard: string): void;
  /**
   * The shard is to go: nothing new is taken.
   *
   * @param cutOff its node cannot be reached from here: nothing more is sent there, and commands under way are given up
   * @returns whether everything that had come is done; false after a while
   */
  settle(shard: string, cutOff: boolean): Promise<boolean>;
  /** Lets go of the shard; nothing is sent from here on. */
  close(shard: string): Promise<void>;
}

export interface LeaseLog {
  info(what: string, details: Readonly<Record<string, unknown>>): void;
  warn(what: string, details: Readonly<Record<string, unknown>>): void;
}

/** What keeping leases needs of the world. */
export interface LeaseKeeperDeps {
  readonly leases: Leases;
  readonly host: ShardHost;
  /** All shards that there are. */
  readonly shards: readonly string[];
  /** Of this process. */
  readonly id: string;
  /** Where other instances reach this one. */
  readonly url: () => string | undefined;
  /** What is told of the nodes with each sign of life; absent: nothing. */
  readonly nodes?: () => Member['says']['nodes'];
  /** Which nodes are reached from here; absent: nothing is told of it. */
  readonly reach?: () => Member['says']['reach'];
  /** After each round that has told how everything stands. */
  readonly onBeat?: () => void;
  /** How long a lease lasts without a sign of life. */
  readonly leaseMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: LeaseLog;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
}

/** What the keeper counts. */
export interface LeaseStats {
  renewals: number;
  failures: number;
  lost: number;
  readonly taken: Record<TakenHow, number>;
  givenAway: number;
  /** Of these, because their node was not reached from here. */
  givenCutOff: number;
  /** Seconds from a lease being ours to its shard serving, of all take-overs together. */
  takeOverSeconds: number;
}

/** That a shard was offered to another instance. */
export interface Offer {
  readonly to: string;
  /** ms of the keeper's clock. */
  readonly at: number;
  /** Because its node is not reached from here. */
  readonly cutOff: boolean;
}

/** A shard that is ours. */
export interface HeldShard {
  readonly fence: number;
  /** Ends when the shard serves. */
  readonly begun: Promise<void>;
  offered?: Offer;
  giving?: Promise<void>;
  /** How often its socket has been taken by somebody without a lease, and when last. */
  robbed: { times: number; at: number };
}

/** While a shard is on its way from one instance to another, its lease is looked at so often, ms. */
export const HURRY_MS = 50;
