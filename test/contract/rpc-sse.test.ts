import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ACME, OTHER, turns } from '../support/rpc-doubles.ts';
import { authorization, Harness, KEYS, SseReader } from '../support/rpc-harness.ts';

let harness: Harness | undefined;

async function start(options?: Parameters<typeof Harness.start>[0]): Promise<Harness> {
  harness = await Harness.start(options);
  return harness;
}

afterEach(async () => {
  await harness?.stop();
  harness = undefined;
});

function open(rpc: Harness, query = '', key: string = KEYS.full, headers: Record<string, string> = {}) {
  return fetch(rpc.url(`/events${query}`), { headers: { ...authorization(key), ...headers } });
}

test('the stream has the events with their ids, from now on', async () => {
  const rpc = await start();
  rpc.log.append(ACME, [{}, {}]);
  const response = await open(rpc);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const stream = new SseReader(response);
  expect(await stream.block()).toContain(': lastEventID 2');
  rpc.log.append(ACME, [{ messageID: 'EventHeld', callID: 'c1' }]);
  expect(await stream.block()).toBe(
    `id: 3\ndata: {"messageID":"EventHeld","eventID":3,"companyId":"${ACME}","callID":"c1"}`,
  );
  await stream.cancel();
});

test('Last-Event-ID resumes, before the query’s after, and filters apply', async () => {
  const rpc = await start();
  rpc.log.append(
    ACME,
    Array.from({ length: 1100 }, (_, index) => ({ thisDN: index % 2 === 0 ? '1001' : '1002' })),
  );
  const all = new SseReader(await open(rpc, '?after=0', KEYS.full, { 'last-event-id': '1000' }));
  rpc.log.append(ACME, [{ thisDN: '1001' }]);
  expect((await all.events(101)).map((event) => event.eventID)).toEqual(
    Array.from({ length: 101 }, (_, index) => 1001 + index),
  );
  const filtered = new SseReader(await open(rpc, '?after=1096&thisDN=1002&events=EventDialing,EventHeld'));
  rpc.log.append(ACME, [
    { messageID: 'EventMuted', thisDN: '1002' },
    { messageID: 'EventHeld', thisDN: '1002' },
  ]);
  expect((await filtered.events(3)).map((event) => event.eventID)).toEqual([1098, 1100, 1103]);
  await all.cancel();
  await filtered.cancel();
});

test('what cannot be streamed is refused with its status', async () => {
  const rpc = await start();
  rpc.log.append(ACME, [{}, {}, {}]);
  rpc.log.trim(ACME, 2);
  const expired = await open(rpc, '', KEYS.full, { 'last-event-id': '1' });
  expect([expired.status, await expired.json()]).toMatchObject([410, { error: { code: -32010 } }]);
  for (const query of ['?after=x', '?events=EventCoffee', '?unknown=1']) {
    const invalid = await open(rpc, query);
    expect([invalid.status, await invalid.json()]).toMatchObject([400, { error: { code: 301018 } }]);
  }
  rpc.log.failing = new Error('no Redis');
  expect((await open(rpc)).status).toBe(503);
  expect(rpc.log.tails).toBe(0);
  await expect.poll(() => rpc.metric('ringmaster_rpc_sockets', { carrier: 'sse' })).toBe(0);
});

test('an empty Last-Event-ID is none, and the query’s after counts', async () => {
  const rpc = await start();
  rpc.log.append(ACME, [{}, {}]);
  const stream = new SseReader(await open(rpc, '?after=1', KEYS.full, { 'last-event-id': '' }));
  rpc.log.append(ACME, [{}]);
  expect((await stream.events(2)).map((event) => event.eventID)).toEqual([2, 3]);
  await stream.cancel();
});

test('a key over its rate opens no stream, and reads nothing of the log', async () => {
  const rpc = await start({ limits: { requestsPerSecond: 1, burst: 2 }, now: () => 0 });
  for (let opened = 0; opened < 2; opened++) await new SseReader(await open(rpc, '?after=0')).cancel();
  const read = rpc.log.reads;
  const refused = await open(rpc, '?after=0');
  expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: 301027 } }]);
  expect(rpc.log.reads).toBe(read);
  const theirs = await open(rpc, '', KEYS.other);
  expect(theirs.status).toBe(200);
  await new SseReader(theirs).cancel();
});

test('another company’s stream is silent, and a heartbeat moves the id on', async () => {
  const rpc = await start({ limits: { heartbeatMs: 20 } });
  const theirs = new SseReader(await open(rpc, '', KEYS.other));
  const narrow = new SseReader(await open(rpc, '?events=EventHeld'));
  rpc.log.append(ACME, [{ messageID: 'EventMuted' }]);
  let block: string | undefined;
  do block = await narrow.block();
  while (block !== ': alive\nid: 1' && block !== undefined);
  expect(block).toBe(': alive\nid: 1');
  rpc.log.append(OTHER, [{}]);
  expect((await theirs.events(1)).map((event) => event.companyId)).toEqual([OTHER]);
  await theirs.cancel();
  await narrow.cancel();
});

test('a client that goes ends its subscription', async () => {
  const rpc = await start();
  const stream = new SseReader(await open(rpc));
  await stream.block();
  expect(rpc.log.tails).toBe(1);
  await stream.cancel();
  await expect.poll(() => rpc.log.tails).toBe(0);
  await expect.poll(() => rpc.metric('ringmaster_rpc_sockets', { carrier: 'sse' })).toBe(0);
});

test('a stream that is not read is cut, and its client resumes where it was', async () => {
  const rpc = await start({ limits: { bufferedBytes: 512 * 1024 } });
  const request = get(rpc.url('/events'), { headers: authorization(KEYS.full) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const filler = 'x'.repeat(2000);
  let total = 0;
  const cut = rpc.logs.line('subscriber cut').then(() => true);
  while (!(await Promise.race([cut, turns(1)]))) {
    total += 50;
    rpc.log.append(
      ACME,
      Array.from({ length: 50 }, () => ({ filler })),
    );
    await turns(3);
  }
  expect(rpc.log.tails).toBe(0);
  response.on('error', () => undefined);
  let text = '';
  response.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => response.on('close', resolve));
  // The last event may have been torn: only those that ended with an empty line were heard.
  const heard = [...text.slice(0, text.lastIndexOf('\n\n')).matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  expect(heard.length).toBeLessThan(total);
  const again = new SseReader(await open(rpc, '', KEYS.full, { 'last-event-id': String(heard.length) }));
  const rest = await again.events(total - heard.length);
  expect([...heard, ...rest.map((event) => event.eventID)]).toEqual(Array.from({ length: total }, (_, i) => i + 1));
  await again.cancel();
});

test('closing ends the streams', async () => {
  const rpc = await start();
  const stream = new SseReader(await open(rpc));
  await stream.block();
  const closed = rpc.server.close();
  expect(await stream.block()).toBeUndefined();
  await closed;
});
