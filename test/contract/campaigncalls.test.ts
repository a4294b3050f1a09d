import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { CompanyId } from '../../src/cti/ids.ts';
import { CAMPAIGNCALL_ENDPOINTS } from '../../src/dialer/campaigncall-endpoints.ts';
import type { ApiAccess, Caller } from '../../src/ports.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { company, newStore } from '../support/store-kit.ts';

const BASE = '/v1.0/campaigncalls';
const ACME = company('acme');
const OTHER = company('other');
const AGENTS = Array.from({ length: 20 }, (_, i) => String(1000 + i));

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly result: string;
  readonly campaign_id: string;
  readonly destination: { readonly target: string };
  readonly reference_id: string;
}

const caller = (companyId: CompanyId, ...scopes: string[]): Caller => ({
  companyId,
  keyName: 'test',
  scopes: new Set(scopes),
});

/** Keys by what an Authorization header says. */
const KEYS: Readonly<Record<string, Caller | 'too-fast'>> = {
  all: caller(ACME, 'read', 'dial'),
  reader: caller(ACME, 'read'),
  caller: caller(ACME, 'call'),
  other: caller(OTHER, 'read', 'dial'),
  hasty: 'too-fast',
};
const access: ApiAccess = { admit: (given) => KEYS[given ?? ''] ?? 'unauthorized' };

describe('campaigncalls over HTTP', () => {
  let one: Instance;
  let sim: SimulatedSwitch;

  beforeAll(async () => {
    const { store } = newStore(inject('redisUrl'));
    sim = new SimulatedSwitch(store);
    const acme = companyOf([
      { agents: AGENTS, limits: { callsPerSecond: 1_000 } },
      { id: 'flow0002', agents: AGENTS, callerId: '911140009999' },
      { id: 'stopped1', agents: AGENTS },
    ]);
    const theirs: CompanyConfig = { ...acme, companyId: OTHER };
    const dialer = acme.dialer;
    if (!dialer) throw new Error('no dialer');
    const renamed = { ...dialer, accounts: dialer.accounts.map((a) => ({ ...a, securityId: 'o'.repeat(64) })) };
    one = await instance(store, sim, [acme, { ...theirs, dialer: renamed }], {}, 1_000, { access });
    await one.http.inject({
      method: 'POST',
      url: '/kairos-apis/outbounddialer/flows/stopped1/stop',
      headers: { 'security-id': SECURITY_ID },
    });
  });

  afterAll(async () => {
    await one.close();
    await one.store.close();
  });

  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, key = 'all', body?: unknown) => {
    const answer = await one.http.inject({
      method,
      url: BASE + path,
      headers: { authorization: key, 'content-type': 'application/json' },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: answer.json() as Record<string, unknown>, headers: answer.headers };
  };
  const post = (target: string, campaign_id = 'flow0001', key = 'all') =>
    ask('POST', '', key, { campaign_id, destination: { type: 'tel', target } });
  const page = async (query: string, key = 'all') => {
    const { body } = await ask('GET', `?${query}`, key);
    return body as unknown as { result: Shown[]; next_page_token: string };
  };
  const done = (id: string) =>
    vi.waitFor(async () => expect((await ask('GET', `/${id}`)).body['status']).toBe('done'), {
      timeout: 10_000,
      interval: 20,
    });

  it('places the call that is asked for, and shows what became of it', async () => {
    const made = await post('918000123456', 'flow0002');
    expect(made.status).toBe(201);
    const { id } = made.body as unknown as Shown;
    expect(made.headers['location']).toBe(`${BASE}/${id}`);
    expect(made.body).toMatchObject({
      campaign_id: 'flow0002',
      status: 'dialing',
      result: '',
      reference_type: 'none',
      source: { type: 'tel', target: '911140009999', target_name: '', name: '', detail: '' },
      destination: { type: 'tel', target: '918000123456', target_name: '', name: '', detail: '' },
    });
    await done(id);
    const { body } = await ask('GET', `/${id}`);
    expect(body).toMatchObject({ id, result: 'success', reference_type: 'call', try_count: 1 });
    expect(sim.placed.some((p) => p.callID === body['reference_id'])).toBe(true);
    expect((await page('campaign_id=flow0002')).result.map((r) => r.id)).toEqual([id]);
  });

  it('pages newest first; what comes about meanwhile moves no page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push(String((await post(`9180001000${i}0`)).body['id']));
    await Promise.all(ids.map(done));
    const first = await page('campaign_id=flow0001&page_size=3');
    expect(first.result.map((r) => r.id)).toEqual(ids.toReversed().slice(0, 3));
    await done(String((await post('918000100099')).body['id']));
    const second = await page(`campaign_id=flow0001&page_size=3&page_token=${first.next_page_token}`);
    expect(second.result.map((r) => r.id)).toEqual(ids.toReversed().slice(3, 6));
    const third = await page(`campaign_id=flow0001&page_size=3&page_token=${second.next_page_token}`);
    expect(third).toMatchObject({ next_page_token: '' });
    expect(third.result.map((r) => r.id)).toEqual(ids.slice(0, 1));
    const everything = await page('page_size=1000');
    expect(new Set(everything.result.map((r) => r.campaign_id))).toEqual(new Set(['flow0001', 'flow0002']));
    expect((await page('campaign_id=nothing1')).result).toEqual([]);
  });

  it('DELETE hangs up the call, and leaves alone what is done', async () => {
    sim.holding = true;
    const { body } = await post('918000123457');
    const id = String(body['id']);
    await vi.waitFor(async () => expect((await ask('GET', `/${id}`)).body['reference_type']).toBe('call'), {
      timeout: 10_000,
      interval: 20,
    });
    expect(sim.live).toBe(1);
    expect((await ask('DELETE', `/${id}`)).status).toBe(200);
    await done(id);
    sim.holding = false;
    expect(sim.live).toBe(0);
    const again = await ask('DELETE', `/${id}`);
    expect([again.status, again.body['status']]).toEqual([200, 'done']);
  });

  it('refuses who may not, and what cannot be', async () => {
    const { body } = await post('918000123458');
    const id = String(body['id']);
    const statuses = async (...asked: Promise<{ status: number }>[]) => (await Promise.all(asked)).map((a) => a.status);
    expect(await statuses(ask('GET', '', 'nobody'), ask('GET', '', 'caller'), ask('GET', '', 'hasty'))).toEqual([
      401, 403, 429,
    ]);
    expect(await statuses(post('918000123456', 'flow0001', 'reader'), ask('DELETE', `/${id}`, 'reader'))).toEqual([
      403, 403,
    ]);
    expect(await statuses(ask('GET', `/${id}`, 'other'), ask('DELETE', `/${id}`, 'other'))).toEqual([404, 404]);
    expect((await page('', 'other')).result).toEqual([]);
    expect(await statuses(ask('GET', '/nothing'), post('918000123456', 'nothing1'))).toEqual([404, 404]);
    expect(await statuses(post('918000123456', 'stopped1'))).toEqual([409]);
    const queries = ['?page_size=0', '?page_size=1001', '?page_size=x', '?page_token=x', '?page_token=-1'];
    expect(await statuses(...queries.map((q) => ask('GET', q)))).toEqual(queries.map(() => 400));
    const bodies = [
      '{',
      [],
      { campaign_id: 1 },
      { campaign_id: 'flow0001' },
      { campaign_id: 'flow0001', destination: 7 },
    ];
    expect(await statuses(...bodies.map((b) => ask('POST', '', 'all', b)))).toEqual(bodies.map(() => 400));
    expect(await statuses(ask('POST', '', 'all', 'x'.repeat(2_000_000)))).toEqual([413]);
    expect(CAMPAIGNCALL_ENDPOINTS.create.answers).toHaveProperty('413');
    const number = await post('12');
    expect([number.status, number.body['status']]).toEqual([400, 'INVALID_CONTACT_NUMBER']);
    await done(id);
  });

  it('has logged nothing that went wrong', () => {
    expect(one.warnings).toEqual([]);
  });
});

