import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { FLOOR_SHARD } from '../../src/queues/floor.ts';
import { LeasedInstance as Instance } from '../support/leased-instance.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { newStore } from '../support/store-kit.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const LEASE_MS = 600;
const PATIENCE = { timeout: 15_000, interval: 10 };

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
    // Long enough for a busy machine: an instance whose signs of life come late is handed nothing.
    const leaseMs = 4 * LEASE_MS;
    const one = await start('one', ['a'], inject('redisUrl'), leaseMs);
    const two = await start('two', ['a'], inject('redisUrl'), leaseMs);
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

  describe('of one who has been cut from Redis', () => {
    let network: TcpProxy;
    let one: Instance;

    beforeEach(async () => {
      const { hostname, port } = new URL(inject('redisUrl'));
      network = await TcpProxy.start(hostname, Number(port));
      one = await start('one', ['a'], `redis://127.0.0.1:${network.port}`);
    });

    afterEach(() => network.stop());

    /** For so long that its leases have run out. */
    const cut = async (): Promise<void> => {
      network.block();
      await vi.waitFor(() => expect(one.keeper.unsure()).toBeDefined(), PATIENCE);
    };

    it('what he would do waits, and is done where nobody has taken the shard', async () => {
      await cut();
      const { failures } = one.keeper.stats;
      await vi.waitFor(() => expect(one.keeper.stats.failures).toBeGreaterThan(failures + 4), PATIENCE);
      expect(one.keeper.unsure()).toBeDefined();
      network.unblock();
      await one.keeper.unsure();
      expect(one.shards).toEqual(['a']);
      expect(one.did).toEqual(['begin a', `begin ${FLOOR_SHARD}`]);
    });

    it('what he would do is never done where another has the shard', async () => {
      const two = await start('two');
      await cut();
      await vi.waitFor(() => expect(two.shards).toEqual(['a']), PATIENCE);
      let closedFirst = false;
      const waited = one.keeper.unsure()?.then(() => {
        closedFirst = one.did.includes('close a');
      });
      network.unblock();
      await waited;
      expect(closedFirst).toBe(true);
    });

    it('a socket that another has taken is not taken back before Redis has been asked', async () => {
      await cut();
      const { failures } = one.keeper.stats;
      // The other one has the lease by now, and its socket.
      one.keeper.replaced('a');
      await vi.waitFor(() => expect(one.keeper.stats.failures).toBeGreaterThan(failures + 4), PATIENCE);
      expect(one.did).not.toContain('reopen a');
      const two = await start('two');
      await vi.waitFor(() => expect(two.shards).toEqual(['a']), PATIENCE);
      network.unblock();
      await vi.waitFor(() => expect(one.shards).toEqual([]), PATIENCE);
      expect(one.did).not.toContain('reopen a');
      expect(one.warned).toEqual(Array(2).fill('another instance owns the shard: letting go'));
    });
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
