import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentTone } from '../../lab/standing.ts';
import { only } from '../support/call-events.ts';
import { CUSTOMER_TONE } from '../support/conversation.ts';
import { AGENT, CUSTOMER } from '../support/office.ts';
import { AGENT_TONE, lasting, RecordingOffice, STANDING, TALKING } from '../support/recording-office.ts';

describe('a recorded call', () => {
  const office = new RecordingOffice({ mode: 'all', earlyMedia: true });
  const { bothEstablished, recordingOf } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  describe('where the company records everything, early media too', () => {
    test('early media is in the recording, and is told', async () => {
      const { callID } = await office.client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
      const agent = await office.phone(AGENT).nextCall();
      await agent.answer();
      const customer = await office.customerPhone.nextCall();
      await customer.sendTone(2600);
      await customer.early();
      await agent.hears(2600);
      await delay(700);
      await customer.sendTone(CUSTOMER_TONE);
      await customer.answer();
      await bothEstablished(callID);
      await delay(700);
      await agent.hangUp();
      expect(lasting(await recordingOf(callID))).toEqual([`2600|${AGENT_TONE}`, TALKING]);
      expect(only(office.client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(true);
      expect(only(office.client.of(callID), 'EventReleased', AGENT).recordedEarlymedia).toBe(false);
    });

    test('a customer who is never reached leaves what the network said', async () => {
      const { callID } = await office.client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
      const agent = await office.phone(AGENT).nextCall();
      await agent.answer();
      const customer = await office.customerPhone.nextCall();
      await customer.early();
      await agent.hears(CUSTOMER_TONE);
      await delay(500);
      await customer.refuse(486);
      expect(lasting(await recordingOf(callID))).toEqual([TALKING]);
      expect(only(office.client.of(callID), 'EventReleased', CUSTOMER).recordedEarlymedia).toBe(true);
    });

    test('a call from outside is recorded from the conversation on', async () => {
      const caller = await office.customerPhone.call('911140001000');
      await caller.waitFor('answered');
      const { callID } = await office.client.event('EventCallCreated', (e) => e.callType === 'Inbound');
      await bothEstablished(callID);
      await delay(700);
      await caller.hangUp();
      expect(lasting(await recordingOf(callID))).toEqual([`${CUSTOMER_TONE}|${agentTone(STANDING)}`]);
    });
  });
});
