import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentTone } from '../../lab/standing.ts';
import { told } from '../support/call-events.ts';
import { AGENT, CUSTOMER, Office, outcomeOfRefer, sinceTheyTalked } from '../support/office.ts';

const TARGET = '1019';
const ACCEPTED = 202;

describe('a transfer that an agent starts on the phone', () => {
  const office = new Office([AGENT, TARGET]);
  const { talking, hearEachOther, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  test('blind: the same events as RequestSingleStepTransfer, and the phone is told that it worked', async () => {
    const { callID, agent, customer } = await talking();
    const told200 = outcomeOfRefer(agent);
    expect(await agent.refer(TARGET)).toBe(ACCEPTED);
    expect(await told200).toBe('200');
    const target = await office.phone(TARGET).nextCall();
    expect(target.callerNumber).toBe(CUSTOMER);
    await agent.waitFor('ended');
    target.ring();
    await target.answer();
    await hearEachOther(customer, target, agentTone(TARGET));
    await customer.hangUp();
    const events = sinceTheyTalked(await ended(callID));
    expect(told(events)).toEqual([
      `EventReleased(${AGENT})`,
      `EventRinging(${TARGET})`,
      `EventEstablished(${TARGET})`,
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${TARGET})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(events[0]).toMatchObject({ callState: 'Transferred', thirdDN: TARGET, thirdDNRole: 'TransferTo' });
    expect(events[1]).toMatchObject({ otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'TransferBy' });
  });

  test('to a number that cannot be: the phone is told so, and both talk on', async () => {
    const { callID, agent, customer } = await talking();
    const declined = outcomeOfRefer(agent);
    expect(await agent.refer('12')).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await hearEachOther(customer, agent, agentTone(AGENT));
    await agent.hangUp();
    await ended(callID);
  });

  test('by the customer: it is not his to hand over', async () => {
    const { callID, agent, customer } = await talking();
    const declined = outcomeOfRefer(customer);
    expect(await customer.refer(TARGET)).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await hearEachOther(customer, agent, agentTone(AGENT));
    await customer.hangUp();
    await ended(callID);
  });

  test('the phone hangs up by itself as soon as its transfer is accepted', async () => {
    const { callID, agent, customer } = await talking();
    expect(await agent.refer(TARGET)).toBe(ACCEPTED);
    await agent.hangUp();
    const target = await office.phone(TARGET).nextCall();
    await target.answer();
    await hearEachOther(customer, target, agentTone(TARGET));
    await target.hangUp();
    await ended(callID);
  });
});
