import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Restored } from '../../src/store/journal.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { command, SentinelGroup } from '../support/sentinel-group.ts';
import { commitOf, company, Heard, newCall, newStore, range } from '../support/store-kit.ts';

const SHARD = 'ringmaster-0';
const PATIENCE = { timeout: 30_000, interval: 20 };

let group: SentinelGroup;
let master: TestRedis;
let stores: Store[];
let restored: Restored[];
let switched: string[];
let errors: Error[];
let tests = 0;
let ID = company('none');

beforeAll(async () => {
  group = await SentinelGroup.start();
}, 60_000);

afterAll(() => group?.stop());

beforeEach(async () => {
  await group.settled();
  master = await group.master();
  stores = [];
  restored = [];
  switched = [];
  errors = [];
  tests += 1;
  ID = company(`sentinel-${tests}`);
}, 60_000);

afterEach(() => Promise.all(stores.map((s) => s.close())));

async function open(): Promise<Store> {
  const { store } = newStore(group.at, {
    prefix: 'sentinel',
    listener: {
      onDown: () => undefined,
      onUp: () => undefined,
      onError: (error) => void errors.push(error),
      onRestored: (what) => void restored.push(what),
      onSwitched: (from, to) => void switched.push(`${from} ${to}`),
    },
  });
  stores.push(store);
  await store.connected();
  return store;
}

/** Commits calls one after another, each as often as it takes, as the engine does. */
class Traffic {
  readonly stored: { callID: string; lastEventID: number }[] = [];
  #ending = false;
  readonly #done: Promise<void>;

  constructor(
    readonly store: Store,
    readonly fence = 1,
  ) {
    this.#done = this.#run();
  }

  /** Resolves once so many more are stored. */
  more(count: number): Promise<void> {
    const wanted = this.stored.length + count;
    return vi.waitFor(() => expect(this.stored.length).toBeGreaterThanOrEqual(wanted), PATIENCE);
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#ending) {
      const made = newCall(ID);
      const commit = commitOf(made, { fence: this.fence });
      for (;;) {
        try {
          const result = await this.store.calls.commit(commit);
          if (result.outcome !== 'stored') throw new Error(`the commit is ${result.outcome}`);
          this.stored.push({ callID: made.call.callID, lastEventID: result.lastEventID });
          break;
        } catch (error) {
          if (!(error instanceof StoreUnavailable && error.retryable)) throw error;
          await delay(20);
        }
      }
      await delay(2);
    }
  }
}

const expectWhole = (traffic: Traffic, ...listeners: Heard[]): Promise<void> =>
  expectStored(traffic.store, traffic.stored, ...listeners);

/** Nothing is lost and nothing there twice: ids, log, calls, and what each listener heard. */
async function expectStored(store: Store, stored: Traffic['stored'], ...listeners: Heard[]): Promise<void> {
  const last = stored.length * 2;
  expect(stored.map((s) => s.lastEventID)).toEqual(range(1, stored.length).map((n) => n * 2));
  expect(await store.events.lastEventID(ID)).toBe(last);
  const log = await store.events.read(ID, 0, last + 10);
  if (log === 'expired') throw new Error('the log has a gap');
  expect(log.map((e) => e.callID)).toEqual(stored.flatMap((s) => [s.callID, s.callID]));
  const live = await store.calls.loadLive([ID], SHARD);
  expect(live.map((l) => l.call.callID).toSorted()).toEqual(stored.map((s) => s.callID).toSorted());
  for (const heard of listeners) {
    await heard.until((h) => h.ids.length >= last);
    expect(heard.ids).toEqual(range(1, last));
    expect(heard.events.map((e) => e.json)).toEqual(log.map((e) => e.json));
    expect(heard.losses).toBe(0);
  }
  expect(errors).toEqual([]);
}

