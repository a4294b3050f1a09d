import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, type FlowSettings, SECURITY_ID } from '../support/dialer-kit.ts';
import { type Past, RedisPast } from '../support/redis-past.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { company, newStore } from '../support/store-kit.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** The dialler on a Redis that loses what was written last: the switch knows what was really dialled. */

const BASE = '/kairos-apis/outbounddialer';
const SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const ACME = company('acme');
const AGENTS = Array.from({ length: 20 }, (_, i) => String(1000 + i));
const COMMANDS = 'ringmaster-commands';

let redis: TestRedis;
let past: RedisPast;
let prefix = '';
const ups = new Map<Store, number>();
const instances: Instance[] = [];
let sim: SimulatedSwitch;

beforeAll(async () => {
  redis = await startRedis();
  past = await RedisPast.open(redis.url);
});

afterEach(async () => {
  await Promise.all(instances.splice(0).map((i) => i.close()));
  await Promise.all([...ups.keys()].map((s) => s.close()));
  ups.clear();
});

afterAll(async () => {
  past.close();
  await redis.stop();
});

function open(url = redis.url): Store {
  const { store } = newStore(url, {
    prefix,
    heartbeatMs: 200,
    listener: {
      onDown: () => undefined,
      onUp: (connection) => {
        if (connection === COMMANDS) ups.set(store, (ups.get(store) ?? 0) + 1);
      },
      onError: (error) => {
        throw error;
      },
    },
  });
  ups.set(store, 0);
  return store;
}

async function begin(): Promise<void> {
  prefix = `t${randomBytes(6).toString('hex')}`;
  const store = open();
  await store.connected();
  sim = new SimulatedSwitch(store);
}

async function dialler(
  companies: readonly CompanyConfig[],
  store = open(),
  leadMs = 1_000,
  mayLead = () => true,
): Promise<Instance> {
  const made = await instance(store, sim, companies, { mayLead }, leadMs);
  instances.push(made);
  return made;
}

/** Redis is as it was, and everybody is connected again. */
async function lose(to: Past): Promise<void> {
  const before = new Map(ups);
  await past.goBack(to);
  for (const store of before.keys()) await back(store, before.get(store) ?? 0);
}

const back = (store: Store, before: number): Promise<void> =>
  vi.waitFor(() => expect(ups.get(store)).toBeGreaterThan(before), { timeout: 15_000, interval: 5 });

const flow = (change: FlowSettings = {}): CompanyConfig[] => [
  companyOf([{ agents: AGENTS, limits: { calls: 100, callsPerSecond: 100 }, ...change }]),
];
const numberOf = (n: number): string => `9180${String(n).padStart(8, '0')}`;

