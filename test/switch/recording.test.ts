import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { only } from '../support/call-events.ts';
import { CUSTOMER_TONE } from '../support/conversation.ts';
import { AGENT, CUSTOMER } from '../support/office.ts';
import {
  AGENT_TONE,
  COLLEAGUE,
  COLLEAGUE_TONE,
  inTurn,
  lasting,
  RecordingOffice,
  TALKING,
} from '../support/recording-office.ts';
import { fetchFile, listen } from '../support/wav.ts';

describe('a recorded call', () => {
  const office = new RecordingOffice({ mode: 'onRequest', earlyMedia: false });
  const { talk, bothEstablished, deleted, recordingOf } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  test('customer on the left, agent on the right; nothing of a pause is in it; a stop completes the file', async () => {
    const { callID, customer } = await talk();
    const { recordUUID } = await office.client.call('RequestStartRecording', { callID, thisDN: AGENT });
    expect(recordUUID).toMatch(/^[0-9a-f]{32}$/);
    await delay(1000);
    expect(await office.client.call('RequestPauseRecording', { callID })).toEqual({ recordUUID });
    await delay(1000);
    expect(await office.client.call('RequestResumeRecording', { callID })).toEqual({ recordUUID });
    await delay(1000);
    expect(await office.client.call('RequestStopRecording', { callID })).toEqual({ recordUUID });

    const url = `${office.rm.base}/recordings/${recordUUID}`;
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
    expect((await fetchFile(url, office.rm.key('reader'))).bytes.equals(bytes)).toBe(true);
    expect(only(office.client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(false);
  });

  /** Asks until the file is there: a stop has been accepted, and is then carried out. */
  async function expectFile(url: string) {
    for (;;) {
      const first = await fetchFile(url, office.rm.key('reader'));
      await delay(100);
      const second = await fetchFile(url, office.rm.key('reader'));
      if (first.status === 200 && first.bytes.length === second.bytes.length) return first;
    }
  }

  test('what is recorded after a stop goes on in the same file, and nothing of what lay between is in it', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(500);
    const { recordUUID } = await office.client.call('RequestStopRecording', { callID });
    await agent.sendTone(700);
    await customer.hears(700);
    await delay(500);
    await agent.sendTone(900);
    await customer.hears(900);
    expect(await office.client.call('RequestStartRecording', { callID })).toEqual({ recordUUID });
    await delay(700);
    await office.client.call('RequestClearCall', { callID });
    expect(lasting(await recordingOf(callID))).toEqual([TALKING, `${CUSTOMER_TONE}|900`]);
  });

  test('a call that asks for it is recorded from the conversation on, without early media', async () => {
    const { callID } = await office.client.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: CUSTOMER,
      recording: true,
    });
    const agent = await office.phone(AGENT).nextCall();
    await agent.answer();
    const customer = await office.customerPhone.nextCall();
    await customer.sendTone(2600);
    await customer.early();
    await agent.hears(2600);
    await delay(300);
    await customer.sendTone(CUSTOMER_TONE);
    await agent.hears(CUSTOMER_TONE);
    await customer.answer();
    await bothEstablished(callID);
    await delay(700);
    await agent.hangUp();
    expect(lasting(await recordingOf(callID))).toEqual([TALKING]);
    expect(only(office.client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(false);
  });

  test('held on the phone, consulted, made a conference and left to the colleague: one file, the customer always on the left', async () => {
    const { callID, agent, customer } = await talk(true);
    const hears = async (...hz: number[]): Promise<void> => {
      expect(await Promise.all(hz.map((one) => customer.hears(one)))).toEqual(hz.map(() => true));
      await delay(500);
    };
    await hears(AGENT_TONE);
    await agent.hold();
    await hears(office.music);
    await agent.retrieve();
    await hears(AGENT_TONE);
    const colleague = await consult(callID);
    await hears(office.music);
    await office.client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
    await hears(AGENT_TONE, COLLEAGUE_TONE);
    await office.client.call('RequestReleaseCall', { callID, thisDN: AGENT });
    await agent.waitFor('ended');
    await hears(COLLEAGUE_TONE);
    await colleague.hangUp();
    expect(inTurn(await recordingOf(callID))).toEqual([
      TALKING,
      `${CUSTOMER_TONE}|${office.music}`,
      TALKING,
      `${CUSTOMER_TONE}|${office.music}`,
      `${CUSTOMER_TONE}|${AGENT_TONE}+${COLLEAGUE_TONE}`,
      `${CUSTOMER_TONE}|${COLLEAGUE_TONE}`,
    ]);
  });

  test('held by request, consulted and transferred: the file goes on with whom the customer talks to now', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(500);
    await office.client.call('RequestHoldCall', { callID, thisDN: AGENT });
    expect(await customer.hears(office.music)).toBe(true);
    await delay(500);
    await office.client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    expect(await customer.hears(AGENT_TONE)).toBe(true);
    await delay(500);
    const colleague = await consult(callID);
    await agent.hears(COLLEAGUE_TONE);
    await delay(500);
    await office.client.call('RequestTransferConsult', { callID, thisDN: AGENT });
    await agent.waitFor('ended');
    await colleague.hears(CUSTOMER_TONE);
    await delay(500);
    await colleague.hangUp();
    const moments = await recordingOf(callID);
    expect(inTurn(moments)).toEqual([
      TALKING,
      `${CUSTOMER_TONE}|${office.music}`,
      TALKING,
      `${CUSTOMER_TONE}|${office.music}`,
      `${CUSTOMER_TONE}|${COLLEAGUE_TONE}`,
    ]);
    // What agent and colleague said to each other is not in it.
    expect(moments.some((m) => m.right.includes(AGENT_TONE) && m.right.includes(COLLEAGUE_TONE))).toBe(false);
  });

  test('a single-step transfer: the same file, from one agent to the next', async () => {
    const { callID, agent, customer } = await talk(true);
    await delay(1000);
    await office.client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: COLLEAGUE });
    const colleague = await office.phone(COLLEAGUE).nextCall();
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
    await office.client.call('RequestInitiateConsult', { callID, thisDN: AGENT, otherDN: COLLEAGUE });
    const colleague = await office.phone(COLLEAGUE).nextCall();
    await colleague.answer();
    await office.client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === COLLEAGUE);
    return colleague;
  }

  test('an internal call: the first party on the left, the other on the right', async () => {
    const { callID } = await office.client.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: COLLEAGUE,
      recording: true,
    });
    const agent = await office.phone(AGENT).nextCall();
    await agent.answer();
    const colleague = await office.phone(COLLEAGUE).nextCall();
    await colleague.answer();
    await bothEstablished(callID);
    await delay(700);
    await colleague.hangUp();
    expect(inTurn(await recordingOf(callID))).toEqual([`${AGENT_TONE}|${COLLEAGUE_TONE}`]);
  });
});
