import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitOf, company, newCall, newStore } from '../support/store-kit.ts';

/**
 * A Redis that is a cluster of one: it serves every slot, and refuses (CROSSSLOT) any command and any script whose keys lie
 * in more than one.
 */

const ID = company('cluster');
const OTHER = company('another');
const SHARD = 'ringmaster@pbx-1';
let redis: TestRedis;
let store: Store;

beforeAll(async () => {
  redis = await startRedis(undefined, ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no']);
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  await vi.waitFor(async () => expect(String(await client.sendCommand(['CLUSTER', 'INFO']))).toContain('state:ok'), {
    timeout: 15_000,
    interval: 20,
  });
  await expect(client.sendCommand(['MGET', 'a', 'b'])).rejects.toThrow('CROSSSLOT');
  client.destroy();
  ({ store } = newStore(redis.url));
  await store.connected();
});

afterAll(async () => {
  await store.close();
  await redis.stop();
});

it('calls: taking a shard over many companies, commits, loading, timers', async () => {
  const fence = await store.calls.takeShard(SHARD, [ID, OTHER]);
  const made = newCall(ID, { timers: [{ name: 'treatment', at: 1 }] });
  expect(await store.calls.commit(commitOf(made, { shard: SHARD, fence }))).toMatchObject({ outcome: 'stored' });
  expect(await store.calls.loadLive([ID, OTHER], SHARD)).toHaveLength(1);
  expect(await store.calls.dueTimers(ID, SHARD, 10, 10)).toHaveLength(1);
});

it('events: appending, reading, hearing, trimming', async () => {
  const heard = new Promise((resolve) => store.events.tail(ID, resolve));
  const before = await store.events.lastEventID(ID);
  await store.calls.append(ID, newCall(ID).events);
  await heard;
  expect(await store.events.read(ID, before, 10)).toHaveLength(2);
  expect(await store.events.trim(ID)).toBe(0);
});

it('agents and queues', async () => {
  const floor = { companyId: ID, fence: 1, version: 0, agents: [], waiting: [], events: newCall(ID).events };
  expect(await store.floors.commitFloor({ ...floor, whole: true })).toMatchObject({ outcome: 'stored' });
  expect(await store.floors.loadFloor(ID)).toMatchObject({ version: 1 });
});

it('leases', async () => {
  const leases = store.leases('me', 10_000);
  const held = await leases.acquire(SHARD);
  const fence = held.outcome === 'held' ? held.fence : 0;
  const told = await leases.beat({ leaving: false }, new Map([[SHARD, fence]]), [SHARD]);
  expect([told.members.map((m) => m.id), told.leases]).toMatchObject([['me'], [{ shard: SHARD }]]);
  expect(await leases.offer(SHARD, fence, 'you')).toBe(true);
  expect(await leases.give(SHARD, fence)).toBe(true);
  await leases.leave();
});

it('places under limits', async () => {
  const places = store.places([SHARD, 'another']);
  const rooms = [{ meter: 'trunk:t', calls: 1, perSecond: 5 }];
  const tokens = new Map<string, number>();
  for (const shard of [SHARD, 'another']) {
    const held = await store.leases('me', 10_000).acquire(shard);
    tokens.set(shard, held.outcome === 'held' ? held.fence : 0);
    expect(await places.count(shard, tokens.get(shard) ?? 0, new Map())).toBe(true);
  }
  expect(await places.take(SHARD, tokens.get(SHARD) ?? 0, rooms)).toEqual({ outcome: 'taken' });
  await places.change(SHARD, tokens.get(SHARD) ?? 0, new Map([['trunk:t', -1]]));
  expect(await places.countAlone(tokens)).toBe(true);
});

it('the dialler', async () => {
  const token = (await store.dialer.lead(ID, 'me', 10_000)) ?? 0;
  const request = { id: 'r1', json: '{}', flowId: 'f1', checksum: 'c1' };
  expect(await store.dialer.accept(ID, request, [], 60)).toBe('stored');
  expect(await store.dialer.due(ID, 'f1', 10, 10)).toMatchObject({ calls: [] });
  expect(await store.dialer.dueMessages(ID, 10, 10)).toEqual([]);
  const lists = ['dnd', ['1', '2']] as const;
  expect(await store.lists.replace(ID, 'main', ...lists)).toMatchObject({ total: 2 });
  expect(await store.lists.change(ID, 'main', 'dnd', { add: ['3'], remove: ['1'] })).toMatchObject({ total: 2 });
  expect(await store.lists.page(ID, 'main', 'dnd', 0, 10)).toEqual({ version: 2, total: 2, numbers: ['2', '3'] });
  expect((await store.lists.onLists(ID, 'main', ['1', '2'])).dnd).toEqual(new Set(['2']));
  const bar = { account: 'main', number: '2', testing: false, marketing: true };
  const commit = { companyId: ID, token, version: 0, uuid: 'u1', json: '{}', flowId: 'f1', active: true };
  expect(await store.dialer.commit({ ...commit, unlessBarred: bar })).toBe('barred');
  expect(await store.dialer.commit({ ...commit, unlessBarred: { ...bar, number: '1' } })).toBe('stored');
  await store.dialer.setSeen(ID, token, 1);
  await store.dialer.resign(ID, token);
});
