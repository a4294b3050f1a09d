import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Caller } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { company, newStore } from '../support/store-kit.ts';

const BASE = '/kairos-apis/outbounddialer';
const FLOWS = '/admin/dialer/accounts/main/flows';
const NUMBER = '918000123456';
const SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const callers: Readonly<Record<string, Caller>> = {
  'Bearer admin': { companyId: company('acme'), keyName: 'admin', scopes: new Set(['admin']) },
  'Bearer other': { companyId: company('other'), keyName: 'other', scopes: new Set(['admin']) },
  'Bearer call': { companyId: company('acme'), keyName: 'call', scopes: new Set(['call', 'read']) },
};

describe('flows by the admin API', () => {
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
  /** An instance with one flow of the file, and the admin API. */
  const serve = async (sim: SimulatedSwitch, settings = companyOf()): Promise<Instance> => {
    const { store } = newStore(inject('redisUrl'), { prefix });
    stores.push(store);
    const made = await instance(store, sim, [settings], {}, 1_000, {
      callerOf: (authorization) => callers[authorization ?? ''],
    });
    instances.push(made);
    return made;
  };
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
  const admin = async (
    at: Instance,
    method: Method,
    path = '',
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await at.http.inject({
      method,
      url: path.startsWith('/') ? path : FLOWS + (path === '' ? '' : `/${path}`),
      headers: { authorization: 'Bearer admin', ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    return {
      status: answer.statusCode,
      body: answer.body === '' ? {} : (answer.json() as Record<string, unknown>),
      tag: answer.headers['etag'],
    };
  };
  const create = async (at: Instance, flow: string, change: Record<string, unknown> = {}) => {
    const answer = await at.http.inject({
      method: 'POST',
      url: `${BASE}/create`,
      payload: {
        'api-version': '1.0',
        'security-id': SECURITY_ID,
        'flow-id': flow,
        calls: [{ 'client-identifier': `c${++unique}`, 'contact-numbers': [NUMBER] }],
        ...change,
      },
    });
    return answer.json() as Record<string, unknown>;
  };
  const statusOf = async (at: Instance, id: unknown): Promise<string> =>
    (await at.http.inject({ method: 'GET', url: `${BASE}/status/${String(id)}` })).json()['call-details'][0].status;

  it('makes one that takes requests at once, at another instance too, and places them', async () => {
    const sim = await begin();
    const [one, two] = [await serve(sim), await serve(sim)];
    expect((await create(two, 'made0001'))['api-response-code']).toBe(301);
    const made = await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'] });
    expect(made).toMatchObject({ status: 201, tag: '"1"', body: { id: 'made0001', source: 'api', version: 1 } });
    expect(made.body).toMatchObject({ agents: ['1007'], ringTimeout: 30, limits: { calls: 100 } });
    const answer = await create(two, 'made0001');
    expect(answer['api-response-code']).toBe(200);
    await expect.poll(() => statusOf(one, answer['request-id']), { timeout: 15_000 }).toBe('COMPLETED');
    expect(sim.placed.map((p) => p.agent)).toEqual(['1007']);
    const listed = (await admin(two, 'GET')).body['flows'] as Record<string, unknown>[];
    expect(listed.map((f) => [f['id'], f['source']])).toEqual([
      ['made0001', 'api'],
      ['flow0001', 'file'],
    ]);
  });

  it('replaces one by its version, at every instance', async () => {
    const sim = await begin();
    const [one, two] = [await serve(sim), await serve(sim)];
    await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'] });
    const testing = { agents: ['1008'], state: 'testing' };
    const stale = await admin(two, 'PUT', 'made0001', testing, { 'if-match': '"7"' });
    expect(stale.status).toBe(412);
    expect((await admin(two, 'PUT', 'made0001', testing, { 'if-match': 'W/"1"' })).status).toBe(412);
    const first = admin(two, 'PUT', 'made0001', testing, { 'if-match': '"1"' });
    const second = admin(one, 'PUT', 'made0001', testing, { 'if-match': '"1"' });
    expect([(await first).status, (await second).status].toSorted()).toEqual([200, 412]);
    expect((await admin(one, 'GET', 'made0001')).body).toMatchObject({ state: 'testing', version: 2 });
    expect((await create(one, 'made0001'))['api-response-code']).toBe(304);
    expect((await create(one, 'made0001', { 'api-version': 'TEST' }))['api-response-code']).toBe(402);
  });

  it('removes one: what waits ends, what is live is followed, and it can be made again', async () => {
    const sim = await begin();
    const one = await serve(sim);
    sim.holding = true;
    await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'] });
    const live = await create(one, 'made0001');
    await sim.until(() => sim.placed.length === 1);
    const waits = await create(one, 'made0001');
    expect((await admin(one, 'DELETE', 'made0001', undefined, { 'if-match': '"2"' })).status).toBe(412);
    expect((await admin(one, 'DELETE', 'made0001')).status).toBe(204);
    expect((await create(one, 'made0001'))['api-response-code']).toBe(301);
    expect((await admin(one, 'GET', 'made0001')).status).toBe(404);
    expect((await admin(one, 'DELETE', 'made0001')).status).toBe(404);
    await expect.poll(() => statusOf(one, waits['request-id']), { timeout: 15_000 }).toBe('PARTIAL_COMPLETE');
    await sim.hangUp();
    await expect.poll(() => statusOf(one, live['request-id']), { timeout: 15_000 }).toBe('COMPLETED');
    expect(await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'] })).toMatchObject({
      status: 201,
      body: { version: 3 },
    });
    expect(one.warnings).toEqual([]);
  });

  it('is found by the next process', async () => {
    const sim = await begin();
    const one = await serve(sim);
    sim.serving = false;
    await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'] });
    const answer = await create(one, 'made0001');
    await one.close();
    instances.splice(0);
    sim.serving = true;
    const next = await serve(sim);
    await expect.poll(() => statusOf(next, answer['request-id']), { timeout: 15_000 }).toBe('COMPLETED');
  });

  it('leaves the flows of the configuration file as they are', async () => {
    const one = await serve(await begin());
    expect((await admin(one, 'GET', 'flow0001')).body).toMatchObject({ source: 'file' });
    const flow = { id: 'flow0001', agents: ['1007'] };
    expect((await admin(one, 'POST', '', flow)).status).toBe(409);
    expect((await admin(one, 'PUT', 'flow0001', flow)).status).toBe(409);
    expect((await admin(one, 'DELETE', 'flow0001')).status).toBe(409);
    expect((await create(one, 'flow0001'))['api-response-code']).toBe(200);
  });

  it.each([
    ['no object', '[]', ''],
    ['nothing', {}, 'id'],
    ['an id of another form', { id: 'short', agents: ['1007'] }, 'id'],
    ['nobody to call for', { id: 'made0001' }, 'agents'],
    ['an agent who is no phone of the company', { id: 'made0001', agents: ['9007'] }, 'agents[0]'],
    ['a trunk that is another company’s to use', { id: 'made0001', agents: ['1007'], trunk: 'carrier-b' }, 'trunk'],
    ['a queue that there is not', { id: 'made0001', queue: '8009', firstLeg: 'customer' }, 'queue'],
    ['a limit of a wrong type', { id: 'made0001', agents: ['1007'], limits: { calls: '5' } }, 'limits.calls'],
    ['a key that is not known', { id: 'made0001', agents: ['1007'], agent: '1008' }, ''],
    [
      'an expression that can take for ever',
      { id: 'made0001', agents: ['1007'], validations: [{ key: 'a', type: 'regex', pattern: '(a+)+$' }] },
      'validations[0].pattern',
    ],
    [
      'numbers to mask by: the way in is the configuration’s',
      { id: 'made0001', agents: ['1007'], maskingNumbers: ['918011110001'] },
      'maskingNumbers',
    ],
  ])('refuses %s, and says where', async (_what, body, key) => {
    const one = await serve(await begin());
    const headers = { 'content-type': 'application/json' };
    const answer = await admin(one, 'POST', '', body, headers);
    expect(answer.status).toBe(400);
    expect((answer.body['problems'] as { key: string }[]).map((p) => p.key)).toContain(key);
    expect(await one.store.flows.revision(company('acme'))).toBe(0);
  });

  it('takes a trunk that the file lets the company use, and places by it', async () => {
    const acme = companyOf();
    if (!acme.dialer) throw new Error('no dialler');
    const sim = await begin();
    const one = await serve(sim, { ...acme, dialer: { ...acme.dialer, trunks: ['carrier-b'] } });
    const flow = { agents: ['1007'], trunk: 'carrier-b' };
    expect(await admin(one, 'POST', '', { id: 'made0001', ...flow })).toMatchObject({ status: 201, body: flow });
    expect((await admin(one, 'PUT', 'made0001', { ...flow, trunk: 'carrier-c' })).status).toBe(400);
    const answer = await create(one, 'made0001', { 'gateway-id': 'carrier-b' });
    await expect.poll(() => statusOf(one, answer['request-id']), { timeout: 15_000 }).toBe('COMPLETED');
    expect(sim.placed.map((p) => p.trunk)).toEqual(['carrier-b']);
  });

  it('refuses a body that is no JSON, or too long', async () => {
    const one = await serve(await begin());
    const headers = { 'content-type': 'application/json' };
    expect((await admin(one, 'POST', '', '{', headers)).status).toBe(400);
    expect((await admin(one, 'POST', '', { id: 'x'.repeat(300_000) })).status).toBe(413);
    expect(await one.store.flows.revision(company('acme'))).toBe(0);
  });

  it('is for a key of the company with the scope admin, and tells no secret', async () => {
    const one = await serve(await begin());
    const ask = async (authorization: string) => (await admin(one, 'GET', '', undefined, { authorization })).status;
    expect([await ask(''), await ask('Bearer x'), await ask('Bearer call'), await ask('Bearer other')]).toEqual([
      401, 401, 403, 404,
    ]);
    expect((await admin(one, 'GET', '/admin/dialer/accounts/nobody/flows')).status).toBe(404);
    const webhook = { url: 'http://127.0.0.1:9/calls', secret: SECRET };
    const made = await admin(one, 'POST', '', { id: 'made0001', agents: ['1007'], webhook });
    expect(made).toMatchObject({ status: 201, body: { webhook: { url: webhook.url } } });
    expect(JSON.stringify([made.body, (await admin(one, 'GET')).body])).not.toContain('whsec_');
  });

  it('has an end to how many there are', async () => {
    const one = await serve(await begin());
    const acme = company('acme');
    const now = Date.now();
    const change = (n: number, removed: boolean) => {
      const id = `f${String(n).padStart(7, '0')}`;
      return one.store.flows.change(acme, { id, json: '{}', expected: removed ? 'any' : 'new', removed, now });
    };
    for (let n = 0; n < 1_000; n++) expect(await change(n, false)).toBe(1);
    expect(await change(1_000, false)).toBe('full');
    expect(await change(0, true)).toBe(2);
    expect(await change(1_000, false)).toBe('full');
    const later = now + 31 * 86_400_000;
    const next = { id: 'f0001000', json: '{}', expected: 'new', removed: false, now: later } as const;
    expect(await one.store.flows.change(acme, next)).toBe(1);
  });
});
