import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, SECURITY_ID } from '../support/dialer-kit.ts';
import { newStore } from '../support/store-kit.ts';

const BASE = '/kairos-apis/outbounddialer';
const NUMBER = '918000123456';
const PREFIX = 'bad-input';
const BODY_LIMIT = 2_000_000;

const request = (change: Record<string, unknown> = {}, call: Record<string, unknown> = {}) => ({
  'api-version': '1.0',
  'security-id': SECURITY_ID,
  'flow-id': 'flow0001',
  calls: [{ 'client-identifier': 'c', 'contact-numbers': [NUMBER], ...call }],
  ...change,
});
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** A request that is refused as a whole, and leaves nothing behind. */
type Whole = readonly [what: string, body: unknown, code: number, http: number];
const WHOLE: readonly Whole[] = [
  ['nothing', '', 400, 400],
  ['no JSON', 'calls=1&flow-id=flow0001', 400, 400],
  ['half a JSON', JSON.stringify(request()).slice(0, -5), 400, 400],
  ['XML', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 400, 400],
  ['bytes that are no text', '\u0000\uFFFD\u0001', 400, 400],
  ['a comma that follows nothing', '{"calls":[,]}', 400, 400],
  ['brackets without end', '['.repeat(BODY_LIMIT / 2), 400, 400],
  ['a hundred levels', nested(100), 400, 400],
  ['a body over the limit', `"${'x'.repeat(BODY_LIMIT)}"`, 400, 413],
  ['a list', '[]', 400, 200],
  ['a text', '"create"', 400, 200],
  ['null', 'null', 400, 200],
  ['a number', '1e999', 400, 200],
  ['an empty object', '{}', 210, 200],
  ['a head of null', request({ 'flow-id': null }), 210, 200],
  ['a head that is empty', request({ 'api-version': '' }), 210, 200],
  ['no calls at all', request({ calls: undefined }), 210, 200],
  ['a version that is a number', request({ 'api-version': 1 }), 400, 200],
  ['a version of its own', request({ 'api-version': '9.9' }), 203, 200],
  ['a security id in a list', request({ 'security-id': [SECURITY_ID] }), 400, 200],
  ['a security id that is an object', request({ 'security-id': { toString: SECURITY_ID } }), 400, 200],
  ['a security id of a megabyte', request({ 'security-id': 'a'.repeat(BODY_LIMIT - 1_000) }), 202, 200],
  ['a security id named like a method', request({ 'security-id': '__proto__' }), 202, 200],
  ['a flow that there is not', request({ 'flow-id': 'flow9999' }), 301, 200],
  ['a flow named like a method', request({ 'flow-id': 'constructor' }), 301, 200],
  ['a flow id with a key’s parts', request({ 'flow-id': '}:dialer:call:' }), 301, 200],
  ['a flow id that is a truth value', request({ 'flow-id': true }), 400, 200],
  ['a gateway that is a number', request({ 'gateway-id': 7 }), 204, 200],
  ['calls of a wrong type', request({ calls: 'all' }), 400, 200],
  ['calls in an object', request({ calls: { 0: {} } }), 400, 200],
  ['calls of null', request({ calls: null }), 302, 200],
  ['no call', request({ calls: [] }), 302, 200],
  ['501 calls', request({ calls: new Array(501).fill({ 'contact-numbers': [NUMBER] }) }), 303, 200],
  ['50,000 calls of nothing', request({ calls: new Array(50_000).fill(0) }), 303, 200],
];

