import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole, plain, told } from '../support/call-events.ts';
import { hearing } from '../support/hearing.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { ari, type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { talk } from '../support/talking.ts';

const AGENT = '1018';
const GUEST = '1019';
/** Its phone speaks L16, which nobody else does. */
const LINEAR = '1098';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const OUTSIDE = '911140099055';
const OUTSIDE_TONE = 2750;
const TRUNK_NUMBER = '911140001000';

const TWO = { agent: ['customer'], customer: ['agent'] };

describe('a conference', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let guestPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, guestPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, GUEST),
      openCustomerPhone(lab, CUSTOMER, { tone: (dialled) => (dialled === OUTSIDE ? OUTSIDE_TONE : CUSTOMER_TONE) }),
    ]);
    rm = await ringmaster(lab, (settings) => {
      for (const trunk of settings.trunks) {
        if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customerPhone.port}`;
      }
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone, guestPhone, customerPhone].map((p) => p?.close()));
  });

  const talking = () => talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
  const among = (calls: { agent?: PhoneCall; customer?: PhoneCall; guest?: PhoneCall; outside?: PhoneCall }) =>
    hearing({
      ...(calls.agent && { agent: { call: calls.agent, tone: agentTone(AGENT) } }),
      ...(calls.customer && { customer: { call: calls.customer, tone: CUSTOMER_TONE } }),
      ...(calls.guest && { guest: { call: calls.guest, tone: agentTone(GUEST) } }),
      ...(calls.outside && { outside: { call: calls.outside, tone: OUTSIDE_TONE } }),
    });
  const add = async (callID: string, otherDN: string, thisDN = AGENT): Promise<string> => {
    const asked = { referenceID: 7, callID, thisDN, otherDN };
    return (await client.call('RequestSingleStepConference', asked)).partyID;
  };
  const picksUp = async (phone: Phone): Promise<PhoneCall> => {
    const call = await phone.nextCall();
    call.ring();
    await call.answer();
    return call;
  };
  const drop = (callID: string, thisDN: string, otherDN: string) =>
    client.call('RequestDeleteFromConference', { referenceID: 8, callID, thisDN, otherDN });
  const deleted = (callID: string, thisDN: string) =>
    client.event('EventPartyDeleted', (e) => e.callID === callID && e.thisDN === thisDN);
  /** What has been told of a call since agent and customer talked. */
  const since = (events: readonly CtiEvent[]) =>
    events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1);

  const all = (callID: string) => ({
    callID,
    companyId: rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
    attachedData: {},
  });

  test('a third is rung straight in, all hear each other, and he is dropped again', async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await add(callID, GUEST);
    const ringing = await guestPhone.nextCall();
    expect(ringing.callerNumber).toBe(AGENT);
    ringing.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === GUEST);
    await among({ agent, customer }).is(TWO);
    await ringing.answer();
    const guest = ringing;
    await among({ agent, customer, guest }).is({
      agent: ['customer', 'guest'],
      customer: ['agent', 'guest'],
      guest: ['agent', 'customer'],
    });
    const { calls } = await client.call('RequestListCalls', {});
    expect(calls.find((c) => c.callID === callID)?.callState).toBe('Conference');
    await drop(callID, AGENT, GUEST);
    await Promise.all([deleted(callID, AGENT), guest.waitFor('ended')]);
    await among({ agent, customer }).is(TWO);
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
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
    expect(plain(since(events)).slice(0, 5)).toEqual([
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
    const guest = await picksUp(guestPhone);
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
    expectWhole(await client.ended(callID));
  });

  test('the customer leaves, and the agents talk on', async () => {
    const { callID, agent, customer } = await talking();
    await add(callID, GUEST);
    const guest = await picksUp(guestPhone);
    await deletedAfter(callID, () => customer.hangUp());
    await among({ agent, guest }).is({ agent: ['guest'], guest: ['agent'] });
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(since(events)).slice(3, 6)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyDeleted(${AGENT})`,
      `EventPartyDeleted(${GUEST})`,
    ]);
  });

  /** Waits until the one added is there, does it, and waits until both agents have been told. */
  async function deletedAfter(callID: string, does: () => Promise<unknown>): Promise<void> {
    await client.event('EventPartyAdded', (e) => e.callID === callID);
    await does();
    await Promise.all([deleted(callID, AGENT), deleted(callID, GUEST)]);
  }

  test('four in a conference, one of them outside; who holds is not missed by the others', async () => {
    const { callID, agent, customer } = await talking();
    await add(callID, GUEST);
    const guest = await picksUp(guestPhone);
    await client.event('EventPartyAdded', (e) => e.callID === callID && e.otherDN === GUEST);
    await add(callID, OUTSIDE, GUEST);
    const outside = await picksUp(customerPhone);
    const everybody = among({ agent, customer, guest, outside });
    await everybody.is({
      agent: ['customer', 'guest', 'outside'],
      customer: ['agent', 'guest', 'outside'],
      guest: ['agent', 'customer', 'outside'],
      outside: ['agent', 'customer', 'guest'],
    });
    await client.call('RequestHoldCall', { callID, thisDN: GUEST });
    await everybody.is({
      agent: ['customer', 'outside'],
      customer: ['agent', 'outside'],
      outside: ['agent', 'customer'],
    });
    await client.call('RequestRetrieveCall', { callID, thisDN: GUEST });
    await everybody.is({
      agent: ['customer', 'guest', 'outside'],
      customer: ['agent', 'guest', 'outside'],
      guest: ['agent', 'customer', 'outside'],
      outside: ['agent', 'customer', 'guest'],
    });
    const acting = { callID, thisDN: OUTSIDE, otherDN: CUSTOMER };
    expect((await client.refusal('RequestDeleteFromConference', acting)).message).toBe('CustomerAddByConference');
    await client.call('RequestClearCall', { callID });
    expectWhole(await client.ended(callID));
  });

  test('one whose codec has to be translated: the others hear everybody, also when a third has come and come back', async () => {
    const linearPhone = await openAgentPhone(lab, LINEAR, { codec: 'linear' });
    try {
      const { callID, agent, customer } = await talk(client, linearPhone, customerPhone, LINEAR, CUSTOMER);
      const two = hearing({
        agent: { call: agent, tone: agentTone(LINEAR) },
        customer: { call: customer, tone: CUSTOMER_TONE },
      });
      await two.is(TWO);
      await add(callID, GUEST, LINEAR);
      const guest = await picksUp(guestPhone);
      const all = hearing({
        agent: { call: agent, tone: agentTone(LINEAR) },
        customer: { call: customer, tone: CUSTOMER_TONE },
        guest: { call: guest, tone: agentTone(GUEST) },
      });
      const everybody = { agent: ['customer', 'guest'], customer: ['agent', 'guest'], guest: ['agent', 'customer'] };
      await all.is(everybody);
      await client.call('RequestHoldCall', { callID, thisDN: GUEST });
      await all.is(TWO);
      expect((await ari(lab, '/bridges')).find((b) => b['id'] === `${callID}-b4`)).toMatchObject({
        technology: 'softmix',
      });
      await client.call('RequestRetrieveCall', { callID, thisDN: GUEST });
      await all.is(everybody);
      // Nobody was sent an offer: moving between bridges is no matter of the phones.
      for (const { history } of [agent, customer, guest]) expect(history).not.toContain('retrieved-by-remote');
      await client.call('RequestClearCall', { callID });
      expectWhole(await client.ended(callID));
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
    const event = await client.event('EventReleased', (e) => e.callID === callID && e.thisDN === dn);
    expect(event).toMatchObject({
      partyID,
      connectionStatus,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'AddedBy',
    });
    await among({ agent, customer }).is(TWO);
    expect(
      (await client.refusal('RequestDeleteFromConference', { callID, thisDN: AGENT, otherDN: CUSTOMER })).message,
    ).toBe('InvalidCallType');
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('the third rings out, or is given up: the call goes on', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER, ringTimeout: 2 });
    const agent = await picksUp(agentPhone);
    const customer = await picksUp(customerPhone);
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    await add(callID, '1090');
    const rangOut = await client.event('EventReleased', (e) => e.callID === callID && e.thisDN === '1090');
    expect(rangOut).toMatchObject({ connectionStatus: 'User Not Answered', agentStatus: 'ConferenceGuestMissed' });
    await add(callID, GUEST);
    const ringing = await guestPhone.nextCall();
    ringing.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === GUEST);
    await drop(callID, AGENT, GUEST);
    await ringing.waitFor('ended');
    const givenUp = await client.event('EventReleased', (e) => e.callID === callID && e.thisDN === GUEST);
    expect(givenUp).toMatchObject({ connectionStatus: 'Hang Up', agentStatus: 'ConferenceGuestReleased' });
    await among({ agent, customer }).is(TWO);
    await customer.hangUp();
    expectWhole(await client.ended(callID));
  });
});
