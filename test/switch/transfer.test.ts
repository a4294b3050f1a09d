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
const TARGET = '1019';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const OUTSIDE = '911140099055';
const OUTSIDE_TONE = 2750;
const TRUNK_NUMBER = '911140001000';
/** Asterisk's busy tone and its ringing tone in the lab (indications.conf). */
const SERVICE_TONE = 400;

describe('a call that is handed on without asking', () => {
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
    await Promise.all([agentPhone?.close(), targetPhone?.close(), customerPhone?.close()]);
  });

  const talking = () => talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
  const as = (name: string, call: PhoneCall, tone: number): Talker => ({ name, call, tone });
  const pair = (customer: PhoneCall, other: PhoneCall, tone: number) =>
    expectHeard([as('customer', customer, CUSTOMER_TONE), as('other', other, tone)], {
      customer: ['other'],
      other: ['customer'],
    });
  const since = (events: readonly CtiEvent[]) =>
    events.slice(events.findIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1);
  const all = (callID: string) => ({
    callID,
    companyId: rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
    attachedData: {},
    referenceID: 7,
  });

  test('the target rings and talks to the customer: every event with its fields', async () => {
    const { callID, agent, customer } = await talking();
    await pair(customer, agent, agentTone(AGENT));
    await client.call('RequestSingleStepTransfer', { referenceID: 7, callID, thisDN: AGENT, otherDN: TARGET });
    const target = await targetPhone.nextCall();
    expect(target.callerNumber).toBe(CUSTOMER);
    await agent.waitFor('ended');
    target.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === TARGET);
    expect(await customer.hears(SERVICE_TONE)).toBe(true);
    await target.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === TARGET);
    await pair(customer, target, agentTone(TARGET));
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const ofTarget = {
      ...all(callID),
      partyID: `${callID}-3`,
      partyRole: 'Agent',
      thisDN: TARGET,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      thisQueue: '',
    };
    const news = plain(since(events));
    expect(news[0]).toMatchObject({
      messageID: 'EventReleased',
      ...all(callID),
      partyID: `${callID}-1`,
      partyRole: 'Agent',
      thisDN: AGENT,
      otherDN: CUSTOMER,
      thirdDN: TARGET,
      thirdDNRole: 'TransferTo',
      callState: 'Transferred',
      connectionStatus: 'Connected',
      hangupDisposition: 'send_bye',
    });
    expect(news.slice(1, 3)).toEqual([
      { messageID: 'EventRinging', ...ofTarget, agentStatus: 'Dialed' },
      { messageID: 'EventEstablished', ...ofTarget, makeCallType: 'Regular', agentStatus: 'Connected' },
    ]);
    expect(told(since(events)).slice(3)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${TARGET})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('a number outside is reached over the trunk; the customer hears its early media', async () => {
    const { callID, customer } = await talking();
    await client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: OUTSIDE });
    const target = await customerPhone.nextCall();
    expect([target.dialled, target.callerNumber]).toEqual([OUTSIDE, TRUNK_NUMBER]);
    await target.early();
    expect(await customer.hears(OUTSIDE_TONE)).toBe(true);
    await target.answer();
    await pair(customer, target, OUTSIDE_TONE);
    await target.hangUp();
    expectWhole(await client.ended(callID));
  });

  const failures: [string, (target: PhoneCall, callID: string) => Promise<unknown>][] = [
    ['is busy', (target) => target.refuse(486)],
    ['refuses', (target) => target.refuse(603)],
    [
      'is released while it rings',
      async (target, callID) => {
        target.ring();
        await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === TARGET);
        await client.call('RequestReleaseCall', { callID, thisDN: TARGET });
      },
    ],
  ];
  test.each(failures)('the target %s: the customer is back with the agent', async (_, happen) => {
    const { callID, customer } = await talking();
    await client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: TARGET });
    await happen(await targetPhone.nextCall(), callID);
    const again = await agentPhone.nextCall();
    expect(again.callerNumber).toBe(CUSTOMER);
    again.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === AGENT);
    await again.answer();
    await pair(customer, again, agentTone(AGENT));
    await again.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(since(events))).toEqual([
      `EventReleased(${AGENT})`,
      ...(events.some((e) => e.messageID === 'EventRinging' && e.thisDN === TARGET) ? [`EventRinging(${TARGET})`] : []),
      `EventReleased(${TARGET})`,
      `EventRinging(${AGENT})`,
      `EventEstablished(${AGENT})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(events.find((e) => e.messageID === 'EventRinging' && e.thisDN === AGENT)).toMatchObject({
      thirdDN: TARGET,
      thirdDNRole: 'TransferTo',
    });
  });

  test('neither the target nor the agent comes: the customer hears the tone, and the call ends', async () => {
    const { callID, customer } = await talking();
    await client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: '1093' });
    const again = await agentPhone.nextCall();
    await again.refuse(486);
    expect(await customer.hears(SERVICE_TONE)).toBe(true);
    const events = await client.ended(callID);
    await customer.waitFor('ended');
    expect(customer.end).toMatchObject({ by: 'them', how: 'BYE' });
    expectWhole(events);
    expect(told(since(events))).toEqual([
      `EventReleased(${AGENT})`,
      'EventReleased(1093)',
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('the customer puts down while the target rings: its phone stops', async () => {
    const { callID, customer } = await talking();
    await client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: TARGET });
    const target = await targetPhone.nextCall();
    target.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === TARGET);
    await customer.hangUp();
    await target.waitFor('ended');
    expect(target.end?.how).toBe('CANCEL');
    expectWhole(await client.ended(callID));
  });

  test('what may not be is refused by name, and both talk on', async () => {
    const { callID, agent, customer } = await talking();
    const refusal = async (params: object) =>
      (await client.refusal('RequestSingleStepTransfer', { callID, thisDN: AGENT, ...params })).message;
    expect(await refusal({ otherDN: AGENT })).toBe('TargetPartyIsSelf');
    expect(await refusal({ otherDN: CUSTOMER })).toBe('TargetPartyInCall');
    expect(await refusal({ otherDN: '12' })).toBe('InvalidParams');
    expect(await refusal({ otherDN: TARGET, thisDN: '1017' })).toBe('NotFoundParty');
    expect(await refusal({ otherDN: TARGET, thisDN: CUSTOMER })).toBe('InvalidAgentState');
    expect(await refusal({ otherDN: TARGET, callID: 'none' })).toBe('NotFoundCallID');
    await pair(customer, agent, agentTone(AGENT));
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });
});
