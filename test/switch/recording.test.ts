import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { EventOf } from '../../src/cti/events.ts';
import { only } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { Refused, type RpcClient } from '../support/rpc-client.ts';
import { fetchFile, listen, type Moment, story } from '../support/wav.ts';

const AGENT = '1018';
const COLLEAGUE = '1019';
/** A telephone of the lab that answers, and takes any number of calls. */
const STANDING = '1001';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const AGENT_TONE = agentTone(AGENT);
const COLLEAGUE_TONE = agentTone(COLLEAGUE);
const TALKING = `${CUSTOMER_TONE}|${AGENT_TONE}`;

/** What of a recording lasted: what is shorter is the change from one sound to the next. */
const lasting = (moments: readonly Moment[], tenths = 2): string[] =>
  story(moments)
    .filter((one) => one.tenths >= tenths)
    .map((one) => one.sounds)
    .filter((sounds, i, all) => sounds !== all[i - 1]);

/** Whom the customer heard, in turn. From one to the next nobody may be heard for as long as the machine takes. */
const inTurn = (moments: readonly Moment[]): string[] =>
  lasting(moments)
    .filter((sounds) => sounds !== `${CUSTOMER_TONE}|`)
    .filter((sounds, i, all) => sounds !== all[i - 1]);

describe('a recorded call', () => {
  let lab: Lab;
  let music: number;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let colleaguePhone: Phone;
  let customerPhone: Phone;

  const start = (earlyMedia: boolean, mode: 'all' | 'onRequest'): Promise<Ringmaster> =>
    ringmaster(lab, (settings) => {
      for (const trunk of settings.trunks) {
        if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customerPhone.port}`;
      }
      for (const company of settings.companies) {
        Object.assign(company, { recording: { mode, earlyMedia } });
        const listening = company.keys?.find((key) => key.name === 'everything');
        if (listening) {
          company.keys?.push({ name: 'no-reader', key: 'a-key-that-may-call-and-not-read', scopes: ['call'] });
        }
      }
    });

  beforeAll(async () => {
    lab = await testLab();
    music = lab.file.asterisk.musicTone;
    [agentPhone, colleaguePhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, COLLEAGUE),
      openCustomerPhone(lab, CUSTOMER),
    ]);
    rm = await start(false, 'onRequest');
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone?.close(), colleaguePhone?.close(), customerPhone?.close()]);
  });

  interface Talk {
    readonly callID: string;
    readonly agent: PhoneCall;
    readonly customer: PhoneCall;
  }

  /** A call of agent and customer, both talking. */
  async function talk(recording?: boolean, by = client): Promise<Talk> {
    const { callID } = await by.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: CUSTOMER,
      ...(recording !== undefined && { recording }),
    });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.answer();
    await established(callID, by);
    await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(AGENT_TONE)]);
    return { callID, agent, customer };
  }

  const established = (callID: string, by = client) =>
    by.until(
      (events) =>
        events.filter((e) => e.messageID === 'EventEstablished' && 'callID' in e && e.callID === callID).length >= 2,
    );

  async function deleted(callID: string, by = client): Promise<EventOf<'EventCallDeleted'>> {
    return only(await by.ended(callID), 'EventCallDeleted');
  }

  /** The recording that a call's end names, as its moments. */
  async function recordingOf(callID: string, by = client): Promise<Moment[]> {
    const { recordUrl } = await deleted(callID, by);
    const { status, bytes } = await fetchFile(recordUrl ?? '', rm.key('reader'));
    expect(status).toBe(200);
    return listen(bytes);
  }

  test('customer on the left, agent on the right; nothing of a pause is in it; a stop completes the file', async () => {
    const { callID, customer } = await talk();
    const { recordUUID } = await client.call('RequestStartRecording', { callID, thisDN: AGENT });
    expect(recordUUID).toMatch(/^[0-9a-f]{32}$/);
    await delay(1000);
    expect(await client.call('RequestPauseRecording', { callID })).toEqual({ recordUUID });
    await delay(1000);
    expect(await client.call('RequestResumeRecording', { callID })).toEqual({ recordUUID });
    await delay(1000);
    expect(await client.call('RequestStopRecording', { callID })).toEqual({ recordUUID });

    const url = `${rm.base}/recordings/${recordUUID}`;
    const { bytes } = await expectFile(url);
    const moments = listen(bytes);
    expect(lasting(moments)).toEqual([TALKING, '|', TALKING]);
    expect(moments.filter((m) => m.silent).length).toBeGreaterThanOrEqual(7);
    expect(moments.every((m) => m.left.every((hz) => hz === CUSTOMER_TONE))).toBe(true);
    expect(moments.every((m) => m.right.every((hz) => hz === AGENT_TONE))).toBe(true);

    await delay(500);
    await customer.hangUp();
    const end = await deleted(callID);
    expect(end).toMatchObject({ recordUUID, recordUrl: url });
    expect((await fetchFile(url, rm.key('reader'))).bytes.equals(bytes)).toBe(true);
    expect(only(client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(false);
  });

  /** Asks until the file is there: a stop has been accepted, and is then carried out. */
  async function expectFile(url: string) {
    for (;;) {
      const first = await fetchFile(url, rm.key('reader'));
      await delay(100);
      const second = await fetchFile(url, rm.key('reader'));
      if (first.status === 200 && first.bytes.length === second.bytes.length) return first;
    }
  }

  test('what is recorded after a stop goes on in the same file, and nothing of what lay between is in it', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(500);
    const { recordUUID } = await client.call('RequestStopRecording', { callID });
    await agent.sendTone(700);
    await customer.hears(700);
    await delay(500);
    await agent.sendTone(900);
    await customer.hears(900);
    expect(await client.call('RequestStartRecording', { callID })).toEqual({ recordUUID });
    await delay(700);
    await client.call('RequestClearCall', { callID });
    expect(lasting(await recordingOf(callID))).toEqual([TALKING, `${CUSTOMER_TONE}|900`]);
  });

  test('a call that asks for it is recorded from the conversation on, without early media', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER, recording: true });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.sendTone(2600);
    await customer.early();
    await agent.hears(2600);
    await delay(300);
    await customer.sendTone(CUSTOMER_TONE);
    await agent.hears(CUSTOMER_TONE);
    await customer.answer();
    await established(callID);
    await delay(700);
    await agent.hangUp();
    expect(lasting(await recordingOf(callID))).toEqual([TALKING]);
    expect(only(client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(false);
  });

  test('held on the phone, consulted, made a conference and left to the colleague: one file, the customer always on the left', async () => {
    const { callID, agent, customer } = await talk(true);
    const hears = async (...hz: number[]): Promise<void> => {
      expect(await Promise.all(hz.map((one) => customer.hears(one)))).toEqual(hz.map(() => true));
      await delay(500);
    };
    await hears(AGENT_TONE);
    await agent.hold();
    await hears(music);
    await agent.retrieve();
    await hears(AGENT_TONE);
    const colleague = await consult(callID);
    await hears(music);
    await client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
    await hears(AGENT_TONE, COLLEAGUE_TONE);
    await client.call('RequestReleaseCall', { callID, thisDN: AGENT });
    await agent.waitFor('ended');
    await hears(COLLEAGUE_TONE);
    await colleague.hangUp();
    expect(inTurn(await recordingOf(callID))).toEqual([
      TALKING,
      `${CUSTOMER_TONE}|${music}`,
      TALKING,
      `${CUSTOMER_TONE}|${music}`,
      `${CUSTOMER_TONE}|${AGENT_TONE}+${COLLEAGUE_TONE}`,
      `${CUSTOMER_TONE}|${COLLEAGUE_TONE}`,
    ]);
  });

  test('held by request, consulted and transferred: the file goes on with whom the customer talks to now', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(500);
    await client.call('RequestHoldCall', { callID, thisDN: AGENT });
    expect(await customer.hears(music)).toBe(true);
    await delay(500);
    await client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    expect(await customer.hears(AGENT_TONE)).toBe(true);
    await delay(500);
    const colleague = await consult(callID);
    await agent.hears(COLLEAGUE_TONE);
    await delay(500);
    await client.call('RequestTransferConsult', { callID, thisDN: AGENT });
    await agent.waitFor('ended');
    await colleague.hears(CUSTOMER_TONE);
    await delay(500);
    await colleague.hangUp();
    const moments = await recordingOf(callID);
    expect(inTurn(moments)).toEqual([
      TALKING,
      `${CUSTOMER_TONE}|${music}`,
      TALKING,
      `${CUSTOMER_TONE}|${music}`,
      `${CUSTOMER_TONE}|${COLLEAGUE_TONE}`,
    ]);
    // What agent and colleague said to each other is not in it.
    expect(moments.some((m) => m.right.includes(AGENT_TONE) && m.right.includes(COLLEAGUE_TONE))).toBe(false);
  });

  test('a single-step transfer: the same file, from one agent to the next', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(1000);
    await client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: COLLEAGUE });
    const colleague = await colleaguePhone.nextCall();
    await colleague.answer();
    await agent.waitFor('ended');
    await customer.hears(COLLEAGUE_TONE);
    await delay(700);
    await colleague.hangUp();
    const moments = await recordingOf(callID);
    expect(inTurn(moments)).toEqual([TALKING, `${CUSTOMER_TONE}|${COLLEAGUE_TONE}`]);
    // All of it: what Asterisk would leave out until the packets of the second have overtaken those of the first.
    expect(moments.filter((m) => m.right.includes(COLLEAGUE_TONE)).length).toBeGreaterThanOrEqual(7);
  });

  /** The agent consults the colleague, who answers. */
  async function consult(callID: string): Promise<PhoneCall> {
    await client.call('RequestInitiateConsult', { callID, thisDN: AGENT, otherDN: COLLEAGUE });
    const colleague = await colleaguePhone.nextCall();
    await colleague.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === COLLEAGUE);
    return colleague;
  }

  test('refusals leave the call as it was', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    const refusal = async (method: string, more = {}) => (await client.refusal(method, { callID, ...more })).message;
    expect(await refusal('RequestStartRecording')).toBe('InvalidAgentState');
    await customer.answer();
    await established(callID);
    expect(await refusal('RequestStopRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestPauseRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestResumeRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestStartRecording', { thisDN: COLLEAGUE })).toBe('NotFoundParty');
    expect(await refusal('RequestStartRecording', { callID: `${'0'.repeat(32)}000` })).toBe('NotFoundCallID');
    const other = await rm.client('other');
    expect((await other.refusal('RequestStartRecording', { callID })).message).toBe('NotFoundCallID');
    await client.call('RequestStartRecording', { callID });
    expect(await refusal('RequestStartRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestResumeRecording')).toBe('InvalidAgentState');
    await client.call('RequestPauseRecording', { callID });
    expect(await refusal('RequestPauseRecording')).toBe('InvalidAgentState');
    await agent.hangUp();
    await deleted(callID);
  });

  test('an internal call: the first party on the left, the other on the right', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: COLLEAGUE, recording: true });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const colleague = await colleaguePhone.nextCall();
    await colleague.answer();
    await established(callID);
    await delay(700);
    await colleague.hangUp();
    expect(inTurn(await recordingOf(callID))).toEqual([`${AGENT_TONE}|${COLLEAGUE_TONE}`]);
  });

  test('a recording is served to its own company alone, and to keys that may read', async () => {
    const { callID, agent } = await talk(true);
    await delay(400);
    await agent.hangUp();
    const { recordUrl = '' } = await deleted(callID);
    const status = async (url: string, key?: string) => (await fetchFile(url, key)).status;
    const reader = rm.key('reader');
    const whole = await fetchFile(recordUrl, reader);
    expect(whole.status).toBe(200);
    expect(whole.headers).toMatchObject({ 'content-type': 'audio/wav', 'cache-control': 'no-store' });
    expect(await status(recordUrl)).toBe(401);
    expect(await status(recordUrl, 'no-such-key-at-all-0000')).toBe(401);
    expect(await status(recordUrl, 'a-key-that-may-call-and-not-read')).toBe(403);
    expect(await status(recordUrl, rm.key('other'))).toBe(404);
    expect(await status(`${recordUrl}.wav`, reader)).toBe(200);
    for (const name of ['0'.repeat(32), 'x', '..%2f..%2fetc%2fpasswd', `..%2f${recordUrl.slice(-32)}`, '%00']) {
      expect([name, await status(`${rm.base}/recordings/${name}`, reader)]).toEqual([name, 404]);
    }
    const head = await fetchFile(recordUrl, reader, {}, 'HEAD');
    expect([head.status, head.headers['content-length']]).toEqual([200, String(whole.bytes.length)]);
    const part = await fetchFile(recordUrl, reader, { range: 'bytes=40-1043' });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 40-1043/${whole.bytes.length}`]);
    expect(part.bytes.equals(whole.bytes.subarray(40, 1044))).toBe(true);
    const tail = await fetchFile(recordUrl, reader, { range: 'bytes=-100' });
    expect(tail.bytes.equals(whole.bytes.subarray(-100))).toBe(true);
    expect(await fetchFile(recordUrl, reader, { range: `bytes=${whole.bytes.length}-` })).toMatchObject({
      status: 416,
      headers: { 'content-range': `bytes */${whole.bytes.length}` },
    });
  });

  test('starts and ends that meet leave nothing behind, and a file that a call names is there, whole', async () => {
    const calls = 50;
    const byRequest = (i: number) => i % 2 === 1;
    const ended = { named: 0, unnamed: 0 };
    const one = async (i: number): Promise<void> => {
      const { callID } = await client.call('RequestMakeCall', {
        thisDN: STANDING,
        otherDN: CUSTOMER,
        recording: !byRequest(i),
      });
      await established(callID);
      const asked = ['RequestStartRecording', 'RequestPauseRecording', 'RequestStopRecording']
        .filter((_, n) => (n === 0 ? byRequest(i) : i % (n + 2) === 0))
        .map((method) => client.ask(method, { callID }).catch(expectRefusal));
      if (i % 5 !== 0) await delay(i * 4);
      await client.call('RequestReleaseCall', { callID, thisDN: STANDING });
      await Promise.all(asked);
      const { recordUrl } = await deleted(callID);
      ended[recordUrl === undefined ? 'unnamed' : 'named'] += 1;
      if (recordUrl === undefined) return;
      const now = await fetchFile(recordUrl, rm.key('reader'));
      await delay(200);
      const later = await fetchFile(recordUrl, rm.key('reader'));
      expect([now.status, now.bytes.length]).toEqual([200, later.bytes.length]);
    };
    const answering = (async () => {
      for (let i = 0; i < calls; i += 1) void (await customerPhone.nextCall()).answer();
    })();
    const numbers = Array.from({ length: calls }, (_, i) => i);
    for (let from = 0; from < calls; from += 10) await Promise.all(numbers.slice(from, from + 10).map(one));
    await answering;
    expect(ended.named).toBeGreaterThan(calls / 4);
  });

  const expectRefusal = (error: unknown): void => {
    expect(error).toBeInstanceOf(Refused);
    expect(['InvalidAgentState', 'NotFoundCallID']).toContain((error as Refused).message);
  };

  describe('where the company records everything, early media too', () => {
    let all: Ringmaster;
    let subscriber: RpcClient;

    beforeAll(async () => {
      await client.close();
      await rm.close();
      all = await start(true, 'all');
      rm = all;
      subscriber = await all.subscriber();
    });

    test('early media is in the recording, and is told', async () => {
      const { callID } = await subscriber.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
      const agent = await agentPhone.nextCall();
      await agent.answer();
      const customer = await customerPhone.nextCall();
      await customer.sendTone(2600);
      await customer.early();
      await agent.hears(2600);
      await delay(700);
      await customer.sendTone(CUSTOMER_TONE);
      await customer.answer();
      await established(callID, subscriber);
      await delay(700);
      await agent.hangUp();
      expect(lasting(await recordingOf(callID, subscriber))).toEqual([`2600|${AGENT_TONE}`, TALKING]);
      expect(only(subscriber.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(true);
      expect(only(subscriber.of(callID), 'EventReleased', AGENT).recordedEarlymedia).toBe(false);
    });

    test('a customer who is never reached leaves what the network said', async () => {
      const { callID } = await subscriber.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
      const agent = await agentPhone.nextCall();
      await agent.answer();
      const customer = await customerPhone.nextCall();
      await customer.early();
      await agent.hears(CUSTOMER_TONE);
      await delay(500);
      await customer.refuse(486);
      expect(lasting(await recordingOf(callID, subscriber))).toEqual([TALKING]);
      expect(only(subscriber.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(true);
    });

    test('a call from outside is recorded from the conversation on', async () => {
      const caller = await customerPhone.call('911140001000');
      await caller.waitFor('answered');
      const { callID } = await subscriber.event('EventCallCreated', (e) => e.callType === 'Inbound');
      await established(callID, subscriber);
      await delay(700);
      await caller.hangUp();
      expect(lasting(await recordingOf(callID, subscriber))).toEqual([`${CUSTOMER_TONE}|${agentTone(STANDING)}`]);
    });
  });
});
