import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { FLOOR_SHARD } from '../../src/queues/floor.ts';
import { LeasedInstance } from '../support/leased-instance.ts';
import { newStore } from '../support/store-kit.ts';

const LEASE_MS = 600;
const PATIENCE = { timeout: 15_000, interval: 10 };

describe('leases of one who does not reach the node', () => {
  const opened: LeasedInstance[] = [];
  let sockets: Map<string, LeasedInstance>;
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
  });

  /** An instance that reaches the node. */
  const start = async (id: string, shards = ['a']): Promise<LeasedInstance> => {
    const { store } = newStore(inject('redisUrl'), { prefix });
    await store.connected();
    const instance = new LeasedInstance(id, store, shards, sockets, LEASE_MS);
    instance.reach = 'steady';
    opened.push(instance);
    await instance.keeper.start();
    return instance;
  };

  const cut = (instance: LeasedInstance): void => {
    instance.cutOff = true;
    instance.reach = 'cut';
  };

  /** Some rounds of all of them. */
  const rounds = async (): Promise<void> => {
    const before = opened.map((i) => i.keeper.stats.renewals);
    await vi.waitFor(() => {
      for (const [i, { keeper }] of opened.entries()) {
        if (keeper.held.length > 0) expect(keeper.stats.renewals).toBeGreaterThan((before[i] ?? 0) + 8);
      }
    }, PATIENCE);
  };

  const doneWith = (instance: LeasedInstance, shard: string) => instance.did.filter((d) => d.endsWith(` ${shard}`));

  it('are another’s who does: as after a death, once he has the socket; agents and queues stay', async () => {
    const one = await start('one');
    const two = await start('two');
    const fence = one.open.get('a') ?? 0;
    cut(one);
    await vi.waitFor(() => expect(two.shards).toEqual(['a']), PATIENCE);
    await vi.waitFor(() => expect([...one.open.keys()]).toEqual([FLOOR_SHARD]), PATIENCE);
    expect(doneWith(one, 'a')).toEqual(['begin a', 'give up a', 'close a']);
    expect(doneWith(two, 'a')).toEqual(['prepare a', 'begin a']);
    expect(two.came.get('a')).toBe('taken-over');
    expect(two.open.get('a')).toBeGreaterThan(fence);
    expect(one.keeper.stats).toMatchObject({ givenAway: 1, givenCutOff: 1, lost: 0 });
    await rounds();
    expect([one.shards, two.shards]).toEqual([[], ['a']]);
    expect(two.did).not.toContain('compare a');
    // What it had sent may arrive when the network is back.
    one.cutOff = false;
    one.reach = 'back';
    await rounds();
    expect(doneWith(two, 'a')).toEqual(['prepare a', 'begin a', 'compare a']);
  });

  it('stay where nobody reaches the node, or nobody knows it for certain', async () => {
    const one = await start('one');
    const two = await start('two');
    for (const reach of ['unsure', 'cut'] as const) {
      two.reach = reach;
      const says = () => one.keeper.members.find((m) => m.id === 'two')?.says.reach;
      await vi.waitFor(() => expect(says()).toEqual({ pbx: reach }), PATIENCE);
      cut(one);
      await rounds();
    }
    expect(doneWith(one, 'a')).toEqual(['begin a']);
    expect(two.did).toEqual([]);
  });

  it('stay with him where the other cannot open the socket, whatever that one says', async () => {
    const one = await start('one');
    const two = await start('two');
    two.cutOff = true;
    cut(one);
    await vi.waitFor(
      () => expect(one.warned).toContain('the instance that was to have the shard did not take it'),
      PATIENCE,
    );
    expect(doneWith(one, 'a')).toEqual(['begin a']);
    expect(two.shards).toEqual([]);
  });

  it('stay with him where he has his socket back before the other has it', async () => {
    const one = await start('one');
    const two = await start('two');
    two.cutOff = true;
    cut(one);
    await vi.waitFor(() => expect(two.did).toEqual(['prepare a']), PATIENCE);
    one.cutOff = false;
    one.reach = 'steady';
    await vi.waitFor(() => expect(two.did).toEqual(['prepare a', 'close a']), PATIENCE);
    await rounds();
    expect(doneWith(one, 'a')).toEqual(['begin a']);
  });

  it('are given to one to whom they were just to go anyway', async () => {
    const one = await start('one');
    const two = await start('two');
    // Nobody tells it that its socket is taken, and it does not know yet that it is cut off.
    one.cutOff = true;
    void one.keeper.handOver(15_000);
    await vi.waitFor(() => expect([...two.open.keys()].sort()).toEqual(['a', FLOOR_SHARD]), PATIENCE);
    expect(doneWith(one, 'a')).toEqual(['begin a', 'give up a', 'close a']);
  });

  it('are shared evenly again once he has reached the node for long enough, and not before', async () => {
    const shards = ['a', 'b'];
    const one = await start('one', shards);
    const two = await start('two', shards);
    await vi.waitFor(() => expect([one.shards.length, two.shards.length]).toEqual([1, 1]), PATIENCE);
    cut(one);
    await vi.waitFor(() => expect([one.shards, two.shards]).toEqual([[], shards]), PATIENCE);
    one.cutOff = false;
    one.reach = 'back';
    await rounds();
    expect([one.shards, two.shards]).toEqual([[], shards]);
    one.reach = 'steady';
    await vi.waitFor(() => expect([one.shards.length, two.shards.length]).toEqual([1, 1]), PATIENCE);
  });

  it('that are free are left to those who reach the node', async () => {
    const one = await start('one');
    const two = await start('two');
    cut(two);
    const three = await start('three');
    opened.splice(opened.indexOf(one), 1);
    await one.store.close();
    await one.keeper.close();
    await vi.waitFor(() => expect(three.shards).toEqual(['a']), PATIENCE);
    expect(doneWith(two, 'a')).toEqual([]);
  });
});
