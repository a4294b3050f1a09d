import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { DialerCommit, DialerStore } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { company, newStore } from '../support/store-kit.ts';

const ACME = company('acme');
const FLOW = 'flow0001';
const stores: Store[] = [];

async function open(prefix = `t${randomBytes(6).toString('hex')}`): Promise<Store> {
  const { store } = newStore(inject('redisUrl'), { prefix });
  stores.push(store);
  await store.connected();
  return store;
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((s) => s.close()));
});

const request = (id: string, checksum = id) => ({ id, json: `{"id":"${id}"}`, flowId: FLOW, checksum });
const entry = (uuid: string, queue?: number) => ({
  uuid,
  json: `{"uuid":"${uuid}"}`,
  flowId: FLOW,
  active: false,
  ...(queue !== undefined ? { queue } : { ttl: 60 }),
});
const commit = (token: number, change: Partial<DialerCommit> = {}): DialerCommit => ({
  companyId: ACME,
  token,
  uuid: 'u1',
  json: '{"n":2}',
  flowId: FLOW,
  active: true,
  version: 1,
  ...change,
});
const led = async (dialer: DialerStore): Promise<number> => (await dialer.lead(ACME, 'me', 5_000)) ?? 0;

describe('the dialler’s keys', () => {
  it('take a request once a day, with all its calls or with none', async () => {
    const { dialer } = await open();
    const calls = [entry('u1', 10), entry('u2')];
    expect(await dialer.accept(ACME, request('r1', 'sum'), calls, 60)).toBe('stored');
    expect(await dialer.accept(ACME, request('r2', 'sum'), [entry('u3', 5)], 60)).toBe('repeated');
    expect(await dialer.request(ACME, 'r1')).toBe('{"id":"r1"}');
    expect(await dialer.request(ACME, 'r2')).toBeUndefined();
    expect((await dialer.load(ACME, ['u2', 'u3', 'u1'])).map((d) => d.uuid)).toEqual(['u2', 'u1']);
    expect(await dialer.waiting(ACME, FLOW)).toBe(1);
  });

  it('give what is due in order, and tell when the next one is', async () => {
    const { dialer } = await open();
    const calls = [entry('c', 20.002), entry('b', 20.001), entry('a', 10), entry('d', 21), entry('e', 30)];
    await dialer.accept(ACME, request('r1'), calls, 60);
    const due = await dialer.due(ACME, FLOW, 20, 10);
    expect(due.calls.map((c) => c.uuid)).toEqual(['a', 'b', 'c']);
    expect(due.next).toBe(21);
    expect((await dialer.due(ACME, FLOW, 20, 1)).calls.map((c) => c.uuid)).toEqual(['a']);
    expect((await dialer.due(ACME, FLOW, 30, 10)).next).toBeUndefined();
  });

  it('are led by one instance at a time, and a former leader writes nothing', async () => {
    const { dialer } = await open();
    const mine = (await dialer.lead(ACME, 'me', 5_000)) ?? 0;
    expect(await dialer.lead(ACME, 'me', 5_000)).toBe(mine);
    expect(await dialer.lead(ACME, 'you', 5_000)).toBeUndefined();
    await dialer.accept(ACME, request('r1'), [entry('u1', 1)], 60);
    await dialer.resign(ACME, mine);
    const yours = (await dialer.lead(ACME, 'you', 5_000)) ?? 0;
    expect(yours).toBeGreaterThan(mine);
    expect(await dialer.commit(commit(mine))).toBe('not-leading');
    await dialer.setSeen(ACME, mine, 7);
    expect(await dialer.seen(ACME)).toBeUndefined();
    await dialer.resign(ACME, mine);
    expect(await dialer.commit(commit(yours))).toBe('stored');
  });

  it('let a call be claimed once: of two that have read it, one', async () => {
    const { dialer } = await open();
    const token = await led(dialer);
    await dialer.accept(ACME, request('r1'), [entry('u1', 1)], 60);
    const both = await Promise.all([dialer.commit(commit(token)), dialer.commit(commit(token, { json: '{"n":3}' }))]);
    expect(both).toEqual(['stored', 'conflict']);
    expect(await dialer.waiting(ACME, FLOW)).toBe(0);
    expect(await dialer.active(ACME)).toEqual([{ uuid: 'u1', json: '{"n":2}', version: 2 }]);
    expect(await dialer.commit(commit(token, { version: 2, active: false, queue: 50, seen: 12 }))).toBe('stored');
    expect([await dialer.active(ACME), await dialer.waiting(ACME, FLOW), await dialer.seen(ACME)]).toEqual([[], 1, 12]);
  });

  it('count the balance down, and store nothing where nothing is left of it', async () => {
    const { dialer } = await open();
    const token = await led(dialer);
    await dialer.accept(ACME, request('r1'), [entry('u1', 1), entry('u2', 2)], 60);
    expect(await dialer.balance(ACME, 'main', 1)).toBe(1);
    expect(await dialer.commit(commit(token, { charge: 'main' }))).toBe('stored');
    expect(await dialer.balance(ACME, 'main', 1)).toBe(0);
    expect(await dialer.commit(commit(token, { uuid: 'u2', charge: 'main' }))).toBe('no-balance');
    expect(await dialer.commit(commit(token, { uuid: 'u2', charge: 'unlimited' }))).toBe('stored');
  });

  it('keep the messages of a call in order until they are delivered or set aside, and bring them back', async () => {
    const { dialer } = await open();
    const token = await led(dialer);
    await dialer.accept(ACME, request('r1'), [entry('u1', 1)], 60);
    await dialer.commit(commit(token, { message: 'm1' }));
    await dialer.commit(commit(token, { version: 2, message: 'm2' }));
    const far = Date.now() + 60_000;
    const first = async (at = far) => (await dialer.dueMessages(ACME, at, 10)).map((m) => [m.json, m.failures]);
    expect(await first()).toEqual([['m1', 0]]);
    const message = (json: string) => ({ uuid: 'u1', json, failures: 0 });
    await dialer.notDelivered(ACME, token, message('m1'), far + 1);
    expect(await first()).toEqual([]);
    expect(await dialer.nextMessageAt(ACME)).toBe(far + 1);
    expect(await first(far + 1)).toEqual([['m1', 1]]);
    await dialer.deadLetter(ACME, token, message('m1'), FLOW);
    expect(await first()).toEqual([['m2', 0]]);
    // What has been dealt with already takes none of the others with it.
    await dialer.delivered(ACME, token, message('m1'));
    await dialer.notDelivered(ACME, token, message('m1'), far + 2);
    await dialer.deadLetter(ACME, token, message('m1'), FLOW);
    expect([await first(), await dialer.deadLetters(ACME, FLOW)]).toEqual([[['m2', 0]], 1]);
    expect(await dialer.replay(ACME, FLOW, 5)).toBe(1);
    expect(await dialer.deadLetters(ACME, FLOW)).toBe(0);
    await dialer.delivered(ACME, token, message('m2'));
    expect(await first()).toEqual([['m1', 0]]);
    await dialer.delivered(ACME, token, message('m1'));
    expect([await first(), await dialer.nextMessageAt(ACME)]).toEqual([[], undefined]);
  });

  it('keep what flows have been set to', async () => {
    const { dialer } = await open();
    expect(await dialer.flowStates(ACME)).toEqual({});
    await dialer.setFlowState(ACME, FLOW, '{"state":"paused"}');
    expect(await dialer.flowStates(ACME)).toEqual({ [FLOW]: '{"state":"paused"}' });
  });

  it('count a call together with its end, once, and keep the counts for 32 days', async () => {
    const prefix = `t${randomBytes(6).toString('hex')}`;
    const { dialer } = await open(prefix);
    const token = await led(dialer);
    await dialer.accept(ACME, request('r1'), [entry('u1', 1)], 60);
    const hour = 24 * 20_000 + 23;
    const counts = { placed: 1, answered: 1, abandoned: 0, waitMs: 700 };
    const counted = commit(token, { tally: { hour, counts } });
    expect(await dialer.commit(counted)).toBe('stored');
    expect(await dialer.commit(counted)).toBe('conflict');
    expect(await dialer.commit({ ...counted, version: 2, token: token + 1 })).toBe('not-leading');
    const next = { hour: hour + 1, counts: { ...counts, abandoned: 1 } };
    expect(await dialer.commit(commit(token, { version: 2, tally: next }))).toBe('stored');
    const known = [
      [hour, { placed: 1, answered: 1, waitMs: 700 }],
      [hour + 1, { placed: 1, answered: 1, abandoned: 1, waitMs: 700 }],
    ];
    expect([...(await dialer.tallies(ACME, FLOW, hour - 720, hour + 1))]).toEqual(known);
    expect([...(await dialer.tallies(ACME, FLOW, hour + 1, hour + 1))]).toEqual(known.slice(1));
    expect((await dialer.tallies(ACME, 'flow0002', hour - 720, hour + 1)).size).toBe(0);
    const redis = await createClient({ url: inject('redisUrl') }).connect();
    const names = await redis.keys(`${prefix}:*:tally:*`);
    const lives = await Promise.all(names.map((name) => redis.ttl(name)));
    redis.destroy();
    expect(names.toSorted()).toEqual([20_000, 20_001].map((d) => `${prefix}:{acme}:dialer:tally:${FLOW}:${d}`));
    for (const seconds of lives) {
      expect(seconds).toBeGreaterThan(31 * 86_400);
      expect(seconds).toBeLessThanOrEqual(32 * 86_400);
    }
  });
});
