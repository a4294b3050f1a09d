import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { ApiAccess, Caller } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { company, newStore } from '../support/store-kit.ts';

const BASE = '/kairos-apis/outbounddialer';
const CALLER: Caller = { companyId: company('acme'), keyName: 'k', scopes: new Set(['admin', 'read', 'dial']) };
const access: ApiAccess = { admit: () => CALLER };
const NUMBER = '918000123456';
const SOON = { timeout: 15_000, interval: 20 };

/** What is asked of the dialler is asked of an instance that does not lead it: another one places the calls. */
describe('at an instance that does not lead', () => {
  const stores: Store[] = [];
  let sim: SimulatedSwitch;
  let leading: Instance;
  let other: Instance;

  beforeEach(async () => {
    const prefix = `t${randomBytes(6).toString('hex')}`;
    const open = (): Store => {
      const { store } = newStore(inject('redisUrl'), { prefix });
      stores.push(store);
      return store;
    };
    const companies = [companyOf([{ maskingNumbers: ['911140007777'] }])];
    const keys = { callerOf: () => CALLER, access };
    const store = open();
    await store.connected();
    sim = new SimulatedSwitch(store);
    sim.holding = true;
    leading = await instance(open(), sim, companies, { mayLead: () => true }, 1_000, keys);
    other = await instance(open(), sim, companies, { mayLead: () => false }, 1_000, keys);
  });

  afterEach(async () => {
    await Promise.all([leading, other].map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  type Method = 'GET' | 'POST' | 'DELETE';
  const ask = async (at: Instance, method: Method, url: string, payload?: object) => {
    const headers = { 'security-id': SECURITY_ID, authorization: 'Bearer k' };
    const answer = await at.http.inject({ method, url, headers, ...(payload && { payload }) });
    return { status: answer.statusCode, body: answer.json() as Record<string, never> };
  };
  const create = (at: Instance, flow = 'flow0001', number = NUMBER) =>
    ask(at, 'POST', `${BASE}/create`, {
      'api-version': '1.0',
      'security-id': SECURITY_ID,
      'flow-id': flow,
      calls: [{ 'client-identifier': number, 'contact-numbers': [number] }],
    });
  const placed = (n: number) => vi.waitFor(() => expect(sim.placed).toHaveLength(n), SOON);
  const statusOf = async (id: unknown): Promise<string> => {
    const { body } = await ask(other, 'GET', `${BASE}/status/${id}`);
    const details = body['call-details'] as unknown as { status: string }[];
    return String(details[0]?.status);
  };

  it('a request is accepted, placed by the one that leads, and its status told', async () => {
    const { body } = await create(other);
    expect(body).toMatchObject({ 'api-response-code': 200 });
    await placed(1);
    await sim.hangUp();
    await vi.waitFor(async () => expect(await statusOf(body['request-id'])).toBe('COMPLETED'), SOON);
  });

  it('pause, resume and stop are obeyed by the one that leads', async () => {
    await ask(other, 'POST', `${BASE}/flows/flow0001/pause`);
    const { body } = await create(leading);
    expect(await statusOf(body['request-id'])).toBe('PAUSE');
    await ask(other, 'POST', `${BASE}/flows/flow0001/resume`);
    await placed(1);
    await create(other, 'flow0001', '918000123457');
    await ask(other, 'POST', `${BASE}/flows/flow0001/stop`);
    await sim.hangUp();
    const { body: refused } = await create(leading, 'flow0001', '918000123458');
    expect(refused).toMatchObject({ 'api-response-code': 304 });
    // What waited ends without having been placed.
    expect(sim.placed.map((p) => p.number)).toEqual([NUMBER]);
  });

  it('campaigncalls are listed, made and hung up, also those of a flow that another instance has made', async () => {
    const flow = { id: 'made0001', agents: ['1001'] };
    expect((await ask(leading, 'POST', '/admin/dialer/accounts/main/flows', flow)).status).toBe(201);
    const wanted = { campaign_id: 'made0001', destination: { type: 'tel', target: NUMBER } };
    const made = await ask(other, 'POST', '/v1.0/campaigncalls', wanted);
    expect([made.status, made.body]).toMatchObject([201, { campaign_id: 'made0001' }]);
    await placed(1);
    const shown = () => ask(other, 'GET', `/v1.0/campaigncalls/${made.body['id']}`);
    await vi.waitFor(async () => expect((await shown()).body['reference_type']).toBe('call'), SOON);
    expect((await ask(other, 'DELETE', `/v1.0/campaigncalls/${made.body['id']}`)).status).toBe(200);
    await vi.waitFor(async () => expect((await shown()).body).toMatchObject({ status: 'done' }), SOON);
    const { body } = await ask(other, 'GET', '/v1.0/campaigncalls?campaign_id=made0001');
    expect((body['result'] as unknown as { id: string }[]).map((c) => c.id)).toEqual([made.body['id']]);
  });

  it('a flow is made, and takes requests at the other, and removed', async () => {
    const flow = { id: 'made0001', agents: ['1001'] };
    const made = await ask(other, 'POST', '/admin/dialer/accounts/main/flows', flow);
    expect(made.status).toBe(201);
    expect((await create(leading, 'made0001')).body).toMatchObject({ 'api-response-code': 200 });
    await placed(1);
    await other.http.inject({
      method: 'DELETE',
      url: '/admin/dialer/accounts/main/flows/made0001',
      headers: { authorization: 'Bearer k' },
    });
    expect((await create(leading, 'made0001', '918000123457')).body).toMatchObject({ 'api-response-code': 301 });
  });

  it('a masking number is allocated here and released there', async () => {
    const pair = { 'security-id': SECURITY_ID, 'flow-id': 'flow0001', number: NUMBER, counterpart: '918000123457' };
    const { body } = await ask(other, 'POST', '/kairos-apis/masking/allocate', { ...pair, validity: 600 });
    expect(body).toMatchObject({ status: 'MASK_ALLOCATED' });
    const release = { ...pair, 'masked-number': body['masked-number'] };
    const { body: released } = await ask(leading, 'POST', '/kairos-apis/masking/release', release);
    expect(released).toMatchObject({ 'api-response-code': 200 });
  });
});
