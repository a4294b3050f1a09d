import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard, talk } from '../support/talking.ts';

const AGENT = '1018';
const TARGET = '1019';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const ACCEPTED = 202;

describe('a transfer that an agent starts on the phone', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let targetPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, targetPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, TARGET),
      openCustomerPhone(lab, CUSTOMER, { tone: CUSTOMER_TONE }),
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
    await Promise.all([agentPhone?.close(), targetPhone?.close(), customerPhone?.close()]);
  });

  const talking = () => talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
  const pair = (customer: PhoneCall, other: PhoneCall, tone: number) =>
    expectHeard(
      [
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
        { name: 'other', call: other, tone },
      ],
      { customer: ['other'], other: ['customer'] },
    );
  /** The final status that the phone is told of its REFER. */
  const outcome = async (call: PhoneCall): Promise<string> => {
    for (;;) {
      const { detail = '' } = await call.waitFor('refer-notify');
      if (!detail.startsWith('1')) return detail;
    }
  };

  test('blind: the same events as RequestSingleStepTransfer, and the phone is told that it worked', async () => {
    const { callID, agent, customer } = await talking();
    const told200 = outcome(agent);
    expect(await agent.refer(TARGET)).toBe(ACCEPTED);
    expect(await told200).toBe('200');
    const target = await targetPhone.nextCall();
    expect(target.callerNumber).toBe(CUSTOMER);
    await agent.waitFor('ended');
    target.ring();
    await target.answer();
    await pair(customer, target, agentTone(TARGET));
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const from = events.findIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1;
    expect(told(events.slice(from))).toEqual([
      `EventReleased(${AGENT})`,
      `EventRinging(${TARGET})`,
      `EventEstablished(${TARGET})`,
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${TARGET})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(events[from]).toMatchObject({ callState: 'Transferred', thirdDN: TARGET, thirdDNRole: 'TransferTo' });
    expect(events[from + 1]).toMatchObject({ otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'TransferBy' });
  });

  test('to a number that cannot be: the phone is told so, and both talk on', async () => {
    const { callID, agent, customer } = await talking();
    const declined = outcome(agent);
    expect(await agent.refer('12')).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await pair(customer, agent, agentTone(AGENT));
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('by the customer: it is not his to hand over', async () => {
    const { callID, agent, customer } = await talking();
    const declined = outcome(customer);
    expect(await customer.refer(TARGET)).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await pair(customer, agent, agentTone(AGENT));
    await customer.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('the phone hangs up by itself as soon as its transfer is accepted', async () => {
    const { callID, agent, customer } = await talking();
    expect(await agent.refer(TARGET)).toBe(ACCEPTED);
    await agent.hangUp();
    const target = await targetPhone.nextCall();
    await target.answer();
    await pair(customer, target, agentTone(TARGET));
    await target.hangUp();
    expectWhole(await client.ended(callID));
  });
});