describe('Redis is failed over', () => {
  it('its master dies in mid-traffic: commits go on at the new one, nothing is lost, everybody hears all of it once', async () => {
    const store = await open();
    const other = await open();
    const listeners = [await Heard.on(store, ID), await Heard.on(other, ID)];
    // As operations.md wants it: the new master stores nothing before a replica follows it.
    await group.configure('min-replicas-to-write', '1');
    const traffic = new Traffic(store);
    await traffic.more(50);
    process.kill(master.pid, 'SIGKILL');
    const next = await group.master(master);
    await traffic.more(50);
    await traffic.end();
    await expectWhole(traffic, ...listeners);
    await group.configure('min-replicas-to-write', '0');
    const change = `127.0.0.1:${master.port} 127.0.0.1:${next.port}`;
    expect(switched).toEqual([change, change]);
    await group.startAgain(master, next);
  }, 60_000);

  it('its master is frozen: it is left for the new one, also when it comes back and is made a replica', async () => {
    const store = await open();
    const heard = await Heard.on(store, ID);
    const traffic = new Traffic(store);
    await traffic.more(50);
    process.kill(master.pid, 'SIGSTOP');
    try {
      await group.master(master);
      await traffic.more(50);
    } finally {
      process.kill(master.pid, 'SIGCONT');
    }
    await vi.waitFor(
      async () => expect(((await command(master.port, 'ROLE')) as unknown[])[0]).toBe('slave'),
      PATIENCE,
    );
    await group.settled();
    await traffic.more(50);
    await traffic.end();
    await expectWhole(traffic, heard);
    expect(switched).toHaveLength(1);
  }, 60_000);

  it('while it serves, by an operator: nothing is lost', async () => {
    const store = await open();
    const heard = await Heard.on(store, ID);
    const traffic = new Traffic(store);
    await traffic.more(50);
    await command(group.sentinels[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', 'mymaster');
    await group.master(master);
    await traffic.more(50);
    await group.settled();
    await traffic.more(50);
    await traffic.end();
    await expectWhole(traffic, heard);
  }, 60_000);

  it('to a replica that lags: what it had not got is written again under its ids, with fence, lease and agents', async () => {
    const store = await open();
    const other = await open();
    const listeners = [await Heard.on(store, ID), await Heard.on(other, ID)];
    const before = new Traffic(store);
    await before.more(20);
    await before.end();
    await group.cutReplication(master);
    const leases = store.leases('one', 60_000);
    const lease = await leases.acquire(SHARD);
    if (lease.outcome !== 'held') throw new Error('the lease is taken');
    const { fence } = lease;
    await store.calls.takeShard(SHARD, [ID], fence);
    const floor = { companyId: ID, fence, version: 0, agents: [], waiting: [{ queue: 'q', callID: 'c', since: 1 }] };
    await store.floors.commitFloor({ ...floor, events: [] });
    const traffic = new Traffic(store, fence);
    traffic.stored.push(...before.stored);
    await traffic.more(50);
    process.kill(master.pid, 'SIGKILL');
    const next = await group.master(master);
    await traffic.more(20);
    await traffic.end();
    const sum = (of: 'events' | 'calls' | 'floors') => restored.reduce((n, r) => n + r[of], 0);
    expect(sum('events')).toBeGreaterThanOrEqual(100);
    expect([sum('calls') >= 50, sum('floors')]).toEqual([true, 1]);
    await expectWhole(traffic, ...listeners);
    const late = await store.calls.commit(commitOf(newCall(ID), { fence: fence - 1 }));
    expect(late).toEqual({ outcome: 'fenced' });
    const { leases: held } = await leases.beat({ leaving: false }, new Map([[SHARD, fence]]), [SHARD]);
    expect(held).toMatchObject([{ owner: 'one', kept: true }]);
    const again = await leases.acquire(SHARD);
    expect(again.outcome === 'held' && again.fence > fence).toBe(true);
    await group.mendReplication();
    await group.startAgain(master, next);
  }, 60_000);

  it('with two processes that write: each puts back what it wrote, the log is whole, and both hear all of it once', async () => {
    const both = [await open(), await open()] as const;
    const listeners = [await Heard.on(both[0], ID), await Heard.on(both[1], ID)];
    await group.cutReplication(master);
    const traffics = [new Traffic(both[0]), new Traffic(both[1])] as const;
    await Promise.all(traffics.map((t) => t.more(40)));
    // Each has heard of everything before the master dies, so that neither goes on under an id that is the other's.
    await Promise.all(traffics.map((t) => t.end()));
    const last = traffics[0].stored.length + traffics[1].stored.length;
    await Promise.all(listeners.map((heard) => heard.until((h) => h.ids.length === last * 2)));
    process.kill(master.pid, 'SIGKILL');
    const next = await group.master(master);
    await Promise.all(both.map((s) => s.connected()));
    const more = [new Traffic(both[0]), new Traffic(both[1])] as const;
    await Promise.all(more.map((t) => t.more(40)));
    await Promise.all(more.map((t) => t.end()));
    const stored = [...traffics, ...more].flatMap((t) => t.stored).toSorted((a, b) => a.lastEventID - b.lastEventID);
    await expectStored(both[0], stored, ...listeners);
    await group.mendReplication();
    await group.startAgain(master, next);
  }, 60_000);

  it('with a name that no sentinel knows there is no Redis, and it is said why', async () => {
    const down: string[] = [];
    const { store } = newStore(
      { ...group.at, name: 'another' },
      {
        listener: {
          onDown: (connection, error) => void down.push(`${connection}: ${error.message}`),
          onUp: () => undefined,
          onError: () => undefined,
        },
      },
    );
    stores.push(store);
    await vi.waitFor(() => expect(down).toHaveLength(2), PATIENCE);
    const why = 'no sentinel knows a master named "another"';
    expect(down.toSorted()).toEqual([`ringmaster-commands: ${why}`, `ringmaster-events: ${why}`]);
    expect([store.healthy, store.sentinels?.answering]).toEqual([false, 0]);
  });

  it('while one sentinel is dead, the first that would be asked: the others do it', async () => {
    await group.sentinels[0]?.stop();
    const store = await open();
    const heard = await Heard.on(store, ID);
    const traffic = new Traffic(store);
    await traffic.more(50);
    process.kill(master.pid, 'SIGKILL');
    await group.master(master);
    await traffic.more(50);
    await traffic.end();
    await expectWhole(traffic, heard);
    expect(store.sentinels?.answering).toBe(2);
  }, 60_000);
});
