import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CompanyId } from '../../src/cti/ids.ts';
import type { LoggedEvent } from '../../src/ports.ts';
import { Keys } from '../../src/store/keys.ts';
import type { Store } from '../../src/store/store.ts';
import { commitOf, company, Heard, newCall, newStore, range } from '../support/store-kit.ts';

const PREFIX = 'store-events';
const keys = new Keys(PREFIX);
const url = inject('redisUrl');
const { store, told } = newStore(url, { prefix: PREFIX });
/** Another process of the same installation. */
const { store: other } = newStore(url, { prefix: PREFIX });
const redis = createClient({ url });
let companies = 0;
const newCompany = () => company(`company-${++companies}`);

beforeAll(async () => {
  await Promise.all([store.connected(), other.connected(), redis.connect()]);
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  redis.destroy();
  expect(told.errors).toEqual([]);
});

/** Commits so many new calls, two events each. */
async function tell(by: Store, id: CompanyId, calls: number): Promise<void> {
  await Promise.all(Array.from({ length: calls }, () => by.calls.commit(commitOf(newCall(id)))));
}

const ids = (read: readonly LoggedEvent[] | 'expired') => (read === 'expired' ? read : read.map((e) => e.eventID));

describe('replay', () => {
  it('gives everything later than an id, in order, at most so many', async () => {
    const id = newCompany();
    await tell(store, id, 10);
    expect(ids(await store.events.read(id, 0, 100))).toEqual(range(1, 20));
    expect(ids(await store.events.read(id, 7, 100))).toEqual(range(8, 20));
    expect(ids(await store.events.read(id, 7, 5))).toEqual(range(8, 12));
    expect(ids(await store.events.read(id, 19, 5))).toEqual([20]);
    expect(ids(await store.events.read(id, 20, 5))).toEqual([]);
  });

  it('of a company that has told nothing is empty', async () => {
    expect(await store.events.read(newCompany(), 0, 5)).toEqual([]);
  });

  it('after an id that was never given out here is expired', async () => {
    const id = newCompany();
    expect(await store.events.read(id, 1, 5)).toBe('expired');
    await tell(store, id, 1);
    expect(await store.events.read(id, 3, 5)).toBe('expired');
  });

  it('refuses what is no id and no limit', async () => {
    const id = newCompany();
    await expect(store.events.read(id, -1, 5)).rejects.toThrow(RangeError);
    await expect(store.events.read(id, 0.5, 5)).rejects.toThrow(RangeError);
    await expect(store.events.read(id, 0, 0)).rejects.toThrow(RangeError);
  });
});

describe('the log', () => {
  it('lets go of what is old and not among the newest; expired is exact to the event', async () => {
    const id = newCompany();
    const { store: small } = newStore(url, { prefix: PREFIX, retention: { maxAgeMs: 0, minEvents: 100 } });
    await small.connected();
    await tell(small, id, 300);
    const removed = await small.events.trim(id);
    expect(removed).toBeGreaterThan(300);
    expect(removed).toBeLessThanOrEqual(500);
    expect(ids(await small.events.read(id, removed, 1000))).toEqual(range(removed + 1, 600));
    expect(await small.events.read(id, removed - 1, 1000)).toBe('expired');
    expect(await small.events.read(id, 0, 1)).toBe('expired');
    expect(await small.events.trim(id)).toBe(0);
    await small.close();
  });

  it('keeps what is young', async () => {
    const id = newCompany();
    const { store: small } = newStore(url, { prefix: PREFIX, retention: { maxAgeMs: 3_600_000, minEvents: 10 } });
    await small.connected();
    await tell(small, id, 200);
    expect(await small.events.trim(id)).toBe(0);
    // An hour passes: the mark that the trim has set is moved back.
    await redis.zAdd(keys.eventAges(id), { score: Date.now() - 3_600_001, value: '400' });
    await tell(small, id, 200);
    const removed = await small.events.trim(id);
    expect(removed).toBeGreaterThan(300);
    expect(removed).toBeLessThanOrEqual(400);
    expect(await redis.zCard(keys.eventAges(id))).toBe(2);
    await small.close();
  });

  it('never grows far beyond its bound, even if nobody trims', async () => {
    const id = newCompany();
    const { store: small } = newStore(url, { prefix: PREFIX, retention: { minEvents: 50, maxEvents: 50 } });
    await small.connected();
    await tell(small, id, 1000);
    const length = await redis.xLen(keys.events(id));
    expect(length).toBeGreaterThanOrEqual(50);
    expect(length).toBeLessThan(200);
    expect(ids(await small.events.read(id, 2000 - length, 1000))).toEqual(range(2001 - length, 2000));
    expect(await small.events.read(id, 1999 - length, 1000)).toBe('expired');
    await small.close();
  });

  it('that has lost everything says expired, to all but who asks from its end', async () => {
    const id = newCompany();
    await tell(store, id, 3);
    await redis.del(keys.events(id));
    expect(await store.events.read(id, 5, 10)).toBe('expired');
    expect(await store.events.read(id, 6, 10)).toEqual([]);
  });
});

