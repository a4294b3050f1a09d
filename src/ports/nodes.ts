/**
 * Whether an instance reaches a node's ARI, in its own judgement:
 * - `steady`: it does, and has not lost it, or has it again for so long that it may be lost no more;
 * - `back`: it does again, for the time of a lease at least;
 * - `unsure`: it has lost it, or has it again, for a shorter time than that, of which nothing follows;
 * - `cut`: it has not reached it for the time of a lease.
 */
export type NodeReach = 'steady' | 'back' | 'unsure' | 'cut';

/** What an instance says of a node of which it owns something. */
export interface NodeReport {
  /** The event socket is open and REST answers. */
  readonly serving: boolean;
  /** Calls that it runs there. */
  readonly calls: number;
  /** One more may begin, as far as the limits go that it keeps. */
  readonly room: boolean;
  /** Parts of REST that did not answer when they were last tried. */
  readonly silent: readonly string[];
  /** It took the node for dead, and has heard nothing of it since. */
  readonly dead: boolean;
}

/** How much a node carries, of what it may. */
export interface NodeLoad {
  readonly calls: number;
  /** Calls at once; absent: there is no limit. */
  readonly limit?: number;
  /** One more may begin now. */
  readonly room: boolean;
}

/** That a node takes no new calls, because an operator wants it so. */
export interface NodeDrain {
  /** Unix ms, by Redis's clock. */
  readonly since: number;
  /** Name of the operator's key. */
  readonly by: string;
  readonly reason?: string;
}

/** A node as an operator sees it, over all instances as far as they have told. */
export interface NodeStatus {
  readonly id: string;
  /**
   * `serving`; `draining` (and serves what it has); `away`: its event socket or a part of its REST does not work;
   * `dead`: it was given up, and its calls are released; `unowned`: no instance has any of its shards.
   */
  readonly state: 'serving' | 'draining' | 'away' | 'dead' | 'unowned';
  readonly draining: boolean;
  readonly drain?: NodeDrain;
  readonly calls: number;
  readonly limits: { readonly calls: number; readonly callsPerSecond: number };
  /** Parts of REST that do not answer. */
  readonly silent: readonly string[];
  /** Ids of the instances that do not reach it. */
  readonly cutOff: readonly string[];
}

/** What an operator may do with the nodes. Methods that change something reject (StoreUnavailable) while Redis is away. */
export interface NodeOperations {
  list(): readonly NodeStatus[];
  /** No new calls on this node from now on. Doing it again changes nothing. @returns undefined: there is no such node */
  drain(node: string, by: string, reason: string | undefined): Promise<NodeStatus | undefined>;
  /** New calls again. @returns undefined: there is no such node */
  resume(node: string, by: string): Promise<NodeStatus | undefined>;
}
