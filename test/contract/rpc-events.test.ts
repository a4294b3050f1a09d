import { afterEach, expect, test } from 'vitest';
import { ACME, type GivenEvent, OTHER, turns } from '../support/rpc-doubles.ts';
import { Harness, KEYS } from '../support/rpc-harness.ts';

let harness: Harness | undefined;

async function start(options?: Parameters<typeof Harness.start>[0]): Promise<Harness> {
  harness = await Harness.start(options);
  return harness;
}

afterEach(async () => {
  await harness?.stop();
  harness = undefined;
});

const some = (count: number, given: GivenEvent = {}): GivenEvent[] => Array.from({ length: count }, () => given);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a subscriber is answered first and then hears what is new, as the log wrote it', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(3));
  const socket = await rpc.socket();
  const { result } = await socket.ask('Subscribe');
  expect(result).toEqual({ subscriptionID: expect.any(String), lastEventID: 3 });
  rpc.log.append(ACME, [{ messageID: 'EventHeld', callID: 'c1', thisDN: '1001' }]);
  await socket.heard(1);
  expect(socket.messages[1]).toBe(
    `{"jsonrpc":"2.0","method":"event","params":{"messageID":"EventHeld","eventID":4,"companyId":"${ACME}","callID":"c1","thisDN":"1001"}}`,
  );
});

test('after replays everything later, in order, and goes on live', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(1700));
  const socket = await rpc.socket();
  const answered = socket.ask('Subscribe', { after: 3 });
  expect((await answered).result).toMatchObject({ lastEventID: 1700 });
  await socket.heard(1697);
  rpc.log.append(ACME, some(5));
  await socket.heard(1702);
  expect(socket.ids).toEqual(upTo(4, 1705));
  expect(JSON.parse(socket.messages[0] ?? '')).toMatchObject({ id: 1, result: {} });
});

test.each([
  { name: 'a tail that is ahead of the reader', lag: 1, delay: 1, perRead: 37, written: 40 },
  { name: 'a tail that lags far behind the reader', lag: 25, delay: 1, perRead: 37, written: 40 },
  { name: 'much written during each read', lag: 1, delay: 6, perRead: 1500, written: 4 },
])('events that are written while others are replayed are heard once and in order: $name', async (race) => {
  const rpc = await start();
  rpc.log.lag = race.lag;
  rpc.log.delay = race.delay;
  rpc.log.append(ACME, some(1234));
  let total = 1234;
  let rounds = race.written;
  const write = () => {
    if (rounds-- <= 0) return;
    rpc.log.append(ACME, some(race.perRead));
    total += race.perRead;
  };
  rpc.log.afterRead = write;
  const sockets = await Promise.all(
    [0, 1, 499, 1000, 1234].map(async (after) => ({ after, socket: await rpc.socket() })),
  );
  await Promise.all(sockets.map(({ after, socket }) => socket.ask('Subscribe', { after })));
  const live = await rpc.socket();
  const { result } = await live.ask('Subscribe');
  const begin = Number(result?.['lastEventID']);
  while (rounds > 0) {
    write();
    await turns(2);
  }
  rpc.log.append(ACME, some(1));
  total += 1;
  for (const { after, socket } of [...sockets, { after: begin, socket: live }]) {
    await socket.heard(total - after);
    expect(socket.ids).toEqual(upTo(after + 1, total));
  }
});

test('a replay that finds the end of the log reads on where more has come since than the feed remembers', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(10));
  rpc.log.delay = 6;
  rpc.log.afterRead = () => {
    if (rpc.log.reads === 1) rpc.log.append(ACME, some(1500));
  };
  const socket = await rpc.socket();
  await socket.ask('Subscribe', { after: 10 });
  await socket.heard(1500);
  expect(socket.ids).toEqual(upTo(11, 1510));
});

test('filters let through what they name, in replay and live', async () => {
  const rpc = await start();
  const mixed: GivenEvent[] = [
    { messageID: 'EventHeld', callID: 'c1', thisDN: '1001' },
    { messageID: 'EventRetrieved', callID: 'c1', thisDN: '1001' },
    { messageID: 'EventHeld', callID: 'c2', thisDN: '1002' },
    { messageID: 'EventCallDeleted', callID: 'c1' },
  ];
  rpc.log.append(ACME, mixed);
  const filters = [
    { filter: { events: ['EventHeld'] }, ids: [1, 3, 5, 7] },
    { filter: { callID: 'c1' }, ids: [1, 2, 4, 5, 6, 8] },
    { filter: { thisDN: '1002' }, ids: [3, 7] },
    { filter: { callID: 'c1', events: ['EventHeld', 'EventCallDeleted'], thisDN: '1001' }, ids: [1, 5] },
  ];
  const sockets = await Promise.all(filters.map(() => rpc.socket()));
  for (const [index, { filter }] of filters.entries()) await sockets[index]?.ask('Subscribe', { ...filter, after: 0 });
  rpc.log.append(ACME, mixed);
  for (const [index, { ids }] of filters.entries()) {
    const socket = sockets[index];
    await socket?.heard(ids.length);
    // Whatever else were to come would come before this answer.
    await socket?.ask('RequestListCalls');
    expect(socket?.ids).toEqual(ids);
  }
});

