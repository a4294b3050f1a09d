import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { refuse } from '../../src/cti/errors.ts';
import { operatorKeys } from '../../src/rpc/index.ts';
import { ACME, OTHER } from '../support/rpc-doubles.ts';
import { type Answered, authorization, Harness, KEYS } from '../support/rpc-harness.ts';

let harness: Harness | undefined;

async function start(options?: Parameters<typeof Harness.start>[0]): Promise<Harness> {
  harness = await Harness.start(options);
  return harness;
}

afterEach(async () => {
  await harness?.stop();
  harness = undefined;
});

const PARTY = { callID: '4dce61ec399644029fab7e8251da9bf1332', thisDN: '1001' };

test('a request is validated, carried out for its caller, and answered over both carriers', async () => {
  const rpc = await start();
  rpc.requests.on('RequestMakeCall', () => ({ result: { callID: 'c', partyID: 'p' } }));
  const given = { thisDN: '1001', otherDN: '13800138000', referenceID: 7 };
  const socket = await rpc.socket();
  for (const answer of [await rpc.ask('RequestMakeCall', given), await socket.ask('RequestMakeCall', given)]) {
    expect(answer).toMatchObject({ jsonrpc: '2.0', id: 1, result: { callID: 'c', partyID: 'p' } });
  }
  expect(rpc.requests.seen).toHaveLength(2);
  for (const { caller, method, params } of rpc.requests.seen) {
    expect(caller).toMatchObject({ companyId: ACME, keyName: 'full' });
    expect(method).toBe('RequestMakeCall');
    expect(params).toEqual({ ...given, makeCallType: 'Regular', firstLeg: 'agent' });
  }
});

test('a refusal of the engine is answered with its code, name and data', async () => {
  const rpc = await start();
  rpc.requests.on('RequestHoldCall', () => ({ refusal: refuse('NotFoundCallID', { callID: PARTY.callID }) }));
  const { error } = await rpc.ask('RequestHoldCall', PARTY);
  expect(error).toEqual({ code: 301004, message: 'NotFoundCallID', data: { callID: PARTY.callID } });
  expect(rpc.refusals).toEqual([]);
});

test('params that fail their schema are 301018 with path and reason, and are reported for publication', async () => {
  const rpc = await start();
  const given = { thisDN: '10 01', otherDN: '1002', wrong: 1 };
  const { error } = await rpc.ask('RequestMakeCall', given);
  expect(error).toMatchObject({ code: 301018, message: 'InvalidParams' });
  const issues = error?.data?.['issues'] as { path: string; reason: string }[];
  expect(issues.map((issue) => issue.path).sort()).toEqual(['', 'thisDN']);
  expect(issues.every((issue) => issue.reason.length > 0)).toBe(true);
  expect(rpc.refusals).toMatchObject([{ method: 'RequestMakeCall', params: given, refusal: { code: 301018 } }]);
  expect(rpc.requests.seen).toEqual([]);
  expect((await rpc.ask('RequestMakeCall')).error?.code).toBe(301018);
  const positional = await rpc.post({ jsonrpc: '2.0', id: 1, method: 'RequestMakeCall', params: ['1001', '1002'] });
  expect(((await positional.json()) as Answered).error?.code).toBe(301018);
  expect((await rpc.ask('RequestAgentReady', {})).error?.data).toEqual({
    issues: [{ path: 'agentID', reason: 'agentID or thisDN is needed' }],
  });
});

