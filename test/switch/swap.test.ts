import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { type Conversation, CUSTOMER_TONE, openPair, type Pair } from '../support/conversation.ts';
import { type Hearing, hearing } from '../support/hearing.ts';
import { openAgentPhone, testLab } from '../support/lab.ts';

const AGENT = '1020';
const GUEST = '1094';
const CUSTOMER = '911140099104';
const CONSULTING = { agent: ['guest'], guest: ['agent'], customer: ['music'] };
const SWAPPED = { agent: ['customer'], customer: ['agent'], guest: ['music'] };
const ALL = { agent: ['customer', 'guest'], customer: ['agent', 'guest'], guest: ['agent', 'customer'] };

/** A call of three: by consultation, or all at once. */
interface Three extends Conversation {
  readonly guest: PhoneCall;
  readonly hearing: Hearing;
}

describe('hold among three', () => {
  let pair: Pair;
  let guestPhone: Phone;

  beforeAll(async () => {
    const lab = await testLab();
    guestPhone = await openAgentPhone(lab, GUEST);
    pair = await openPair(lab, AGENT, CUSTOMER);
  });

  afterEach((context) => pair.rm.afterTest(context));

  afterAll(async () => {
    await pair?.close();
    await guestPhone?.close();
  });

  const ask = (method: 'RequestHoldCall' | 'RequestRetrieveCall', { callID }: Conversation, thisDN: string, ref = 0) =>
    pair.client.call(method, { callID, thisDN, referenceID: ref });

  async function withGuest(method: 'RequestInitiateConsult' | 'RequestSingleStepConference'): Promise<Three> {
    const two = await pair.talk();
    await pair.client.call(method, { callID: two.callID, thisDN: AGENT, otherDN: GUEST });
    const guest = await guestPhone.nextCall();
    await guest.answer();
    await pair.client.event('EventEstablished', (e) => e.callID === two.callID && e.thisDN === GUEST);
    const speakers = {
      agent: { call: two.agent, tone: agentTone(AGENT) },
      customer: { call: two.customer, tone: CUSTOMER_TONE },
      guest: { call: guest, tone: agentTone(GUEST) },
    };
    return { ...two, guest, hearing: hearing(speakers) };
  }

  /** Events since all three were there, once the call has ended. */
  const ended = async ({ callID }: Three) => {
    const events = await pair.client.ended(callID);
    expectWhole(events);
    return events.slice(events.findIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === GUEST) + 1);
  };

  test('in a consultation the host swaps to the customer and back, and comes back to the customer for good', async () => {
    const three = await withGuest('RequestInitiateConsult');
    await three.hearing.is(CONSULTING);
    await ask('RequestHoldCall', three, AGENT, 71);
    await three.hearing.is(SWAPPED);
    const twice = await pair.client.refusal('RequestHoldCall', { callID: three.callID, thisDN: AGENT });
    expect(twice.message).toBe('HeldInProcess');
    await ask('RequestRetrieveCall', three, AGENT, 72);
    await three.hearing.is(CONSULTING);
    await ask('RequestHoldCall', three, AGENT, 73);
    await three.hearing.is(SWAPPED);
    await pair.client.call('RequestRetrieveConsult', { callID: three.callID, thisDN: AGENT, referenceID: 74 });
    await three.guest.waitFor('ended');
    await hearing({
      agent: { call: three.agent, tone: agentTone(AGENT) },
      customer: { call: three.customer, tone: CUSTOMER_TONE },
    }).is({ agent: ['customer'], customer: ['agent'] });
    await three.customer.hangUp();
    const events = await ended(three);
    const holds = events.filter((e) => e.messageID === 'EventHeld' || e.messageID === 'EventRetrieved');
    expect(holds.map((e) => [e.messageID, e.thisDN, e.otherDN, e.referenceID])).toEqual([
      ['EventHeld', AGENT, GUEST, 71],
      ['EventRetrieved', AGENT, GUEST, 72],
      ['EventHeld', AGENT, GUEST, 73],
      ['EventRetrieved', AGENT, GUEST, 74],
    ]);
  });

  test('the guest who waits, swapped, hangs up: the host stays with the customer', async () => {
    const three = await withGuest('RequestInitiateConsult');
    await ask('RequestHoldCall', three, AGENT);
    await three.hearing.is(SWAPPED);
    await three.guest.hangUp();
    await pair.client.event('EventRetrieved', (e) => e.callID === three.callID);
    expect(await Promise.all([three.agent.hears(CUSTOMER_TONE), three.customer.hears(agentTone(AGENT))])).toEqual([
      true,
      true,
    ]);
    await three.agent.hangUp();
    await three.customer.waitFor('ended');
    await ended(three);
  });

  test('swapped, the host transfers: the guest and the customer talk', async () => {
    const three = await withGuest('RequestInitiateConsult');
    await ask('RequestHoldCall', three, AGENT);
    await three.hearing.is(SWAPPED);
    await pair.client.call('RequestTransferConsult', { callID: three.callID, thisDN: AGENT });
    await three.agent.waitFor('ended');
    await hearing({
      guest: { call: three.guest, tone: agentTone(GUEST) },
      customer: { call: three.customer, tone: CUSTOMER_TONE },
    }).is({ guest: ['customer'], customer: ['guest'] });
    await three.customer.hangUp();
    await three.guest.waitFor('ended');
    await ended(three);
  });

  test('a muted host is muted in every bridge: with the guest, with the customer, and with both', async () => {
    const three = await withGuest('RequestInitiateConsult');
    await pair.client.call('RequestMuteCall', { callID: three.callID, thisDN: AGENT });
    await three.hearing.is({ ...CONSULTING, guest: [] });
    await ask('RequestHoldCall', three, AGENT);
    await three.hearing.is({ ...SWAPPED, customer: [] });
    await ask('RequestRetrieveCall', three, AGENT);
    await pair.client.call('RequestConferenceConsult', { callID: three.callID, thisDN: AGENT });
    await three.hearing.is({ agent: ['customer', 'guest'], customer: ['guest'], guest: ['customer'] });
    await pair.client.call('RequestUnmuteCall', { callID: three.callID, thisDN: AGENT });
    await three.hearing.is(ALL);
    await pair.client.call('RequestClearCall', { callID: three.callID });
    await Promise.all([three.agent, three.customer, three.guest].map((call) => call.waitFor('ended')));
    await ended(three);
  });

  test('in a conference the others go on talking, whoever holds, on the phone too', async () => {
    const three = await withGuest('RequestSingleStepConference');
    await three.hearing.is(ALL);
    await ask('RequestHoldCall', three, AGENT);
    await three.hearing.is({ agent: [], customer: ['guest'], guest: ['customer'] });
    await ask('RequestRetrieveCall', three, AGENT);
    await three.hearing.is(ALL);
    await three.guest.hold();
    await pair.client.event('EventHeld', (e) => e.callID === three.callID && e.thisDN === GUEST);
    await three.hearing.is({ agent: ['customer'], customer: ['agent'], guest: [] });
    await ask('RequestHoldCall', three, AGENT);
    await three.hearing.is({ agent: [], customer: ['music'], guest: [] });
    await three.guest.retrieve();
    await three.hearing.is({ agent: [], customer: ['guest'], guest: ['customer'] });
    await ask('RequestRetrieveCall', three, AGENT);
    await three.hearing.is(ALL);
    await pair.client.call('RequestSendDtmf', { callID: three.callID, thisDN: AGENT, dtmfDigits: '5' });
    await Promise.all([three.customer.waitFor('dtmf'), three.guest.waitFor('dtmf')]);
    await pair.client.call('RequestClearCall', { callID: three.callID });
    await Promise.all([three.agent, three.customer, three.guest].map((call) => call.waitFor('ended')));
    expect(told(await ended(three)).filter((e) => /Held|Retrieved/.test(e))).toEqual([
      `EventHeld(${AGENT})`,
      `EventRetrieved(${AGENT})`,
      `EventHeld(${GUEST})`,
      `EventHeld(${AGENT})`,
      `EventRetrieved(${GUEST})`,
      `EventRetrieved(${AGENT})`,
    ]);
  });
});
