import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { ShardHost } from '../../src/engine/lease-host.ts';
import { LeaseKeeper } from '../../src/engine/lease-keeper.ts';
import { FLOOR_SHARD } from '../../src/queues/floor.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { newStore } from '../support/store-kit.ts';

const LEASE_MS = 600;
const PATIENCE = { timeout: 15_000, interval: 10 };

/** An instance with a host that only remembers what it was asked. Sockets of one shard replace each other. */
class Instance implements ShardHost {
  readonly keeper: LeaseKeeper;
  readonly did: string[] = [];
  readonly open = new Map<string, number>();
  readonly warned: string[] = [];
  /** Milliseconds by which its clock has been put forward: it slept for so long. */
  slept = 0;

  constructor(
    readonly id: string,
    readonly store: Store,
    shards: readonly string[],
    readonly sockets: Map<string, Instance>,
    leaseMs: number,
  ) {
    this.keeper = new LeaseKeeper({
      leases: store.leases(id, leaseMs),
      host: this,
      shards: [...shards, FLOOR_SHARD],
      id,
      url: () => `http://${id}`,
      leaseMs,
      now: () => performance.now() + this.slept,
      log: { info: () => undefined, warn: (what) => this.warned.push(what) },
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
    });
  }

  hasSocket(shard: string): boolean {
    return shard !== FLOOR_SHARD;
  }

  prepare(shard: string): void {
    this.did.push(`prepare ${shard}`);
    this.#take(shard);
  }

  async begin(shard: string, fence: number): Promise<void> {
    this.did.push(`begin ${shard}`);
    this.open.set(shard, fence);
    if (this.sockets.get(shard) !== this) this.#take(shard);
  }

  reopen(shard: string): void {
    this.did.push(`reopen ${shard}`);
    this.#take(shard);
  }

  async settle(shard: string): Promise<boolean> {
    this.did.push(`settle ${shard}`);
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
    if (!this.hasSocket(shard)) return;
    const before = this.sockets.get(shard);
    this.sockets.set(shard, this);
    if (before && before !== this) queueMicrotask(() => before.keeper.replaced(shard));
  }
}

