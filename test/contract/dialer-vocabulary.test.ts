import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FLOW_STATUSES, type FlowStatus } from '../../src/cti/flow-status.ts';
import { API_CODES } from '../../src/dialer/codes.ts';
import { type End, type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { newStore } from '../support/store-kit.ts';

// Every code and every Flow Status, each reached through HTTP. The last test fails for any that is not.

const GOOD = '918000100000';
const BLACK = '918000000000';
const DND = '918000222222';
const ABROAD = '447911123456';
const POOR = 'p'.repeat(64);
const EXPIRED = 'e'.repeat(64);
const API = '/kairos-apis/outbounddialer';
const MASKING = '/kairos-apis/masking';

type Body = Record<string, unknown>;

describe('the vocabulary of the Make Call API', () => {
  const codes = new Set<number>();
  const reached = new Set<string>();
  let one: Instance;
  let sim: SimulatedSwitch;
  let unique = 0;

  beforeAll(async () => {
    const { store } = newStore(inject('redisUrl'));
    sim = new SimulatedSwitch(store);
    const validations = [
      { key: 'v-contains', type: 'contains', value: 'x' },
      { key: 'v-without', type: 'doesNotContain', value: 'x' },
      { key: 'v-list', type: 'list', values: ['a', 'b'] },
      { key: 'v-regex', type: 'regex', pattern: '^\\d+$' },
      { key: 'v-length', type: 'length', min: 3 },
      { key: 'v-email', type: 'email' },
      { key: 'v-url', type: 'url' },
      { key: 'v-type', type: 'nonsense' },
      { key: 'v-criterion', type: 'contains' },
    ];
    const company = companyOf(
      [
        { shortCall: 3, marketing: true, maskingNumbers: ['911140009001'] },
        { id: 'testing1', state: 'testing' },
        { id: 'tiny0001', limits: { waiting: 1 } },
        {
          id: 'again001',
          agentAttempts: { attempts: 2, intervals: [3600] },
          customerAttempts: { attempts: 2, intervals: [3600] },
        },
        { id: 'checks01', validations: validations.slice(0, 1) },
        ...validations.map((v, i) => ({ id: `check${100 + i}`, validations: [v] })),
      ],
      { whiteList: ['918000999999'], blackList: [BLACK], dndList: [DND] },
    );
    const account = company.dialer?.accounts[0];
    const flow = account?.flows[0];
    if (!company.dialer || !account || !flow) throw new Error('no account');
    const accounts = [
      account,
      {
        ...account,
        id: 'poor',
        securityId: POOR,
        balance: 0,
        flows: [{ ...flow, id: 'poor0001', maskingNumbers: [] }],
      },
      {
        ...account,
        id: 'old',
        securityId: EXPIRED,
        validUntil: '2020-01-01T00:00:00Z',
        flows: [{ ...flow, id: 'old00001', maskingNumbers: [] }],
      },
    ];
    one = await instance(store, sim, [{ ...company, dialer: { ...company.dialer, accounts } }]);
  });

  afterAll(async () => {
    await one.close();
    await one.store.close();
  });

  /** Notes every code and every status in an answer. */
  const noted = (body: Body): Body => {
    codes.add(Number(body['api-response-code']));
    for (const match of JSON.stringify(body).matchAll(/"status":"([A-Z_]+)"/g)) reached.add(match[1] ?? '');
    return body;
  };
  const post = async (url: string, body: unknown, headers: Record<string, string> = {}, ip = '127.0.0.1') => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await one.http.inject({ method: 'POST', url, payload, headers, remoteAddress: ip });
    return noted(answer.json() as Body);
  };
  const call = (number: string, change: Body = {}, keys: Body = {}) => ({
    'client-identifier': `c-${++unique}`,
    'contact-numbers': [number],
    keys: Object.entries(keys).map(([name, value]) => ({ name: `$flow.key.${name}`, value })),
    ...change,
  });
  const request = (calls: unknown, change: Body = {}) => ({
    'api-version': '1.0',
    'security-id': SECURITY_ID,
    'flow-id': 'flow0001',
    calls,
    ...change,
  });
  const create = (calls: unknown, change: Body = {}) => post(`${API}/create`, request(calls, change));
  const history = async (id: unknown): Promise<string[]> => {
    const answer = await one.http.inject({ method: 'GET', url: `${API}/status/${String(id)}` });
    const [found] = noted(answer.json() as Body)['call-details'] as { history: { status: string }[] }[];
    return found?.history.map((h) => h.status) ?? [];
  };
  const mask = (change: Body = {}) =>
    post(`${MASKING}/allocate`, {
      'security-id': SECURITY_ID,
      'flow-id': 'flow0001',
      number: '918000400001',
      counterpart: '918000400002',
      validity: 60,
      ...change,
    });

  /** Places one call that ends so, and waits until its history ends with the status. */
  const lived = async (end: End, flow: string, status: FlowStatus): Promise<void> => {
    const number = String(918_000_500_000 + ++unique);
    sim.endOf = (n) => (n === number ? end : 'talk');
    const body = await create([call(number)], { 'flow-id': flow });
    await expect.poll(() => history(body['request-id']), { timeout: 15_000 }).toContain(status);
  };

  it.each<[FlowStatus, string, Body, Body, Body]>([
    ['PHONE_NOT_WHITELISTED', GOOD, { 'flow-id': 'testing1', 'api-version': 'TEST' }, {}, {}],
    ['INTERNATIONAL_CALLS_DISABLED', ABROAD, {}, {}, {}],
    ['INVALID_CONTACT_NUMBER', '12', {}, {}, {}],
    ['PHONE_BLACKLISTED', BLACK, {}, {}, {}],
    ['NCPR_CHECK_FAILED', DND, {}, {}, {}],
    ['REJECTED', GOOD, {}, { keys: 'none' }, {}],
    ['INVALID_CALL_START_TIME', GOOD, {}, { 'start-time': '2020-01-01T00:00:00+05:30' }, {}],
    ['INVALID_CALL_START_TIME_FORMAT', GOOD, {}, { 'start-time': 'tomorrow' }, {}],
    ['INSUFFICIENT_BALANCE', GOOD, { 'security-id': POOR, 'flow-id': 'poor0001' }, {}, {}],
    ['ACCOUNT_VALIDITY_EXPIRED', GOOD, { 'security-id': EXPIRED, 'flow-id': 'old00001' }, {}, {}],
    ['FLOW_VARIABLE_VALIDATION_FAILED', GOOD, { 'flow-id': 'checks01' }, {}, {}],
    ['FLOW_VARIABLE_CONTAINS_CRITERIA_FAILED', GOOD, { 'flow-id': 'check100' }, {}, { 'v-contains': 'abc' }],
    ['FLOW_VARIABLE_DOES_NOT_CONTAINS_CRITERIA_FAILED', GOOD, { 'flow-id': 'check101' }, {}, { 'v-without': 'axc' }],
    ['FLOW_VARIABLE_LIST_CRITERIA_FAILED', GOOD, { 'flow-id': 'check102' }, {}, { 'v-list': 'c' }],
    ['FLOW_VARIABLE_REGEX_CRITERIA_FAILED', GOOD, { 'flow-id': 'check103' }, {}, { 'v-regex': 'c' }],
    ['FLOW_VARIABLE_LENGTH_CRITERIA_FAILED', GOOD, { 'flow-id': 'check104' }, {}, { 'v-length': 'c' }],
    ['FLOW_VARIABLE_EMAIL_VALIDATION_FAILED', GOOD, { 'flow-id': 'check105' }, {}, { 'v-email': 'c' }],
    ['FLOW_VARIABLE_URL_CRITERIA_FAILED', GOOD, { 'flow-id': 'check106' }, {}, { 'v-url': 'c' }],
    ['INVALID_FLOW_VARIABLE_VALIDATION_TYPE', GOOD, { 'flow-id': 'check107' }, {}, { 'v-type': 'c' }],
    ['FLOW_VARIABLE_CRITERIA_UNDEFINED', GOOD, { 'flow-id': 'check108' }, {}, { 'v-criterion': 'c' }],
  ])('%s refuses a call, and nothing is placed', async (status, number, head, change, keys) => {
    const before = sim.placed.length;
    const body = await create([call(number, change, keys)], head);
    expect((body['call-details'] as Body[])[0]?.['status']).toBe(status);
    expect(sim.placed).toHaveLength(before);
  });

  it.each<[FlowStatus, End, string]>([
    ['COMPLETED', 'talk', 'flow0001'],
    ['PARTIAL_COMPLETE', 'agent-left', 'flow0001'],
    ['SHORT_HANGUP', 'short', 'flow0001'],
    ['AGENT_FAILURE', 'no-agent', 'flow0001'],
    ['CUSTOMER_FAILURE', 'no-answer', 'flow0001'],
    ['AGENT_REATTEMPT_SCHEDULED', 'no-agent', 'again001'],
    ['CUSTOMER_REATTEMPT_SCHEDULED', 'no-answer', 'again001'],
    ['REATTEMPT_SCHEDULED', 'ours', 'flow0001'],
  ])('%s is what becomes of a call', async (status, end, flow) => {
    await lived(end, flow, status);
  });

  it('FAILURE ends a call that is refused for good', async () => {
    sim.never = '918000777777';
    const body = await create([call(sim.never)]);
    await expect.poll(() => history(body['request-id']), { timeout: 15_000 }).toContain('FAILURE');
  });

  it('UNPROCESSED, SCHEDULED, IN_PROGRESS, PAUSE and RESUME are told of what waits and what is placed', async () => {
    sim.serving = false;
    const waits = await create([call(GOOD), call(GOOD, { 'start-time': '2999-01-01T00:00:00Z' })], {
      'flow-id': 'tiny0001',
    });
    expect((waits['call-details'] as Body[]).map((c) => c['status'])).toEqual(['UNPROCESSED', 'MAX_CAPACITY_REACHED']);
    const later = await create([call(GOOD, { 'start-time': '2999-01-01T00:00:00Z' })]);
    expect(await history(later['request-id'])).toEqual(['SCHEDULED']);
    const owner = { 'security-id': SECURITY_ID };
    const status = async (): Promise<unknown> => {
      const answer = await one.http.inject({ method: 'GET', url: `${API}/status/${String(waits['request-id'])}` });
      return (noted(answer.json() as Body)['call-details'] as Body[])[0]?.['status'];
    };
    await post(`${API}/flows/tiny0001/pause`, {}, owner);
    expect(await status()).toBe('PAUSE');
    await post(`${API}/flows/tiny0001/resume`, {}, owner);
    expect(await status()).toBe('RESUME');
    sim.holding = true;
    sim.serving = true;
    await expect.poll(status, { timeout: 15_000 }).toBe('IN_PROGRESS');
    sim.holding = false;
    await sim.hangUp();
  });

  it('MASK_ALLOCATED, MASK_NOT_AVAILABLE, INVALID_VALIDITY and REQUIRE_MASKED_NUMBER answer for masking', async () => {
    expect(await mask()).toMatchObject({ 'api-response-code': 200, status: 'MASK_ALLOCATED' });
    expect(await mask({ counterpart: '918000400003' })).toMatchObject({
      'api-response-code': 208,
      status: 'MASK_NOT_AVAILABLE',
    });
    expect(await mask({ 'flow-id': 'again001' })).toMatchObject({
      'api-response-code': 207,
      status: 'MASK_NOT_AVAILABLE',
    });
    expect(await mask({ validity: '2020-01-01T00:00:00Z' })).toMatchObject({
      'api-response-code': 211,
      status: 'INVALID_VALIDITY',
    });
    expect(await mask({ validity: 'soon' })).toMatchObject({ 'api-response-code': 400, status: 'INVALID_VALIDITY' });
    expect(await mask({ number: '' })).toMatchObject({ 'api-response-code': 210, status: 'REQUIRE_MASKED_NUMBER' });
  });

  it('the remaining codes answer for whole requests', async () => {
    const twice = request([call(GOOD, { 'start-time': '2999-01-01T00:00:00Z' })]);
    const asked: readonly [keyof typeof API_CODES, () => Promise<Body>][] = [
      ['SUCCESS', () => post(`${API}/create`, twice)],
      ['CHECKSUM_REPEATED', () => post(`${API}/create`, twice)],
      ['INVALID_FORMAT', () => post(`${API}/create`, 'no JSON')],
      ['EMPTY_CALL_LIST', () => create([])],
      ['MAX_DATA_LIST_SIZE_EXCEEDED', () => create(new Array(501).fill({}))],
      ['INVALID_FLOW_ID', () => create([call(GOOD)], { 'flow-id': 'flow9999' })],
      ['INVALID_SECURITY_ID', () => create([call(GOOD)], { 'security-id': 'z'.repeat(64) })],
      ['INVALID_API_VERSION', () => create([call(GOOD)], { 'api-version': '3.0' })],
      ['INVALID_FLOW_VERSION', () => create([call(GOOD)], { 'flow-id': 'testing1' })],
      ['INVALID_GATEWAY_ID', () => create([call(GOOD)], { 'gateway-id': 'nowhere' })],
      ['INVALID_MANDATORY_PARAMETERS', () => create([call(GOOD)], { 'flow-id': undefined })],
      ['PARTIAL_SUCCESS', () => create([call('12'), call(GOOD, { 'start-time': '2999-01-01T00:00:00Z' })])],
      ['IP_NOT_WHITELISTED', () => post(`${API}/create`, request([call(GOOD)]), {}, '192.0.2.7')],
      ['FAILURE', () => create([call(BLACK)])],
      [
        'NO_DATA_AVAILABLE',
        async () => noted((await one.http.inject({ method: 'GET', url: `${API}/status/x` })).json()),
      ],
    ];
    for (const [name, ask] of asked) expect((await ask())['api-response-code'], name).toBe(API_CODES[name].code);
    sim.serving = false;
    expect((await create([call(GOOD)], { 'gateway-id': 'carrier-a' }))['api-response-code']).toBe(206);
    sim.serving = true;
  });

  it('has been reached in full: 22 codes, 39 statuses', () => {
    expect([...codes].sort()).toEqual(
      Object.values(API_CODES)
        .map((c) => c.code)
        .sort(),
    );
    expect([...reached].sort()).toEqual(Object.keys(FLOW_STATUSES).sort());
    expect([codes.size, reached.size]).toEqual([22, 39]);
  });
});
