import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DIALER_ENDPOINTS } from '../../src/dialer/index.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { newStore } from '../support/store-kit.ts';

const BASE = '/kairos-apis/outbounddialer';
const NUMBER = '918000123456';
const POOR = 'p'.repeat(64);
const EXPIRED = 'e'.repeat(64);

/** The example of the API's description, byte for byte but for the ids. */
const EXAMPLE = (securityId: string, flowId: string) => `{
	"api-version": "1.0",
	"security-id": "${securityId}",
	"flow-id": "${flowId}",
	"calls": [
		{
			"client-identifier": "<identifier, callback parameter>",
			"start-time": "2021-04-28T03:48:07.111Z+05:30", // ISO-8601 Timeformat
			"contact-numbers": [
				"918000XXXXXX", // Customer Numbers
				"918100XXXXXX", // Alternate customer number(s)
			],
			"keys": [
				{
					"name": "$flow.key.Name",
					"value": "Ankit Parihar"
				},
				{
					"name": "$flow.key.Language",
					"value": "English"
				}
			]
		}
	]
}`;

describe('the Make Call API over HTTP', () => {
  let one: Instance;
  let sim: SimulatedSwitch;
  let unique = 0;

  beforeAll(async () => {
    const { store } = newStore(inject('redisUrl'));
    sim = new SimulatedSwitch(store);
    // Nothing is placed here: what was accepted keeps its first status.
    sim.serving = false;
    const company = companyOf([{}, { id: 'testing1', state: 'testing' }, { id: 'tiny0001', limits: { waiting: 1 } }], {
      whiteList: ['918000999999'],
      blackList: ['918000000000'],
    });
    const account = company.dialer?.accounts[0];
    const flow = account?.flows[0];
    if (!company.dialer || !account || !flow) throw new Error('no account');
    const accounts = [
      account,
      { ...account, id: 'poor', securityId: POOR, balance: 1, flows: [{ ...flow, id: 'poor0001' }] },
      {
        ...account,
        id: 'old',
        securityId: EXPIRED,
        validUntil: '2020-01-01T00:00:00Z',
        flows: [{ ...flow, id: 'old00001' }],
      },
    ];
    one = await instance(store, sim, [{ ...company, dialer: { ...company.dialer, bodyLimit: 100_000, accounts } }]);
  });

  afterAll(async () => {
    await one.close();
    await one.store.close();
  });

  const post = async (body: unknown, path = '/create', headers: Record<string, string> = {}, ip = '127.0.0.1') => {
    const answer = await one.http.inject({
      method: 'POST',
      url: BASE + path,
      remoteAddress: ip,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { http: answer.statusCode, body: answer.json() as Record<string, unknown> };
  };
  const get = async (id: string, ip = '127.0.0.1') =>
    (await one.http.inject({ method: 'GET', url: `${BASE}/status/${id}`, remoteAddress: ip })).json() as Record<
      string,
      unknown
    >;
  /** A request that no other is like. */
  const request = (change: Record<string, unknown> = {}, call: Record<string, unknown> = {}) => ({
    'api-version': '1.0',
    'security-id': SECURITY_ID,
    'flow-id': 'flow0001',
    calls: [{ 'client-identifier': `c-${++unique}`, 'contact-numbers': [NUMBER], ...call }],
    ...change,
  });
  const statuses = (body: Record<string, unknown>) =>
    (body['call-details'] as { status?: string }[]).map((c) => c.status);

  it('takes a call, and tells of it by the request’s id and by its own', async () => {
    const { http, body } = await post(request({}, { 'client-identifier': 'mine' }));
    expect(http).toBe(200);
    expect(body).toEqual({
      'api-response-code': 200,
      'api-response-message': 'Success',
      'request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'call-details': [{ 'client-identifier': 'mine', 'phonon-uuid': expect.stringMatching(/^[0-9a-f-]{36}$/) }],
    });
    const [call] = body['call-details'] as { 'phonon-uuid': string }[];
    const byRequest = await get(String(body['request-id']));
    expect(byRequest).toMatchObject({ 'api-response-code': 200, 'request-id': body['request-id'] });
    expect(statuses(byRequest)).toEqual(['UNPROCESSED']);
    expect(await get(call?.['phonon-uuid'] ?? '')).toEqual(byRequest);
  });

  it.each([
    [400, 'Invalid Format', () => 'calls=1', 400],
    [400, 'Invalid Format', () => '', 400],
    [400, 'Invalid Format', () => '[]', 200],
    [400, 'Invalid Format', () => request({ calls: 7 }), 200],
    [400, 'Invalid Format', () => `"${'x'.repeat(100_001)}"`, 413],
    [400, 'Invalid Format', () => '['.repeat(50_000), 400],
    [302, 'Empty Call List', () => request({ calls: [] }), 200],
    [500, 'Failure', () => request({}, { 'contact-numbers': ['918000000000'] }), 200],
    [301, 'Invalid Flow ID', () => request({ 'flow-id': 'flow9999' }), 200],
    [402, 'Phone Not Whitelisted', () => request({ 'flow-id': 'testing1', 'api-version': 'TEST' }), 200],
    [202, 'Invalid Security ID', () => request({ 'security-id': 'z'.repeat(64) }), 200],
    [203, 'API Version not Supported', () => request({ 'api-version': '3.0' }), 200],
    [204, 'Invalid SMS Gateway', () => request({ 'gateway-id': 'nowhere' }), 200],
    [205, 'Invalid Contact Number', () => request({}, { 'contact-numbers': ['12'] }), 200],
    [206, 'Failure from Gateway', () => request({ 'gateway-id': 'carrier-a' }), 200],
    [210, 'Invalid Mandatory Parameters', () => request({ 'flow-id': undefined }), 200],
    [303, 'Max Data List Size Exceeded', () => request({ calls: new Array(501).fill({}) }), 200],
    [211, 'Validity Expired', () => request({ 'security-id': EXPIRED, 'flow-id': 'old00001' }), 200],
    [304, 'Invalid Flow Version', () => request({ 'flow-id': 'testing1' }), 200],
  ])('answers %i %s', async (code, message, body, http) => {
    const answer = await post(body());
    expect(answer.body).toMatchObject({ 'api-response-code': code, 'api-response-message': message });
    expect(answer.http).toBe(http);
  });

  it('answers 401 IP Not Whitelisted to whoever is not listed, whatever he asks', async () => {
    const refused = { 'api-response-code': 401, 'api-response-message': 'IP Not Whitelisted' };
    expect((await post(request(), '/create', {}, '192.0.2.7')).body).toEqual(refused);
    expect((await post('x', '/create', {}, '192.0.2.7')).body).toEqual(refused);
    expect(await get('x', '192.0.2.7')).toEqual(refused);
    // No proxy is trusted here: the header is anybody's.
    expect((await post(request(), '/create', { 'x-forwarded-for': '127.0.0.1' }, '192.0.2.7')).body).toEqual(refused);
  });

  it('answers 201 Checksum Repeated to the same payload, however it is written', async () => {
    const once = request();
    expect((await post(once)).body['api-response-code']).toBe(200);
    const repeated = { 'api-response-code': 201, 'api-response-message': 'Checksum Repeated' };
    expect((await post(once)).body).toEqual(repeated);
    expect((await post(JSON.stringify(once, null, 2))).body).toEqual(repeated);
    const both = await Promise.all([0, 1].map(() => post({ ...once, extra: 1 })));
    expect(both.map((b) => b.body['api-response-code']).toSorted()).toEqual([200, 201]);
  });

  it('answers 209 Partial Success with a status for each, and 212 where nothing is left to pay with', async () => {
    const good = { 'contact-numbers': [NUMBER] };
    const mixed = await post(
      request({
        calls: [good, { 'contact-numbers': ['x'] }, 7, { ...good, 'start-time': '2999-01-01T00:00:00Z' }],
      }),
    );
    expect(mixed.body).toMatchObject({ 'api-response-code': 209, 'api-response-message': 'Partial Success' });
    const wanted = ['UNPROCESSED', 'INVALID_CONTACT_NUMBER', 'REJECTED', 'SCHEDULED'];
    expect(statuses(mixed.body)).toEqual(wanted);
    expect(statuses(await get(String(mixed.body['request-id'])))).toEqual(wanted);
    const poor = { 'security-id': POOR, 'flow-id': 'poor0001' };
    expect(statuses((await post(request({ ...poor, calls: [good, good] }))).body)).toEqual([
      'UNPROCESSED',
      'INSUFFICIENT_BALANCE',
    ]);
  });

  it('refuses with MAX_CAPACITY_REACHED what a flow cannot hold', async () => {
    const good = { 'contact-numbers': [NUMBER] };
    const { body } = await post(request({ 'flow-id': 'tiny0001', calls: [good, good] }));
    expect(statuses(body)).toEqual(['UNPROCESSED', 'MAX_CAPACITY_REACHED']);
  });

  it('takes the seed’s own example as it stands', async () => {
    const { http, body } = await post(EXAMPLE(SECURITY_ID, 'flow0001'));
    // Its numbers are made illegible: the payload is read, and the call is told to be wrong.
    expect([http, body['api-response-code']]).toEqual([200, 205]);
    const legible = EXAMPLE(SECURITY_ID, 'flow0001').replaceAll('XXXXXX', '123456');
    expect(statuses((await post(legible)).body)).toEqual(['INVALID_CALL_START_TIME']);
    const today = legible.replace('2021-04-28', new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
    expect((await post(today)).body['api-response-code']).toBe(200);
  });

  it('answers the seed’s own example as the seed does, on its day and with digits for its placeholders', async () => {
    const { store } = newStore(inject('redisUrl'));
    // The afternoon of the example's day: its time has passed, and it is still today.
    const thatDay = Date.parse('2021-04-28T15:00:00+05:30');
    const then = await instance(store, sim, [companyOf()], { now: () => thatDay });
    const payload = EXAMPLE(SECURITY_ID, 'flow0001').replaceAll('XXXXXX', '123456');
    const answer = await then.http.inject({
      method: 'POST',
      url: `${BASE}/create`,
      headers: { 'content-type': 'application/json' },
      payload,
    });
    const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
    expect(answer.statusCode).toBe(200);
    // As text: the order of the keys counts, and that there are no others.
    expect(answer.body).toMatch(
      new RegExp(
        `^{"api-response-code":200,"api-response-message":"Success","request-id":"${uuid}","call-details":` +
          `\\[{"client-identifier":"<identifier, callback parameter>","phonon-uuid":"${uuid}"}\\]}$`,
      ),
    );
    const status = await then.http.inject({ method: 'GET', url: `${BASE}/status/${answer.json()['request-id']}` });
    expect(statuses(status.json())).toEqual(['UNPROCESSED']);
    await then.close();
    await store.close();
  });

  it('takes 500 calls', async () => {
    const calls = Array.from({ length: 500 }, (_, n) => ({
      'client-identifier': `n${n}`,
      'contact-numbers': [NUMBER],
    }));
    const { body } = await post(request({ calls }));
    expect(body['api-response-code']).toBe(200);
    expect((body['call-details'] as { 'client-identifier': string }[]).map((c) => c['client-identifier'])).toEqual(
      calls.map((c) => c['client-identifier']),
    );
  });

  it('answers 213 No Data Available for what it does not know', async () => {
    const none = { 'api-response-code': 213, 'api-response-message': 'No Data Available' };
    expect(await get('00000000-0000-0000-0000-000000000000')).toEqual(none);
    expect(await get('x')).toEqual(none);
  });

  it('changes a flow for its own account only', async () => {
    const pause = (headers: Record<string, string>, flow = 'flow0001') => post({}, `/flows/${flow}/pause`, headers);
    expect((await pause({})).body['api-response-code']).toBe(202);
    expect((await pause({ 'security-id': 'q'.repeat(64) })).body['api-response-code']).toBe(202);
    expect((await pause({ 'security-id': POOR })).body['api-response-code']).toBe(301);
    expect((await pause({ 'security-id': SECURITY_ID })).body).toMatchObject({
      'api-response-code': 200,
      state: 'paused',
    });
    const { body } = await post(request());
    expect(statuses(await get(String(body['request-id'])))).toEqual(['PAUSE']);
    await post({}, '/flows/flow0001/resume', { 'security-id': SECURITY_ID });
    expect(statuses(await get(String(body['request-id'])))).toEqual(['RESUME']);
  });

  it('answers 500 Failure where Redis is away', async () => {
    const { store } = newStore('redis://127.0.0.1:1/0');
    const away = new SimulatedSwitch(store);
    const http = (await import('fastify')).default();
    const { Dialer } = await import('../../src/dialer/index.ts');
    const dialer = new Dialer(
      {
        store: store.dialer,
        flows: store.flows,
        campaigncalls: store.campaigncalls,
        callerIdOf: () => undefined,
        masks: store.masks,
        lists: store.lists,
        events: store.events,
        placing: away,
        requests: away,
        queues: away,
        owner: 'x',
        now: Date.now,
        uuid: () => 'x',
        isPassing: () => true,
        log: { info: () => {}, warn: () => {} },
      },
      [companyOf()],
    );
    dialer.routes(http, []);
    const answer = await http.inject({ method: 'POST', url: `${BASE}/create`, payload: JSON.stringify(request()) });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { 'api-response-code': 500, 'api-response-message': 'Failure' },
    ]);
    await http.close();
    await store.close();
  });

  it('tells of every route what it takes and answers', () => {
    expect(one.routes.untold).toEqual([]);
    const named = (endpoints: readonly Endpoint[]) => endpoints.map((e) => `${e.method} ${e.path}`).toSorted();
    expect(named(one.routes.endpoints)).toEqual(named(Object.values(DIALER_ENDPOINTS)));
  });

  it('has logged nothing that went wrong', () => {
    expect(one.warnings).toEqual([]);
  });
});
