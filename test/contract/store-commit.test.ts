import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CtiEvent } from '../../src/cti/events.ts';
import type { LoggedEvent } from '../../src/ports.ts';
import { Keys } from '../../src/store/keys.ts';
import { commitOf, company, newCall, newStore, range } from '../support/store-kit.ts';

const PREFIX = 'store-commit';
const SHARD = 'ringmaster-0';
const keys = new Keys(PREFIX);
const { store, told } = newStore(inject('redisUrl'), { prefix: PREFIX, endedCallTtl: 900 });
const redis = createClient({ url: inject('redisUrl') });
let companies = 0;
const newCompany = () => company(`company-${++companies}`);

beforeAll(async () => {
  await Promise.all([store.connected(), redis.connect()]);
});
afterAll(async () => {
  await store.close();
  redis.destroy();
  expect(told.errors).toEqual([]);
});

async function logOf(id: ReturnType<typeof newCompany>): Promise<readonly LoggedEvent[]> {
  const log = await store.events.read(id, 0, 10_000);
  if (log === 'expired') throw new Error('expired');
  return log;
}

/** Everything that Redis holds of a company, by key. */
async function dump(id: ReturnType<typeof newCompany>): Promise<Record<string, unknown>> {
  const found = (await redis.keys(`${PREFIX}:{${id}}:*`)).sort();
  const entries = found.map(async (key) => [key, await contentOf(key), await redis.pExpireTime(key)] as const);
  return Object.fromEntries((await Promise.all(entries)).map(([key, ...rest]) => [key, rest]));
}

async function contentOf(key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return { ...(await redis.hGetAll(key)) };
    case 'set':
      return (await redis.sMembers(key)).sort();
    case 'zset':
      return redis.zRangeWithScores(key, 0, -1);
    case 'stream':
      return redis.xRange(key, '-', '+');
    default:
      return redis.get(key);
  }
}

