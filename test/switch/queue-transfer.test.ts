import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentTone } from '../../lab/standing.ts';
import { only, told } from '../support/call-events.ts';
import { AGENT, CUSTOMER, OUTSIDE, outcomeOfRefer, sinceTheyTalked } from '../support/office.ts';
import { NEXT, QUEUE, QueueOffice, SMALL, THIRD, TO_NUMBER } from '../support/queue-office.ts';

const ACCEPTED = 202;

describe('a queue that is handed a call, is asked or is called', () => {
  const office = new QueueOffice();
  const { talking, login, hand, heard, hearEachOther, rung, established, kept, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  describe('is handed a call', () => {
    test('the customer has music until an agent of the queue has answered, and then talks to him', async () => {
      const { callID, agent, customer } = await talking();
      await hand(callID);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await office.phone(NEXT).nextCall();
      expect(next.callerNumber).toBe(CUSTOMER);
      next.ring();
      await rung(callID, NEXT);
      await expect.poll(() => kept(NEXT), { timeout: 10_000 }).toBe('Dialed');
      await heard({ customer }, { customer: ['music'] });
      await next.answer();
      await established(callID, NEXT);
      await hearEachOther(customer, next, agentTone(NEXT));
      await expect.poll(() => kept(NEXT), { timeout: 10_000 }).toBe('Connected');
      await customer.hangUp();
      const events = sinceTheyTalked(await ended(callID));
      expect(told(events)).toEqual([
        `EventReleased(${AGENT})`,
        `EventRinging(${NEXT})`,
        `EventEstablished(${NEXT})`,
        `EventReleased(${CUSTOMER})`,
        `EventReleased(${NEXT})`,
        `EventCallDeleted(${AGENT})`,
      ]);
      expect(events[0]).toMatchObject({ callState: 'Transferred', thirdDN: QUEUE, thirdDNRole: 'TransferTo' });
      const ofNext = { referenceID: 7, otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'TransferBy', thisQueue: QUEUE };
      expect(events[1]).toMatchObject({ ...ofNext, agentStatus: 'Dialed' });
      expect(events[2]).toMatchObject({ ...ofNext, agentStatus: 'Connected' });
      expect(events[3]).toMatchObject({ otherDN: NEXT, thisQueue: QUEUE });
      expect(events[4]).toMatchObject({ otherDN: CUSTOMER, agentStatus: 'Completed' });
    });

    test('on the phone, by the queue’s number', async () => {
      const { callID, agent, customer } = await talking();
      const taken = outcomeOfRefer(agent);
      expect(await agent.refer(QUEUE)).toBe(ACCEPTED);
      expect(await taken).toBe('200');
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await office.phone(NEXT).nextCall();
      await next.answer();
      await hearEachOther(customer, next, agentTone(NEXT));
      await next.hangUp();
      expect(sinceTheyTalked(await ended(callID))[0]).toMatchObject({ callState: 'Transferred', thirdDN: QUEUE });
    });

    test('the next agent is rung after one who does not come, and the customer keeps hearing music', async () => {
      const { callID, customer } = await talking();
      await login(NEXT);
      await login(THIRD);
      await hand(callID);
      const missed = await office.phone(NEXT).nextCall();
      missed.ring();
      await missed.waitFor('ended');
      const third = await office.phone(THIRD).nextCall();
      third.ring();
      await office.client.event('EventAgentNotReady', (e) => e.thisDN === NEXT && e.reasonCode === 97);
      await heard({ customer }, { customer: ['music'] });
      await third.answer();
      await hearEachOther(customer, third, agentTone(THIRD));
      await third.hangUp();
      expect(only(await ended(callID), 'EventReleased', NEXT)).toMatchObject({
        agentStatus: 'Missed',
        connectionStatus: 'User Not Answered',
        thisQueue: QUEUE,
      });
    });

    test('he who handed it on is given it only when he is ready and nobody else is', async () => {
      const { callID, customer } = await talking();
      await login(AGENT);
      await office.client.call('RequestAgentNotReady', { thisDN: AGENT, reasonCode: 11 });
      await hand(callID);
      await heard({ customer }, { customer: ['music'] });
      await office.client.call('RequestAgentReady', { thisDN: AGENT });
      const again = await office.phone(AGENT).nextCall();
      await again.answer();
      await hearEachOther(customer, again, agentTone(AGENT));
      await customer.hangUp();
      await ended(callID);
    });

    test('the customer hangs up while he waits, and while an agent is rung for him', async () => {
      const alone = await talking();
      await hand(alone.callID);
      await alone.agent.waitFor('ended');
      await heard({ customer: alone.customer }, { customer: ['music'] });
      await alone.customer.hangUp();
      expect(sinceTheyTalked(await ended(alone.callID)).map((e) => e.messageID)).toEqual([
        'EventReleased',
        'EventReleased',
        'EventCallDeleted',
      ]);

      const { callID, customer } = await talking();
      await login(NEXT);
      await hand(callID);
      const next = await office.phone(NEXT).nextCall();
      next.ring();
      await rung(callID, NEXT);
      await customer.hangUp();
      await next.waitFor('ended');
      await ended(callID);
      await expect
        .poll(
          async () => (await office.client.call('RequestListAgents', {})).agents.map((a) => [a.state, a.agentStatus]),
          {
            timeout: 10_000,
          },
        )
        .toContainEqual(['Ready', 'AVAILABLE']);
    });

    test('a full one refuses, by request and on the phone, and both talk on', async () => {
      const first = await talking();
      await hand(first.callID, SMALL);
      await first.agent.waitFor('ended');
      const { callID, agent, customer } = await talking();
      for (const method of ['RequestSingleStepTransfer', 'RequestInitiateConsult']) {
        const refusal = await office.client.refusal(method, { callID, thisDN: AGENT, otherDN: SMALL });
        expect(refusal).toMatchObject({ code: 301027, data: { reason: 'queue-full' } });
      }
      const declined = outcomeOfRefer(agent);
      expect(await agent.refer(SMALL)).toBe(ACCEPTED);
      expect(await declined).toBe('603');
      await hearEachOther(customer, agent, agentTone(AGENT));
      const called = await office.client.refusal('RequestMakeCall', { thisDN: NEXT, otherDN: SMALL });
      expect(called).toMatchObject({ code: 301027, data: { reason: 'queue-full' } });
      const added = await office.client.refusal('RequestSingleStepConference', {
        callID,
        thisDN: AGENT,
        otherDN: QUEUE,
      });
      expect(added.code).toBe(301018);
      await first.customer.hangUp();
      await ended(first.callID);
      await hand(callID, SMALL);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await customer.hangUp();
      await ended(callID);
    });

    test('its overflow does not come: the customer is back with the agent, and has music until then', async () => {
      const { callID, customer } = await talking();
      await hand(callID, TO_NUMBER);
      const elsewhere = await office.customerPhone.nextCall();
      elsewhere.ring();
      await heard({ customer }, { customer: ['music'] });
      await elsewhere.refuse(486);
      const again = await office.phone(AGENT).nextCall();
      expect(again.callerNumber).toBe(CUSTOMER);
      again.ring();
      await heard({ customer }, { customer: ['music'] });
      await again.answer();
      await hearEachOther(customer, again, agentTone(AGENT));
      await customer.hangUp();
      const events = sinceTheyTalked(await ended(callID));
      expect(told(events).slice(0, 5)).toEqual([
        `EventReleased(${AGENT})`,
        `EventRinging(${OUTSIDE})`,
        `EventReleased(${OUTSIDE})`,
        `EventRinging(${AGENT})`,
        `EventEstablished(${AGENT})`,
      ]);
      expect(events[3]).toMatchObject({ thirdDN: TO_NUMBER, thirdDNRole: 'TransferTo', partyID: `${callID}-4` });
    });

    test('its overflow comes, and may not hand the call on', async () => {
      const { callID, customer } = await talking();
      await hand(callID, TO_NUMBER);
      const elsewhere = await office.customerPhone.nextCall();
      await elsewhere.answer();
      await established(callID, OUTSIDE);
      await heard({ customer, elsewhere }, { customer: ['elsewhere'], elsewhere: ['customer'] });
      const refusal = await office.client.refusal('RequestSingleStepTransfer', {
        callID,
        thisDN: OUTSIDE,
        otherDN: NEXT,
      });
      expect(refusal.message).toBe('CustomerAddByConference');
      await elsewhere.hangUp();
      await ended(callID);
    });

    test('who waits goes on waiting when the service is started again, and gets his agent', async () => {
      const { callID, agent, customer } = await talking();
      await hand(callID);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await office.restart();
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await office.phone(NEXT).nextCall();
      await next.answer();
      await hearEachOther(customer, next, agentTone(NEXT));
      await next.hangUp();
      const events = await office.client.ended(callID);
      expect(events.find((e) => e.messageID === 'EventRinging')).toMatchObject({ thirdDN: AGENT, thisQueue: QUEUE });
    });
  });
});
