import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { plain, told } from '../support/call-events.ts';
import { ALL_HEAR, ConsultingOffice, GUEST } from '../support/consulting-office.ts';
import { AGENT, CUSTOMER, sinceTheyTalked } from '../support/office.ts';
import { expectHeard } from '../support/talking.ts';

describe('a consultation', () => {
  const office = new ConsultingOffice();
  const { talkersOf, stages, all, ofAgent, asked, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  test('handed over: customer and guest talk, and the agent is gone', async () => {
    const { callID, partyID, agent, customer, guest } = await asked();
    await office.client.call('RequestTransferConsult', { referenceID: 8, callID, thisDN: AGENT });
    await agent.waitFor('ended');
    const changed = await office.client.event('EventPartyChanged', (e) => e.callID === callID);
    await expectHeard(talkersOf({ agent, customer, guest }).slice(1), { customer: ['guest'], guest: ['customer'] });
    await guest.hangUp();
    const events = await ended(callID);
    const news = sinceTheyTalked(events);
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
    const changed = await office.client.event('EventPartyChanged', (e) => e.callID === callID);
    expect(changed).toMatchObject({ thisDN: GUEST, otherDN: CUSTOMER, agentStatus: 'HostDisconnected' });
    await expectHeard(talkersOf({ agent, customer, guest }).slice(1), { customer: ['guest'], guest: ['customer'] });
    await customer.hangUp();
    await ended(callID);
  });

  test('made a conference: all three hear each other', async () => {
    const { callID, partyID, agent, customer, guest } = await asked();
    await office.client.call('RequestConferenceConsult', { referenceID: 8, callID, thisDN: AGENT });
    await expectHeard(talkersOf({ agent, customer, guest }), ALL_HEAR);
    const conference = { thirdDN: AGENT, thirdDNRole: 'AddedBy', callState: 'Conference', referenceID: 8 };
    const news = plain(sinceTheyTalked(office.client.of(callID))).slice(5);
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
    await office.client.call('RequestClearCall', { callID });
    await ended(callID);
  });

  test('the customer puts down after the answer: agent and guest go on', async () => {
    const { callID, agent, customer, guest } = await asked();
    await customer.hangUp();
    await office.client.event('EventPartyChanged', (e) => e.callID === callID && e.thisDN === GUEST);
    const [first, , third] = talkersOf({ agent, customer, guest });
    await expectHeard(
      [first, third].flatMap((t) => t ?? []),
      { agent: ['guest'], guest: ['agent'] },
    );
    await agent.hangUp();
    const events = await ended(callID);
    expect(told(sinceTheyTalked(events)).slice(5)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyChanged(${AGENT})`,
      `EventPartyChanged(${GUEST})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${GUEST})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });
});