describe('a commit', () => {
  it('stores the call, its version and its events together', async () => {
    const id = newCompany();
    const made = newCall(id);
    const answer = await store.calls.commit(commitOf(made));
    expect(answer).toEqual({ outcome: 'stored', version: 1, lastEventID: made.events.length });
    expect(await store.calls.load(id, made.call.callID)).toEqual({ call: made.call, version: 1 });
    const log = await logOf(id);
    expect(log.map((e) => JSON.parse(e.json))).toEqual(made.events.map((e, i) => ({ eventID: i + 1, ...e })));
    for (const event of log) {
      expect(CtiEvent.safeParse(JSON.parse(event.json)).error).toBeUndefined();
      expect(event.json.startsWith(`{"eventID":${event.eventID},"`)).toBe(true);
      expect(event.callID).toBe(made.call.callID);
      expect(event.thisDN).toBe('1001');
    }
    expect(log.map((e) => e.messageID)).toEqual(['EventCallCreated', 'EventDialing']);
  });

  it('stores a call that tells nothing', async () => {
    const id = newCompany();
    const made = newCall(id);
    const answer = await store.calls.commit(commitOf({ ...made, events: [] }));
    expect(answer).toEqual({ outcome: 'stored', version: 1, lastEventID: 0 });
    expect(await store.events.lastEventID(id)).toBe(0);
    expect(await logOf(id)).toEqual([]);
  });

  it('is refused whole where the version is another', async () => {
    const id = newCompany();
    const made = newCall(id, { timers: [{ name: 'treatment', at: 5000 }] });
    await store.calls.commit(commitOf(made));
    const before = await dump(id);
    const changed = { ...made, call: { ...made.call, deleted: true, timers: [] } };
    for (const version of [0, 2, 9]) {
      const answer = await store.calls.commit(commitOf(changed, { version, fence: 2 }));
      expect(answer).toEqual({ outcome: 'conflict', version: 1 });
    }
    expect(await dump(id)).toEqual(before);
  });

  it('of a call that is not there is a conflict with version 0', async () => {
    const made = newCall(newCompany());
    expect(await store.calls.commit(commitOf(made, { version: 3 }))).toEqual({ outcome: 'conflict', version: 0 });
  });

  it('by an earlier owner is refused whole, in the shard of the newer one only', async () => {
    const id = newCompany();
    const made = newCall(id);
    await store.calls.commit(commitOf(made, { fence: 5 }));
    const before = await dump(id);
    expect(await store.calls.commit(commitOf(made, { fence: 4, version: 1 }))).toEqual({ outcome: 'fenced' });
    expect(await store.calls.commit(commitOf(newCall(id), { fence: 4 }))).toEqual({ outcome: 'fenced' });
    expect(await dump(id)).toEqual(before);
    const other = await store.calls.commit(commitOf(newCall(id), { fence: 4, shard: 'ringmaster-1' }));
    expect(other.outcome).toBe('stored');
    expect((await store.calls.commit(commitOf(made, { fence: 6, version: 1 }))).outcome).toBe('stored');
    expect((await store.calls.commit(commitOf(made, { fence: 5, version: 2 }))).outcome).toBe('fenced');
  });

  it('repeated by its name is answered as the first time, and tells its events once', async () => {
    const id = newCompany();
    const made = newCall(id);
    const commit = commitOf(made, { token: 'first' });
    const answer = await store.calls.commit(commit);
    await store.calls.commit(commitOf(newCall(id)));
    expect(await store.calls.commit(commit)).toEqual(answer);
    expect(await store.calls.commit({ ...commit, token: 'another' })).toEqual({ outcome: 'conflict', version: 1 });
    expect((await logOf(id)).filter((e) => e.callID === made.call.callID)).toHaveLength(made.events.length);
  });

  it('that is the same object is the same commit; an equal one is another', async () => {
    const id = newCompany();
    const commit = commitOf(newCall(id));
    const answer = await store.calls.commit(commit);
    expect(answer.outcome).toBe('stored');
    expect(await store.calls.commit(commit)).toEqual(answer);
    expect(await store.calls.commit({ ...commit })).toEqual({ outcome: 'conflict', version: 1 });
    expect(await logOf(id)).toHaveLength(2);
  });

  it('whose log is ahead of its counter fails whole', async () => {
    const id = newCompany();
    await store.calls.commit(commitOf(newCall(id)));
    await redis.del(keys.eventCounter(id));
    const before = await dump(id);
    await expect(store.calls.commit(commitOf(newCall(id)))).rejects.toThrow('XADD');
    expect(await dump(id)).toEqual(before);
  });

  it('goes on when Redis has lost its scripts', async () => {
    const id = newCompany();
    await redis.scriptFlush();
    const made = Array.from({ length: 20 }, () => newCall(id));
    const answers = await Promise.all(made.map((m) => store.calls.commit(commitOf(m))));
    expect(answers.every((a) => a.outcome === 'stored')).toBe(true);
    expect((await logOf(id)).map((e) => e.eventID)).toEqual(range(1, 40));
  });

  it('gives contiguous ids, those of one call in its order, however many go on at once', async () => {
    const id = newCompany();
    const made = Array.from({ length: 50 }, () => newCall(id));
    const first = await Promise.all(made.map((m) => store.calls.commit(commitOf(m))));
    const second = await Promise.all(made.map((m) => store.calls.commit(commitOf(m, { version: 1 }))));
    const last = [...first, ...second].map((a) => (a.outcome === 'stored' ? a.lastEventID : 0));
    expect(new Set(last).size).toBe(100);
    const log = await logOf(id);
    expect(log.map((e) => e.eventID)).toEqual(range(1, 200));
    expect(await store.events.lastEventID(id)).toBe(200);
    for (const m of made) {
      const names = log.filter((e) => e.callID === m.call.callID).map((e) => e.messageID);
      expect(names).toEqual(['EventCallCreated', 'EventDialing', 'EventCallCreated', 'EventDialing']);
    }
  });

  it('keeps two companies apart', async () => {
    const [one, two] = [newCompany(), newCompany()];
    const [a, b] = [newCall(one), newCall(two)];
    await store.calls.commit(commitOf(a, { fence: 9 }));
    const answer = await store.calls.commit(commitOf(b, { fence: 1 }));
    expect(answer).toEqual({ outcome: 'stored', version: 1, lastEventID: 2 });
    expect(await store.calls.load(two, a.call.callID)).toBeUndefined();
    expect((await logOf(two)).map((e) => e.callID)).toEqual([b.call.callID, b.call.callID]);
    expect((await store.calls.loadLive([two], SHARD)).map((l) => l.call.callID)).toEqual([b.call.callID]);
  });

  it('writes only keys with its company’s hash tag', async () => {
    const id = newCompany();
    await store.calls.commit(commitOf(newCall(id, { timers: [{ name: 'treatment', at: 1 }] })));
    const written = await redis.keys(`${PREFIX}:*{${id}}*`);
    expect(written).toHaveLength(6);
    for (const key of written) expect(key.startsWith(`${PREFIX}:{${id}}:`)).toBe(true);
  });
});

describe('events of no call', () => {
  it('are appended in the same sequence', async () => {
    const id = newCompany();
    await store.calls.commit(commitOf(newCall(id)));
    await store.calls.append(id, []);
    await store.calls.append(id, [
      {
        messageID: 'EventPartyError',
        creationTime: 1,
        companyId: id,
        errorCode: 301004,
        errorMessage: 'NotFoundCallID',
        request: 'RequestReleaseCall',
      },
    ]);
    const last = (await logOf(id)).at(-1);
    expect(last?.eventID).toBe(3);
    expect(last && 'callID' in last).toBe(false);
    expect(last && 'thisDN' in last).toBe(false);
    expect(CtiEvent.safeParse(JSON.parse(last?.json ?? '')).success).toBe(true);
  });
});

