import { createServer, type Socket } from 'node:net';
import { createClient } from 'redis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import type { Restored } from '../../src/store/journal.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitOf, company, Heard, newCall, newStore } from '../support/store-kit.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const ID = company('restore');
const SHARD = 'ringmaster-0';
const PREFIX = 'restore';
const COMMANDS = 'ringmaster-commands';

let redis: TestRedis;
let stores: Store[];
/** How often each store has lost its connection: the moment itself can be over before anybody looks. */
let outages: WeakMap<Store, number>;
let restored: Restored[];

beforeEach(async () => {
  redis = await startRedis();
  stores = [];
  outages = new WeakMap();
  restored = [];
});

afterEach(async () => {
  await Promise.all(stores.map((s) => s.close()));
  await redis.stop();
});

async function open(url = redis.url): Promise<Store> {
  const { store } = newStore(url, {
    prefix: PREFIX,
    listener: {
      onDown: (connection) => {
        if (connection === COMMANDS) outages.set(store, outagesOf(store) + 1);
      },
      onUp: () => undefined,
      onError: (error) => {
        throw error;
      },
      onRestored: (what) => void restored.push(what),
    },
  });
  stores.push(store);
  await store.connected();
  return store;
}

const outagesOf = (store: Store): number => outages.get(store) ?? 0;

/** Waits until a store has lost its connection, from now on, and has it again. */
async function lostAndBack(store: Store): Promise<void> {
  const before = outagesOf(store);
  await vi.waitFor(() => expect(outagesOf(store)).toBeGreaterThan(before), { timeout: 15_000, interval: 5 });
  await store.connected();
}

/** Redis dies and comes back with nothing. */
async function loseAll(...waiting: Store[]): Promise<void> {
  const { port } = redis;
  const ready = waiting.map(lostAndBack);
  await redis.stop();
  redis = await startRedis(port);
  await Promise.all(ready);
}