describe('a tail', () => {
  it('hears its own process and another one, in order, each event once', async () => {
    const id = newCompany();
    await tell(store, id, 2);
    const heard = new Heard();
    const stop = store.events.tail(id, heard.hear, heard.lost);
    expect(await store.events.lastEventID(id)).toBe(4);
    await Promise.all([tell(store, id, 100), tell(other, id, 100)]);
    await heard.until((h) => h.ids.at(-1) === 404);
    expect(heard.ids).toEqual(range(5, 404));
    expect(heard.events).toEqual(await store.events.read(id, 4, 1000));
    expect(heard.losses).toBe(0);
    stop();
  });

  it('hears what its own process commits before the commit returns', async () => {
    const id = newCompany();
    const heard = new Heard();
    store.events.tail(id, heard.hear);
    await store.events.lastEventID(id);
    const made = newCall(id);
    await store.calls.commit(commitOf(made));
    expect(heard.events).toEqual(await store.events.read(id, 0, 10));
  });

  it('begins where it was asked for, while others are being read', async () => {
    const heard = Array.from({ length: 20 }, () => new Heard());
    for (const h of heard) {
      const id = newCompany();
      await tell(other, id, 1);
      store.events.tail(id, h.hear, h.lost);
      expect(await store.events.lastEventID(id)).toBe(2);
      await tell(other, id, 1);
      await h.until(() => h.ids.at(-1) === 4);
      expect(h.ids).toEqual([3, 4]);
    }
    expect(heard.every((h) => h.losses === 0)).toBe(true);
  });

  it('gives every listener the same, until each has stopped; a throwing one harms nobody', async () => {
    const id = newCompany();
    const { store: mine, told: mineTold } = newStore(url, { prefix: PREFIX });
    await mine.connected();
    const [first, second] = [new Heard(), new Heard()];
    mine.events.tail(id, () => {
      throw new Error('a listener’s mistake');
    });
    const stopFirst = mine.events.tail(id, first.hear);
    mine.events.tail(id, second.hear);
    await mine.events.lastEventID(id);
    await tell(other, id, 1);
    await Promise.all([first.until((h) => h.ids.length === 2), second.until((h) => h.ids.length === 2)]);
    stopFirst();
    stopFirst();
    await tell(other, id, 1);
    await second.until((h) => h.ids.length === 4);
    expect(first.ids).toEqual([1, 2]);
    expect(second.ids).toEqual([1, 2, 3, 4]);
    expect(mineTold.errors.map((e) => e.message)).toContain('a listener’s mistake');
    await mine.close();
  });

  it('taken up again after everybody had left begins at the end', async () => {
    const id = newCompany();
    const [first, second] = [new Heard(), new Heard()];
    const stop = store.events.tail(id, first.hear);
    await store.events.lastEventID(id);
    await tell(other, id, 1);
    await first.until((h) => h.ids.length === 2);
    stop();
    await tell(other, id, 1);
    store.events.tail(id, second.hear);
    await store.events.lastEventID(id);
    await tell(other, id, 1);
    await second.until((h) => h.ids.at(-1) === 6);
    expect(second.ids).toEqual([5, 6]);
    expect(first.ids).toEqual([1, 2]);
  });

  it('has neither gap nor repetition when its connections are killed again and again', async () => {
    const id = newCompany();
    const { store: mine, told: mineTold } = newStore(url, { prefix: PREFIX });
    await mine.connected();
    const heard = new Heard();
    mine.events.tail(id, heard.hear, heard.lost);
    await mine.events.lastEventID(id);
    for (let round = 1; round <= 5; round += 1) {
      const telling = tell(other, id, 50);
      await killReaders();
      await telling;
      await heard.until((h) => h.ids.at(-1) === round * 100);
    }
    expect(heard.ids).toEqual(range(1, 500));
    expect(heard.losses).toBe(0);
    expect(mineTold.down.length).toBeGreaterThan(0);
    await mine.close();
  });

  it('says so when the log went on without it for longer than the log keeps', async () => {
    const id = newCompany();
    const heard = new Heard();
    store.events.tail(id, heard.hear, heard.lost);
    await store.events.lastEventID(id);
    await tell(other, id, 1);
    await heard.until((h) => h.ids.length === 2);
    // The reader sees what a long absence leaves: the next entry is not the next id.
    await redis.multi().set(keys.eventCounter(id), '1000').exec();
    await tell(other, id, 1);
    await heard.until((h) => h.losses === 1 && h.ids.length === 4);
    expect(heard.ids).toEqual([1, 2, 1001, 1002]);
  });
});

/** Cuts the event connections of every store in this file; each comes back by itself. */
async function killReaders(): Promise<void> {
  const clients = (await redis.clientList()).filter((c) => c.name === 'ringmaster-events');
  for (const client of clients) await redis.clientKill({ filter: 'ID', id: Number(client.id) });
}