test('a subscriber of another company hears nothing of ours', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(3));
  const ours = await rpc.socket();
  const theirs = await rpc.socket(KEYS.other);
  await ours.ask('Subscribe', { after: 0 });
  expect((await theirs.ask('Subscribe', { after: 0 })).result).toMatchObject({ lastEventID: 0 });
  rpc.log.append(ACME, some(3));
  rpc.log.append(OTHER, some(1));
  await ours.heard(6);
  await theirs.heard(1);
  await theirs.ask('RequestListCalls');
  expect(theirs.events.map((event) => event.companyId)).toEqual([OTHER]);
  expect(new Set(ours.events.map((event) => event.companyId))).toEqual(new Set([ACME]));
});

test('an id that has fallen out of the log, or that the log never gave, is EventsExpired', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(10));
  rpc.log.trim(ACME, 4);
  const socket = await rpc.socket();
  const expired = { code: -32010, message: 'EventsExpired' };
  expect((await socket.ask('Subscribe', { after: 3 })).error).toEqual({
    ...expired,
    data: { after: 3, lastEventID: 10 },
  });
  expect((await socket.ask('Subscribe', { after: 11 })).error).toMatchObject(expired);
  expect(rpc.log.tails).toBe(0);
  expect((await socket.ask('Subscribe', { after: 4 })).result).toMatchObject({ lastEventID: 10 });
  await socket.heard(6);
  expect(socket.ids).toEqual(upTo(5, 10));
});

test('a replay that is overtaken by the log’s end is cut and told where it was', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(1200));
  rpc.log.beforeRead = () => {
    if (rpc.log.reads === 2) rpc.log.trim(ACME, 900);
  };
  const socket = await rpc.socket();
  await socket.ask('Subscribe', { after: 0 });
  expect(await socket.closed).toEqual({
    code: 1013,
    reason: 'EventsExpired: events were lost; resume with after: 500',
  });
  expect(socket.ids).toEqual(upTo(1, 500));
});

test('when the tail has lost events, whoever listens is cut, replaying or live, and new subscribers are served', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(2000));
  const live = await rpc.socket();
  const replaying = await rpc.socket();
  const theirs = await rpc.socket(KEYS.other);
  await theirs.ask('Subscribe');
  await live.ask('Subscribe');
  rpc.log.afterRead = () => {
    if (rpc.log.reads === 2) rpc.log.lose(ACME);
  };
  await replaying.ask('Subscribe', { after: 0 });
  const reason = 'EventsExpired: events were lost; resume with after: ';
  expect(await live.closed).toEqual({ code: 1013, reason: `${reason}2000` });
  expect(await replaying.closed).toEqual({ code: 1013, reason: `${reason}500` });
  rpc.log.afterRead = undefined;
  expect(rpc.log.tails).toBe(1);
  const again = await rpc.socket();
  await again.ask('Subscribe', { after: 1999 });
  rpc.log.append(ACME, some(1));
  await again.heard(2);
  expect(again.ids).toEqual([2000, 2001]);
  expect(theirs.ws.readyState).toBe(theirs.ws.OPEN);
});

test('while the log cannot be read, Subscribe is NotReady, and a replay is cut', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(600));
  const socket = await rpc.socket();
  rpc.log.failing = new Error('no Redis');
  expect((await socket.ask('Subscribe')).error?.code).toBe(-32011);
  expect(rpc.log.tails).toBe(0);
  rpc.log.failing = undefined;
  rpc.log.beforeRead = () => {
    if (rpc.log.reads === 2) rpc.log.failing = new Error('no Redis');
  };
  await socket.ask('Subscribe', { after: 0 });
  expect(await socket.closed).toEqual({ code: 1013, reason: 'the event log cannot be read; resume with after: 500' });
  expect(rpc.log.tails).toBe(0);
});

test('Unsubscribe ends one subscription, and the last one ends the tail', async () => {
  const rpc = await start();
  const socket = await rpc.socket();
  const held = await socket.ask('Subscribe', { events: ['EventHeld'] });
  const muted = await socket.ask('Subscribe', { events: ['EventMuted'] });
  expect(rpc.log.tails).toBe(1);
  expect(await rpc.metric('ringmaster_rpc_subscriptions')).toBe(2);
  const end = { subscriptionID: held.result?.['subscriptionID'] };
  expect((await socket.ask('Unsubscribe', end)).result).toEqual({});
  expect((await socket.ask('Unsubscribe', end)).error?.code).toBe(301018);
  expect(rpc.refusals).toMatchObject([{ method: 'Unsubscribe', params: end, refusal: { code: 301018 } }]);
  rpc.log.append(ACME, [{ messageID: 'EventHeld' }, { messageID: 'EventMuted' }]);
  await socket.heard(1);
  expect(socket.ids).toEqual([2]);
  await socket.ask('Unsubscribe', { subscriptionID: muted.result?.['subscriptionID'] });
  expect(rpc.log.tails).toBe(0);
});

