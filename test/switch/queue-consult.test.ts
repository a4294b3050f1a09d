import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { only, told } from '../support/call-events.ts';
import { AGENT, CUSTOMER, sinceTheyTalked } from '../support/office.ts';
import { NEXT, QUEUE, QueueOffice, SMALL, THIRD } from '../support/queue-office.ts';

describe('a queue that is handed a call, is asked or is called', () => {
  const office = new QueueOffice();
  const { talking, login, ask, heard, hearEachOther, established, stage, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  describe('is asked', () => {
    /** Agent and customer have music, and the agent of the queue is rung. */
    const ringing = async () => {
      const { callID, agent, customer } = await talking();
      const { partyID } = await ask(callID);
      expect(partyID).toBe(`${callID}-1`);
      await stage(callID, 1);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      await login(NEXT);
      const guest = await office.phone(NEXT).nextCall();
      expect(guest.callerNumber).toBe(AGENT);
      guest.ring();
      await stage(callID, 2);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      return { callID, agent, customer, guest };
    };
    const asked = async () => {
      const scene = await ringing();
      await scene.guest.answer();
      await stage(scene.callID, 4);
      const { agent, customer, guest } = scene;
      const hears = { [AGENT]: [NEXT], [NEXT]: [AGENT], customer: ['music'] };
      await heard({ [AGENT]: agent, [NEXT]: guest, customer }, hears);
      return scene;
    };

    test('its agent is consulted, and takes the customer over', async () => {
      const { callID, agent, customer, guest } = await asked();
      await office.client.call('RequestTransferConsult', { referenceID: 8, callID, thisDN: AGENT });
      await agent.waitFor('ended');
      await hearEachOther(customer, guest, agentTone(NEXT));
      await customer.hangUp();
      const events = sinceTheyTalked(await ended(callID));
      expect(told(events)).toEqual([
        `EventAttachedDataChanged(${AGENT})`,
        `EventRinging(${NEXT})`,
        `EventAttachedDataChanged(${AGENT})`,
        `EventEstablished(${NEXT})`,
        `EventAttachedDataChanged(${AGENT})`,
        `EventReleased(${AGENT})`,
        `EventPartyChanged(${NEXT})`,
        `EventReleased(${CUSTOMER})`,
        `EventReleased(${NEXT})`,
        `EventCallDeleted(${AGENT})`,
      ]);
      expect(events.map((e) => e.attachedData?.['consultStage'])).toEqual([
        ...[1, '2', 2, '4', 4, 6, 6],
        undefined,
        undefined,
        undefined,
      ]);
      expect(events[0]).toMatchObject({ otherDN: QUEUE, referenceID: 7, agentStatus: 'ConsultationDialed' });
      expect(events[1]).toMatchObject({
        otherDN: AGENT,
        otherDNRole: 'ConsultBy',
        thirdDN: CUSTOMER,
        callState: 'Consult',
        thisQueue: QUEUE,
        referenceID: 7,
        agentStatus: 'ConsultationGuestDialed',
      });
      expect(events[3]).toMatchObject({ thisQueue: QUEUE, agentStatus: 'ConsultationGuestConnected' });
      expect(events[4]).toMatchObject({ otherDN: NEXT, agentStatus: 'ConsultationConnected' });
      expect(events[8]).toMatchObject({ otherDN: CUSTOMER, agentStatus: 'Completed' });
    });

    test('the agent goes back to the customer, who has heard nothing of it', async () => {
      const { callID, agent, customer, guest } = await asked();
      await office.client.call('RequestRetrieveConsult', { callID, thisDN: AGENT });
      await guest.waitFor('ended');
      await stage(callID, 5);
      await hearEachOther(customer, agent, agentTone(AGENT));
      await agent.hangUp();
      await ended(callID);
    });

    test('all three talk', async () => {
      const { callID, agent, customer, guest } = await asked();
      await office.client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
      await office.client.event('EventPartyChanged', (e) => e.callID === callID);
      const hears = { [AGENT]: [NEXT, 'customer'], [NEXT]: [AGENT, 'customer'], customer: [AGENT, NEXT] };
      await heard({ [AGENT]: agent, [NEXT]: guest, customer }, hears);
      await office.client.call('RequestClearCall', { callID });
      await ended(callID);
    });

    test('it is called off while nobody rings', async () => {
      const { callID, agent, customer } = await talking();
      await ask(callID);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      await office.client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT });
      expect(await stage(callID, 3)).toMatchObject({
        otherDN: QUEUE,
        referenceID: 9,
        agentStatus: 'ConsultationReleased',
      });
      await hearEachOther(customer, agent, agentTone(AGENT));
      await agent.hangUp();
      await ended(callID);
    });

    test('it is called off while an agent of it rings', async () => {
      const { callID, agent, customer, guest } = await ringing();
      await office.client.call('RequestCancelConsult', { callID, thisDN: AGENT });
      await guest.waitFor('ended');
      await stage(callID, 3);
      await hearEachOther(customer, agent, agentTone(AGENT));
      await agent.hangUp();
      await ended(callID);
      const { agents } = await office.client.call('RequestListAgents', {});
      expect(agents.find((a) => a.thisDN === NEXT)?.state).toBe('Ready');
    });

    test('an agent of it does not come, and the next one does', async () => {
      const { callID, agent, customer, guest } = await ringing();
      await login(THIRD);
      await guest.refuse(486);
      const third = await office.phone(THIRD).nextCall();
      await third.answer();
      await stage(callID, 4);
      const hears = { [AGENT]: [THIRD], [THIRD]: [AGENT], customer: ['music'] };
      await heard({ [AGENT]: agent, [THIRD]: third, customer }, hears);
      await agent.hangUp();
      await hearEachOther(customer, third, agentTone(THIRD));
      await customer.hangUp();
      expect(only(await ended(callID), 'EventReleased', NEXT)).toMatchObject({
        attachedData: { consultStage: 3 },
        agentStatus: 'ConsultationGuestMissed',
      });
    });

    test.each([
      ['the agent', true],
      ['the customer', false],
    ])('%s hangs up while the agent of the queue rings: the call is over', async (_, theAgent) => {
      const { callID, agent, customer, guest } = await ringing();
      await (theAgent ? agent : customer).hangUp();
      await Promise.all([agent, customer, guest].map((call) => call.waitFor('ended')));
      await ended(callID);
    });
  });

  describe('is called by an agent', () => {
    test.each([
      ['by request', 'RequestMakeCall'],
      ['on his phone', 'dialled'],
    ])('%s: he has music, and then talks to an agent of it', async (_, how) => {
      let agent: PhoneCall;
      let callID: string;
      if (how === 'dialled') {
        const known = office.client.events.length;
        agent = office.phone(AGENT).call(QUEUE);
        await agent.waitFor('answered');
        await office.client.until((events) => events.slice(known).some((e) => e.messageID === 'EventCallCreated'));
        callID = only(office.client.events.slice(known), 'EventCallCreated').callID;
      } else {
        ({ callID } = await office.client.call('RequestMakeCall', { thisDN: AGENT, otherDN: QUEUE, referenceID: 3 }));
        agent = await office.phone(AGENT).nextCall();
        await agent.answer();
      }
      await heard({ [AGENT]: agent }, { [AGENT]: ['music'] });
      await login(NEXT);
      const next = await office.phone(NEXT).nextCall();
      expect(next.callerNumber).toBe(AGENT);
      await next.answer();
      await established(callID, AGENT);
      await heard({ [AGENT]: agent, [NEXT]: next }, { [AGENT]: [NEXT], [NEXT]: [AGENT] });
      await agent.hangUp();
      const events = await ended(callID);
      expect(only(events, 'EventCallCreated').callType).toBe('Internal');
      expect(only(events, 'EventDialing')).toMatchObject({ thisDN: AGENT, otherDN: QUEUE });
      expect(only(events, 'EventReleased', AGENT)).toMatchObject({ agentStatus: 'Completed', thisQueue: QUEUE });
    });

    test('the queue cannot be rung first, nor can it call one of its own kind', async () => {
      const refusal = async (params: object) => (await office.client.refusal('RequestMakeCall', params)).message;
      expect(await refusal({ thisDN: AGENT, otherDN: QUEUE, firstLeg: 'customer' })).toBe('InvalidCallType');
      expect(await refusal({ thisDN: QUEUE, otherDN: SMALL, firstLeg: 'customer' })).toBe('InvalidCallType');
      expect(await refusal({ thisDN: AGENT, otherDN: QUEUE, callType: 'Outbound' })).toBe('InvalidCallType');
    });
  });
});
