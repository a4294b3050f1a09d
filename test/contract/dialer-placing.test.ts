import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, type FlowSettings, SECURITY_ID } from '../support/dialer-kit.ts';
import { company, newStore } from '../support/store-kit.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const BASE = '/kairos-apis/outbounddialer';
const SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const ACME = company('acme');
const AGENTS = Array.from({ length: 60 }, (_, i) => String(1000 + i));

describe('placing', () => {
  const stores: Store[] = [];
  const instances: Instance[] = [];
  let prefix = '';

  const open = (): Store => {
    const { store } = newStore(inject('redisUrl'), { prefix });
    stores.push(store);
    return store;
  };
  const begin = async (): Promise<SimulatedSwitch> => {
    prefix = `t${randomBytes(6).toString('hex')}`;
    const store = open();
    await store.connected();
    return new SimulatedSwitch(store);
  };
  const dialler = async (sim: SimulatedSwitch, companies: readonly CompanyConfig[]): Promise<Instance> => {
    const made = await instance(open(), sim, companies);
    instances.push(made);
    return made;
  };
  const fast = (flow: FlowSettings = {}): FlowSettings => ({
    agents: AGENTS,
    limits: { calls: 1_000, callsPerSecond: 1_000 },
    ...flow,
  });
  const numberOf = (n: number): string => `9180${String(n).padStart(8, '0')}`;
  const ask = async (at: Instance, from: number, to: number, change: Record<string, unknown> = {}, call = {}) => {
    const calls = Array.from({ length: to - from }, (_, i) => ({
      'client-identifier': `n${from + i}`,
      'contact-numbers': [numberOf(from + i)],
      ...call,
    }));
    const payload = { 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': 'flow0001', calls, ...change };
    const answer = (await at.http.inject({ method: 'POST', url: `${BASE}/create`, payload })).json();
    expect(answer).toMatchObject({ 'api-response-code': 200 });
    return String(answer['request-id']);
  };
  const statusesOf = async (at: Instance, id: string): Promise<string[]> =>
    (await at.http.inject({ method: 'GET', url: `${BASE}/status/${id}` }))
      .json()
      ['call-details'].map((c: { status: string }) => c.status);

  afterEach(async () => {
    await Promise.all(instances.splice(0).map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  it('every one of many calls exactly once, with the process killed in the middle and another one beside it', async () => {
    const sim = await begin();
    const companies = [companyOf([fast()])];
    const first = await dialler(sim, companies);
    const total = 10_000;
    for (let n = 0; n < total; n += 500) await ask(first, n, n + 500);
    await sim.until(() => sim.placed.length >= total / 4);
    const second = await dialler(sim, companies);
    instances.splice(instances.indexOf(first), 1);
    await first.crash();
    await sim.until(() => sim.placed.length >= total / 2);
    const third = await dialler(sim, companies);
    instances.splice(instances.indexOf(second), 1);
    await second.crash();
    await sim.until(() => sim.placed.length >= total && sim.live === 0);
    const numbers = sim.placed.map((p) => p.number);
    expect(new Set(numbers).size).toBe(total);
    expect(numbers).toHaveLength(total);
    expect(third.warnings).toEqual([]);
  }, 120_000);

  it('in the order of the request, and one call for each agent at a time', async () => {
    const sim = await begin();
    sim.holding = true;
    const one = await dialler(sim, [companyOf([fast({ agents: ['1001', '1002', '1003'] })])]);
    await ask(one, 0, 20);
    await sim.until(() => sim.placed.length === 3);
    expect(new Set(sim.placed.map((p) => p.agent)).size).toBe(3);
    while (sim.placed.length < 20) {
      const before = sim.placed.length;
      await sim.hangUp();
      await sim.until(() => sim.placed.length > before);
      expect(sim.live).toBeLessThanOrEqual(3);
    }
    expect(sim.placed.map((p) => p.number)).toEqual(Array.from({ length: 20 }, (_, n) => numberOf(n)));
  });

  it('fairly between flows: a long queue does not make a short one wait', async () => {
    const sim = await begin();
    sim.serving = false;
    const companies = [companyOf([fast(), fast({ id: 'flow0002' }), fast({ id: 'flow0003' })])];
    const accepting = await dialler(sim, companies);
    await ask(accepting, 0, 300);
    await ask(accepting, 300, 310, { 'flow-id': 'flow0002' });
    await ask(accepting, 310, 320, { 'flow-id': 'flow0003' });
    instances.splice(0);
    await accepting.close();
    // One that finds all of it: an instance may have looked at the long queue alone, and takes what it has seen.
    sim.serving = true;
    await dialler(sim, companies);
    await sim.until(() => sim.placed.length === 320);
    const small = sim.placed.flatMap((p, i) => (p.number >= numberOf(300) ? [i] : []));
    expect(small).toHaveLength(20);
    // One of each in turn is ten times three; on the way to the switch calls may overtake each other.
    expect(small.at(-1)).toBeLessThan(60);
  });

  it('no faster than the flow’s calls per second, and no more than its calls at once', async () => {
    const sim = await begin();
    const limits = { calls: 1_000, callsPerSecond: 20 };
    const one = await dialler(sim, [companyOf([fast({ limits })])]);
    await ask(one, 0, 50);
    await sim.until(() => sim.placed.length === 50);
    for (const { at } of sim.placed) {
      // One second's calls at once, and from then on so many a second.
      const within = sim.placed.filter((p) => p.at >= at && p.at < at + 1_000).length;
      expect(within).toBeLessThanOrEqual(2 * limits.callsPerSecond);
    }
    const took = (sim.placed.at(-1)?.at ?? 0) - (sim.placed[0]?.at ?? 0);
    expect(took).toBeGreaterThan(1_000);

    const few = await begin();
    few.holding = true;
    const other = await dialler(few, [companyOf([fast({ limits: { calls: 2, callsPerSecond: 1_000 } })])]);
    await ask(other, 0, 6);
    for (let n = 2; n <= 6; n += 2) {
      await few.until(() => few.placed.length === n);
      expect(few.live).toBe(2);
      await few.hangUp();
    }
    expect(few.placed).toHaveLength(6);
  });

  it('by the trunk of its flow, whose number is the source of its campaigncall', async () => {
    const sim = await begin();
    const own = fast({ id: 'flow0002', trunk: 'carrier-b' });
    const one = await dialler(sim, [
      companyOf([fast(), own, fast({ ...own, id: 'flow0003', callerId: '911140003000' })]),
    ]);
    for (const [n, id] of ['flow0001', 'flow0002', 'flow0003'].entries()) await ask(one, n, n + 1, { 'flow-id': id });
    await sim.until(() => sim.placed.length === 3 && sim.live === 0);
    expect(sim.placed.toSorted((a, b) => a.number.localeCompare(b.number)).map((p) => p.trunk)).toEqual([
      undefined,
      'carrier-b',
      'carrier-b',
    ]);
    const sourceOf = async (flow: string): Promise<string> => {
      const [found] = await one.store.campaigncalls.list(ACME, [flow], 1);
      return JSON.parse(found?.json ?? '{}').source?.target;
    };
    expect(await Promise.all(['flow0001', 'flow0002', 'flow0003'].map(sourceOf))).toEqual([
      '911140001000',
      '911140002000',
      '911140003000',
    ]);
  });

  it('waits where the switch has no room, without losing an attempt', async () => {
    const sim = await begin();
    sim.refusals = 3;
    const one = await dialler(sim, [companyOf([fast({ agents: ['1001'] })], { balance: 2 })]);
    const id = await ask(one, 0, 2);
    await sim.until(() => sim.placed.length === 2 && sim.live === 0);
    await expect.poll(() => statusesOf(one, id)).toEqual(['COMPLETED', 'COMPLETED']);
    expect(await one.store.dialer.balance(ACME, 'main', 2)).toBe(0);
    expect(sim.refusals).toBe(0);
  });

  it('ends what the balance no longer pays for', async () => {
    const sim = await begin();
    const one = await dialler(sim, [
      companyOf([fast({ agents: ['1001'], customerAttempts: { attempts: 2, intervals: [1] } })], { balance: 1 }),
    ]);
    sim.endOf = () => 'no-answer';
    const id = await ask(one, 0, 1);
    await expect.poll(() => statusesOf(one, id), { timeout: 10_000 }).toEqual(['INSUFFICIENT_BALANCE']);
    expect(sim.placed).toHaveLength(1);
  });

  it('ends what waits longer than its account is valid', async () => {
    const sim = await begin();
    sim.serving = false;
    let now = Date.now();
    const companies = [companyOf([fast()], { validUntil: new Date(now + 3_600_000).toISOString() })];
    const one = await instance(open(), sim, companies, { now: () => now });
    instances.push(one);
    const id = await ask(one, 0, 1);
    now += 3_600_001;
    await expect.poll(() => statusesOf(one, id), { timeout: 10_000 }).toEqual(['ACCOUNT_VALIDITY_EXPIRED']);
    expect(sim.placed).toEqual([]);
  });

  it('at its time and not before, also where the process was restarted meanwhile', async () => {
    const sim = await begin();
    const companies = [companyOf([fast()])];
    const first = await dialler(sim, companies);
    const at = Date.now() + 2_000;
    const id = await ask(first, 0, 3, {}, { 'start-time': new Date(at).toISOString() });
    expect(await statusesOf(first, id)).toEqual(['SCHEDULED', 'SCHEDULED', 'SCHEDULED']);
    await first.close();
    instances.splice(0);
    const second = await dialler(sim, companies);
    await sim.until(() => sim.placed.length === 3);
    for (const p of sim.placed) expect(p.at).toBeGreaterThanOrEqual(at);
    await expect.poll(() => statusesOf(second, id)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
  });

  it('follows after a restart what was placed before it, and what ended in between', async () => {
    const sim = await begin();
    sim.holding = true;
    const companies = [companyOf([fast()])];
    const first = await dialler(sim, companies);
    const id = await ask(first, 0, 4);
    await sim.until(() => sim.placed.length === 4);
    await first.close();
    instances.splice(0);
    await sim.hangUp();
    const second = await dialler(sim, companies);
    await expect.poll(() => statusesOf(second, id), { timeout: 10_000 }).toEqual(new Array(4).fill('COMPLETED'));
    expect(sim.placed).toHaveLength(4);
  });

  it.each(['before', 'after'] as const)(
    'once, where the process dies between claim and answer, %s the call was begun',
    async (mute) => {
      const sim = await begin();
      sim.mute = mute;
      const companies = [companyOf([fast()])];
      const first = await dialler(sim, companies);
      const id = await ask(first, 0, 5);
      await sim.until(() => sim.unanswered === 5);
      expect(sim.placed).toHaveLength(mute === 'before' ? 0 : 5);
      await first.crash();
      instances.splice(0);
      const second = await dialler(sim, companies);
      await expect.poll(() => statusesOf(second, id), { timeout: 10_000 }).toEqual(new Array(5).fill('COMPLETED'));
      expect(sim.placed.map((p) => p.number).toSorted()).toEqual([0, 1, 2, 3, 4].map(numberOf));
      expect(second.warnings).toEqual([]);
    },
  );

  it('once, where nobody can say whether it was begun: it is asked for under the same id until somebody does', async () => {
    const sim = await begin();
    sim.holding = true;
    sim.unsure = 3;
    const one = await dialler(sim, [companyOf([fast()])]);
    const id = await ask(one, 0, 2);
    await expect.poll(() => sim.unsure).toBe(0);
    await sim.hangUp();
    await expect.poll(() => statusesOf(one, id)).toEqual(['COMPLETED', 'COMPLETED']);
    expect(sim.placed.map((p) => p.number).toSorted()).toEqual([numberOf(0), numberOf(1)]);
  });

  it('sets a message aside that nobody takes, and delivers it again on request', async () => {
    const sim = await begin();
    const receiver = await WebhookReceiver.open(SECRET);
    receiver.status = 500;
    const webhook = { url: receiver.url, secret: SECRET, attempts: 1 };
    const one = await dialler(sim, [companyOf([fast({ webhook })])]);
    await ask(one, 0, 1);
    await expect.poll(() => one.store.dialer.deadLetters(ACME, 'flow0001'), { timeout: 10_000 }).toBe(1);
    receiver.status = 204;
    const answer = await one.http.inject({
      method: 'POST',
      url: `${BASE}/flows/flow0001/webhooks/replay`,
      headers: { 'security-id': SECURITY_ID },
    });
    expect(answer.json()).toMatchObject({ 'api-response-code': 200, messages: 1 });
    await receiver.until((r) => r.taken.length === 1);
    expect(receiver.received.map((r) => [r.valid, r.status])).toEqual([
      [true, 500],
      [true, 204],
    ]);
    expect(new Set(receiver.received.map((r) => r.id)).size).toBe(1);
    await one.close();
    instances.splice(0);
    await receiver.close();
  });
});
