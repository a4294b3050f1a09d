import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { Caller } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { startRedis } from '../support/redis-server.ts';
import { company, newStore } from '../support/store-kit.ts';

const BASE = '/kairos-apis/outbounddialer';
const LISTS = '/admin/dialer/accounts/main/lists';
const AGENTS = Array.from({ length: 60 }, (_, i) => String(1000 + i));
const ACME = company('acme');
const callers: Readonly<Record<string, Caller>> = {
  'Bearer admin': { companyId: ACME, keyName: 'admin', scopes: new Set(['admin']) },
  'Bearer other': { companyId: company('other'), keyName: 'other', scopes: new Set(['admin']) },
  'Bearer call': { companyId: ACME, keyName: 'call', scopes: new Set(['call', 'read']) },
};
const numberOf = (n: number): string => `9180001${String(n).padStart(5, '0')}`;
const ON_FILE = '918000999999';

describe('lists by the admin API', () => {
  const stores: Store[] = [];
  const instances: Instance[] = [];
  let prefix = '';
  let unique = 0;

  const begin = async (): Promise<SimulatedSwitch> => {
    prefix = `t${randomBytes(6).toString('hex')}`;
    const { store } = newStore(inject('redisUrl'), { prefix });
    stores.push(store);
    await store.connected();
    return new SimulatedSwitch(store);
  };
  const flow = { agents: AGENTS, limits: { calls: 1_000, callsPerSecond: 1_000 } };
  /** An instance with a flow of marketing, one that is not, and one in testing. */
  const serve = async (sim: SimulatedSwitch): Promise<Instance> => {
    const { store } = newStore(inject('redisUrl'), { prefix });
    stores.push(store);
    const flows = [
      { ...flow, marketing: true },
      { ...flow, id: 'service1' },
      { ...flow, id: 'testing1', state: 'testing' },
    ];
    const lists = { dndList: [ON_FILE], blackList: [], whiteList: [] };
    const made = await instance(store, sim, [companyOf(flows, lists)], {}, 1_000, {
      callerOf: (authorization) => callers[authorization ?? ''],
    });
    instances.push(made);
    return made;
  };
  afterEach(async () => {
    for (const { warnings } of instances) expect(warnings).toEqual([]);
    await Promise.all(instances.splice(0).map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  const admin = async (
    at: Instance,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await at.http.inject({
      method,
      url: path.startsWith('/') ? path : `${LISTS}/${path}`,
      headers: { authorization: 'Bearer admin', ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    return { status: answer.statusCode, body: answer.json() as Record<string, unknown>, tag: answer.headers['etag'] };
  };
  const create = async (
    at: Instance,
    numbers: readonly (readonly string[])[],
    change: Record<string, unknown> = {},
  ) => {
    const answer = await at.http.inject({
      method: 'POST',
      url: `${BASE}/create`,
      payload: {
        'api-version': '1.0',
        'security-id': SECURITY_ID,
        'flow-id': 'flow0001',
        calls: numbers.map((n) => ({ 'client-identifier': `c${++unique}`, 'contact-numbers': n })),
        ...change,
      },
    });
    return answer.json() as Record<string, unknown>;
  };
  const statusesOf = async (at: Instance, id: unknown): Promise<string[]> =>
    (await at.http.inject({ method: 'GET', url: `${BASE}/status/${String(id)}` }))
      .json()
      ['call-details'].map((c: { status: string }) => c.status);
  const refusal = async (at: Instance, number: string, change = {}) =>
    ((await create(at, [[number]], change))['call-details'] as { status?: string }[])[0]?.status;

  it('are added to, removed from and read, however the numbers are written', async () => {
    const one = await serve(await begin());
    expect(await admin(one, 'GET', 'dnd')).toEqual({
      status: 200,
      tag: '"0"',
      body: { numbers: [], total: 0, file: 1, next_page_token: '' },
    });
    const added = await admin(one, 'POST', 'dnd', { add: ['+918000100002', '8000100001', '918000100001'] });
    expect(added).toEqual({ status: 200, tag: '"1"', body: { added: 2, removed: 0, total: 2, file: 1 } });
    const changed = await admin(one, 'POST', 'dnd', { add: [numberOf(3), '918000100002'], remove: ['08000100001'] });
    expect(changed).toMatchObject({ tag: '"2"', body: { added: 1, removed: 1, total: 2 } });
    // What changes nothing is no new version.
    expect(await admin(one, 'POST', 'dnd', { remove: ['08000100001'] })).toMatchObject({ tag: '"2"' });
    expect((await admin(one, 'GET', 'dnd')).body).toMatchObject({ numbers: ['918000100002', '918000100003'] });
    expect((await admin(one, 'GET', 'black')).body).toMatchObject({ total: 0 });
  });

  it('hold at every instance from the answer on, beside those of the configuration', async () => {
    const sim = await begin();
    sim.serving = false;
    const [one, two] = [await serve(sim), await serve(sim)];
    const testing = { 'flow-id': 'testing1', 'api-version': 'TEST' };
    expect(await refusal(two, ON_FILE)).toBe('NCPR_CHECK_FAILED');
    expect(await refusal(two, numberOf(1))).toBeUndefined();
    expect(await refusal(two, numberOf(1), testing)).toBe('PHONE_NOT_WHITELISTED');
    await admin(one, 'POST', 'dnd', { add: [numberOf(1), numberOf(2)] });
    expect(await refusal(two, numberOf(1))).toBe('NCPR_CHECK_FAILED');
    expect(await refusal(two, numberOf(1), { 'flow-id': 'service1' })).toBeUndefined();
    await admin(one, 'POST', 'white', { add: [numberOf(1), ON_FILE] });
    expect(await refusal(two, numberOf(1))).toBeUndefined();
    expect(await refusal(two, ON_FILE)).toBeUndefined();
    expect(await refusal(two, numberOf(1), testing)).toBeUndefined();
    await admin(one, 'POST', 'black', { add: [numberOf(1)] });
    expect(await refusal(two, numberOf(1))).toBe('PHONE_BLACKLISTED');
    await admin(one, 'POST', 'black', { remove: [numberOf(1)] });
    expect(await refusal(two, numberOf(1))).toBeUndefined();
    const masking = await two.http.inject({
      method: 'POST',
      url: '/kairos-apis/masking/allocate',
      payload: {
        'security-id': SECURITY_ID,
        'flow-id': 'flow0001',
        number: numberOf(2),
        counterpart: numberOf(3),
        validity: 60,
      },
    });
    expect(masking.json()).toMatchObject({ status: 'NCPR_CHECK_FAILED' });
  });

  it('keep a number from being dialled whose call waits already; the next one is, where there is one', async () => {
    const sim = await begin();
    sim.serving = false;
    const one = await serve(sim);
    const answer = await create(one, [
      [numberOf(1)],
      [numberOf(2), numberOf(3)],
      [numberOf(4)],
      [numberOf(5), numberOf(1)],
      [ON_FILE, numberOf(6)],
    ]);
    const tested = await (async () => {
      await admin(one, 'POST', 'white', { add: [numberOf(7)] });
      return create(one, [[numberOf(7)]], { 'flow-id': 'testing1', 'api-version': 'TEST' });
    })();
    await admin(one, 'POST', 'dnd', { add: [numberOf(1), numberOf(2)] });
    await admin(one, 'POST', 'black', { add: [numberOf(4)] });
    await admin(one, 'POST', 'white', { remove: [numberOf(7)] });
    sim.endOf = (number) => (number === numberOf(5) ? 'no-answer' : 'talk');
    sim.serving = true;
    await expect
      .poll(() => statusesOf(one, answer['request-id']))
      .toEqual(['NCPR_CHECK_FAILED', 'COMPLETED', 'PHONE_BLACKLISTED', 'CUSTOMER_FAILURE', 'COMPLETED']);
    await expect.poll(() => statusesOf(one, tested['request-id'])).toEqual(['PHONE_NOT_WHITELISTED']);
    expect(sim.placed.map((p) => p.number).toSorted()).toEqual([numberOf(3), numberOf(5), numberOf(6)]);
  });

  it('are replaced as a whole, by the version that was seen', async () => {
    const one = await serve(await begin());
    const many = Array.from({ length: 4_500 }, (_, n) => numberOf(n));
    expect((await admin(one, 'PUT', 'dnd', { numbers: many })).status).toBe(428);
    const first = await admin(one, 'PUT', 'dnd', { numbers: many }, { 'if-match': '"0"' });
    expect(first).toEqual({ status: 200, tag: '"1"', body: { total: 4_500, file: 1 } });
    for (const tag of ['"0"', '"7"', 'W/"1"', '1']) {
      expect((await admin(one, 'PUT', 'dnd', { numbers: [] }, { 'if-match': tag })).status).toBe(412);
    }
    const pages: string[] = [];
    let token = '';
    do {
      const page = (await admin(one, 'GET', `dnd?page_size=2000${token && `&page_token=${token}`}`)).body;
      pages.push(...(page['numbers'] as string[]));
      token = String(page['next_page_token']);
    } while (token !== '');
    expect(pages).toEqual(many);
    const begun = (await admin(one, 'GET', 'dnd?page_size=10')).body['next_page_token'];
    expect(await admin(one, 'PUT', 'dnd', { numbers: [numberOf(9)] }, { 'if-match': '*' })).toMatchObject({
      tag: '"2"',
    });
    expect((await admin(one, 'GET', `dnd?page_token=${String(begun)}`)).status).toBe(409);
    expect((await admin(one, 'POST', 'dnd', { add: [numberOf(8)] }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await admin(one, 'GET', 'dnd')).body).toMatchObject({ numbers: [numberOf(9)] });
    expect((await admin(one, 'PUT', 'dnd', { numbers: [] }, { 'if-match': '"2"' })).body).toEqual({
      total: 0,
      file: 1,
    });
  });

  it('lose no change to another one at the same time', async () => {
    const sim = await begin();
    const [one, two] = [await serve(sim), await serve(sim)];
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => admin(n % 2 ? one : two, 'POST', 'dnd', { add: [numberOf(n)] })),
    );
    const seen = await admin(one, 'GET', 'dnd');
    expect(seen).toMatchObject({ tag: '"40"', body: { total: 40 } });
    const headers = { 'if-match': String(seen.tag) };
    const both = await Promise.all([one, two].map((at) => admin(at, 'PUT', 'dnd', { numbers: [] }, headers)));
    expect(both.map((a) => a.status).toSorted()).toEqual([200, 412]);
  });

  it.each([
    ['what are no numbers, and say where', 'POST', { add: [numberOf(1), '12a', ''] }, ['add[1]', 'add[2]']],
    ['what are no texts', 'POST', { add: [918000123456] }, ['add[0]']],
    ['a key that is not known', 'POST', { added: [] }, ['']],
    ['what is to be on it and not', 'POST', { add: ['918000123456'], remove: ['8000123456'] }, ['remove']],
    ['more than 10,000 at once', 'POST', { add: new Array(10_001).fill(numberOf(1)) }, ['add']],
    ['no list', 'PUT', {}, ['numbers']],
    ['more than 100,000 in place of it', 'PUT', { numbers: new Array(100_001).fill(numberOf(1)) }, ['numbers']],
  ] as const)('refuse %s', async (_what, method, body, keys) => {
    const one = await serve(await begin());
    const answer = await admin(one, method, 'dnd', body, { 'if-match': '*' });
    expect(answer.status).toBe(400);
    expect((answer.body['problems'] as { key: string }[]).map((p) => p.key)).toEqual(keys);
    // Numbers are not told back: what is answered ends up in logs.
    expect(JSON.stringify(answer.body)).not.toMatch(/\d{7}|12a/);
    expect((await admin(one, 'GET', 'dnd')).body).toMatchObject({ total: 0 });
  });

  it('are for a key of the company with the scope admin, and for accounts and lists that there are', async () => {
    const one = await serve(await begin());
    const by = async (authorization: string) => (await admin(one, 'GET', 'dnd', undefined, { authorization })).status;
    expect([await by(''), await by('Bearer x'), await by('Bearer call'), await by('Bearer other')]).toEqual([
      401, 401, 403, 404,
    ]);
    expect((await admin(one, 'GET', 'grey')).status).toBe(404);
    expect((await admin(one, 'POST', '/admin/dialer/accounts/nobody/lists/dnd', { add: [] })).status).toBe(404);
    expect((await admin(one, 'GET', 'dnd?page_size=0')).status).toBe(400);
    expect((await admin(one, 'POST', 'dnd', '{', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await admin(one, 'POST', 'dnd', { add: ['9'.repeat(5 * 1024 * 1024)] })).status).toBe(413);
  });

  it('are asked once for a request, however many numbers it has', async () => {
    const sim = await begin();
    sim.serving = false;
    const one = await serve(sim);
    const asked = vi.spyOn(one.store.lists, 'onLists');
    await admin(one, 'POST', 'dnd', { add: [numberOf(7)] });
    const calls = Array.from({ length: 500 }, (_, c) => Array.from({ length: 20 }, (_, n) => numberOf(20 * c + n)));
    const answer = await create(one, calls);
    expect(answer['api-response-code']).toBe(200);
    expect(asked.mock.calls.map(([, account, numbers]) => [account, numbers.length])).toEqual([['main', 10_000]]);
  });
});

it('a list of a million numbers takes no more, and changes as before', async () => {
  const redis = await startRedis();
  const prefix = 'million';
  const { store } = newStore(redis.url, { prefix });
  const client = createClient({ url: redis.url });
  try {
    await store.connected();
    await client.connect();
    // In parts: Redis must go on answering.
    const fill = "for i = 1, 20000 do redis.call('ZADD', KEYS[1], 0, 918000000000 + ARGV[1] + i) end";
    const keys = [`${prefix}:{${ACME}}:dialer:list:main:dnd`];
    for (let n = 0; n < 1_000_000; n += 20_000) await client.eval(fill, { keys, arguments: [String(n)] });
    const { lists } = store;
    expect(await lists.change(ACME, 'main', 'dnd', { add: ['1'], remove: [] })).toBe('full');
    const swapped = await lists.change(ACME, 'main', 'dnd', { add: ['1'], remove: ['918000000001'] });
    expect(swapped).toEqual({ version: 1, total: 1_000_000, added: 1, removed: 1 });
    expect((await lists.onLists(ACME, 'main', ['1', '2'])).dnd).toEqual(new Set(['1']));
  } finally {
    client.destroy();
    await store.close();
    await redis.stop();
  }
}, 60_000);