async function raw(...command: string[]): Promise<unknown> {
  const client = createClient({ url: redis.url });
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

const agent = (agentID: string): Agent => ({ agentID, dn: '1001', state: 'Ready' }) as unknown as Agent;

describe('what Redis has lost', () => {
  it('is there again under the same ids: live and ended calls, timers, agents, events, fences', async () => {
    const store = await open();
    const fence = await store.calls.takeShard(SHARD, [ID]);
    const live = newCall(ID, { timers: [{ name: 'treatment', at: 5_000 }] });
    const over = newCall(ID);
    await store.calls.commit(commitOf(live, { fence }));
    await store.calls.commit(commitOf(live, { fence, version: 1, events: [] }));
    await store.calls.commit(commitOf(over, { fence }));
    await store.calls.commit(commitOf({ call: { ...over.call, deleted: true }, events: [] }, { fence, version: 1 }));
    const floor = { companyId: ID, fence, agents: [], waiting: [], events: [] };
    await store.floors.commitFloor({ ...floor, version: 0, agents: [{ agentID: 'a' as never, agent: agent('a') }] });
    await store.floors.commitFloor({
      ...floor,
      version: 1,
      agents: [{ agentID: 'b' as never, agent: agent('b') }],
      waiting: [{ queue: '8001', callID: 'c1', since: 7 }],
    });
    await store.calls.append(ID, live.events.slice(0, 1));
    const before = await store.events.read(ID, 0, 100);

    await loseAll(store);
    expect(restored).toEqual([{ events: 5, calls: 2, floors: 1, more: true, diverged: new Map() }]);
    expect(await store.events.read(ID, 0, 100)).toEqual(before);
    expect(await store.events.lastEventID(ID)).toBe(5);
    expect((await store.calls.loadLive([ID], SHARD)).map((l) => [l.call.callID, l.version])).toEqual([
      [live.call.callID, 2],
    ]);
    expect(await store.calls.load(ID, over.call.callID)).toMatchObject({ version: 2, call: { deleted: true } });
    expect(await store.calls.dueTimers(ID, SHARD, 10_000, 10)).toHaveLength(1);
    expect(await store.floors.loadFloor(ID)).toMatchObject({ version: 2, waiting: ['8001:c1'] });
    expect((await store.floors.loadFloor(ID)).agents.map((a) => a.agentID).toSorted()).toEqual(['a', 'b']);
    expect(await store.calls.takeShard(SHARD, [ID])).toBeGreaterThan(fence);
    const late = await store.calls.commit(commitOf(newCall(ID), { fence: fence - 1 }));
    expect(late).toEqual({ outcome: 'fenced' });
    // An ended call's place is not kept for ever.
    expect(await raw('TTL', `${PREFIX}:{${ID}}:call:${over.call.callID}`)).toBeGreaterThan(0);
  });

  it('of the agents is stored whole where nobody remembers it, and nothing else stays', async () => {
    const store = await open();
    const floor = { companyId: ID, fence: 1, agents: [], waiting: [], events: [] };
    const waiting = [{ queue: '8001', callID: 'c1', since: 7 }];
    await store.floors.commitFloor({
      ...floor,
      version: 0,
      agents: [{ agentID: 'a' as never, agent: agent('a') }],
      waiting,
    });
    await store.floors.commitFloor({
      ...floor,
      version: 1,
      whole: true,
      agents: [{ agentID: 'b' as never, agent: agent('b') }],
      waiting: [{ queue: '8002', callID: 'c2', since: 8 }],
    });
    const { agents, waiting: listed } = await store.floors.loadFloor(ID);
    expect([agents.map((a) => a.agentID), listed]).toEqual([['b'], ['8002:c2']]);
  });

  it('is put back as soon as a Redis that still loads its file can serve', async () => {
    const store = await open();
    const made = newCall(ID);
    await store.calls.commit(commitOf(made));
    const { port } = redis;
    await redis.stop();
    await vi.waitFor(() => expect(store.healthy).toBe(false), { timeout: 15_000, interval: 5 });
    let asked = 0;
    // Greets, and then says for a while what a Redis says that loads its file.
    const sockets: Socket[] = [];
    const loading = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (data) => {
        const lines = data.toString().split('\r\n');
        for (const [i, line] of lines.entries()) {
          // Of all that is greeted with, only CLIENT ID is answered with a number.
          const isNumber = /^CLIENT$/i.test(line) && lines[i + 2] === 'ID';
          if (/^(HELLO|CLIENT|SELECT|PING)$/i.test(line)) socket.write(isNumber ? ':1\r\n' : '+OK\r\n');
          if (!/^EVAL(SHA)?$/i.test(line)) continue;
          asked += 1;
          socket.write('-LOADING Redis is loading the dataset in memory\r\n');
        }
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => loading.listen(port, '127.0.0.1', resolve));
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2), { timeout: 15_000, interval: 5 });
    await expect(store.calls.load(ID, made.call.callID)).rejects.toMatchObject({ retryable: true });
    expect(restored).toEqual([]);
    loading.close();
    for (const socket of sockets) socket.destroy();
    redis = await startRedis(port);
    await store.connected();
    expect((await store.calls.load(ID, made.call.callID))?.version).toBe(1);
  });

  it('goes on where it was: the next commit fits, and ids neither repeat nor have a hole', async () => {
    const store = await open();
    const heard = new Heard();
    store.events.tail(ID, heard.hear, heard.lost);
    await store.events.lastEventID(ID);
    const made = newCall(ID);
    await store.calls.commit(commitOf(made));
    await heard.until((h) => h.ids.length === 2);
    await loseAll(store);
    expect(await store.calls.commit(commitOf(made, { version: 1 }))).toEqual({
      outcome: 'stored',
      version: 2,
      lastEventID: 4,
    });
    await heard.until((h) => h.ids.length === 4);
    expect([heard.ids, heard.losses]).toEqual([[1, 2, 3, 4], 0]);
    expect(await store.events.read(ID, 1, 100)).toHaveLength(3);
  });

  it('is not written where nothing is missing, and never over what is newer', async () => {
    const store = await open();
    const made = newCall(ID);
    await store.calls.commit(commitOf(made));
    const other = await open();
    await other.calls.commit(commitOf(made, { version: 1 }));
    const again = lostAndBack(store);
    await raw('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await again;
    expect(restored).toEqual([]);
    expect((await store.calls.load(ID, made.call.callID))?.version).toBe(2);
    expect(await store.events.lastEventID(ID)).toBe(4);
  });

  it('and that a process wrote that is no more is put back by whoever heard it', async () => {
    const store = await open();
    const gone = await open();
    const heard = new Heard();
    store.events.tail(ID, heard.hear, heard.lost);
    await store.events.lastEventID(ID);
    await store.calls.commit(commitOf(newCall(ID)));
    await gone.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 4);
    await gone.close();
    await loseAll(store);
    await store.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 6);
    expect(heard.ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await store.events.read(ID, 0, 10)).slice(0, 6)).toEqual(heard.events);
  });

  it('and that nobody here has heard leaves a gap that is told', async () => {
    const store = await open();
    const gone = await open();
    for (const by of [store, gone, store]) await by.calls.commit(commitOf(newCall(ID)));
    await gone.close();
    await loseAll(store);
    await store.calls.commit(commitOf(newCall(ID)));
    expect(await store.events.lastEventID(ID)).toBe(8);
    expect(await store.events.read(ID, 4, 10)).toHaveLength(4);
    expect(await store.events.read(ID, 2, 10)).toBe('expired');
  });

  it.each([0, 1])('is whole again if of two processes that wrote this one comes back first: %i', async (first) => {
    const proxy = await TcpProxy.start('127.0.0.1', redis.port);
    try {
      const [one, other] = [await open(), await open(`redis://127.0.0.1:${proxy.port}`)];
      const turn = (i: number): Store => ((i % 3 === 0) === (first === 0) ? one : other);
      for (let i = 0; i < 300; i += 1) await turn(i).calls.commit(commitOf(newCall(ID)));
      const before = await one.events.read(ID, 0, 1000);
      proxy.block();
      await loseAll(one);
      proxy.unblock();
      await other.connected();
      expect(await other.events.read(ID, 0, 1000)).toEqual(before);
      expect(restored.map((r) => r.events)).toEqual(first === 0 ? [200, 400] : [400, 200]);
      expect(await one.calls.commit(commitOf(newCall(ID)))).toMatchObject({ lastEventID: 602 });
    } finally {
      await proxy.stop();
    }
  });

  it('is remembered no longer than the store is open, though Redis is away for it from then on', async () => {
    const store = await open();
    await store.calls.commit(commitOf(newCall(ID)));
    await store.masks.allocate(ID, ['3'], ['1', '2'], Date.now() + 60_000, Date.now());
    expect(store.remembered).toBe(2);
    await store.close();
    expect(store.remembered).toBe(0);
  });
});