describe('what is kept of campaigncalls', () => {
  it('has a limit of number and of time, and what has gone stays away', async () => {
    const { store } = newStore(inject('redisUrl'));
    await store.connected();
    const entry = (n: number) => ({ id: `c${n}`, json: `{"n":${n}}`, keepSeconds: 60, keepAtMost: 3 });
    for (let n = 0; n < 5; n++) await store.campaigncalls.add(ACME, 'flow0001', entry(n));
    const kept = await store.campaigncalls.list(ACME, ['flow0001'], 10);
    expect(kept.map((k) => k.json)).toEqual(['{"n":4}', '{"n":3}', '{"n":2}']);
    expect(new Set(kept.map((k) => k.place)).size).toBe(3);
    expect(await store.campaigncalls.find(ACME, ['flow0001'], 'c0')).toBeUndefined();
    const token = (await store.dialer.lead(ACME, 'me', 5_000)) ?? 0;
    const commit = { companyId: ACME, token, uuid: 'u', json: '{}', flowId: 'flow0001', active: false, version: 0 };
    await store.dialer.commit({ ...commit, campaigncall: { ...entry(0), fresh: false } });
    expect(await store.campaigncalls.find(ACME, ['flow0001'], 'c0')).toBeUndefined();
    await store.dialer.commit({ ...commit, version: 1, campaigncall: { ...entry(4), json: '{"n":44}', fresh: true } });
    expect(await store.campaigncalls.find(ACME, ['flow0001'], 'c4')).toBe('{"n":44}');
    await store.close();
  });
});
