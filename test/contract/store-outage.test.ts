import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createClient } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { fixedServer } from '../../src/store/place.ts';
import { RedisConnection } from '../../src/store/redis-connection.ts';
import { type Store, StoreFault, StoreUnavailable } from '../../src/store/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitOf, company, Heard, newCall, newStore, type Told } from '../support/store-kit.ts';

const ID = company('outage');
let redis: TestRedis | undefined;
const stores: Store[] = [];

afterEach(async () => {
  await Promise.all(stores.splice(0).map((s) => s.close()));
  await redis?.stop();
  redis = undefined;
});

async function start(port?: number): Promise<TestRedis> {
  redis = await startRedis(port);
  return redis;
}

async function open(url: string, heartbeatMs = 1000): Promise<{ store: Store; told: Told }> {
  const made = newStore(url, { heartbeatMs });
  stores.push(made.store);
  await made.store.connected();
  return made;
}

/** What a promise rejects with; fails where it does not reject. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('it did not reject')),
    (error: unknown) => error,
  );
}

describe('while Redis is away', () => {
  it('everything rejects with StoreUnavailable, the outage is told once, and it comes back', async () => {
    const first = await start();
    const { store, told } = await open(first.url);
    expect(store.healthy).toBe(true);
    await store.ping();
    await first.stop();
    const made = newCall(ID);
    const attempts = [
      () => store.calls.commit(commitOf(made)),
      () => store.calls.append(ID, made.events),
      () => store.calls.load(ID, made.call.callID),
      () => store.calls.loadLive([ID], 'ringmaster-0'),
      () => store.calls.takeShard('ringmaster-0'),
      () => store.events.read(ID, 0, 1),
      () => store.events.lastEventID(ID),
      () => store.events.trim(ID),
      () => store.leases('me', 1000).acquire('ringmaster-0'),
      () => store.ping(),
    ];
    for (const attempt of attempts) {
      const error = await rejection(attempt());
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error).toMatchObject({ retryable: true });
    }
    expect(store.healthy).toBe(false);
    await start(first.port);
    await store.connected();
    await store.ping();
    expect(store.healthy).toBe(true);
    expect((await store.calls.commit(commitOf(made))).outcome).toBe('stored');
    expect(told.down.filter((name) => name === 'ringmaster-commands')).toHaveLength(1);
    expect(told.up.filter((name) => name === 'ringmaster-commands')).toHaveLength(2);
    expect(told.errors).toEqual([]);
  });

  it('a Redis that hangs is noticed, and what waited rejects', async () => {
    const server = await start();
    const { store } = await open(server.url, 50);
    process.kill(server.pid, 'SIGSTOP');
    const made = newCall(ID);
    const commit = commitOf(made, { token: 'once' });
    const error = await rejection(store.calls.commit(commit));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(store.healthy).toBe(false);
    process.kill(server.pid, 'SIGCONT');
    await store.connected();
    // Redis may have carried out what it had received: the commit's name makes repeating it harmless.
    expect(await store.calls.commit(commit)).toEqual({ outcome: 'stored', version: 1, lastEventID: 2 });
    expect(await store.events.lastEventID(ID)).toBe(2);
  });

  it('a Redis that hangs is noticed also where so much waits for it that not even a heartbeat has room', async () => {
    const server = await start();
    const down: string[] = [];
    const connection = new RedisConnection({
      server: fixedServer(server.url),
      name: 'crowded',
      heartbeatMs: 50,
      maxInFlight: 1,
      listener: { onDown: (_name, error) => void down.push(error.message), onUp: () => undefined },
    });
    try {
      await connection.connected();
      // Before the first heartbeat, so that there is none under way.
      const waits = rejection(connection.command(['BLPOP', 'nothing', '0']));
      process.kill(server.pid, 'SIGSTOP');
      expect(await waits).toBeInstanceOf(StoreUnavailable);
      expect(down).toEqual(['no heartbeat']);
    } finally {
      process.kill(server.pid, 'SIGCONT');
      connection.close();
    }
  });

  it('a server that takes the connection and never answers does not hold it for ever', async () => {
    const open: Socket[] = [];
    const mute = createServer((socket) => void open.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    const accepted = once(mute, 'connection');
    const { store } = newStore(`redis://127.0.0.1:${address.port}`, { heartbeatMs: 50 });
    stores.push(store);
    await accepted;
    mute.close();
    await start(address.port);
    await store.connected();
    await store.ping();
    for (const socket of open) socket.destroy();
  });

  it('a store that we have closed rejects for good', async () => {
    const server = await start();
    const { store } = await open(server.url);
    const waiting = rejection(store.calls.commit(commitOf(newCall(ID))));
    await store.close();
    expect(await waiting).toMatchObject({ name: 'StoreUnavailable', retryable: false });
    expect(await rejection(store.ping())).toMatchObject({ name: 'StoreUnavailable', retryable: false });
    expect(await rejection(store.connected())).toMatchObject({ name: 'StoreUnavailable', retryable: false });
    await store.close();
  });

  it('a key of a wrong type is a fault, not an outage', async () => {
    const server = await start();
    const { store: other } = newStore(server.url, { prefix: 'wrong' });
    stores.push(other);
    await other.connected();
    const raw = createClient({ url: server.url });
    await raw.connect();
    await raw.set('wrong:{outage}:events', 'no stream');
    expect(await rejection(other.events.read(ID, 0, 1))).toBeInstanceOf(StoreFault);
    raw.destroy();
  });
});

describe('a tail', () => {
  it('begun while Redis is away misses nothing that follows the first lastEventID', async () => {
    const first = await start();
    const { store } = await open(first.url);
    await first.stop();
    await rejection(store.ping());
    const heard = new Heard();
    store.events.tail(ID, heard.hear, heard.lost);
    await start(first.port);
    await store.connected();
    expect(await store.events.lastEventID(ID)).toBe(0);
    await store.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 2);
    expect(heard.ids).toEqual([1, 2]);
    expect(heard.losses).toBe(0);
  });

  it('goes on when Redis comes back without its log, because what was written last is written again', async () => {
    const first = await start();
    const { store } = await open(first.url);
    const heard = new Heard();
    store.events.tail(ID, heard.hear, heard.lost);
    await store.events.lastEventID(ID);
    await store.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 2);
    await first.stop();
    await start(first.port);
    await store.connected();
    await store.calls.commit(commitOf(newCall(ID)));
    await heard.until((h) => h.ids.length === 4);
    expect(heard.ids).toEqual([1, 2, 3, 4]);
    expect(heard.losses).toBe(0);
  });
});
