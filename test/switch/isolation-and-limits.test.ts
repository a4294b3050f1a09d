import { once } from 'node:events';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { customerTone } from '../../lab/standing.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import { openAgentPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { Refused, RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';
const CUSTOMER = '91114001007';
const FLOOD = 10_000;
const PER_SECOND = 200;

describe('while a call is in progress', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    agentPhone = await openAgentPhone(lab, AGENT);
    rm = await ringmaster(lab, (settings) => {
      for (const company of settings.companies) {
        company.keys = (company.keys ?? []).map((key) => ({ ...key, requestsPerSecond: PER_SECOND }));
      }
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await agentPhone.close();
  });

  /** A call in which both talk. */
  async function talking() {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    return { callID, agent };
  }

  /** The call still talks, nothing was told of it in between, and it ends as every call does. */
  async function unharmed({ callID, agent }: Awaited<ReturnType<typeof talking>>): Promise<void> {
    expect(await agent.hears(customerTone(CUSTOMER))).toBe(true);
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual([
      `EventCallCreated(${AGENT})`,
      `EventDialing(${AGENT})`,
      `EventRinging(${CUSTOMER})`,
      `EventOtherRinging(${AGENT})`,
      `EventEstablished(${AGENT})`,
      `EventEstablished(${CUSTOMER})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(only(events, 'EventCallDeleted').connectionStatus).toBe('Connected');
  }

  /** POST /rpc with anything at all. */
  async function post(body: string, key?: string): Promise<{ status: number; body: unknown }> {
    const answer = await request(`${rm.base}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      body,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  test('another company’s key hears nothing of it, and every request on it is NotFoundCallID', async () => {
    const stranger = await rm.subscriber('other');
    const call = await talking();
    const { callID } = call;
    for (const [method, params] of [
      ['RequestGetCallInfo', { callID }],
      ['RequestReleaseCall', { callID, thisDN: AGENT }],
      ['RequestClearCall', { callID }],
      ['RequestAnswerCall', { callID, thisDN: AGENT }],
      ['RequestUpdateAttachedData', { callID, attachedData: { stolen: true } }],
    ] as const) {
      const refusal = await stranger.refusal(method, { referenceID: 1, ...params });
      expect([method, refusal.code, refusal.message]).toEqual([method, 301004, 'NotFoundCallID']);
    }
    expect(await stranger.call('RequestListCalls', {})).toEqual({ calls: [] });
    await unharmed(call);
    const gone = await stranger.refusal('RequestGetCallInfo', { callID });
    expect(gone.message).toBe('NotFoundCallID');
    await stranger.until((events) => events.length >= 6);
    // What it has heard are its own refusals, in its own company's log.
    expect(new Set(stranger.events.map((e) => `${e.messageID} ${e.companyId}`))).toEqual(
      new Set([`EventPartyError ${lab.file.companies[1]?.companyId}`]),
    );
    expect(client.events.filter((e) => e.companyId !== rm.companyId)).toEqual([]);
  });

  test('no key and a wrong key: 401, and the socket is never opened; a key without the scope: Forbidden', async () => {
    const ask = '{"jsonrpc":"2.0","id":1,"method":"RequestListCalls","params":{}}';
    expect((await post(ask)).status).toBe(401);
    expect((await post(ask, 'wrong-key-wrong-key')).status).toBe(401);
    expect((await request(`${rm.base}/events`)).statusCode).toBe(401);
    const ws = rm.base.replace('http', 'ws');
    await expect(RpcClient.open(`${ws}/rpc`, undefined)).rejects.toThrow('401');
    await expect(RpcClient.open(`${ws}/rpc`, 'wrong-key-wrong-key')).rejects.toThrow('401');
    expect((await post(ask, rm.key('reader'))).body).toEqual({ jsonrpc: '2.0', id: 1, result: { calls: [] } });
    const reader = await rm.client('reader');
    const refusal = await reader.refusal('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    expect([refusal.code, refusal.message]).toEqual([-32003, 'Forbidden']);
  });

  test('broken JSON, no request, unknown methods and wrong types: the documented refusals, and the call goes on', async () => {
    const call = await talking();
    const key = rm.key('everything');
    expect(await post('{"jsonrpc":', key)).toMatchObject({ status: 400, body: { id: null, error: { code: -32700 } } });
    for (const [body, code] of [
      ['[]', -32600],
      ['42', -32600],
      ['{"jsonrpc":"1.0","id":1,"method":"RequestListCalls"}', -32600],
      ['{"jsonrpc":"2.0","id":1,"method":"RequestTeaBreak","params":{}}', -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"toString","params":{}}', -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"Subscribe","params":{}}', -32601],
    ] as const) {
      expect([body, (await post(body, key)).body]).toMatchObject([body, { error: { code } }]);
    }
    for (const [params, path] of [
      [{ thisDN: 1018, otherDN: CUSTOMER }, 'thisDN'],
      [{ thisDN: AGENT }, 'otherDN'],
      [{ thisDN: AGENT, otherDN: CUSTOMER, ringTimeout: 'long' }, 'ringTimeout'],
      [{ thisDN: AGENT, otherDN: CUSTOMER, firstLeg: 'nobody' }, 'firstLeg'],
      [{ thisDN: AGENT, otherDN: CUSTOMER, attachedData: [] }, 'attachedData'],
      [{ thisDN: AGENT, otherDN: CUSTOMER, referenceID: 1.5 }, 'referenceID'],
      [{ thisDN: AGENT, otherDN: CUSTOMER, surprise: true }, ''],
    ] as const) {
      const refusal = await client.refusal('RequestMakeCall', params);
      expect([refusal.code, refusal.message]).toEqual([301018, 'InvalidParams']);
      expect(refusal.data).toMatchObject({ issues: [{ path, reason: expect.any(String) }] });
    }
    const published = await client.event('EventPartyError', (e) => e.errorCode === 301018);
    expect(published).toMatchObject({ errorMessage: 'InvalidParams', request: 'RequestMakeCall' });
    await unharmed(call);
  });

  test('300 KiB: 413 over HTTP, 1009 on a socket; the call and the other sockets of the key go on', async () => {
    const call = await talking();
    const large = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'RequestUpdateAttachedData',
      params: { callID: call.callID, attachedData: { text: 'x'.repeat(300 * 1024) } },
    });
    expect((await post(large, rm.key('everything'))).status).toBe(413);
    const socket = new WebSocket(`${rm.base.replace('http', 'ws')}/rpc`, {
      headers: { authorization: `Bearer ${rm.key('everything')}` },
    });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(large);
    expect((await closed)[0]).toBe(1009);
    expect((await client.call('RequestGetCallInfo', { callID: call.callID })).attachedData).toEqual({});
    await unharmed(call);
  });

  test('10,000 requests at once from one key: all over its rate are RequestTooFast; others are served', async () => {
    const call = await talking();
    const flooder = await rm.client('dialer');
    const flood = Array.from({ length: FLOOD }, () =>
      flooder.ask('RequestListCalls', {}).then(
        () => 'served',
        (error: unknown) => (error instanceof Refused ? `${error.code} ${error.message}` : Promise.reject(error)),
      ),
    );
    const [heard, other] = await Promise.all([
      call.agent.hears(customerTone(CUSTOMER)),
      client.call('RequestGetCallInfo', { callID: call.callID }),
    ]);
    expect(heard).toBe(true);
    expect(other.callID).toBe(call.callID);
    const answers = await Promise.all(flood);
    const served = answers.filter((answer) => answer === 'served').length;
    expect(new Set(answers)).toEqual(new Set(['served', '301027 RequestTooFast']));
    expect(served).toBeGreaterThanOrEqual(PER_SECOND);
    expect(served).toBeLessThan(FLOOD / 2);
    // A flood of refusals does not become a flood of events.
    const published = client.events.filter((e) => e.messageID === 'EventPartyError' && e.errorCode === 301027);
    expect(published.length).toBeGreaterThan(0);
    expect(published.length).toBeLessThan(FLOOD / 50);
    await unharmed(call);
  });
});