/** An entry that is refused: the rest of its request is not. */
type Entry = readonly [what: string, entry: unknown, status: string];
const one = (change: Record<string, unknown>) => ({ 'contact-numbers': [NUMBER], ...change });
const key = (name: unknown, value: unknown) => one({ keys: [{ name, value }] });
const ENTRIES: readonly Entry[] = [
  ['null', null, 'REJECTED'],
  ['a number', 7, 'REJECTED'],
  ['a text', NUMBER, 'REJECTED'],
  ['a list', [NUMBER], 'REJECTED'],
  ['nothing', {}, 'INVALID_CONTACT_NUMBER'],
  ['numbers of null', one({ 'contact-numbers': null }), 'INVALID_CONTACT_NUMBER'],
  ['no numbers', one({ 'contact-numbers': [] }), 'INVALID_CONTACT_NUMBER'],
  ['numbers in an object', one({ 'contact-numbers': { 0: NUMBER } }), 'REJECTED'],
  ['a number in a list in a list', one({ 'contact-numbers': [[NUMBER]] }), 'REJECTED'],
  ['21 numbers', one({ 'contact-numbers': new Array(21).fill(NUMBER) }), 'REJECTED'],
  ['a number of 65 digits', one({ 'contact-numbers': ['9'.repeat(65)] }), 'REJECTED'],
  ['an address of another host', one({ 'contact-numbers': ['918000123456@192.0.2.7'] }), 'INVALID_CONTACT_NUMBER'],
  ['a number with a line break', one({ 'contact-numbers': [`${NUMBER}\r\nX: y`] }), 'INVALID_CONTACT_NUMBER'],
  ['a dialplan’s separators', one({ 'contact-numbers': [`${NUMBER}&PJSIP/1001`] }), 'INVALID_CONTACT_NUMBER'],
  ['digits of another script', one({ 'contact-numbers': ['٩١٨٠٠٠١٢٣٤٥٦'] }), 'INVALID_CONTACT_NUMBER'],
  ['an identifier that is an object', one({ 'client-identifier': {} }), 'REJECTED'],
  ['an identifier of 257 characters', one({ 'client-identifier': 'x'.repeat(257) }), 'REJECTED'],
  ['a start that is a number', one({ 'start-time': 1_600_000_000 }), 'INVALID_CALL_START_TIME_FORMAT'],
  ['a start of null', one({ 'start-time': null }), 'INVALID_CALL_START_TIME_FORMAT'],
  ['a start without an offset', one({ 'start-time': '2999-01-01T00:00:00' }), 'INVALID_CALL_START_TIME_FORMAT'],
  ['a day that there is not', one({ 'start-time': '2999-02-30T00:00:00Z' }), 'INVALID_CALL_START_TIME_FORMAT'],
  ['a start of a megabyte', one({ 'start-time': '2'.repeat(500_000) }), 'INVALID_CALL_START_TIME_FORMAT'],
  ['keys of a wrong type', one({ keys: 'none' }), 'REJECTED'],
  ['keys in an object', one({ keys: { '$flow.key.a': 'b' } }), 'REJECTED'],
  ['a key without a name', one({ keys: [{ value: 'x' }] }), 'REJECTED'],
  ['a key without a value', one({ keys: [{ name: '$flow.key.a' }] }), 'REJECTED'],
  ['a key of another kind', key('Name', 'x'), 'REJECTED'],
  ['a key whose name is empty', key('$flow.key.', 'x'), 'REJECTED'],
  ['a value that is an object', key('$flow.key.a', { b: 1 }), 'REJECTED'],
  ['a value that is null', key('$flow.key.a', null), 'REJECTED'],
  ['a value of 100 KB', key('$flow.key.a', 'x'.repeat(100_000)), 'REJECTED'],
  ['a name of 100 KB', key(`$flow.key.${'a'.repeat(100_000)}`, 'x'), 'REJECTED'],
  [
    'ten thousand keys',
    one({ keys: Array.from({ length: 10_000 }, (_, i) => ({ name: `$flow.key.k${i}`, value: 'x' })) }),
    'REJECTED',
  ],
];