describe('the live calls', () => {
  it('are those that have not ended; an ended one is kept for its time', async () => {
    const id = newCompany();
    const [stays, ends] = [newCall(id), newCall(id)];
    await store.calls.commit(commitOf(stays));
    await store.calls.commit(commitOf(ends));
    expect(await redis.ttl(keys.call(id, ends.call.callID))).toBe(-1);
    const over = { ...ends.call, deleted: true };
    await store.calls.commit(commitOf({ call: over, events: [] }, { version: 1 }));
    expect(await store.calls.loadLive([id], SHARD)).toEqual([{ call: stays.call, version: 1 }]);
    expect(await store.calls.load(id, over.callID)).toEqual({ call: over, version: 2 });
    const ttl = await redis.ttl(keys.call(id, over.callID));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(900);
    expect(await redis.ttl(keys.call(id, stays.call.callID))).toBe(-1);
  });

  it('never hold a call that ended in its first commit', async () => {
    const id = newCompany();
    await store.calls.commit(commitOf(newCall(id, { deleted: true })));
    expect(await store.calls.loadLive([id], SHARD)).toEqual([]);
  });

  it('are loaded over many companies and many calls, by shard', async () => {
    const many = Array.from({ length: 70 }, newCompany);
    const made = many.flatMap((id, i) => Array.from({ length: i === 3 ? 750 : 1 }, () => newCall(id)));
    await Promise.all(made.map((m) => store.calls.commit(commitOf(m))));
    await store.calls.commit(commitOf(newCall(many[0] ?? newCompany()), { shard: 'ringmaster-7' }));
    const live = await store.calls.loadLive(many, SHARD);
    expect(new Set(live.map((l) => l.call.callID))).toEqual(new Set(made.map((m) => m.call.callID)));
    expect(live).toHaveLength(made.length);
    expect(await store.calls.loadLive(many, 'ringmaster-7')).toHaveLength(1);
    expect(await store.calls.loadLive([], SHARD)).toEqual([]);
  });
});

describe('timers', () => {
  it('are replaced by each commit and come back in the order in which they are due', async () => {
    const id = newCompany();
    const a = newCall(id, { timers: [{ name: 'treatment', at: 3000 }] });
    const b = newCall(id, { timers: [{ name: 'treatment', at: 2000 }] });
    await store.calls.commit(commitOf(a));
    await store.calls.commit(commitOf(b));
    const due = (now: number) => store.calls.dueTimers(id, SHARD, now, 10);
    expect(await due(1999)).toEqual([]);
    expect(await due(3000)).toEqual([
      { companyId: id, callID: b.call.callID, name: 'treatment', at: 2000 },
      { companyId: id, callID: a.call.callID, name: 'treatment', at: 3000 },
    ]);
    const later = { ...b.call, timers: [{ name: 'treatment', at: 9000 }] as const };
    await store.calls.commit(commitOf({ call: later, events: [] }, { version: 1 }));
    await store.calls.commit(commitOf({ call: { ...a.call, timers: [] }, events: [] }, { version: 1 }));
    expect(await due(8999)).toEqual([]);
    expect((await due(9000)).map((t) => t.callID)).toEqual([b.call.callID]);
  });
});

describe('the shard', () => {
  it('is taken with a higher fence each time, which refuses the earlier owner at once', async () => {
    const id = newCompany();
    const first = await store.calls.takeShard(SHARD, [id]);
    const made = newCall(id);
    expect((await store.calls.commit(commitOf(made, { fence: first }))).outcome).toBe('stored');
    const second = await store.calls.takeShard(SHARD, [id]);
    expect(second).toBeGreaterThan(first);
    expect((await store.calls.commit(commitOf(made, { fence: first, version: 1 }))).outcome).toBe('fenced');
    expect((await store.calls.commit(commitOf(made, { fence: second, version: 1 }))).outcome).toBe('stored');
  });

  it('is leased to one owner at a time, whose token is above all earlier ones', async () => {
    const [one, two] = [store.leases('one', 60_000), store.leases('two', 60_000)];
    const earlier = await store.calls.takeShard('ringmaster-4');
    const held = await one.acquire('ringmaster-4');
    if (held.outcome !== 'held') throw new Error('not held');
    expect(held.fence).toBeGreaterThan(earlier);
    const refused = await two.acquire('ringmaster-4');
    if (refused.outcome !== 'taken') throw new Error('not taken');
    expect(refused.freeInMs).toBeLessThanOrEqual(60_000);
    expect(refused.freeInMs).toBeGreaterThan(0);
    expect(await two.give('ringmaster-4', held.fence)).toBe(false);
    const again = await one.acquire('ringmaster-4');
    if (again.outcome !== 'held') throw new Error('not held');
    expect(again.fence).toBeGreaterThan(held.fence);
    expect(await one.give('ringmaster-4', held.fence)).toBe(false);
    expect(await one.give('ringmaster-4', again.fence)).toBe(true);
    expect((await two.acquire('ringmaster-4')).outcome).toBe('held');
    expect(await redis.pTTL(keys.shardLease('ringmaster-4'))).toBeGreaterThan(0);
  });
});