describe('leases', () => {
  const opened: Instance[] = [];
  const redises: TestRedis[] = [];
  let sockets: Map<string, Instance>;
  let prefix: string;

  beforeEach(() => {
    sockets = new Map();
    prefix = `t${Math.random().toString(16).slice(2, 14)}`;
  });

  afterEach(async () => {
    for (const { keeper, store } of opened.splice(0)) {
      await keeper.close();
      await store.close();
    }
    await Promise.all(redises.splice(0).map((r) => r.stop()));
  });

  const start = async (id: string, shards = ['a'], url = inject('redisUrl'), leaseMs = LEASE_MS): Promise<Instance> => {
    const { store } = newStore(url, { prefix });
    await store.connected();
    const instance = new Instance(id, store, shards, sockets, leaseMs);
    opened.push(instance);
    await instance.keeper.start();
    return instance;
  };

  /** Ends an instance as kill -9 does: nothing is given back. */
  const kill = async (instance: Instance): Promise<void> => {
    opened.splice(opened.indexOf(instance), 1);
    await instance.store.close();
    await instance.keeper.close();
  };

  it('are the first instance’s, and the other’s when that one dies, under a higher fence', async () => {
    const one = await start('one');
    expect([...one.open.keys()]).toEqual(['a', FLOOR_SHARD]);
    const fence = one.open.get('a') ?? 0;
    const two = await start('two');
    expect(two.did).toEqual([]);
    expect(two.keeper.ownerOf('a')).toMatchObject({ id: 'one', says: { url: 'http://one', leaving: false } });
    await kill(one);
    await vi.waitFor(() => expect([...two.open.keys()].sort()).toEqual(['a', FLOOR_SHARD]), PATIENCE);
    expect(two.open.get('a')).toBeGreaterThan(fence);
    expect(two.keeper.stats.taken).toEqual({ free: 0, 'taken-over': 2, 'handed-over': 0 });
    await vi.waitFor(() => expect(two.keeper.members.map((m) => m.id)).toEqual(['two']), PATIENCE);
  });

  it('come with the nodes that take no new calls: noted once for all, and still there for who starts later', async () => {
    const one = await start('one');
    const two = await start('two');
    const seen = (i: Instance) => Object.fromEntries(i.keeper.overview.draining);
    const leases = one.store.leases('one', LEASE_MS);
    await leases.drainNode('pbx-1', 'night-shift', 'new kernel');
    await leases.drainNode('pbx-1', 'day-shift', undefined);
    const noted = { 'pbx-1': { since: expect.any(Number), by: 'night-shift', reason: 'new kernel' } };
    await vi.waitFor(() => expect([seen(one), seen(two)]).toEqual([noted, noted]), PATIENCE);
    await kill(one);
    await kill(two);
    const three = await start('three');
    expect(seen(three)).toEqual(noted);
    await three.store.leases('three', LEASE_MS).resumeNode('pbx-1');
    await three.keeper.refresh();
    await three.keeper.refresh();
    expect(seen(three)).toEqual({});
  });

  it('are shared evenly, and stay where they are once they are', async () => {
    const shards = ['a', 'b', 'c', 'd', 'e'];
    const one = await start('one', shards);
    expect(one.shards).toEqual(shards);
    const two = await start('two', shards);
    await vi.waitFor(() => expect(two.shards).toHaveLength(2), PATIENCE);
    await vi.waitFor(() => expect([...one.shards, ...two.shards].sort()).toEqual(shards), PATIENCE);
    const three = await start('three', shards);
    const everybody = [one, two, three];
    const all = () => everybody.map((i) => i.shards);
    /** Some rounds of all three. */
    const rounds = async (): Promise<void> => {
      const before = everybody.map((i) => i.keeper.stats.renewals);
      await vi.waitFor(() => {
        for (const [i, { keeper }] of everybody.entries()) {
          expect(keeper.stats.renewals).toBeGreaterThan((before[i] ?? 0) + 6);
        }
      }, PATIENCE);
    };
    await vi.waitFor(() => expect(three.shards.length).toBeGreaterThan(0), PATIENCE);
    // Two may have offered it one each, and it gives one back.
    const even = (): void => {
      expect(all().flat().sort()).toEqual(shards);
      expect(
        all()
          .map((s) => s.length)
          .sort(),
      ).toEqual([1, 2, 2]);
    };
    await vi.waitFor(even, PATIENCE);
    // Whatever was still offered as it looked so is on its way no more.
    await rounds();
    await vi.waitFor(even, PATIENCE);
    const settled = all();
    await rounds();
    expect(all()).toEqual(settled);
  });

  it('are handed over socket first: the old owner settles before the new one begins', async () => {
    const one = await start('one');
    const two = await start('two');
    expect(await one.keeper.handOver(15_000)).toBe(true);
    await vi.waitFor(() => expect([...two.open.keys()].sort()).toEqual(['a', FLOOR_SHARD]), PATIENCE);
    expect(one.did.filter((d) => d.endsWith(' a'))).toEqual(['begin a', 'settle a', 'close a']);
    expect(two.did.filter((d) => d.endsWith(' a'))).toEqual(['prepare a', 'begin a']);
    expect(two.keeper.stats.taken['handed-over']).toBe(2);
    // One that is leaving takes nothing back.
    await kill(two);
    await vi.waitFor(() => expect(one.keeper.members.map((m) => m.id)).toEqual(['one']), PATIENCE);
    expect(one.shards).toEqual([]);
  });

  it('stay with the one who is to end where nobody else is there', async () => {
    const one = await start('one');
    expect(await one.keeper.handOver(15_000)).toBe(false);
    expect(one.shards).toEqual(['a']);
  });

  it('of one who slept: what he would do waits, and is never done where another has the shard', async () => {
    const one = await start('one');
    expect(one.keeper.unsure()).toBeUndefined();
    one.slept += 2 * LEASE_MS;
    const wait = one.keeper.unsure();
    expect(wait).toBeDefined();
    // Nobody has taken it: it goes on.
    await wait;
    expect(one.keeper.unsure()).toBeUndefined();
    expect(one.did).toEqual(['begin a', `begin ${FLOOR_SHARD}`]);

    // Another one has.
    const { fence } = await stolen(one);
    one.slept += 2 * LEASE_MS;
    let closedFirst = false;
    await one.keeper.unsure()?.then(() => {
      closedFirst = one.did.includes('close a');
    });
    expect(closedFirst).toBe(true);
    expect(one.keeper.stats.lost).toBe(1);
    expect(fence).toBeGreaterThan(0);
  });

  /** Another process takes the lease of shard `a`, as if it had run out. */
  async function stolen(owner: Instance): Promise<{ fence: number }> {
    const held = owner.open.get('a') ?? 0;
    const mine = owner.store.leases(owner.id, LEASE_MS);
    expect(await mine.give('a', held)).toBe(true);
    const answer = await owner.store.leases('thief', 60_000).acquire('a');
    if (answer.outcome !== 'held') throw new Error('not free');
    return answer;
  }

  it('a commit that was fenced lets go at once, and the instance is a stand-by again', async () => {
    const one = await start('one');
    const { fence } = await stolen(one);
    one.keeper.fenced('a');
    expect(one.shards).toEqual([]);
    await one.store.leases('thief', LEASE_MS).give('a', fence);
    await vi.waitFor(() => expect(one.shards).toEqual(['a']), PATIENCE);
    expect(one.open.get('a')).toBeGreaterThan(fence);
  });

  it('whoever takes the socket without the lease has it taken back, later each time', async () => {
    const one = await start('one');
    const reopened = () => one.did.filter((d) => d === 'reopen a').length;
    one.keeper.replaced('a');
    await vi.waitFor(() => expect(reopened()).toBe(1), PATIENCE);
    one.keeper.replaced('a');
    await vi.waitFor(() => expect(reopened()).toBe(2), PATIENCE);
    expect(one.warned).toEqual(
      Array(2).fill('another client took the event socket, though the shard is this instance’s'),
    );
    // With the lease it is another's for good.
    await stolen(one);
    one.keeper.replaced('a');
    await vi.waitFor(() => expect(one.shards).toEqual([]), PATIENCE);
    expect(reopened()).toBe(2);
  });

  it('outlive an outage of Redis, and the loss of its data, under the same fence', async () => {
    const redis = await startRedis();
    redises.push(redis);
    const one = await start('one', ['a'], redis.url);
    const fence = one.open.get('a');
    await redis.stop();
    await vi.waitFor(() => expect(one.keeper.stats.failures).toBeGreaterThan(4), PATIENCE);
    expect(one.did).toEqual(['begin a', `begin ${FLOOR_SHARD}`]);
    redises.push(await startRedis(redis.port));
    const before = one.keeper.stats.renewals;
    await vi.waitFor(() => expect(one.keeper.stats.renewals).toBeGreaterThan(before), PATIENCE);
    expect(one.did).toEqual(['begin a', `begin ${FLOOR_SHARD}`]);
    expect(one.open.get('a')).toBe(fence);
    const two = await start('two', ['a'], redis.url);
    expect(two.keeper.ownerOf('a')?.id).toBe('one');
    await kill(one);
    await vi.waitFor(() => expect(two.shards).toEqual(['a']), PATIENCE);
    // Tokens go on growing in a Redis that has lost them.
    expect(two.open.get('a')).toBeGreaterThan(fence ?? 0);
  });
});
