import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone, customerTone } from '../../lab/standing.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import { openAgentPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';

describe('the way to an answer', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    agentPhone = await openAgentPhone(lab, AGENT);
    rm = await ringmaster(lab);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await agentPhone.close();
  });

  /** A call that the agent has answered, and what the agent's phone has of it. */
  async function callTo(number: string) {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: number });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    return { callID, agent };
  }

  const inOrder = (number: string) => [
    `EventCallCreated(${AGENT})`,
    `EventDialing(${AGENT})`,
    `EventRinging(${number})`,
    `EventOtherRinging(${AGENT})`,
    `EventEstablished(${AGENT})`,
    `EventEstablished(${number})`,
  ];

  test.each([
    ['183 with early media', '91114003003', true],
    ['183 with early media, then 180', '91114004004', true],
    ['an answer without 180', '91114005005', false],
  ] as const)('%s: EventRinging once, and what is sent before the answer is heard', async (_, number, early) => {
    const { callID, agent } = await callTo(number);
    if (early) {
      expect(await agent.hears(customerTone(number))).toBe(true);
      expect(told(client.of(callID))).not.toContain(`EventEstablished(${number})`);
    }
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === number);
    expect(await agent.hears(customerTone(number))).toBe(true);
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events).slice(0, 6)).toEqual(inOrder(number));
    const released = only(events, 'EventReleased', number);
    expect(released.connectionStatus).toBe('Connected');
    expect('progressUepoch' in released).toBe(early);
  });

  test('an announcement that is never answered: heard by the agent, and ended by our ring timer', async () => {
    const number = '91114009009';
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: number, ringTimeout: 2 });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    expect(await agent.hears(customerTone(number))).toBe(true);
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventReleased', number)).toMatchObject({
      connectionStatus: 'Ring Timeout',
      progressUepoch: expect.any(Number),
    });
  });

  test('RequestAnswerCall makes the agent’s phone answer by itself; a phone that does not ring refuses it', async () => {
    const dn = '1011';
    const number = '91114001001';
    const { callID } = await client.call('RequestMakeCall', { thisDN: dn, otherDN: number });
    await client.event('EventDialing', (e) => e.callID === callID);
    expect(await client.call('RequestAnswerCall', { referenceID: 5, callID, thisDN: dn })).toEqual({});
    const established = await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === dn);
    expect(established.referenceID).toBe(5);

    const refusal = await client.refusal('RequestAnswerCall', { referenceID: 6, callID, thisDN: dn });
    expect([refusal.code, refusal.message]).toEqual([301006, 'InvalidAgentState']);
    const error = await client.event('EventPartyError', (e) => e.referenceID === 6);
    expect(error).toEqual({
      messageID: 'EventPartyError',
      eventID: expect.any(Number),
      creationTime: expect.any(Number),
      companyId: rm.companyId,
      referenceID: 6,
      callID,
      thisDN: dn,
      errorCode: 301006,
      errorMessage: 'InvalidAgentState',
      request: 'RequestAnswerCall',
    });
    await client.call('RequestClearCall', { callID });
    expectWhole(await client.ended(callID));
  });

  test('RequestAnswerCall for the one who is called: a colleague’s phone answers by itself', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: '1012' });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === '1012');
    await client.call('RequestAnswerCall', { callID, thisDN: '1012' });
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === '1012');
    expect(await agent.hears(agentTone('1012'))).toBe(true);
    await agent.hangUp();
    expectWhole(await client.ended(callID));
  });

  test('attached data is merged, carried by every later event, and asked for while the call lives and after it', async () => {
    const number = '91114001002';
    const { callID } = await client.call('RequestMakeCall', {
      referenceID: 20,
      thisDN: AGENT,
      otherDN: number,
      attachedData: { orderID: '1', kept: { deep: [1, 2] } },
    });
    const agent = await agentPhone.nextCall();
    const before = await client.call('RequestListCalls', { thisDN: AGENT });
    expect(before.calls.map((c) => [c.callID, c.parties.map((p) => [p.thisDN, p.partyState])])).toEqual([
      [callID, [[AGENT, 'Dialing']]],
    ]);
    await agent.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === number);

    const merged = { kept: { deep: [1, 2] }, policyID: 'p', customerID: 'c' };
    expect(
      await client.call('RequestUpdateAttachedData', {
        referenceID: 21,
        callID,
        thisDN: AGENT,
        attachedData: { orderID: null, policyID: 'p', customerID: 'c' },
      }),
    ).toEqual({ attachedData: merged });
    const list = await client.call('RequestListCalls', { callType: 'Outbound' });
    expect(list).toEqual({
      calls: [
        {
          callID,
          callType: 'Outbound',
          callState: 'OK',
          creationTime: expect.any(Number),
          ANI: '911140001000',
          DNIS: number,
          attachedData: merged,
          parties: [
            {
              partyID: `${callID}-1`,
              partyRole: 'Agent',
              thisDN: AGENT,
              DNRole: 'Origination',
              partyState: 'Talk',
              createTime: expect.any(Number),
            },
            {
              partyID: `${callID}-2`,
              partyRole: 'Customer',
              thisDN: number,
              DNRole: 'Destination',
              partyState: 'Talk',
              createTime: expect.any(Number),
            },
          ],
        },
      ],
    });
    expect(await client.call('RequestListCalls', { callType: 'Inbound' })).toEqual({ calls: [] });

    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const changed = events.findIndex((e) => e.messageID === 'EventAttachedDataChanged');
    expect(only(events, 'EventAttachedDataChanged')).toMatchObject({
      referenceID: 21,
      thisDN: AGENT,
      attachedData: merged,
    });
    for (const e of events.slice(0, changed)) expect(e.attachedData).toEqual({ orderID: '1', kept: { deep: [1, 2] } });
    for (const e of events.slice(changed)) expect(e.attachedData).toEqual(merged);

    expect(await client.call('RequestGetCallInfo', { referenceID: 22, callID })).toEqual({
      messageID: 'EventCallInfo',
      referenceID: 22,
      companyId: rm.companyId,
      callID,
      callType: 'Outbound',
      thisDN: AGENT,
      ANI: '911140001000',
      DNIS: number,
      attachedData: merged,
      creationTime: expect.any(Number),
      parties: [
        { thisDN: AGENT, DNRole: 'Origination', createTime: expect.any(Number) },
        { thisDN: number, DNRole: 'Destination', createTime: expect.any(Number) },
      ],
    });
    expect(await client.call('RequestListCalls', {})).toEqual({ calls: [] });
  });
});
