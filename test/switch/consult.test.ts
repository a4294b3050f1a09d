import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { plain, told } from '../support/call-events.ts';
import { ALL_HEAR, ConsultingOffice, GUEST } from '../support/consulting-office.ts';
import { AGENT, CUSTOMER, OUTSIDE, OUTSIDE_TONE, sinceTheyTalked, TRUNK_NUMBER } from '../support/office.ts';
import { expectHeard } from '../support/talking.ts';

describe('a consultation', () => {
  const office = new ConsultingOffice();
  const { talking, consult, talkersOf, stage, stages, ofAgent, ofGuest, established, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  test('asked and retrieved: who hears whom, and every event with its fields', async () => {
    const { callID, agent, customer } = await talking();
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    const partyID = await consult(callID);
    const guest = await office.phone(GUEST).nextCall();
    expect(guest.callerNumber).toBe(AGENT);
    guest.ring();
    await stage(callID, 2);
    await expectHeard(talkersOf({ agent, customer }), { customer: ['music'] });
    await guest.answer();
    await stage(callID, 4);
    const three = talkersOf({ agent, customer, guest });
    await expectHeard(three, { agent: ['guest'], guest: ['agent'], customer: ['music'] });
    await office.client.call('RequestRetrieveConsult', { referenceID: 8, callID, thisDN: AGENT });
    await guest.waitFor('ended');
    await stage(callID, 5);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await ended(callID);
    const news = plain(sinceTheyTalked(events));
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
    expect(told(sinceTheyTalked(events)).slice(7)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('the agent hears early media of the one who is asked', async () => {
    const { callID, agent, customer } = await talking();
    await consult(callID);
    const guest = await office.phone(GUEST).nextCall();
    await guest.early();
    expect(await agent.hears(agentTone(GUEST))).toBe(true);
    expect(await customer.hears(office.music)).toBe(true);
    await guest.refuse(486);
    await stage(callID, 3);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await agent.hangUp();
    await ended(callID);
  });

  const refusals: [string, (guest: PhoneCall, callID: string) => Promise<unknown>, string, string, string][] = [
    ['is busy', (guest) => guest.refuse(486), 'ConsultationFailed', 'User Busy', 'recv_refuse'],
    [
      'rings and is cancelled',
      async (guest, callID) => {
        guest.ring();
        await stage(callID, 2);
        await office.client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT });
      },
      'ConsultationReleased',
      'Hang Up',
      'send_cancel',
    ],
    [
      'is cancelled before it rings',
      (_, callID) => office.client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT }),
      'ConsultationReleased',
      'Hang Up',
      'send_cancel',
    ],
  ];
  test.each(refusals)('the guest %s: the agent has the customer back', async (_, happen, status, connection, how) => {
    const { callID, agent, customer } = await talking();
    await consult(callID);
    const guest = await office.phone(GUEST).nextCall();
    await happen(guest, callID);
    await stage(callID, 3);
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await ended(callID);
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
    const events = await ended(callID);
    expect(told(sinceTheyTalked(events)).slice(0, 3)).toEqual([
      `EventAttachedDataChanged(${AGENT})`,
      'EventReleased(1093)',
      `EventAttachedDataChanged(${AGENT})`,
    ]);
  });

  test('the guest rings out: the agent has the customer back', async () => {
    const { callID } = await office.client.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: CUSTOMER,
      ringTimeout: 1,
    });
    const agent = await office.phone(AGENT).nextCall();
    await agent.answer();
    const customer = await office.customerPhone.nextCall();
    await customer.answer();
    await established(callID, CUSTOMER);
    await consult(callID);
    const guest = await office.phone(GUEST).nextCall();
    guest.ring();
    expect(await stage(callID, 3)).toMatchObject({ agentStatus: 'ConsultationMissed' });
    await expectHeard(talkersOf({ agent, customer }), { agent: ['customer'], customer: ['agent'] });
    await agent.hangUp();
    await ended(callID);
  });

  test('a number outside is asked over the trunk', async () => {
    const { callID, agent, customer } = await talking();
    await consult(callID, OUTSIDE);
    const guest = await office.customerPhone.nextCall();
    expect([guest.dialled, guest.callerNumber]).toEqual([OUTSIDE, TRUNK_NUMBER]);
    guest.ring();
    await guest.answer();
    await stage(callID, 4);
    const three = talkersOf({ agent, customer, guest }, OUTSIDE_TONE);
    await expectHeard(three, { agent: ['guest'], guest: ['agent'], customer: ['music'] });
    expect(office.client.of(callID).find((e) => e.messageID === 'EventRinging' && e.thisDN === OUTSIDE)).toMatchObject({
      partyRole: 'ThirdPSTN',
    });
    await office.client.call('RequestTransferConsult', { callID, thisDN: AGENT });
    await expectHeard(three.slice(1), { customer: ['guest'], guest: ['customer'] });
    await customer.hangUp();
    await ended(callID);
  });

  test('what may not be asked is refused by name, and nobody notices', async () => {
    const { callID, agent, customer } = await talking();
    const refusal = async (method: string, params: object) =>
      (await office.client.refusal(method, { callID, thisDN: AGENT, ...params })).message;
    expect(await refusal('RequestInitiateConsult', { otherDN: AGENT })).toBe('TargetPartyIsSelf');
    expect(await refusal('RequestInitiateConsult', { otherDN: CUSTOMER })).toBe('TargetPartyInCall');
    expect(await refusal('RequestInitiateConsult', { otherDN: '12' })).toBe('InvalidParams');
    expect(await refusal('RequestInitiateConsult', { otherDN: GUEST, thisDN: '1017' })).toBe('NotFoundParty');
    expect(await refusal('RequestInitiateConsult', { otherDN: GUEST, callID: 'none' })).toBe('NotFoundCallID');
    for (const method of ['Cancel', 'Retrieve', 'Transfer', 'Conference']) {
      expect(await refusal(`Request${method}Consult`, {})).toBe('InvalidAgentState');
    }
    await consult(callID);
    const guest = await office.phone(GUEST).nextCall();
    expect(await refusal('RequestInitiateConsult', { otherDN: '1020' })).toBe('AgentIsInConsultScene');
    await guest.answer();
    await stage(callID, 4);
    await office.client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
    expect(await refusal('RequestInitiateConsult', { otherDN: '1020' })).toBe('AgentIsInConferenceScene');
    await expectHeard(talkersOf({ agent, customer, guest }), ALL_HEAR);
    await office.client.call('RequestClearCall', { callID });
    await ended(callID);
  });
});
