import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1001';
/** Events that the log is told to keep; it holds at most five times as many. */
const KEPT = 1_000;
const HELD = 5 * KEPT;

describe('subscribers', () => {
  let rm: Ringmaster;
  let witness: RpcClient;

  beforeAll(async () => {
    rm = await ringmaster(await testLab(), (settings) => {
      settings.redis = { ...settings.redis, eventLog: { maxEvents: KEPT } } as typeof settings.redis;
      for (const company of settings.companies) {
        company.keys = (company.keys ?? []).map((key) => ({ ...key, requestsPerSecond: 20_000 }));
      }
    });
    witness = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(() => rm?.close());

  /** A call that ends by itself a second after its answer. */
  async function call(number: string): Promise<CtiEvent[]> {
    const { callID } = await witness.call('RequestMakeCall', { thisDN: AGENT, otherDN: number });
    return witness.ended(callID);
  }

  const lastID = (): number => witness.events.at(-1)?.eventID ?? 0;

  test('Subscribe with `after` replays exactly what was missed, and goes on live without a gap', async () => {
    const first = await rm.subscriber();
    const before = await witness.call('RequestMakeCall', { thisDN: AGENT, otherDN: '91114001001' });
    await first.event('EventOtherRinging', (e) => e.callID === before.callID);
    await first.close();
    const heard = first.events;
    const position = heard.at(-1)?.eventID ?? 0;
    await witness.event('EventEstablished', (e) => e.callID === before.callID && e.thisDN === '91114001001');
    const missed = lastID();

    const resumed = await rm.client();
    const { lastEventID } = await resumed.call('Subscribe', { after: position });
    expect(lastEventID).toBe(missed);
    await witness.call('RequestClearCall', { callID: before.callID });
    await Promise.all([witness.ended(before.callID), resumed.ended(before.callID)]);
    expect([...heard, ...resumed.events]).toEqual(witness.events);
    expectWhole([...heard, ...resumed.events]);
  });

  test('many subscribers resume at every position, also while calls are under way, and each hears the rest once', async () => {
    const start = lastID();
    const running = Promise.all(['91114007001', '91114007002', '91114007003'].map(call));
    await witness.until((events) => events.filter((e) => e.eventID > start).length >= 9);
    const positions = witness.events.filter((e) => e.eventID >= start).map((e) => e.eventID);
    const resumed = await Promise.all(
      positions.map(async (after) => {
        const client = await rm.client();
        await client.call('Subscribe', { after });
        return { after, client };
      }),
    );
    await running;
    const end = lastID();
    for (const { after, client } of resumed) {
      await client.until((events) => events.at(-1)?.eventID === end);
      expect(client.events).toEqual(witness.events.filter((e) => e.eventID > after));
      await client.close();
    }
  });

  test('filters by name, call and DN; Unsubscribe ends it', async () => {
    const [byName, byDn] = await Promise.all([rm.client(), rm.client()]);
    await byName.call('Subscribe', { events: ['EventCallDeleted'] });
    const { subscriptionID } = await byDn.call('Subscribe', { thisDN: '91114007004' });
    const events = await call('91114007004');
    await byName.event('EventCallDeleted');
    expect(told(byName.events)).toEqual([`EventCallDeleted(${AGENT})`]);
    expect(byDn.events).toEqual(events.filter((e) => 'thisDN' in e && e.thisDN === '91114007004'));
    expect(await byDn.call('Unsubscribe', { subscriptionID })).toEqual({});
    const heard = byDn.events.length;
    await call('91114007004');
    await byName.until((all) => all.length === 2);
    expect(byDn.events).toHaveLength(heard);
  });

  test('Server-Sent Events replay the same after Last-Event-ID', async () => {
    const position = lastID();
    const events = await call('91114007005');
    const answer = await request(`${rm.base}/events`, {
      headers: { authorization: `Bearer ${rm.key('reader')}`, 'last-event-id': String(position) },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/event-stream');
    const got: unknown[] = [];
    let text = '';
    for await (const chunk of answer.body) {
      text += String(chunk);
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const event = JSON.parse(data) as CtiEvent;
        expect(/^id: (\d+)$/m.exec(block)?.[1]).toBe(String(event.eventID));
        got.push(event);
      }
      if (got.length >= events.length) break;
    }
    expect(got).toEqual(events);
  });

  test('an id that has fallen out of the log is refused with EventsExpired; one that the log has is not', async () => {
    const oldest = witness.events[0]?.eventID ?? 1;
    const { callID } = await witness.call('RequestMakeCall', { thisDN: AGENT, otherDN: '91114001002' });
    await witness.event('EventEstablished', (e) => e.callID === callID && e.thisDN === AGENT);
    // The log lets whole nodes of its stream go: so many more than it holds, and the first are certainly gone.
    const wanted = lastID() + HELD + KEPT;
    for (let n = 0; lastID() < wanted; n += 1) {
      const some = Array.from({ length: 400 }, (_, i) =>
        witness.call('RequestUpdateAttachedData', { callID, attachedData: { n: n * 400 + i } }),
      );
      await Promise.all(some);
      await witness.until(
        (events) => events.filter((e) => e.messageID === 'EventAttachedDataChanged').length >= (n + 1) * 400,
      );
    }
    const client = await rm.client();
    const refusal = await client.refusal('Subscribe', { after: oldest });
    expect([refusal.code, refusal.message]).toEqual([-32010, 'EventsExpired']);
    const overHttp = await request(`${rm.base}/events?after=${oldest}`, {
      headers: { authorization: `Bearer ${rm.key('reader')}` },
    });
    expect(overHttp.statusCode).toBe(410);
    expect(await overHttp.body.json()).toMatchObject({ error: { code: -32010, message: 'EventsExpired' } });

    const kept = lastID() - KEPT;
    await client.call('Subscribe', { after: kept });
    await client.until((events) => events.length >= KEPT);
    expect(client.events).toEqual(witness.events.filter((e) => e.eventID > kept));
    const never = await rm.client();
    expect((await never.refusal('Subscribe', { after: lastID() + 1 })).message).toBe('EventsExpired');
    await witness.call('RequestClearCall', { callID });
    expectWhole(await witness.ended(callID));
  });
});