async function ask(at: Instance, ...numbers: number[]): Promise<string> {
  const calls = numbers.map((n) => ({ 'client-identifier': `n${n}`, 'contact-numbers': [numberOf(n)] }));
  const payload = { 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': 'flow0001', calls };
  const answer = (await at.http.inject({ method: 'POST', url: `${BASE}/create`, payload })).json();
  expect(answer).toMatchObject({ 'api-response-code': 200 });
  return String(answer['request-id']);
}

const become = (at: Instance, id: string, wanted: readonly string[]): Promise<void> =>
  vi.waitFor(
    async () => {
      const answer = (await at.http.inject({ method: 'GET', url: `${BASE}/status/${id}` })).json();
      expect(answer['call-details']?.map((c: { status: string }) => c.status)).toEqual(wanted);
    },
    { timeout: 15_000, interval: 20 },
  );

/** What comes now is placed, and so everything that waited before it has been: each number once. */
async function nothingTwice(at: Instance, ...numbers: number[]): Promise<void> {
  const id = await ask(at, 99);
  await sim.until(() => sim.placed.some((p) => p.number === numberOf(99)));
  await sim.hangUp();
  await become(at, id, ['COMPLETED']);
  expect(sim.placed.map((p) => p.number).toSorted()).toEqual([...numbers, 99].map(numberOf));
}

describe('where Redis loses what the dialler wrote last', () => {
  it('a call whose claim is gone is followed to its end, and dialled once', async () => {
    await begin();
    sim.holding = true;
    sim.serving = false;
    const one = await dialler(flow());
    const id = await ask(one, 1, 2);
    const before = await past.now();
    sim.serving = true;
    await sim.until(() => sim.placed.length === 2);
    await lose(before);
    await sim.hangUp();
    await become(one, id, ['COMPLETED', 'COMPLETED']);
    await nothingTwice(one, 1, 2);
  });

  it('a call of which even the end is gone has ended, and is not dialled again', async () => {
    await begin();
    sim.serving = false;
    const one = await dialler(flow());
    const id = await ask(one, 1);
    const before = await past.now();
    sim.serving = true;
    await become(one, id, ['COMPLETED']);
    await lose(before);
    await become(one, id, ['COMPLETED']);
    await nothingTwice(one, 1);
  });

  it('a call that was being asked for has its answer, and is dialled once', async () => {
    await begin();
    sim.serving = false;
    sim.mute = 'after';
    // It talks on while Redis is away: what is told of its end is not to be lost with it.
    sim.holding = true;
    const one = await dialler(flow());
    const id = await ask(one, 1);
    const before = await past.now();
    sim.serving = true;
    await sim.until(() => sim.unanswered === 1);
    await lose(before);
    sim.breakOff();
    await sim.hangUp();
    await become(one, id, ['COMPLETED']);
    await nothingTwice(one, 1);
  });

  it('a request that was answered is placed', async () => {
    await begin();
    sim.serving = false;
    const one = await dialler(flow());
    const before = await past.now();
    const id = await ask(one, 1, 2, 3);
    await lose(before);
    sim.serving = true;
    await become(one, id, ['COMPLETED', 'COMPLETED', 'COMPLETED']);
    await nothingTwice(one, 1, 2, 3);
  });

  it('a request and what was claimed of it are there again, though different instances had written them', async () => {
    await begin();
    sim.holding = true;
    const leads = await dialler(flow());
    await become(leads, await placedOnce(leads, 50), ['IN_PROGRESS']);
    const takes = await dialler(flow());
    const before = await past.now();
    const id = await ask(takes, 1, 2);
    await sim.until(() => sim.placed.length === 3);
    await lose(before);
    await sim.hangUp();
    await become(takes, id, ['COMPLETED', 'COMPLETED']);
    expect([leads, takes].map((i) => i.dialer.activeCalls)).toEqual([0, 0]);
    await nothingTwice(takes, 1, 2, 50);
  });

  it('nobody else leads before the leader has put back what he knows', async () => {
    await begin();
    const proxy = await TcpProxy.start('127.0.0.1', redis.port);
    sim.holding = true;
    sim.serving = false;
    const far = open(`redis://127.0.0.1:${proxy.port}`);
    const leads = await dialler(flow(), far, 12_000);
    const id = await ask(leads, 1);
    // As where Redis was away for longer than a lead lasts.
    const before = (await past.now()).filter(([key]) => !key.toString().endsWith(':lead'));
    let elections = 0;
    const other = await dialler(flow(), open(), 12_000, () => {
      elections++;
      return true;
    });
    sim.serving = true;
    await sim.until(() => sim.placed.length === 1);
    const [atFar, atOther] = [far, other.store].map((s) => ups.get(s) ?? 0);
    proxy.block();
    await past.goBack(before);
    // The other one is there first, and finds a call that waits and nobody who leads.
    await back(other.store, atOther ?? 0);
    expect(await other.store.dialer.waiting(ACME, 'flow0001')).toBe(1);
    const until = elections + 1;
    await vi.waitFor(() => expect(elections).toBeGreaterThanOrEqual(until), { timeout: 15_000, interval: 5 });
    proxy.unblock();
    await back(far, atFar ?? 0);
    expect([leads.dialer.activeCalls, other.dialer.activeCalls]).toEqual([1, 0]);
    await sim.hangUp();
    await become(leads, id, ['COMPLETED']);
    await nothingTwice(leads, 1);
    await leads.close();
    instances.splice(instances.indexOf(leads), 1);
    await proxy.stop();
  }, 60_000);

  it('a message is delivered once, whether it was lost or that it had been delivered', async () => {
    await begin();
    const receiver = await WebhookReceiver.open(SECRET);
    receiver.status = 500;
    sim.holding = true;
    const webhook = { url: receiver.url, secret: SECRET, attempts: 10, firstRetry: 1 };
    const one = await dialler(flow({ webhook }));
    await ask(one, 1);
    await sim.until(() => sim.placed.length === 1);
    const beforeItsEnd = await past.now();
    await sim.hangUp();
    await receiver.until((r) => r.received.length === 1);
    await lose(beforeItsEnd);
    const beforeItsDelivery = await past.now();
    receiver.status = 204;
    await receiver.until((r) => r.taken.length === 1);
    await vi.waitFor(async () => expect(await one.store.dialer.nextMessageAt(ACME)).toBeUndefined(), {
      timeout: 10_000,
      interval: 5,
    });
    await lose(beforeItsDelivery);
    expect(await one.store.dialer.nextMessageAt(ACME)).toBeUndefined();
    await nothingTwice(one, 1);
    await receiver.until((r) => r.taken.length === 2);
    const told = receiver.taken.map((r) => r.body['client-identifier']);
    expect(told).toEqual(['n1', 'n99']);
    expect(new Set(receiver.received.map((r) => r.id)).size).toBe(2);
    await one.close();
    instances.splice(0);
    await receiver.close();
  });
});

async function placedOnce(at: Instance, n: number): Promise<string> {
  const id = await ask(at, n);
  await sim.until(() => sim.placed.some((p) => p.number === numberOf(n)));
  return id;
}
