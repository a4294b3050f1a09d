import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Restored } from '../../src/store/journal.ts';
import { Sentinels } from '../../src/store/sentinels.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeSentinel } from '../support/fake-sentinel.ts';
import { startRedis, startSentinel, type TestRedis } from '../support/redis-server.ts';
import { command, MASTER } from '../support/sentinel-group.ts';
import { commitOf, company, Heard, newCall, newStore, range } from '../support/store-kit.ts';

const ID = company('split');
const PATIENCE = { timeout: 15_000, interval: 10 };

let fakes: FakeSentinel[];
let closing: { close(): unknown }[];
let servers: TestRedis[];

beforeEach(() => {
  fakes = [];
  closing = [];
  servers = [];
});

afterEach(async () => {
  await Promise.all(closing.map((c) => c.close()));
  await Promise.all([...fakes, ...servers].map((f) => f.stop()));
});

async function fake(port?: number, epoch = 0): Promise<FakeSentinel> {
  const made = await FakeSentinel.start(port === undefined ? undefined : { port, epoch });
  fakes.push(made);
  return made;
}

async function server(...options: string[]): Promise<TestRedis> {
  const started = await startRedis(undefined, ['--repl-diskless-sync-delay', '0', ...options]);
  servers.push(started);
  return started;
}

describe('who the master is', () => {
  let away: string[];
  let back: number;
  let switched: string[];

  beforeEach(() => {
    away = [];
    back = 0;
    switched = [];
  });

  /** Where nobody listens. */
  const dead = { at: { host: '127.0.0.1', port: 1 } };

  function ask(...nodes: Pick<FakeSentinel, 'at'>[]): Sentinels {
    const sentinels = new Sentinels(
      { name: MASTER, nodes: nodes.map((n) => n.at), data: { db: 0 } },
      {
        onSentinelAway: (_, error) => void away.push(error.message),
        onSentinelBack: () => {
          back += 1;
        },
        onSwitched: (from, to) => void switched.push(`${from} ${to}`),
      },
      20,
    );
    closing.push(sentinels);
    return sentinels;
  }

  it('is told by any one of them, also where the others are dead, silent, or know of no such master', async () => {
    const [silent, ignorant, good] = [await fake(7001), await fake(), await fake(7001)];
    silent.silent = true;
    const sentinels = ask(dead, silent, ignorant, good);
    expect(await sentinels.find()).toMatchObject({ name: '127.0.0.1:7001', unlessMaster: expect.any(String) });
    expect(away.toSorted()).toEqual([
      expect.stringContaining('ECONNREFUSED'),
      `it knows no master named "${MASTER}"`,
      'no answer within 1000 ms',
    ]);
    expect(sentinels.answering).toBe(1);
    silent.silent = false;
    await vi.waitFor(() => expect([back, sentinels.answering]).toEqual([1, 2]), PATIENCE);
  });

  it('is the one of the newest fail-over, and one that is behind is not believed by itself', async () => {
    const [ahead, behind, other] = [await fake(7002, 5), await fake(7001, 4), await fake(7001, 4)];
    const sentinels = ask(behind, ahead, other);
    // Most of them may answer before the one that knows better does; the next look finds it.
    await vi.waitFor(async () => expect((await sentinels.find()).name).toBe('127.0.0.1:7002'), PATIENCE);
    ahead.silent = true;
    await vi.waitFor(() => expect(sentinels.find()).rejects.toThrow('only sentinels that are behind answer'), PATIENCE);
    expect(switched.filter((s) => s.endsWith(':7001'))).toEqual([]);
  });

  it('changes by itself: whoever is connected is told, once', async () => {
    const [one, two] = [await fake(7001), await fake(7001)];
    const sentinels = ask(one, two);
    const moved: string[] = [];
    sentinels.onMoved((place) => void moved.push(place.name));
    await sentinels.find();
    one.named = { port: 7002, epoch: 1 };
    await vi.waitFor(() => expect(moved).toEqual(['127.0.0.1:7002']), PATIENCE);
    const { asked } = two;
    two.named = { port: 7002, epoch: 1 };
    await vi.waitFor(() => expect(two.asked).toBeGreaterThan(asked + 2), PATIENCE);
    expect(moved).toHaveLength(1);
    expect([sentinels.switches, switched]).toEqual([1, ['127.0.0.1:7001 127.0.0.1:7002']]);
  });

  it('is known to nobody: the error says whether none answers or none knows the name', async () => {
    const ignorant = await fake();
    await expect(ask(ignorant).find()).rejects.toThrow(`no sentinel knows a master named "${MASTER}"`);
    await expect(ask(dead).find()).rejects.toThrow(/none of 1 sentinels answers: connect ECONNREFUSED/);
  });
});

