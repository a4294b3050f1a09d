import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, plain, told } from '../support/call-events.ts';
import { AGENT, CUSTOMER, Office, OUTSIDE, OUTSIDE_TONE, sinceTheyTalked, TRUNK_NUMBER } from '../support/office.ts';

const TARGET = '1019';
/** Asterisk's busy tone and its ringing tone in the lab (indications.conf). */
const SERVICE_TONE = 400;

describe('a call that is handed on without asking', () => {
  const office = new Office([AGENT, TARGET]);
  const { talking, hearEachOther, rung, established, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  const all = (callID: string) => ({
    callID,
    companyId: office.rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
    attachedData: {},
    referenceID: 7,
  });

  test('the target rings and talks to the customer: every event with its fields', async () => {
    const { callID, agent, customer } = await talking();
    await hearEachOther(customer, agent, agentTone(AGENT));
    await office.client.call('RequestSingleStepTransfer', { referenceID: 7, callID, thisDN: AGENT, otherDN: TARGET });
    const target = await office.phone(TARGET).nextCall();
    expect(target.callerNumber).toBe(CUSTOMER);
    await agent.waitFor('ended');
    target.ring();
    await rung(callID, TARGET);
    expect(await customer.hears(SERVICE_TONE)).toBe(true);
    await target.answer();
    await established(callID, TARGET);
    await hearEachOther(customer, target, agentTone(TARGET));
    await customer.hangUp();
    const events = await ended(callID);
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
    const news = plain(sinceTheyTalked(events));
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
    expect(told(sinceTheyTalked(events)).slice(3)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${TARGET})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('a number outside is reached over the trunk; the customer hears its early media', async () => {
    const { callID, customer } = await talking();
    await office.client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: OUTSIDE });
    const target = await office.customerPhone.nextCall();
    expect([target.dialled, target.callerNumber]).toEqual([OUTSIDE, TRUNK_NUMBER]);
    await target.early();
    expect(await customer.hears(OUTSIDE_TONE)).toBe(true);
    await target.answer();
    await hearEachOther(customer, target, OUTSIDE_TONE);
    await target.hangUp();
    await ended(callID);
  });

  const failures: [string, (target: PhoneCall, callID: string) => Promise<unknown>][] = [
    ['is busy', (target) => target.refuse(486)],
    ['refuses', (target) => target.refuse(603)],
    [
      'is released while it rings',
      async (target, callID) => {
        target.ring();
        await rung(callID, TARGET);
        await office.client.call('RequestReleaseCall', { callID, thisDN: TARGET });
      },
    ],
  ];
  test.each(failures)('the target %s: the customer is back with the agent', async (_, happen) => {
    const { callID, customer } = await talking();
    await office.client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: TARGET });
    await happen(await office.phone(TARGET).nextCall(), callID);
    const again = await office.phone(AGENT).nextCall();
    expect(again.callerNumber).toBe(CUSTOMER);
    again.ring();
    await rung(callID, AGENT);
    await again.answer();
    await hearEachOther(customer, again, agentTone(AGENT));
    await again.hangUp();
    const events = await ended(callID);
    expect(told(sinceTheyTalked(events))).toEqual([
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
    await office.client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: '1093' });
    const again = await office.phone(AGENT).nextCall();
    await again.refuse(486);
    expect(await customer.hears(SERVICE_TONE)).toBe(true);
    const events = await office.client.ended(callID);
    await customer.waitFor('ended');
    expect(customer.end).toMatchObject({ by: 'them', how: 'BYE' });
    expectWhole(events);
    expect(told(sinceTheyTalked(events))).toEqual([
      `EventReleased(${AGENT})`,
      'EventReleased(1093)',
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('the customer puts down while the target rings: its phone stops', async () => {
    const { callID, customer } = await talking();
    await office.client.call('RequestSingleStepTransfer', { callID, thisDN: AGENT, otherDN: TARGET });
    const target = await office.phone(TARGET).nextCall();
    target.ring();
    await rung(callID, TARGET);
    await customer.hangUp();
    await target.waitFor('ended');
    expect(target.end?.how).toBe('CANCEL');
    await ended(callID);
  });

  test('what may not be is refused by name, and both talk on', async () => {
    const { callID, agent, customer } = await talking();
    const refusal = async (params: object) =>
      (await office.client.refusal('RequestSingleStepTransfer', { callID, thisDN: AGENT, ...params })).message;
    expect(await refusal({ otherDN: AGENT })).toBe('TargetPartyIsSelf');
    expect(await refusal({ otherDN: CUSTOMER })).toBe('TargetPartyInCall');
    expect(await refusal({ otherDN: '12' })).toBe('InvalidParams');
    expect(await refusal({ otherDN: TARGET, thisDN: '1017' })).toBe('NotFoundParty');
    expect(await refusal({ otherDN: TARGET, thisDN: CUSTOMER })).toBe('InvalidAgentState');
    expect(await refusal({ otherDN: TARGET, callID: 'none' })).toBe('NotFoundCallID');
    await hearEachOther(customer, agent, agentTone(AGENT));
    await agent.hangUp();
    await ended(callID);
  });
});
