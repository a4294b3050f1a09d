import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole, plain, told } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard, type Talker, talk } from '../support/talking.ts';

const AGENT = '1018';
const GUEST = '1019';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const OUTSIDE = '911140099055';
const OUTSIDE_TONE = 2750;
const TRUNK_NUMBER = '911140001000';

const ALL_HEAR = { agent: ['customer', 'guest'], customer: ['agent', 'guest'], guest: ['agent', 'customer'] };

describe('a consultation', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let guestPhone: Phone;
  let customerPhone: Phone;
  let music: number;

  beforeAll(async () => {
    lab = await testLab();
    music = lab.file.asterisk.musicTone;
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
    await Promise.all([agentPhone?.close(), guestPhone?.close(), customerPhone?.close()]);
  });

  const talking = () => talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
  const consult = async (callID: string, otherDN = GUEST) => {
    const { partyID } = await client.call('RequestInitiateConsult', { referenceID: 7, callID, thisDN: AGENT, otherDN });
    return partyID;
  };
  const as = (name: string, call: PhoneCall, tone: number): Talker => ({ name, call, tone });
  const talkersOf = (c: { agent: PhoneCall; customer: PhoneCall; guest?: PhoneCall }, guestTone = agentTone(GUEST)) => [
    as('agent', c.agent, agentTone(AGENT)),
    as('customer', c.customer, CUSTOMER_TONE),
    ...(c.guest ? [as('guest', c.guest, guestTone)] : []),
  ];
  const stage = (callID: string, consultStage: number) =>
    client.event(
      'EventAttachedDataChanged',
      (e) => e.callID === callID && e.attachedData['consultStage'] === consultStage,
    );
  /** What has been told of a call since both talked. */
  const since = (events: readonly CtiEvent[]) =>
    events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1);

  const all = (callID: string) => ({
    callID,
    companyId: rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
  });
  const ofAgent = (callID: string) => ({ ...all(callID), partyID: `${callID}-1`, partyRole: 'Agent', thisDN: AGENT });
  const ofGuest = (callID: string, partyID: string) => ({
    ...all(callID),
    partyID,
    partyRole: 'Agent',
    thisDN: GUEST,
    otherDN: AGENT,
    otherDNRole: 'ConsultBy',
    thirdDN: CUSTOMER,
    callState: 'Consult',
  });
  const stages = (callID: string, partyID: string) => [
    {
      messageID: 'EventAttachedDataChanged',
      ...ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      attachedData: { consultStage: 1 },
      agentStatus: 'ConsultationDialed',
    },
    {
      messageID: 'EventRinging',
      ...ofGuest(callID, partyID),
      referenceID: 7,
      thisQueue: '',
      attachedData: { consultStage: '2', consulting: 'true' },
      agentStatus: 'ConsultationGuestDialed',
    },
    {
      messageID: 'EventAttachedDataChanged',
      ...ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      callState: 'Consult',
      attachedData: { consultStage: 2 },
    },
    {
      messageID: 'EventEstablished',
      ...ofGuest(callID, partyID),
      referenceID: 7,
      thisQueue: '',
      makeCallType: 'Regular',
      attachedData: { consultStage: '4', consulting: 'true' },
      agentStatus: 'ConsultationGuestConnected',
    },
    {
      messageID: 'EventAttachedDataChanged',
      ...ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      callState: 'Consult',
      attachedData: { consultStage: 4 },
      agentStatus: 'ConsultationConnected',
    },
  ];

  /** Agent, customer and guest, the guest having answered. */
  const asked = async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await consult(callID);
    const guest = await guestPhone.nextCall();
    guest.ring();
    await stage(callID, 2);
    await guest.answer();
    await stage(callID, 4);
    return { callID, partyID, agent, customer, guest };
  };

  test('asked and retrieved: who hears whom, and every event with its fields', async () => {
    const { callID, agent, customer } = await talking();
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    const partyID = await consult(callID);
    const guest = await guestPhone.nextCall();
    expect(guest.callerNumber).toBe(AGENT);
    guest.ring();
    await stage(callID, 2);
    await expectHeard(talkersOf({ agent, customer }), { customer: ['music'] });
    await guest.answer();
    await stage(callID, 4);
    const three = talkersOf({ agent, customer, guest });
    await expectHeard(three, { agent: ['guest'], guest: ['agent'], customer: ['music'] });
    await client.call('RequestRetrieveConsult', { referenceID: 8, callID, thisDN: AGENT });
    await guest.waitFor('ended');
    await stage(callID, 5);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const news = plain(since(events));
    expect(news.slice(0, 5)).toEqual(stages(callID, partyID));
    expect(news.slice(5, 7)).toEqual([
      expect.objectContaining({
        messageID: 'EventReleased',
        ...ofGuest(callID, partyID),
        referenceID: 8,
        attachedData: { consultStage: 5, consulting: 'true' },
        agentStatus: 'ConsultationGuestReleased',
        connectionStatus: 'Connected',
        hangupDisposition: 'send_bye',
      }),
      {
        messageID: 'EventAttachedDataChanged',
        ...ofAgent(callID),
        otherDN: GUEST,
        referenceID: 8,
        callState: 'Consult',
        attachedData: { consultStage: 5 },
        agentStatus: 'ConsultationReleased',
      },
    ]);
    expect(told(since(events)).slice(7)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('the agent hears early media of the one who is asked', async () => {
    const { callID, agent, customer } = await talking();
    await consult(callID);
    const guest = await guestPhone.nextCall();
    await guest.early();
    expect(await agent.hears(agentTone(GUEST))).toBe(true);
    expect(await customer.hears(music)).toBe(true);
    await guest.refuse(486);
    await stage(callID, 3);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });

  const refusals: [string, (guest: PhoneCall, callID: string) => Promise<unknown>, string, string, string][] = [
    ['is busy', (guest) => guest.refuse(486), 'ConsultationFailed', 'User Busy', 'recv_refuse'],
    [
      'rings and is cancelled',
      async (guest, callID) => {
        guest.ring();
        await stage(callID, 2);
        await client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT });
      },
      'ConsultationReleased',
      'Hang Up',
      'send_cancel',
    ],
    [
      'is cancelled before it rings',
      (_, callID) => client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT }),
      'ConsultationReleased',
      'Hang Up',
      'send_cancel',
    ],
  ];
  test.each(refusals)('the guest %s: the agent has the customer back', async (_, happen, status, connection, how) => {
    const { callID, agent, customer } = await talking();
    await consult(callID);
    const guest = await guestPhone.nextCall();
    await happen(guest, callID);
    await stage(callID, 3);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const last = events.find((e) => e.messageID === 'EventReleased' && e.thisDN === GUEST);
    expect(last).toMatchObject({
      attachedData: { consultStage: 3, consulting: 'true' },
      connectionStatus: connection,
      hangupDisposition: how,
    });
    expect(await stage(callID, 3)).toMatchObject({ agentStatus: status, callState: 'Consult' });
  });

  test('a guest whose phone is not registered is as good as one who refuses', async () => {
    const { callID, agent, customer } = await talking();
    await consult(callID, '1093');
    await stage(callID, 3);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(since(events)).slice(0, 3)).toEqual([
      `EventAttachedDataChanged(${AGENT})`,
      'EventReleased(1093)',
      `EventAttachedDataChanged(${AGENT})`,
    ]);
  });

  test('the guest rings out: the agent has the customer back', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER, ringTimeout: 1 });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    await consult(callID);
    const guest = await guestPhone.nextCall();
    guest.ring();
    expect(await stage(callID, 3)).toMatchObject({ agentStatus: 'ConsultationMissed' });
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('handed over: customer and guest talk, and the agent is gone', async () => {
    const { callID, partyID, agent, customer, guest } = await asked();
    await client.call('RequestTransferConsult', { referenceID: 8, callID, thisDN: AGENT });
    await agent.waitFor('ended');
    const changed = await client.event('EventPartyChanged', (e) => e.callID === callID);
    await expectHeard(talkersOf({ agent, customer, guest }).slice(1), { customer: ['guest'], guest: ['customer'] });
    await guest.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const news = since(events);
    expect(plain(news).slice(0, 5)).toEqual(stages(callID, partyID));
    expect(plain(news)[5]).toMatchObject({
      messageID: 'EventReleased',
      ...ofAgent(callID),
      otherDN: GUEST,
      thisDNRole: 'ConsultBy',
      callState: 'Transferred',
      referenceID: 8,
      attachedData: { consultStage: 6 },
      agentStatus: 'ConsultationCompleted',
    });
    expect(plain([changed])).toEqual([
      {
        messageID: 'EventPartyChanged',
        ...all(callID),
        partyID,
        partyRole: 'Agent',
        thisDN: GUEST,
        otherDN: CUSTOMER,
        thirdDN: AGENT,
        thirdDNRole: 'TransferBy',
        callState: 'OK',
        referenceID: 8,
        attachedData: { consultStage: 6 },
        agentStatus: 'HostDisconnected',
      },
    ]);
    expect(told(news).slice(5)).toEqual([
      `EventReleased(${AGENT})`,
      `EventPartyChanged(${GUEST})`,
      `EventReleased(${GUEST})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('the agent puts down after the answer: the guest has the customer', async () => {
    const { callID, agent, customer, guest } = await asked();
    await agent.hangUp();
    const changed = await client.event('EventPartyChanged', (e) => e.callID === callID);
    expect(changed).toMatchObject({ thisDN: GUEST, otherDN: CUSTOMER, agentStatus: 'HostDisconnected' });
    await expectHeard(talkersOf({ agent, customer, guest }).slice(1), { customer: ['guest'], guest: ['customer'] });
    await customer.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('made a conference: all three hear each other', async () => {
    const { callID, partyID, agent, customer, guest } = await asked();
    await client.call('RequestConferenceConsult', { referenceID: 8, callID, thisDN: AGENT });
    await expectHeard(talkersOf({ agent, customer, guest }), ALL_HEAR);
    const conference = { thirdDN: AGENT, thirdDNRole: 'AddedBy', callState: 'Conference', referenceID: 8 };
    const news = plain(since(client.of(callID))).slice(5);
    expect(news).toEqual([
      {
        messageID: 'EventPartyAdded',
        ...ofAgent(callID),
        otherDN: GUEST,
        ...conference,
        attachedData: { consultStage: 7 },
        agentStatus: 'ConferenceConnected',
      },
      {
        messageID: 'EventPartyChanged',
        ...all(callID),
        partyID,
        partyRole: 'Agent',
        thisDN: GUEST,
        otherDN: CUSTOMER,
        ...conference,
        attachedData: { consultStage: 7 },
        agentStatus: 'ConferenceGuestConnected',
      },
    ]);
    await client.call('RequestClearCall', { callID });
    expectWhole(await client.ended(callID));
  });

  test('the customer puts down after the answer: agent and guest go on', async () => {
    const { callID, agent, customer, guest } = await asked();
    await customer.hangUp();
    await client.event('EventPartyChanged', (e) => e.callID === callID && e.thisDN === GUEST);
    const [first, , third] = talkersOf({ agent, customer, guest });
    await expectHeard(
      [first, third].flatMap((t) => t ?? []),
      { agent: ['guest'], guest: ['agent'] },
    );
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(since(events)).slice(5)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyChanged(${AGENT})`,
      `EventPartyChanged(${GUEST})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${GUEST})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('a number outside is asked over the trunk', async () => {
    const { callID, agent, customer } = await talking();
    await consult(callID, OUTSIDE);
    const guest = await customerPhone.nextCall();
    expect([guest.dialled, guest.callerNumber]).toEqual([OUTSIDE, TRUNK_NUMBER]);
    guest.ring();
    await guest.answer();
    await stage(callID, 4);
    const three = talkersOf({ agent, customer, guest }, OUTSIDE_TONE);
    await expectHeard(three, { agent: ['guest'], guest: ['agent'], customer: ['music'] });
    expect(client.of(callID).find((e) => e.messageID === 'EventRinging' && e.thisDN === OUTSIDE)).toMatchObject({
      partyRole: 'ThirdPSTN',
    });
    await client.call('RequestTransferConsult', { callID, thisDN: AGENT });
    await expectHeard(three.slice(1), { customer: ['guest'], guest: ['customer'] });
    await customer.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('what may not be asked is refused by name, and nobody notices', async () => {
    const { callID, agent, customer } = await talking();
    const refusal = async (method: string, params: object) =>
      (await client.refusal(method, { callID, thisDN: AGENT, ...params })).message;
    expect(await refusal('RequestInitiateConsult', { otherDN: AGENT })).toBe('TargetPartyIsSelf');
    expect(await refusal('RequestInitiateConsult', { otherDN: CUSTOMER })).toBe('TargetPartyInCall');
    expect(await refusal('RequestInitiateConsult', { otherDN: '12' })).toBe('InvalidParams');
    expect(await refusal('RequestInitiateConsult', { otherDN: GUEST, thisDN: '1017' })).toBe('NotFoundParty');
    expect(await refusal('RequestInitiateConsult', { otherDN: GUEST, callID: 'none' })).toBe('NotFoundCallID');
    for (const method of ['Cancel', 'Retrieve', 'Transfer', 'Conference']) {
      expect(await refusal(`Request${method}Consult`, {})).toBe('InvalidAgentState');
    }
    await consult(callID);
    const guest = await guestPhone.nextCall();
    expect(await refusal('RequestInitiateConsult', { otherDN: '1020' })).toBe('AgentIsInConsultScene');
    await guest.answer();
    await stage(callID, 4);
    await client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
    expect(await refusal('RequestInitiateConsult', { otherDN: '1020' })).toBe('AgentIsInConferenceScene');
    await expectHeard(talkersOf({ agent, customer, guest }), ALL_HEAR);
    await client.call('RequestClearCall', { callID });
    expectWhole(await client.ended(callID));
  });
});