test('a socket’s end ends its subscriptions', async () => {
  const rpc = await start();
  const other = await rpc.socket();
  await other.ask('Subscribe');
  const socket = await rpc.socket();
  await socket.ask('Subscribe', { events: ['EventHeld'] });
  await socket.ask('Subscribe', { events: ['EventMuted'] });
  socket.ws.close();
  await socket.closed;
  await expect.poll(() => rpc.metric('ringmaster_rpc_subscriptions')).toBe(1);
  expect(rpc.log.tails).toBe(1);
});

test('a socket may only have so many subscriptions', async () => {
  const rpc = await start({ limits: { subscriptionsPerSocket: 2 } });
  const socket = await rpc.socket();
  const answers = await Promise.all([1, 2, 3].map(() => socket.ask('Subscribe')));
  expect(answers.map((answer) => answer.error?.code)).toEqual([undefined, undefined, 301027]);
});

test('Subscribe needs the scope read and known event names', async () => {
  const rpc = await start();
  const socket = await rpc.socket();
  expect((await socket.ask('Subscribe', { events: ['EventCoffee'] })).error?.code).toBe(301018);
  expect((await socket.ask('Subscribe', { after: -1 })).error?.code).toBe(301018);
  const reader = await rpc.socket(KEYS.reader);
  expect((await reader.ask('Subscribe')).result).toMatchObject({ lastEventID: 0 });
});

test('a batch that subscribes is answered before its first event', async () => {
  const rpc = await start();
  rpc.log.append(ACME, some(3));
  const socket = await rpc.socket();
  socket.ws.send(
    JSON.stringify([
      { jsonrpc: '2.0', id: 'a', method: 'Subscribe', params: { after: 0 } },
      { jsonrpc: '2.0', id: 'b', method: 'RequestListCalls' },
    ]),
  );
  await socket.heard(3);
  expect(JSON.parse(socket.messages[0] ?? '')).toMatchObject([
    { id: 'a', result: { lastEventID: 3 } },
    { id: 'b', result: {} },
  ]);
  expect(socket.ids).toEqual([1, 2, 3]);
});

test('a subscriber that does not read is cut and told where to resume, while others hear everything', async () => {
  const rpc = await start({ limits: { bufferedBytes: 512 * 1024 } });
  const slow = await rpc.socket();
  const quick = await rpc.socket();
  await slow.ask('Subscribe');
  await quick.ask('Subscribe');
  slow.ws.pause();
  const filler = 'x'.repeat(2000);
  let total = 0;
  const cut = rpc.logs.line('subscriber cut').then(() => true);
  while (!(await Promise.race([cut, turns(1)]))) {
    total += 50;
    rpc.log.append(ACME, some(50, { filler }));
    await quick.heard(total);
  }
  rpc.log.append(ACME, some(50));
  total += 50;
  await quick.heard(total);
  expect(quick.ids).toEqual(upTo(1, total));
  expect(await rpc.metric('ringmaster_rpc_subscribers_cut_total', { reason: 'slow' })).toBe(1);
  slow.ws.resume();
  const { code, reason } = await slow.closed;
  const last = slow.ids.at(-1) ?? 0;
  expect([code, reason]).toEqual([1013, `reads too slowly; resume with after: ${last}`]);
  expect(slow.ids).toEqual(upTo(1, last));
  const again = await rpc.socket();
  await again.ask('Subscribe', { after: last });
  await again.heard(total - last);
  expect(again.ids).toEqual(upTo(last + 1, total));
});

test('a replay waits for a client that reads slowly and does not cut it', async () => {
  const rpc = await start({ limits: { bufferedBytes: 1024 * 1024 } });
  rpc.log.append(ACME, some(15_000, { filler: 'x'.repeat(2000) }));
  const socket = await rpc.socket();
  await socket.ask('Subscribe', { after: 0 });
  socket.ws.pause();
  let reads = -1;
  while (reads !== rpc.log.reads) {
    reads = rpc.log.reads;
    await turns(200);
  }
  expect(reads).toBeLessThan(30);
  socket.ws.resume();
  await socket.heard(15_000);
  expect(socket.ids).toEqual(upTo(1, 15_000));
});

test('a client that gives no sign of life is dropped, one that does is kept', async () => {
  const rpc = await start({ limits: { heartbeatMs: 200 } });
  const dead = await rpc.socket(KEYS.full, { autoPong: false });
  const alive = await rpc.socket();
  expect((await dead.closed).code).toBe(1006);
  expect(alive.ws.readyState).toBe(alive.ws.OPEN);
  expect(await rpc.metric('ringmaster_rpc_subscribers_cut_total', { reason: 'silent' })).toBe(1);
});
