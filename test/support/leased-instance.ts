import type { ShardHost, TakenHow } from '../../src/engine/lease-host.ts';
import { LeaseKeeper } from '../../src/engine/lease-keeper.ts';
import type { NodeReach } from '../../src/ports.ts';
import { FLOOR_SHARD } from '../../src/queues/floor.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

/** An instance with a host that only remembers what it was asked. Sockets of one shard replace each other. */
export class LeasedInstance implements ShardHost {
  readonly keeper: LeaseKeeper;
  readonly did: string[] = [];
  readonly open = new Map<string, number>();
  /** How each shard came here last. */
  readonly came = new Map<string, TakenHow>();
  readonly warned: string[] = [];
  /** Milliseconds by which its clock has been put forward: it slept for so long. */
  slept = 0;
  /** How it reaches node `pbx` of every shard with a socket; undefined: it does not say. */
  reach: NodeReach | undefined;
  /** Nothing comes from the node or goes there; nobody tells it that its socket was taken. */
  cutOff = false;

  constructor(
    readonly id: string,
    readonly store: Store,
    shards: readonly string[],
    readonly sockets: Map<string, LeasedInstance>,
    leaseMs: number,
  ) {
    this.keeper = new LeaseKeeper({
      leases: store.leases(id, leaseMs),
      host: this,
      shards: [...shards, FLOOR_SHARD],
      id,
      url: () => `http://${id}`,
      reach: () => (this.reach ? { pbx: this.reach } : {}),
      leaseMs,
      now: () => performance.now() + this.slept,
      log: { info: () => undefined, warn: (what) => this.warned.push(what) },
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
    });
  }

  hasSocket(shard: string): boolean {
    return shard !== FLOOR_SHARD;
  }

  nodeOf(shard: string): string | undefined {
    return this.hasSocket(shard) ? 'pbx' : undefined;
  }

  stands(shard: string): boolean {
    return !this.cutOff && this.sockets.get(shard) === this;
  }

  prepare(shard: string): void {
    this.did.push(`prepare ${shard}`);
    this.#take(shard);
  }

  async begin(shard: string, fence: number, how: TakenHow): Promise<void> {
    this.did.push(`begin ${shard}`);
    this.came.set(shard, how);
    this.open.set(shard, fence);
    if (this.sockets.get(shard) !== this) this.#take(shard);
  }

  reopen(shard: string): void {
    this.did.push(`reopen ${shard}`);
    this.#take(shard);
  }

  compare(shard: string): void {
    this.did.push(`compare ${shard}`);
  }

  async settle(shard: string, cutOff: boolean): Promise<boolean> {
    this.did.push(`${cutOff ? 'give up' : 'settle'} ${shard}`);
    return true;
  }

  async close(shard: string): Promise<void> {
    this.did.push(`close ${shard}`);
    this.open.delete(shard);
  }

  get shards(): string[] {
    return [...this.open.keys()].filter((s) => s !== FLOOR_SHARD).sort();
  }

  #take(shard: string): void {
    if (!this.hasSocket(shard) || this.cutOff) return;
    const before = this.sockets.get(shard);
    this.sockets.set(shard, this);
    if (before && before !== this && !before.cutOff) queueMicrotask(() => before.keeper.replaced(shard));
  }
}
