import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { acme, CALLER, type Process, process, Telephones } from '../support/contacts-harness.ts';
import { RedisPast } from '../support/redis-past.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { newStore } from '../support/store-kit.ts';

/** Contacts on a Redis that loses what was written last. */

const CUSTOMER = '911140001234';
const CALLBACK = `<Contact><name>Ann</name><title>A question</title><mediaAddress>${CUSTOMER}</mediaAddress><tags><tag>a</tag></tags></Contact>`;
const AGENT = 'PJSIP/1001';
const OUTSIDE = `PJSIP/${CUSTOMER}@carrier`;

let redis: TestRedis;
let past: RedisPast;
let store: Store;
let one: Process;
let phones: Telephones;
let ups = 0;

beforeAll(async () => {
  redis = await startRedis();
  past = await RedisPast.open(redis.url);
});

afterEach(async () => {
  const { warnings } = one;
  await one.close();
  await store.close();
  expect(warnings).toEqual([]);
});

afterAll(async () => {
  past.close();
  await redis.stop();
});

async function begin(): Promise<void> {
  await past.goBack([]);
  ups = 0;
  ({ store } = newStore(redis.url, {
    listener: {
      onDown: () => undefined,
      onUp: (connection) => {
        if (connection === 'ringmaster-commands') ups++;
      },
      onError: (error) => {
        throw error;
      },
      onRestored: ({ more }) => {
        if (more) one.engine.storeAgain();
      },
    },
  }));
  await store.connected();
  phones = new Telephones();
  one = await process(store, phones, acme([{ id: 'back', kind: 'callback', queue: '8001' }]));
}

async function lose(to: Awaited<ReturnType<RedisPast['now']>>): Promise<void> {
  const before = ups;
  await past.goBack(to);
  await vi.waitFor(() => expect(ups).toBeGreaterThan(before), { timeout: 15_000, interval: 5 });
}

async function post(): Promise<string> {
  const headers = { 'content-type': 'application/xml' };
  const url = '/ccp/rest/callback/feed/back';
  const answer = await one.http.inject({ method: 'POST', url, remoteAddress: '127.0.0.1', headers, payload: CALLBACK });
  expect(answer.statusCode).toBe(201);
  return String(answer.headers['location']);
}

const becomes = (url: string, wanted: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const headers = { accept: 'application/json' };
      const answer = await one.http.inject({ method: 'GET', url, remoteAddress: '127.0.0.1', headers });
      expect(answer.json().status).toBe(wanted);
    },
    { timeout: 15_000, interval: 20 },
  );

async function login(): Promise<void> {
  const params = { agentID: 'a1', thisDN: '1001', thisQueues: ['8001'], agentState: 1 };
  expect(await one.engine.request(CALLER, 'RequestAgentLogin', params)).toHaveProperty('result');
}

it('a callback that was taken and lost is served all the same', async () => {
  await begin();
  const before = await past.now();
  const location = await post();
  await lose(before);
  expect(await store.contacts.live(CALLER.companyId)).toHaveLength(1);
  await login();
  await becomes(location, 'Handled');
  expect(phones.dialled.map((d) => d.endpoint)).toEqual([AGENT, OUTSIDE]);
});

it('a callback whose call has begun is not called a second time', async () => {
  await begin();
  phones.manner = (endpoint) => (endpoint === AGENT ? 'waits' : 'answers');
  const location = await post();
  const before = await past.now();
  await login();
  await vi.waitFor(() => expect(phones.dialled).toHaveLength(1), { timeout: 10_000, interval: 5 });
  await lose(before);
  phones.answer(phones.last(AGENT)?.channel ?? '');
  await becomes(location, 'Handled');
  expect(phones.dialled.map((d) => d.endpoint)).toEqual([AGENT, OUTSIDE]);
  expect(await store.contacts.live(CALLER.companyId)).toEqual([]);
});
