import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { plain, told } from '../support/call-events.ts';
import { CUSTOMER_TONE } from '../support/conversation.ts';
import { hearing } from '../support/hearing.ts';
import { openAgentPhone } from '../support/lab.ts';
import { AGENT, CUSTOMER, Office, OUTSIDE, OUTSIDE_TONE, sinceTheyTalked, TRUNK_NUMBER } from '../support/office.ts';
import { ari } from '../support/ringmaster.ts';
import { talk } from '../support/talking.ts';

const GUEST = '1019';
/** Its phone speaks L16, which nobody else does. */
const LINEAR = '1098';

const TWO = { agent: ['customer'], customer: ['agent'] };

describe('a conference', () => {
  const office = new Office([AGENT, GUEST]);
  const { talking, rung, released, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  const among = (calls: { agent?: PhoneCall; customer?: PhoneCall; guest?: PhoneCall; outside?: PhoneCall }) =>
    hearing({
      ...(calls.agent && { agent: { call: calls.agent, tone: agentTone(AGENT) } }),
      ...(calls.customer && { customer: { call: calls.customer, tone: CUSTOMER_TONE } }),
      ...(calls.guest && { guest: { call: calls.guest, tone: agentTone(GUEST) } }),
      ...(calls.outside && { outside: { call: calls.outside, tone: OUTSIDE_TONE } }),
    });
  const add = async (callID: string, otherDN: string, thisDN = AGENT): Promise<string> => {
    const asked = { referenceID: 7, callID, thisDN, otherDN };
    return (await office.client.call('RequestSingleStepConference', asked)).partyID;
  };
  const picksUp = async (phone: Phone): Promise<PhoneCall> => {
    const call = await phone.nextCall();
    call.ring();
    await call.answer();
    return call;
  };
  const drop = (callID: string, thisDN: string, otherDN: string) =>
    office.client.call('RequestDeleteFromConference', { referenceID: 8, callID, thisDN, otherDN });
  const deleted = (callID: string, thisDN: string) =>
    office.client.event('EventPartyDeleted', (e) => e.callID === callID && e.thisDN === thisDN);
  const all = (callID: string) => ({
    callID,
    companyId: office.rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
    attachedData: {},
  });

  test('a third is rung straight in, all hear each other, and he is dropped again', async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await add(callID, GUEST);
    const ringing = await office.phone(GUEST).nextCall();
    expect(ringing.callerNumber).toBe(AGENT);
    ringing.ring();
    await rung(callID, GUEST);
    await among({ agent, customer }).is(TWO);
    await ringing.answer();
    const guest = ringing;
    await among({ agent, customer, guest }).is({
      agent: ['customer', 'guest'],
      customer: ['agent', 'guest'],
      guest: ['agent', 'customer'],
    });
    const { calls } = await office.client.call('RequestListCalls', {});
    expect(calls.find((c) => c.callID === callID)?.callState).toBe('Conference');
    await drop(callID, AGENT, GUEST);
    await Promise.all([deleted(callID, AGENT), guest.waitFor('ended')]);
    await among({ agent, customer }).is(TWO);
    await customer.hangUp();
    const events = await ended(callID);
    const ofGuest = {
      ...all(callID),
      partyID,
      partyRole: 'Agent',
      thisDN: GUEST,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'AddedBy',
    };
    const ofAgent = { ...all(callID), partyID: `${callID}-1`, partyRole: 'Agent', thisDN: AGENT, otherDN: GUEST };
    expect(plain(sinceTheyTalked(events)).slice(0, 5)).toEqual([
      { messageID: 'EventRinging', ...ofGuest, referenceID: 7, thisQueue: '', agentStatus: 'ConferenceGuestDialed' },
      {
        messageID: 'EventEstablished',
        ...ofGuest,
        referenceID: 7,
        callState: 'Conference',
        thisQueue: '',
        makeCallType: 'Regular',
        agentStatus: 'ConferenceGuestConnected',
      },
      {
        messageID: 'EventPartyAdded',
        ...ofAgent,
        referenceID: 7,
        thirdDN: AGENT,
        thirdDNRole: 'AddedBy',
        callState: 'Conference',
        agentStatus: 'ConferenceConnected',
      },
      {
        messageID: 'EventReleased',
        ...ofGuest,
        referenceID: 8,
        callState: 'Conference',
        thisQueue: '',
        makeCallType: 'Regular',
        agentStatus: 'ConferenceGuestReleased',
        wrapUpDuration: 0,
        recordedEarlymedia: false,
        earlyDetectCause: 200,
        connectionStatus: 'Connected',
        hangupCause: 'BY_AGENT',
        hangupDisposition: 'send_bye',
        q850: 16,
        moments: 'start progress answer bridge end',
      },
      {
        messageID: 'EventPartyDeleted',
        ...ofAgent,
        referenceID: 8,
        thirdDN: AGENT,
        thirdDNRole: 'DeletedBy',
        callState: 'OK',
        attachedData: { consultStage: 9 },
        agentStatus: 'ConferenceReleased',
      },
    ]);
  });

  test('the host leaves: the guest has the customer; one more goes, and the call is over', async () => {
    const { callID, agent, customer } = await talking();
    await add(callID, GUEST);
    const guest = await picksUp(office.phone(GUEST));
    await among({ agent, customer, guest }).is({
      agent: ['customer', 'guest'],
      customer: ['agent', 'guest'],
      guest: ['agent', 'customer'],
    });
    await drop(callID, AGENT, AGENT);
    expect(await deleted(callID, GUEST)).toMatchObject({
      otherDN: AGENT,
      thirdDN: AGENT,
      callState: 'OK',
      attachedData: { consultStage: 8 },
      agentStatus: 'HostDisconnected',
    });
    await agent.waitFor('ended');
    await among({ customer, guest }).is({ customer: ['guest'], guest: ['customer'] });
    await guest.hangUp();
    await customer.waitFor('ended');
    await ended(callID);
  });

  test('the customer leaves, and the agents talk on', async () => {
    const { callID, agent, customer } = await talking();
    await add(callID, GUEST);
    const guest = await picksUp(office.phone(GUEST));
    await deletedAfter(callID, () => customer.hangUp());
    await among({ agent, guest }).is({ agent: ['guest'], guest: ['agent'] });
    await agent.hangUp();
    const events = await ended(callID);
    expect(told(sinceTheyTalked(events)).slice(3, 6)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyDeleted(${AGENT})`,
      `EventPartyDeleted(${GUEST})`,
    ]);
  });

  /** Waits until the one added is there, does it, and waits until both agents have been told. */
  async function deletedAfter(callID: string, does: () => Promise<unknown>): Promise<void> {
    await office.client.event('EventPartyAdded', (e) => e.callID === callID);
    await does();
    await Promise.all([deleted(callID, AGENT), deleted(callID, GUEST)]);
  }

  test('four in a conference, one of them outside; who holds is not missed by the others', async () => {
    const { callID, agent, customer } = await talking();
    await add(callID, GUEST);
    const guest = await picksUp(office.phone(GUEST));
    await office.client.event('EventPartyAdded', (e) => e.callID === callID && e.otherDN === GUEST);
    await add(callID, OUTSIDE, GUEST);
    const outside = await picksUp(office.customerPhone);
    const everybody = among({ agent, customer, guest, outside });
    await everybody.is({
      agent: ['customer', 'guest', 'outside'],
      customer: ['agent', 'guest', 'outside'],
      guest: ['agent', 'customer', 'outside'],
      outside: ['agent', 'customer', 'guest'],
    });
    await office.client.call('RequestHoldCall', { callID, thisDN: GUEST });
    await everybody.is({
      agent: ['customer', 'outside'],
      customer: ['agent', 'outside'],
      outside: ['agent', 'customer'],
    });
    await office.client.call('RequestRetrieveCall', { callID, thisDN: GUEST });
    await everybody.is({
      agent: ['customer', 'guest', 'outside'],
      customer: ['agent', 'guest', 'outside'],
      guest: ['agent', 'customer', 'outside'],
      outside: ['agent', 'customer', 'guest'],
    });
    const acting = { callID, thisDN: OUTSIDE, otherDN: CUSTOMER };
    expect((await office.client.refusal('RequestDeleteFromConference', acting)).message).toBe(
      'CustomerAddByConference',
    );
    await office.client.call('RequestClearCall', { callID });
    await ended(callID);
  });

  test('one whose codec has to be translated: the others hear everybody, also when a third has come and come back', async () => {
    const linearPhone = await openAgentPhone(office.lab, LINEAR, { codec: 'linear' });
    try {
      const { callID, agent, customer } = await talk(
        office.client,
        linearPhone,
        office.customerPhone,
        LINEAR,
        CUSTOMER,
      );
      const two = hearing({
        agent: { call: agent, tone: agentTone(LINEAR) },
        customer: { call: customer, tone: CUSTOMER_TONE },
      });
      await two.is(TWO);
      await add(callID, GUEST, LINEAR);
      const guest = await picksUp(office.phone(GUEST));
      const all = hearing({
        agent: { call: agent, tone: agentTone(LINEAR) },
        customer: { call: customer, tone: CUSTOMER_TONE },
        guest: { call: guest, tone: agentTone(GUEST) },
      });
      const everybody = { agent: ['customer', 'guest'], customer: ['agent', 'guest'], guest: ['agent', 'customer'] };
      await all.is(everybody);
      await office.client.call('RequestHoldCall', { callID, thisDN: GUEST });
      await all.is(TWO);
      expect((await ari(office.lab, '/bridges')).find((b) => b['id'] === `${callID}-b4`)).toMatchObject({
        technology: 'softmix',
      });
      await office.client.call('RequestRetrieveCall', { callID, thisDN: GUEST });
      await all.is(everybody);
      // Nobody was sent an offer: moving between bridges is no matter of the phones.
      for (const { history } of [agent, customer, guest]) expect(history).not.toContain('retrieved-by-remote');
      await office.client.call('RequestClearCall', { callID });
      await ended(callID);
    } finally {
      await linearPhone.close();
    }
  });

  test.each([
    ['1091', 'User Busy'],
    ['1092', 'User Rejected'],
    ['1093', 'Channel Unavailable'],
  ])('%s does not come (%s): the call goes on', async (dn, connectionStatus) => {
    const { callID, agent, customer } = await talking();
    const partyID = await add(callID, dn);
    const event = await released(callID, dn);
    expect(event).toMatchObject({
      partyID,
      connectionStatus,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'AddedBy',
    });
    await among({ agent, customer }).is(TWO);
    expect(
      (await office.client.refusal('RequestDeleteFromConference', { callID, thisDN: AGENT, otherDN: CUSTOMER }))
        .message,
    ).toBe('InvalidCallType');
    await agent.hangUp();
    await ended(callID);
  });

  test('the third rings out, or is given up: the call goes on', async () => {
    const { callID } = await office.client.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: CUSTOMER,
      ringTimeout: 2,
    });
    const agent = await picksUp(office.phone(AGENT));
    const customer = await picksUp(office.customerPhone);
    await office.client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    await add(callID, '1090');
    const rangOut = await released(callID, '1090');
    expect(rangOut).toMatchObject({ connectionStatus: 'User Not Answered', agentStatus: 'ConferenceGuestMissed' });
    await add(callID, GUEST);
    const ringing = await office.phone(GUEST).nextCall();
    ringing.ring();
    await rung(callID, GUEST);
    await drop(callID, AGENT, GUEST);
    await ringing.waitFor('ended');
    const givenUp = await released(callID, GUEST);
    expect(givenUp).toMatchObject({ connectionStatus: 'Hang Up', agentStatus: 'ConferenceGuestReleased' });
    await among({ agent, customer }).is(TWO);
    await customer.hangUp();
    await ended(callID);
  });
});
