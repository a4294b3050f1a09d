import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Call } from '../../src/calls/call.ts';
import { expectWhole, plain, told } from '../support/call-events.ts';
import { type Conversation, openPair, type Pair } from '../support/conversation.ts';
import { testLab } from '../support/lab.ts';

const AGENT = '1019';
const CUSTOMER = '911140099102';
const TALKING = { agent: ['customer'], customer: ['agent'] };
const AGENT_MUTED = { agent: ['customer'], customer: [] };
const ALL_DIGITS = '0123456789ABCD*#';

let lab: Lab;
let pair: Pair;

beforeAll(async () => {
  lab = await testLab();
  pair = await openPair(lab, AGENT, CUSTOMER);
});

afterEach((context) => pair.rm.afterTest(context));

afterAll(() => pair?.close());

const refusal = async (method: string, callID: string, thisDN: string, more = {}): Promise<string> =>
  (await pair.client.refusal(method, { callID, thisDN, ...more })).message;

/** Ends the call and returns its events from the moment that both talked. */
async function end({ callID, agent, customer }: Conversation) {
  await customer.hangUp();
  const events = await pair.client.ended(callID);
  await agent.waitFor('ended');
  expectWhole(events);
  return events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished') + 1);
}

const ofAgent = (callID: string) => ({
  callID,
  companyId: pair.rm.companyId,
  callType: 'Outbound',
  ANI: '911140001000',
  DNIS: CUSTOMER,
  attachedData: { orderID: '123' },
  partyID: `${callID}-1`,
  partyRole: 'Agent',
  thisDN: AGENT,
  otherDN: CUSTOMER,
});

describe('mute', () => {
  const ask = (method: 'RequestMuteCall' | 'RequestUnmuteCall', callID: string, referenceID: number, thisDN = AGENT) =>
    pair.client.call(method, { callID, thisDN, referenceID });

  test('the muted agent is not heard and hears; a second time is refused', async () => {
    const call = await pair.talk();
    const { callID } = call;
    await call.hearing.is(TALKING);
    expect(await refusal('RequestUnmuteCall', callID, AGENT)).toBe('InvalidAgentState');
    expect(await ask('RequestMuteCall', callID, 51)).toEqual({});
    await call.hearing.is(AGENT_MUTED);
    expect(await refusal('RequestMuteCall', callID, AGENT)).toBe('InvalidAgentState');
    expect(await ask('RequestUnmuteCall', callID, 52)).toEqual({});
    await call.hearing.is(TALKING);
    expect(plain(await end(call)).slice(0, 2)).toEqual([
      { messageID: 'EventMuted', ...ofAgent(callID), referenceID: 51 },
      { messageID: 'EventUnmuted', ...ofAgent(callID), referenceID: 52 },
    ]);
  });

  test('both may be muted, each for itself', async () => {
    const call = await pair.talk();
    await ask('RequestMuteCall', call.callID, 53);
    await ask('RequestMuteCall', call.callID, 54, CUSTOMER);
    await call.hearing.is({});
    await ask('RequestUnmuteCall', call.callID, 55);
    await call.hearing.is({ agent: [], customer: ['agent'] });
    await ask('RequestUnmuteCall', call.callID, 56, CUSTOMER);
    await call.hearing.is(TALKING);
    await end(call);
  });

  test('mute outlasts hold, of either side, and may change while it lasts', async () => {
    const { client } = pair;
    const call = await pair.talk();
    const { callID } = call;
    await ask('RequestMuteCall', callID, 57);
    await client.call('RequestHoldCall', { callID, thisDN: AGENT });
    await call.hearing.is({ agent: [], customer: ['music'] });
    await client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    await call.hearing.is(AGENT_MUTED);
    // Held by the customer, the muted agent leaves the bridge and comes back.
    await client.call('RequestHoldCall', { callID, thisDN: CUSTOMER });
    await call.hearing.is({ agent: ['music'], customer: [] });
    await client.call('RequestRetrieveCall', { callID, thisDN: CUSTOMER });
    await call.hearing.is(AGENT_MUTED);
    await client.call('RequestHoldCall', { callID, thisDN: CUSTOMER });
    await call.hearing.is({ agent: ['music'], customer: [] });
    await ask('RequestUnmuteCall', callID, 58);
    await ask('RequestMuteCall', callID, 59, CUSTOMER);
    await client.call('RequestRetrieveCall', { callID, thisDN: CUSTOMER });
    await call.hearing.is({ agent: [], customer: ['agent'] });
    await end(call);
  });
});

