import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MUSIC_HZ } from '../../lab/asterisk.ts';
import type { Behaviour } from '../../lab/phone/behaviour.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, only, plain, told } from '../support/call-events.ts';
import { type Conversation, openPair, type Pair } from '../support/conversation.ts';
import { testLab } from '../support/lab.ts';

const AGENT = '1018';
const CUSTOMER = '911140099101';
const TALKING = { agent: ['customer'], customer: ['agent'] };
const HELD_BY_AGENT = { agent: [], customer: ['music'] };
const HELD_BY_CUSTOMER = { agent: ['music'], customer: [] };
const HELD_BY_BOTH = { agent: ['music'], customer: ['music'] };

/** Obeys NOTIFY `Event: talk`, as desk telephones do; everything else the test does. */
const OBEDIENT: Behaviour = { name: 'obedient', steps: [], answersOnTalk: true };

describe('hold', () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await openPair(await testLab(), AGENT, CUSTOMER, { behaviour: OBEDIENT });
  });

  afterEach((context) => pair.rm.afterTest(context));

  afterAll(() => pair?.close());

  const ask = (method: 'RequestHoldCall' | 'RequestRetrieveCall', callID: string, thisDN: string, referenceID = 0) =>
    pair.client.call(method, { callID, thisDN, referenceID });

  const refusal = async (method: string, callID: string, thisDN: string): Promise<string> =>
    (await pair.client.refusal(method, { callID, thisDN })).message;

  /** How often an event has been told in a call. */
  const count = (callID: string, name: string): number =>
    pair.client.of(callID).filter((e) => e.messageID === name).length;

  const nth = (callID: string, name: string, n: number): Promise<void> =>
    pair.client.until(() => count(callID, name) >= n);

  /** Ends the call and returns its events from the moment that both talked. */
  const end = async ({ callID, agent, customer }: Conversation) => {
    await customer.hangUp();
    const events = await pair.client.ended(callID);
    await agent.waitFor('ended');
    expectWhole(events);
    return events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished') + 1);
  };

  test('by request: the customer has music and hears nothing of the agent, until the agent retrieves', async () => {
    const call = await pair.talk();
    const { callID } = call;
    await call.hearing.is(TALKING);
    expect(await refusal('RequestRetrieveCall', callID, AGENT)).toBe('InvalidAgentState');
    expect(await ask('RequestHoldCall', callID, AGENT, 21)).toEqual({});
    await call.hearing.is(HELD_BY_AGENT);
    const twice = await pair.client.refusal('RequestHoldCall', { referenceID: 22, callID, thisDN: AGENT });
    expect([twice.code, twice.message]).toEqual([301010, 'HeldInProcess']);
    const published = await pair.client.event('EventPartyError', (e) => e.referenceID === 22);
    expect(published).toMatchObject({ request: 'RequestHoldCall', errorCode: 301010, callID, thisDN: AGENT });
    expect(await ask('RequestRetrieveCall', callID, AGENT, 23)).toEqual({});
    await call.hearing.is(TALKING);
    expect(await refusal('RequestRetrieveCall', callID, AGENT)).toBe('InvalidAgentState');
    // Held again before the end: what the last event says is when it was last held.
    await ask('RequestHoldCall', callID, AGENT, 24);
    await call.hearing.is(HELD_BY_AGENT);

    const events = await end(call);
    const asAgent = {
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
    };
    expect(told(events)).toEqual([
      `EventHeld(${AGENT})`,
      `EventRetrieved(${AGENT})`,
      `EventHeld(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(plain(events).slice(0, 3)).toEqual([
      { messageID: 'EventHeld', ...asAgent, referenceID: 21 },
      { messageID: 'EventRetrieved', ...asAgent, referenceID: 23 },
      { messageID: 'EventHeld', ...asAgent, referenceID: 24 },
    ]);
    const lastHeld = events[2]?.creationTime;
    for (const dn of [AGENT, CUSTOMER]) {
      expect(only(events, 'EventReleased', dn)).toMatchObject({
        lastHoldUepoch: lastHeld,
        connectionStatus: 'Connected',
        hangupCause: 'BY_CUSTOMER',
        attachedData: { orderID: '123' },
      });
    }
  });

  test('on the phone itself: the same events, and one with the request', async () => {
    const call = await pair.talk();
    const { callID } = call;
    await call.agent.hold();
    await nth(callID, 'EventHeld', 1);
    await call.hearing.is(HELD_BY_AGENT);
    expect(await refusal('RequestHoldCall', callID, AGENT)).toBe('HeldInProcess');
    await call.agent.retrieve();
    await nth(callID, 'EventRetrieved', 1);
    await call.hearing.is(TALKING);
    expect(await refusal('RequestRetrieveCall', callID, AGENT)).toBe('InvalidAgentState');

    // Held by request, then on the phone too: one hold, which the phone ends.
    await ask('RequestHoldCall', callID, AGENT, 31);
    await call.hearing.is(HELD_BY_AGENT);
    await call.agent.hold();
    await call.hearing.is(HELD_BY_AGENT);
    await call.agent.retrieve();
    await nth(callID, 'EventRetrieved', 2);
    await call.hearing.is(TALKING);

    // Held on the phone, retrieved by request: the phone itself is made to go on.
    await call.agent.hold();
    await nth(callID, 'EventHeld', 3);
    await call.hearing.is(HELD_BY_AGENT);
    await ask('RequestRetrieveCall', callID, AGENT, 32);
    await call.hearing.is(TALKING);
    expect(call.agent.holding).toBe(false);

    const events = await end(call);
    const holds = events.filter((e) => e.messageID === 'EventHeld' || e.messageID === 'EventRetrieved');
    expect(holds.map((e) => [e.messageID, e.thisDN, e.referenceID])).toEqual([
      ['EventHeld', AGENT, 0],
      ['EventRetrieved', AGENT, 0],
      ['EventHeld', AGENT, 31],
      ['EventRetrieved', AGENT, 0],
      ['EventHeld', AGENT, 0],
      ['EventRetrieved', AGENT, 32],
    ]);
  });

  test('by both sides: both have music, and each hears the other only when both have retrieved', async () => {
    const call = await pair.talk();
    const { callID } = call;
    await ask('RequestHoldCall', callID, AGENT);
    await call.hearing.is(HELD_BY_AGENT);
    await ask('RequestHoldCall', callID, CUSTOMER);
    await call.hearing.is(HELD_BY_BOTH);
    await ask('RequestRetrieveCall', callID, AGENT);
    await call.hearing.is(HELD_BY_CUSTOMER);
    await ask('RequestRetrieveCall', callID, CUSTOMER);
    await call.hearing.is(TALKING);
    // The customer's network holds as phones do.
    await call.customer.hold();
    await nth(callID, 'EventHeld', 3);
    await call.hearing.is(HELD_BY_CUSTOMER);
    await ask('RequestHoldCall', callID, AGENT);
    await nth(callID, 'EventHeld', 4);
    // Whether a phone that is on hold itself is sent the music is Asterisk's affair: it stops sending at the re-INVITE, and
    // begins again where one more packet comes from the phone.
    expect(await call.agent.hears(MUSIC_HZ, 10_000)).toBe(true);
    expect(await call.customer.hearsNothingOf(agentTone(AGENT))).toBe(true);
    await call.customer.retrieve();
    await nth(callID, 'EventRetrieved', 3);
    await call.hearing.is(HELD_BY_AGENT);
    await ask('RequestRetrieveCall', callID, AGENT);
    await call.hearing.is(TALKING);
    expect(told(await end(call)).slice(0, 8)).toEqual([
      `EventHeld(${AGENT})`,
      `EventHeld(${CUSTOMER})`,
      `EventRetrieved(${AGENT})`,
      `EventRetrieved(${CUSTOMER})`,
      `EventHeld(${CUSTOMER})`,
      `EventHeld(${AGENT})`,
      `EventRetrieved(${CUSTOMER})`,
      `EventRetrieved(${AGENT})`,
    ]);
  });

  test('a phone that holds before the other answers holds as soon as they talk', async () => {
    const { client, agentPhone, customerPhone } = pair;
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    customer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await agent.hold();
    expect(await refusal('RequestHoldCall', callID, AGENT)).toBe('InvalidAgentState');
    await customer.answer();
    await client.event('EventHeld', (e) => e.callID === callID);
    expect(await customer.hears(1700)).toBe(true);
    await agent.retrieve();
    await nth(callID, 'EventRetrieved', 1);
    expect(await customer.hears(1300)).toBe(true);
    await customer.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('the holder hangs up: the customer, who hears music, is let go', async () => {
    const call = await pair.talk();
    await ask('RequestHoldCall', call.callID, AGENT);
    await call.hearing.is(HELD_BY_AGENT);
    await call.agent.hangUp();
    const events = await pair.client.ended(call.callID);
    await call.customer.waitFor('ended');
    expectWhole(events);
    expect(call.customer.end).toMatchObject({ by: 'them', how: 'BYE' });
    const released = events.filter((e) => e.messageID === 'EventReleased');
    expect(released.map((e) => [e.thisDN, e.hangupDisposition, e.hangupCause, e.connectionStatus])).toEqual([
      [AGENT, 'recv_bye', 'BY_AGENT', 'Connected'],
      [CUSTOMER, 'send_bye', 'BY_AGENT', 'Connected'],
    ]);
  });

  test('a held party is released by request, and everybody by RequestClearCall', async () => {
    const one = await pair.talk();
    await ask('RequestHoldCall', one.callID, AGENT);
    await one.hearing.is(HELD_BY_AGENT);
    await pair.client.call('RequestReleaseCall', { callID: one.callID, thisDN: AGENT, referenceID: 41 });
    expectWhole(await pair.client.ended(one.callID));
    await Promise.all([one.agent.waitFor('ended'), one.customer.waitFor('ended')]);

    const two = await pair.talk();
    await two.agent.hold();
    await nth(two.callID, 'EventHeld', 1);
    await pair.client.call('RequestClearCall', { callID: two.callID, referenceID: 42 });
    expectWhole(await pair.client.ended(two.callID));
    await Promise.all([two.agent.waitFor('ended'), two.customer.waitFor('ended')]);
    expect(await refusal('RequestHoldCall', two.callID, AGENT)).toBe('NotFoundCallID');
    expect(await refusal('RequestHoldCall', 'nosuchcall', AGENT)).toBe('NotFoundCallID');
  });
});