test.each([
  ['no JSON', '{"jsonrpc":', 400, -32700, null],
  ['no JSON, as nothing was sent', '', 400, -32700, null],
  ['a number', '5', 200, -32600, null],
  ['an empty batch', '[]', 200, -32600, null],
  ['no version', '{"id":3,"method":"RequestListCalls"}', 200, -32600, 3],
  ['no method', '{"jsonrpc":"2.0","id":"x"}', 200, -32600, 'x'],
  ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"RequestListCalls"}', 200, -32600, null],
  ['a number that is none as id', '{"jsonrpc":"2.0","id":1e999,"method":"RequestListCalls"}', 200, -32600, null],
  ['a number as params', '{"jsonrpc":"2.0","id":4,"method":"RequestListCalls","params":1}', 200, -32600, 4],
  ['an unknown method', '{"jsonrpc":"2.0","id":5,"method":"RequestCoffee"}', 200, -32601, 5],
  ['an inherited method', '{"jsonrpc":"2.0","id":6,"method":"toString"}', 200, -32601, 6],
  ['Subscribe over HTTP', '{"jsonrpc":"2.0","id":7,"method":"Subscribe"}', 200, -32601, 7],
])('%s is refused', async (_what, body, status, code, id) => {
  const rpc = await start();
  const response = await rpc.post(body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
  const socket = await rpc.socket();
  if (code === -32601 && id === 7) return;
  socket.ws.send(body);
  const [data] = await once(socket.ws, 'message');
  expect(JSON.parse(String(data))).toMatchObject({ id, error: { code } });
});

test('a notification is carried out and not answered', async () => {
  const rpc = await start();
  const response = await rpc.post({ jsonrpc: '2.0', method: 'RequestClearCall', params: { callID: PARTY.callID } });
  expect([response.status, await response.text()]).toEqual([204, '']);
  expect(rpc.requests.seen.map((seen) => seen.method)).toEqual(['RequestClearCall']);
  expect((await rpc.post({ jsonrpc: '2.0', method: 'RequestCoffee' })).status).toBe(204);
});

test('a batch is carried out in order, and answered without its notifications', async () => {
  const rpc = await start({ limits: { batchSize: 4 } });
  const members = [
    { jsonrpc: '2.0', id: 'a', method: 'RequestHoldCall', params: PARTY },
    { jsonrpc: '2.0', method: 'RequestMuteCall', params: PARTY },
    17,
    { jsonrpc: '2.0', id: 'b', method: 'RequestRetrieveCall', params: PARTY },
  ];
  const response = await rpc.post(members);
  expect(await response.json()).toMatchObject([
    { id: 'a', result: {} },
    { id: null, error: { code: -32600 } },
    { id: 'b', result: {} },
  ]);
  expect(rpc.requests.seen.map((seen) => seen.method)).toEqual([
    'RequestHoldCall',
    'RequestMuteCall',
    'RequestRetrieveCall',
  ]);
  expect(await (await rpc.post([...members, 1])).json()).toMatchObject({ id: null, error: { code: -32600 } });
  expect((await rpc.post([members[1]])).status).toBe(204);
  expect(rpc.requests.seen).toHaveLength(4);
});

test('without a key or with a wrong one nothing is open', async () => {
  const rpc = await start();
  for (const key of [undefined, 'wrong', `${KEYS.full}x`]) {
    const headers = authorization(key);
    const responses = [
      await fetch(rpc.url('/rpc'), { method: 'POST', headers, body: '{}' }),
      await fetch(rpc.url('/events'), { headers }),
    ];
    for (const response of responses) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
    const ws = new WebSocket(rpc.url('/rpc'), { headers });
    ws.on('open', () => expect.unreachable('the socket was opened'));
    const [, refused] = await once(ws, 'unexpected-response');
    expect(refused.statusCode).toBe(401);
  }
  const basic = await fetch(rpc.url('/rpc'), { method: 'POST', headers: { authorization: `Basic ${KEYS.full}` } });
  expect(basic.status).toBe(401);
  expect(await rpc.metric('ringmaster_rpc_unauthorized_total')).toBe(10);
});

test('a key without the scope is -32003, and nothing is carried out', async () => {
  const rpc = await start();
  const { error } = await rpc.ask('RequestMakeCall', { thisDN: '1001', otherDN: '1002' }, KEYS.reader);
  expect(error).toEqual({ code: -32003, message: 'Forbidden', data: { scope: 'call' } });
  expect(rpc.requests.seen).toEqual([]);
  expect((await rpc.ask('RequestListCalls', {}, KEYS.reader)).result).toEqual({});
});

test('what is over 256 KiB is 413 over HTTP, declared or chunked, and 1009 over a WebSocket', async () => {
  const rpc = await start();
  const limit = 256 * 1024;
  expect((await rpc.post(' '.repeat(limit - 2).concat('17'))).status).toBe(200);
  expect((await rpc.post(' '.repeat(limit + 1))).status).toBe(413);
  const chunked = request(rpc.url('/rpc'), { method: 'POST', headers: authorization(KEYS.full) });
  for (let part = 0; part < 5; part++) chunked.write(' '.repeat(limit / 4));
  chunked.end();
  const [response] = await once(chunked, 'response');
  expect(response.statusCode).toBe(413);
  response.resume();
  const socket = await rpc.socket();
  socket.ws.send(' '.repeat(limit + 1));
  expect((await socket.closed).code).toBe(1009);
});

test('a flood is refused by 301027 with its ids while another key is served', async () => {
  const rpc = await start({ limits: { requestsPerSecond: 10, burst: 50 }, now: () => 0 });
  const flooder = await rpc.socket();
  const flood = Array.from({ length: 10_000 }, () => flooder.ask('RequestClearCall', { callID: PARTY.callID }));
  const served = rpc.ask('RequestListCalls', {}, KEYS.other);
  const answers = await Promise.all(flood);
  expect((await served).result).toEqual({});
  expect(answers.filter((answer) => answer.result !== undefined)).toHaveLength(50);
  expect(answers.filter((answer) => answer.error?.code === 301027)).toHaveLength(9950);
  expect(answers.map((answer) => answer.id)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  // Ten per second are reported, and the clock of this test stands still.
  expect(rpc.refusals).toHaveLength(10);
  expect(rpc.refusals[0]).toMatchObject({ method: 'RequestClearCall', refusal: { code: 301027 } });
  expect((await rpc.ask('RequestListCalls')).error).toMatchObject({ code: 301027, message: 'RequestTooFast' });
  const long = await rpc.post({ jsonrpc: '2.0', id: 1, method: 'RequestListCalls', params: { x: 'x'.repeat(5000) } });
  expect(long.status).toBe(429);
  expect(await long.json()).toMatchObject({ id: null, error: { code: 301027 } });
  expect(await rpc.metric('ringmaster_rpc_requests_total', { method: 'RequestClearCall', outcome: '301027' })).toBe(
    9950,
  );
});

test('the rate comes back with time', async () => {
  let now = 0;
  const rpc = await start({ limits: { requestsPerSecond: 2, burst: 1 }, now: () => now });
  expect((await rpc.ask('RequestListCalls')).result).toEqual({});
  expect((await rpc.ask('RequestListCalls')).error?.code).toBe(301027);
  now = 500;
  expect((await rpc.ask('RequestListCalls')).result).toEqual({});
  expect((await rpc.ask('RequestListCalls')).error?.code).toBe(301027);
});

test('a key may have a rate of its own', async () => {
  const rpc = await start({ now: () => 0 });
  const codes: (number | undefined)[] = [];
  for (let asked = 0; asked < 3; asked++) codes.push((await rpc.ask('RequestListCalls', {}, KEYS.few)).error?.code);
  expect(codes).toEqual([undefined, undefined, 301027]);
  expect((await rpc.ask('RequestListCalls', {}, KEYS.reader)).result).toEqual({});
});

test('a key may only have so many requests waiting', async () => {
  const rpc = await start({ limits: { inFlightPerKey: 2 } });
  let answer: (outcome: { result: unknown }) => void = () => undefined;
  const waiting = new Promise<{ result: unknown }>((resolve) => {
    answer = resolve;
  });
  rpc.requests.on('RequestListAgents', () => waiting);
  const socket = await rpc.socket();
  const first = socket.ask('RequestListAgents', {});
  const second = socket.ask('RequestListAgents', {});
  expect((await socket.ask('RequestListAgents', {})).error?.code).toBe(301027);
  answer({ result: { agents: [] } });
  expect((await first).result).toEqual({ agents: [] });
  expect((await second).result).toEqual({ agents: [] });
  expect((await socket.ask('RequestListAgents', {})).result).toEqual({ agents: [] });
});

test('a key may only have so many sockets open', async () => {
  const rpc = await start({ limits: { socketsPerKey: 1 } });
  const first = await rpc.socket();
  const ws = new WebSocket(rpc.url('/rpc'), { headers: authorization(KEYS.full) });
  const [, refused] = await once(ws, 'unexpected-response');
  expect(refused.statusCode).toBe(429);
  expect((await fetch(rpc.url('/events'), { headers: authorization(KEYS.full) })).status).toBe(429);
  await rpc.socket(KEYS.other);
  first.ws.terminate();
  await first.closed;
  // The server hears of it a moment after the client.
  await expect.poll(() => rpc.metric('ringmaster_rpc_sockets', { carrier: 'websocket' })).toBe(1);
  expect((await (await rpc.socket()).ask('RequestListCalls')).result).toEqual({});
});

test('a failure inside is 301020, says nothing of itself, and is logged', async () => {
  const rpc = await start();
  rpc.requests.on('RequestListCalls', () => Promise.reject(new Error('secret detail')));
  expect((await rpc.ask('RequestListCalls')).error).toEqual({ code: 301020, message: 'CTIException' });
  expect(rpc.logs.lines.some((line) => line.includes('secret detail'))).toBe(true);
});

test('the log holds neither keys nor numbers', async () => {
  const rpc = await start();
  await rpc.ask('RequestMakeCall', { thisDN: '1001', otherDN: '13800138000' });
  await rpc.ask('RequestMakeCall', { thisDN: '1001', otherDN: '13800138000 bad' });
  await fetch(rpc.url('/events?thisDN=13800138000'), { headers: authorization('wrong-secret') });
  const text = rpc.logs.lines.join('');
  expect(text).toContain('RequestMakeCall');
  expect(text).not.toMatch(/13800138000|secret/);
});

test('health, readiness and draining', async () => {
  const rpc = await start();
  expect((await fetch(rpc.url('/healthz'))).status).toBe(200);
  const ready = await fetch(rpc.url('/readyz'));
  expect([ready.status, await ready.json()]).toEqual([200, rpc.readiness]);
  rpc.readiness = { ...rpc.readiness, ready: false, redis: false };
  const notReady = await fetch(rpc.url('/readyz'));
  expect([notReady.status, await notReady.json()]).toEqual([503, rpc.readiness]);
  rpc.readiness = { ...rpc.readiness, ready: true, redis: true };
  const socket = await rpc.socket();
  rpc.server.drain();
  const draining = await fetch(rpc.url('/readyz'));
  expect(draining.status).toBe(503);
  expect(draining.headers.get('connection')).toBe('close');
  expect(await draining.json()).toMatchObject({ ready: false, draining: true });
  expect((await socket.ask('RequestListCalls')).result).toEqual({});
  expect((await rpc.ask('RequestListCalls')).result).toEqual({});
});

test('metrics are open to loopback, and every answer has its security headers', async () => {
  const rpc = await start();
  await rpc.ask('RequestListCalls');
  const metrics = await fetch(rpc.url('/metrics'));
  expect(metrics.headers.get('content-type')).toContain('text/plain');
  expect(await metrics.text()).toContain('ringmaster_rpc_requests_total{method="RequestListCalls",outcome="ok"} 1');
  const response = await rpc.post('{}');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  expect((await fetch(rpc.url('/rpc'), { headers: authorization(KEYS.full) })).status).toBe(426);
  expect((await fetch(rpc.url('/nothing'))).status).toBe(404);
});

test('an address that leads nowhere is told in our words, with the security headers', async () => {
  const rpc = await start();
  for (const [path, status, error] of [
    [`/recordings/${'x'.repeat(300)}`, 404, 'not found'],
    ['/recordings/%zz', 400, 'the address is not well-formed'],
  ] as const) {
    const response = await fetch(rpc.url(path));
    expect([response.status, await response.json()]).toEqual([status, { error }]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  }
});

test('metrics, which tell of all companies, need an operator’s key from any other address', async () => {
  const operator = 'operator-secret-0005';
  const rpc = await start({ operators: operatorKeys([{ name: 'night-shift', key: operator }]) });
  const from = async (remoteAddress: string, key?: string, more: Record<string, string> = {}) => {
    const { statusCode } = await rpc.server.http.inject({
      url: '/metrics',
      remoteAddress,
      headers: { ...authorization(key), ...more },
    });
    return statusCode;
  };
  expect(await from('::ffff:127.0.0.1')).toBe(200);
  expect(await from('::1')).toBe(200);
  expect(await from('192.0.2.1')).toBe(401);
  expect(await from('192.0.2.1', KEYS.full)).toBe(403);
  expect(await from('192.0.2.1', KEYS.other)).toBe(403);
  expect(await from('192.0.2.1', operator)).toBe(200);
  // A proxy on this host does not make its clients local.
  for (const [name, value] of [
    ['x-forwarded-for', '192.0.2.1'],
    ['x-real-ip', '192.0.2.1'],
    ['forwarded', 'for=192.0.2.1'],
    ['via', '1.1 proxy'],
  ] as const) {
    expect(await from('127.0.0.1', undefined, { [name]: value }), name).toBe(401);
    expect(await from('127.0.0.1', operator, { [name]: value }), name).toBe(200);
  }
});

test('a client that asks and does not read its answers is cut', async () => {
  const rpc = await start({ limits: { bufferedBytes: 512 * 1024 } });
  const socket = await rpc.socket();
  socket.ws.pause();
  for (let asked = 0; asked < 500; asked++) void socket.ask('rpc.discover');
  await rpc.logs.line('subscriber cut');
  socket.ws.resume();
  expect(await socket.closed).toEqual({ code: 1013, reason: 'reads too slowly' });
});

test('closing answers what is open and tells the sockets', async () => {
  const rpc = await start();
  let answer: (outcome: { result: unknown }) => void = () => undefined;
  const began = new Promise<void>((resolve) => {
    rpc.requests.on('RequestListCalls', () => {
      resolve();
      return new Promise((settle) => {
        answer = settle;
      });
    });
  });
  const socket = await rpc.socket();
  const asked = socket.ask('RequestListCalls');
  await began;
  const closed = rpc.server.close();
  answer({ result: { calls: [] } });
  expect((await asked).result).toEqual({ calls: [] });
  expect(await socket.closed).toEqual({ code: 1001, reason: 'the service is stopping' });
  await closed;
  await expect(fetch(rpc.url('/healthz'))).rejects.toThrow();
});

test('each company speaks for itself alone', async () => {
  const rpc = await start();
  await rpc.ask('RequestListCalls', {}, KEYS.other);
  expect(rpc.requests.seen[0]?.caller.companyId).toBe(OTHER);
});