describe('digits', () => {
  const send = (callID: string, dtmfDigits: string, thisDN = AGENT, referenceID = 0) =>
    pair.client.call('RequestSendDtmf', { callID, thisDN, dtmfDigits, referenceID });

  /** Waits until a telephone has got so many digits. */
  const got = async (phone: PhoneCall, digits: string): Promise<string> => {
    for (let n = 0; n < digits.length; n += 1) await phone.waitFor('dtmf', 15_000);
    return phone.dtmf;
  };

  test('sent by request, every digit arrives at the customer’s phone, from a muted agent too', async () => {
    const call = await pair.talk();
    const { callID } = call;
    expect(await send(callID, ALL_DIGITS, AGENT, 61)).toEqual({});
    expect(await got(call.customer, ALL_DIGITS)).toBe(ALL_DIGITS);
    await pair.client.call('RequestMuteCall', { callID, thisDN: AGENT });
    await send(callID, '99#');
    expect(await got(call.customer, '99#')).toBe(`${ALL_DIGITS}99#`);
    await send(callID, '12', CUSTOMER);
    expect(await got(call.agent, '12')).toBe('12');
    expect(call.customer.dtmf).toBe(`${ALL_DIGITS}99#`);
    expect(await refusal('RequestSendDtmf', callID, AGENT, { dtmfDigits: '12E' })).toBe('InvalidParams');
    expect(await refusal('RequestSendDtmf', callID, AGENT, { dtmfDigits: '1'.repeat(65) })).toBe('InvalidParams');
    expect(await refusal('RequestSendDtmf', callID, '1999', { dtmfDigits: '1' })).toBe('NotFoundParty');
    const events = plain(await end(call));
    expect(events[0]).toEqual({
      messageID: 'EventDtmfSent',
      ...ofAgent(callID),
      referenceID: 61,
      dtmfDigits: ALL_DIGITS,
    });
    expect(events.filter((e) => e['messageID'] === 'EventDtmfSent')).toHaveLength(3);
  });

  test('pressed on a phone, they are heard by the other, kept with the call, and told in no event and no log', async () => {
    const call = await pair.talk();
    const { callID } = call;
    await call.agent.sendDtmf('7531');
    expect(await got(call.customer, '7531')).toBe('7531');
    await pair.client.call('RequestHoldCall', { callID, thisDN: AGENT });
    // Nobody hears what is pressed while the call is on hold; it is kept all the same.
    await call.hearing.is({ agent: [], customer: ['music'] });
    expect(await refusal('RequestSendDtmf', callID, AGENT, { dtmfDigits: '4' })).toBe('HeldInProcess');
    expect(await refusal('RequestSendDtmf', callID, CUSTOMER, { dtmfDigits: '4' })).toBe('HeldInProcess');
    await call.customer.sendDtmf('8642');
    await pair.client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    await call.agent.sendDtmf('*');
    expect(await got(call.customer, '*')).toBe('7531*');
    expect(call.agent.dtmf).toBe('');
    const events = await end(call);
    expect(told(events).slice(0, 2)).toEqual([`EventHeld(${AGENT})`, `EventRetrieved(${AGENT})`]);
    const stored = await storedCall(callID);
    expect(stored.parties.map((p) => p.digits)).toEqual(['7531*', '8642']);
    const logged = JSON.stringify(pair.rm.log);
    expect(/7531|8642|9ABCD/.test(logged)).toBe(false);
  });

  test('64 digits do not get in the way of hold and hang-up', async () => {
    const call = await pair.talk();
    const { callID } = call;
    const many = ALL_DIGITS.repeat(4);
    await send(callID, many);
    await pair.client.call('RequestHoldCall', { callID, thisDN: AGENT });
    await call.hearing.is({ agent: [], customer: ['music'] });
    // They were accepted before the hold: they go on arriving.
    expect(call.customer.dtmf.length).toBeLessThan(many.length);
    expect(await got(call.customer, many)).toBe(many);
    await pair.client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    await call.hearing.is(TALKING);
    await send(callID, many);
    await pair.client.call('RequestClearCall', { callID });
    expectWhole(await pair.client.ended(callID));
    await Promise.all([call.agent.waitFor('ended'), call.customer.waitFor('ended')]);
    expect(call.customer.dtmf.length).toBeLessThan(2 * many.length);
  });
});

async function storedCall(callID: string): Promise<Call> {
  const [key] = await pair.rm.keys(`*:call:${callID}`);
  const redis = createClient({ url: lab.file.redis.url });
  await redis.connect();
  try {
    return JSON.parse((await redis.hGet(key ?? '', 'd')) ?? 'null') as Call;
  } finally {
    redis.destroy();
  }
}