/** Whatever is sent, what is not in order is refused with its own answer, and nothing is placed for it. */
describe('bad input to the Make Call API', () => {
  const redis = createClient({ url: inject('redisUrl') });
  let one: Instance;
  let sim: SimulatedSwitch;

  beforeAll(async () => {
    await redis.connect();
    const { store } = newStore(inject('redisUrl'), { prefix: PREFIX });
    sim = new SimulatedSwitch(store);
    const company = companyOf([{ agents: ['1001', '1002'] }]);
    if (!company.dialer) throw new Error('no dialler');
    one = await instance(store, sim, [{ ...company, dialer: { ...company.dialer, bodyLimit: BODY_LIMIT } }]);
    await one.http.listen({ host: '127.0.0.1', port: 0 });
  });

  afterAll(async () => {
    await one.close();
    await one.store.close();
    await redis.close();
  });

  const send = async (payload: unknown, path = '/create', headers: Record<string, string> = {}) => {
    const answer = await one.http.inject({
      method: 'POST',
      url: BASE + path,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
    return { http: answer.statusCode, body: answer.json() as Record<string, unknown> };
  };
  /** Everything of the dialler in Redis but its lead and how far it has read, which change all the time: a digest of each key. */
  const contents = async (): Promise<Record<string, string>> => {
    const names: string[] = [];
    for await (const some of redis.scanIterator({ MATCH: `${PREFIX}:*`, COUNT: 1_000 })) names.push(...some);
    const kept = names.filter((name) => !/:(lead|token|seen|writes:[^:]*)$/.test(name)).toSorted();
    const dumps = await Promise.all(kept.map((name) => redis.dump(name)));
    return Object.fromEntries(kept.map((name, i) => [name, digest(String(dumps[i]))]));
  };

  it.each(WHOLE)('%s: code and HTTP status, and Redis as it was', async (_what, body, code, http) => {
    const before = await contents();
    const answer = await send(body);
    expect([answer.body['api-response-code'], answer.http]).toEqual([code, http]);
    expect(Object.keys(answer.body)).toEqual(['api-response-code', 'api-response-message']);
    expect(await contents()).toEqual(before);
    expect(sim.placed).toEqual([]);
  });

  it.each(ENTRIES)('%s among the calls: refused by itself, and never placed', async (what, entry, status) => {
    const { body } = await send(request({ calls: [entry], what }));
    const [call] = body['call-details'] as { status: string; 'phonon-uuid': string }[];
    expect(call?.status).toBe(status);
    expect([205, 500]).toContain(body['api-response-code']);
    const left = await contents();
    expect(Object.keys(left).filter((k) => /:(queue:|active$)/.test(k))).toEqual([]);
    // What is kept of it is small, whatever was sent.
    const document = await redis.hGet(`${PREFIX}:{acme}:dialer:call:${call?.['phonon-uuid']}`, 'd');
    expect(document).toMatch(/"phase":"ended"/);
    expect(document?.length).toBeLessThan(2_000);
    expect(sim.placed).toEqual([]);
  });

  it('takes of a list what is in order, and places only that', async () => {
    const good = Array.from({ length: 10 }, (_, i) => ({
      'client-identifier': `good${i}`,
      'contact-numbers': [`91800077${String(i).padStart(4, '0')}`],
    }));
    const calls = ENTRIES.flatMap(([, entry], i) => (i < good.length ? [entry, good[i]] : [entry]));
    const { body } = await send(request({ calls, half: true }));
    expect(body['api-response-code']).toBe(209);
    const statuses = (body['call-details'] as { status: string }[]).map((c) => c.status);
    expect(statuses).toEqual(
      ENTRIES.flatMap(([, , status], i) => (i < good.length ? [status, 'UNPROCESSED'] : [status])),
    );
    const url = `${BASE}/status/${body['request-id']}`;
    const completed = async () =>
      (await one.http.inject({ method: 'GET', url }))
        .json()
        ['call-details'].filter((c: { status: string }) => c.status === 'COMPLETED').length;
    await expect.poll(completed, { timeout: 10_000 }).toBe(good.length);
    expect(sim.placed.map((p) => p.number).toSorted()).toEqual(good.map((g) => g['contact-numbers'][0]));
    sim.placed.splice(0);
  });

  it.each([
    ['GET', '/status/', 213],
    ['GET', `/status/${'x'.repeat(90)}`, 213],
    ['GET', '/status/..%2f..%2fetc%2fpasswd', 213],
    ['GET', '/status/00000000-0000-0000-0000-00000000000Z', 213],
    ['POST', '/flows/flow0001/pause', 202],
    ['POST', '/flows/flow9999/stop', 202],
    ['POST', '/flows/flow0001/halt', 404],
    ['DELETE', '/create', 404],
  ] as const)('%s %s changes nothing', async (method, path, code) => {
    const before = await contents();
    const answer = await one.http.inject({ method, url: BASE + path });
    expect(answer.json()['api-response-code'] ?? answer.statusCode).toBe(code);
    expect(await contents()).toEqual(before);
  });

  it('refuses orders for a flow without a good security id', async () => {
    const before = await contents();
    for (const id of ['', 'x', 'z'.repeat(64), 'q'.repeat(4_000), '__proto__']) {
      expect((await send({}, '/flows/flow0001/stop', { 'security-id': id })).body['api-response-code']).toBe(202);
    }
    const good = { 'security-id': SECURITY_ID };
    expect((await send({}, '/flows/flow9999/stop', good)).body['api-response-code']).toBe(301);
    expect(await contents()).toEqual(before);
  });

  describe('a body of 20 MB', () => {
    const SIZE = 20_000_000;
    const CHUNK = Buffer.alloc(64 * 1024, 0x20);

    /** Sends a request as far as the server lets it; tells of its answer and of how much the server has read. */
    const pour = async (head: string, chunked: boolean): Promise<{ status: string; read: number }> => {
      const accepted = once(one.http.server, 'connection') as Promise<[Socket]>;
      const { port } = one.http.server.address() as AddressInfo;
      const client = connect(port, '127.0.0.1');
      const [served] = await accepted;
      let answer = '';
      let gone = false;
      client.on('data', (data) => (answer += data.toString()));
      const closed = new Promise<void>((resolve) => {
        // A server that has answered and closed resets a connection on which more comes: that is no fault here.
        client.on('error', () => {});
        client.on('close', () => {
          gone = true;
          resolve();
        });
      });
      client.write(`POST ${BASE}/create HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n${head}\r\n\r\n`);
      for (let sent = 0; sent < SIZE && !gone; sent += CHUNK.length) {
        if (chunked) client.write(`${CHUNK.length.toString(16)}\r\n`);
        const room = client.write(CHUNK);
        if (chunked) client.write('\r\n');
        if (!room) await Promise.race([once(client, 'drain').catch(() => {}), closed]);
      }
      client.end();
      await closed;
      return { status: answer.split('\r\n')[0] ?? '', read: served.bytesRead };
    };

    it.each([
      ['that says so', `Content-Length: ${SIZE}`, false],
      ['that comes in chunks', 'Transfer-Encoding: chunked', true],
    ] as const)('%s is not read beyond the limit', async (_what, head, chunked) => {
      const before = await contents();
      const { status, read } = await pour(head, chunked);
      expect(status).toMatch(/^HTTP\/1\.1 413 /);
      expect(read).toBeLessThan(BODY_LIMIT + 1_000_000);
      expect(await contents()).toEqual(before);
      expect(sim.placed).toEqual([]);
    });

    it('is not read at all from an address that is not listed', async () => {
      const answer = await one.http.inject({
        method: 'POST',
        url: `${BASE}/create`,
        remoteAddress: '192.0.2.7',
        payload: Buffer.alloc(SIZE, 0x20),
      });
      expect(answer.json()['api-response-code']).toBe(401);
    });
  });

  it('has logged nothing that went wrong, and serves on', async () => {
    expect(one.warnings).toEqual([]);
    expect((await send(request({ last: true }))).body['api-response-code']).toBe(200);
    await sim.until(() => sim.placed.length === 1);
  });
});