describe('a store', () => {
  let restored: Restored[];
  let down: string[];

  beforeEach(() => {
    restored = [];
    down = [];
  });

  async function open(at: FakeSentinel, connected = true): Promise<Store> {
    const { store } = newStore(
      { name: MASTER, nodes: [at.at], data: { db: 0 } },
      {
        prefix: 'split',
        heartbeatMs: 50,
        listener: {
          onDown: (_, error) => void down.push(error.message),
          onUp: () => undefined,
          onError: (error) => void down.push(error.message),
          onRestored: (what) => void restored.push(what),
        },
      },
    );
    closing.push(store);
    if (connected) await store.connected();
    return store;
  }

  it('uses no server that is a replica, and the same server once it is the master', async () => {
    const old = await server();
    const replica = await server('--replicaof', '127.0.0.1', String(old.port));
    const store = await open(await fake(replica.port), false);
    await vi.waitFor(() => expect(down.join()).toContain('is no master, though Sentinel names it'), PATIENCE);
    expect(store.healthy).toBe(false);
    await expect(store.events.lastEventID(ID)).rejects.toMatchObject({ retryable: true });
    await command(replica.port, 'REPLICAOF', 'NO', 'ONE');
    await store.connected();
    expect(await store.calls.commit(commitOf(newCall(ID)))).toMatchObject({ lastEventID: 2 });
  });

  it('has its own user or password at the sentinels and at the servers', async () => {
    const may = '+@read +@write +@scripting +role +client|id +client|setname +client|unblock +@connection';
    const redis = await server();
    await command(redis.port, 'ACL', 'SETUSER', 'ring', 'on', '>quiet', '~*', ...may.split(' '));
    const config = [`sentinel monitor ${MASTER} 127.0.0.1 ${redis.port} 1`, 'requirepass hush'];
    const sentinel = await startSentinel(config);
    servers.push(sentinel);
    const away: string[] = [];
    const at = (password: string) => ({
      name: MASTER,
      nodes: [{ host: '127.0.0.1', port: sentinel.port }],
      password,
      data: { username: 'ring', password: 'quiet', db: 0 },
    });
    const listener = {
      onDown: () => undefined,
      onUp: () => undefined,
      onError: (error: Error) => void down.push(error.message),
      onSentinelAway: (_: string, error: Error) => void away.push(error.message),
    };
    const { store } = newStore(at('hush'), { listener });
    closing.push(store);
    await store.connected();
    const heard = await Heard.on(store, ID);
    await store.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 2);
    expect([away, down]).toEqual([[], []]);
    const { store: wrong } = newStore(at('loud'), { listener });
    closing.push(wrong);
    await vi.waitFor(() => expect(away).toEqual([expect.stringMatching(/^WRONGPASS/)]), PATIENCE);
    expect(wrong.healthy).toBe(false);
  });

  it('leaves a master that is made a replica with the first commit that it refuses, and the commit can be repeated', async () => {
    const old = await server();
    const next = await server('--replicaof', '127.0.0.1', String(old.port));
    const sentinel = await fake(old.port);
    const store = await open(sentinel);
    const heard = await Heard.on(store, ID);
    await store.calls.commit(commitOf(newCall(ID)));
    await command(old.port, 'WAIT', '1', '900');
    await command(next.port, 'REPLICAOF', 'NO', 'ONE');
    await command(old.port, 'REPLICAOF', '127.0.0.1', String(next.port));
    const commit = commitOf(newCall(ID));
    await expect(store.calls.commit(commit)).rejects.toMatchObject({ name: 'StoreUnavailable', retryable: true });
    sentinel.named = { port: next.port, epoch: 1 };
    await store.connected();
    expect(await store.calls.commit(commit)).toMatchObject({ outcome: 'stored', lastEventID: 4 });
    await heard.until((h) => h.ids.length === 4);
    expect([heard.ids, heard.losses]).toEqual([[1, 2, 3, 4], 0]);
  });

  it('with a master that has lost its replicas stores nothing, and the same commit once when they are back', async () => {
    const lonely = await server('--min-replicas-to-write', '1', '--min-replicas-max-lag', '1');
    const store = await open(await fake(lonely.port));
    const commit = commitOf(newCall(ID));
    await expect(store.calls.commit(commit)).rejects.toMatchObject({ name: 'StoreUnavailable', retryable: true });
    expect(await store.events.lastEventID(ID)).toBe(0);
    await server('--replicaof', '127.0.0.1', String(lonely.port));
    await vi.waitFor(async () => expect(await store.calls.commit(commit)).toMatchObject({ lastEventID: 2 }), PATIENCE);
  });

  it('cut off with an old master comes back to the new one: what another has taken over is not told twice', async () => {
    const old = await server();
    const next = await server('--replicaof', '127.0.0.1', String(old.port));
    const [mine, theirs] = [await fake(old.port), await fake(old.port)];
    const cutOff = await open(mine);
    const other = await open(theirs);
    const listeners = [await Heard.on(cutOff, ID), await Heard.on(other, ID)] as const;
    const [taken, kept] = ['ringmaster-0', 'ringmaster-1'];
    const fences = { taken: await cutOff.calls.takeShard(taken, [ID]), kept: await cutOff.calls.takeShard(kept, [ID]) };
    const before = commitOf(newCall(ID), { shard: taken, fence: fences.taken });
    await cutOff.calls.commit(before);
    await vi.waitFor(async () => expect(await command(old.port, 'WAIT', '1', '900')).toBe(1), PATIENCE);

    await command(next.port, 'REPLICAOF', 'NO', 'ONE');
    theirs.named = { port: next.port, epoch: 1 };
    await vi.waitFor(() => expect(down).toContain('another server is the master now'), PATIENCE);
    await other.connected();
    // Both write, each to its own.
    const late = newCall(ID);
    const lost = newCall(ID);
    await cutOff.calls.commit(commitOf(lost, { shard: taken, fence: fences.taken }));
    await cutOff.calls.commit(commitOf(late, { shard: kept, fence: fences.kept }));
    const fence = await other.calls.takeShard(taken, [ID]);
    const theirCalls = [newCall(ID), newCall(ID), newCall(ID)];
    for (const call of theirCalls) await other.calls.commit(commitOf(call, { shard: taken, fence }));
    await Promise.all([listeners[0].until((h) => h.ids.length === 6), listeners[1].until((h) => h.ids.length === 8)]);

    mine.named = { port: next.port, epoch: 1 };
    await vi.waitFor(() => expect(restored.at(-1)?.diverged).toEqual(new Map([[ID, 3]])), PATIENCE);
    await cutOff.connected();
    expect(await cutOff.calls.commit({ ...before, version: 1 })).toEqual({ outcome: 'fenced' });
    const callIDs = [before, ...theirCalls, late].flatMap(({ call }) => [call.callID, call.callID]);
    const log = await other.events.read(ID, 0, 100);
    if (log === 'expired') throw new Error('the log has a gap');
    expect(log.map((e) => [e.eventID, e.callID])).toEqual(callIDs.map((id, i) => [i + 1, id]));
    // Here nothing has happened but that there is more; there it is told that it is another story now.
    await Promise.all([listeners[0].until((h) => h.ids.length === 14), listeners[1].until((h) => h.ids.length === 10)]);
    expect([listeners[1].ids, listeners[1].losses]).toEqual([range(1, 10), 0]);
    expect([listeners[0].ids, listeners[0].losses]).toEqual([[...range(1, 6), ...range(3, 10)], 1]);
    expect((await other.calls.loadLive([ID], kept)).map((l) => l.call.callID)).toEqual([late.call.callID]);
  });
});
