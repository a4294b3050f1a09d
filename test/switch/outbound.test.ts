import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, plain, TALKED } from '../support/call-events.ts';
import { customersAt } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import type { Ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';
const COLLEAGUE = '1019';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const TRUNK_NUMBER = '911140001000';
const ATTACHED = { campaignID: '123', contactSN: '456' };

describe('a call that a client asks for', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let colleaguePhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, colleaguePhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, COLLEAGUE),
      openCustomerPhone(lab, CUSTOMER),
    ]);
    // The customer's phone is the test's own: it answers when the test says so.
    rm = await customersAt(lab, customerPhone);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone.close(), colleaguePhone.close(), customerPhone.close()]);
  });

  const hearEachOther = async (agent: PhoneCall, customer: PhoneCall): Promise<void> => {
    expect(await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(agentTone(AGENT))])).toEqual([true, true]);
  };

  test('agent first: both ring, talk and hang up, and every step is told with the fields of the seed', async () => {
    const { callID, partyID } = await client.call('RequestMakeCall', {
      referenceID: 7,
      thisDN: AGENT,
      otherDN: CUSTOMER,
      attachedData: ATTACHED,
    });
    const agent = await agentPhone.nextCall();
    expect(agent.callerNumber).toBe(CUSTOMER);
    agent.ring();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    expect([customer.dialled, customer.callerNumber]).toEqual([CUSTOMER, TRUNK_NUMBER]);
    customer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await customer.answer();
    await hearEachOther(agent, customer);
    await customer.hangUp();

    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expect(agent.end).toMatchObject({ by: 'them', how: 'BYE' });
    expectWhole(events);
    const all = {
      callID,
      companyId: rm.companyId,
      callType: 'Outbound',
      ANI: TRUNK_NUMBER,
      DNIS: CUSTOMER,
      attachedData: ATTACHED,
      referenceID: 7,
    };
    const asAgent = { ...all, partyID, partyRole: 'Agent', thisDN: AGENT, otherDN: CUSTOMER };
    const asCustomer = { ...all, partyID: `${callID}-2`, partyRole: 'Customer', thisDN: CUSTOMER, otherDN: AGENT };
    const ended = { ...TALKED, referenceID: 0, hangupCause: 'BY_CUSTOMER' };
    expect(plain(events)).toEqual([
      { messageID: 'EventCallCreated', ...all, thisDN: AGENT },
      {
        messageID: 'EventDialing',
        ...asAgent,
        thisDNRole: 'Origination',
        otherDNRole: 'Destination',
        makeCallType: 'Regular',
        agentStatus: 'Dialed',
      },
      {
        messageID: 'EventRinging',
        ...asCustomer,
        thisDNRole: 'Destination',
        otherDNRole: 'Origination',
        thisQueue: '',
      },
      { messageID: 'EventOtherRinging', ...asAgent, agentStatus: 'UserCallDialed' },
      {
        messageID: 'EventEstablished',
        ...asAgent,
        thisQueue: '',
        makeCallType: 'Regular',
        agentStatus: 'UserCallConnected',
      },
      { messageID: 'EventEstablished', ...asCustomer, thisQueue: '', makeCallType: 'Regular' },
      { ...asCustomer, ...ended, hangupDisposition: 'recv_bye', agentStatus: 'UserCallCompleted' },
      { ...asAgent, ...ended, hangupDisposition: 'send_bye', agentStatus: 'Completed' },
      {
        messageID: 'EventCallDeleted',
        ...all,
        referenceID: 0,
        thisDN: AGENT,
        otherDN: CUSTOMER,
        moments: 'start bridge end',
        connectionStatus: 'Connected',
        q850: 16,
      },
    ]);
  });

  test('customer first: the customer is rung alone, and the agent when the customer has answered', async () => {
    const { callID, partyID } = await client.call('RequestMakeCall', {
      referenceID: 9,
      thisDN: AGENT,
      otherDN: CUSTOMER,
      firstLeg: 'customer',
      ANI: '911140002222',
    });
    const customer = await customerPhone.nextCall();
    expect(customer.callerNumber).toBe('911140002222');
    customer.ring();
    expect(agentPhone.calls).toEqual([]);
    await customer.answer();
    const agent = await agentPhone.nextCall();
    expect(agent.callerNumber).toBe(CUSTOMER);
    agent.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await agent.answer();
    await hearEachOther(agent, customer);
    await agent.hangUp();

    const events = await client.ended(callID);
    await customer.waitFor('ended');
    expect(customer.end).toMatchObject({ by: 'them', how: 'BYE' });
    expectWhole(events);
    const all = {
      callID,
      companyId: rm.companyId,
      callType: 'Outbound',
      ANI: '911140002222',
      DNIS: CUSTOMER,
      attachedData: {},
      referenceID: 9,
    };
    const asAgent = { ...all, partyID, partyRole: 'Agent', thisDN: AGENT, otherDN: CUSTOMER };
    const asCustomer = { ...all, partyID: `${callID}-2`, partyRole: 'Customer', thisDN: CUSTOMER, otherDN: AGENT };
    const ended = { ...TALKED, referenceID: 0, hangupCause: 'BY_AGENT' };
    expect(plain(events)).toEqual([
      { messageID: 'EventCallCreated', ...all, thisDN: AGENT },
      {
        messageID: 'EventDialing',
        ...asCustomer,
        thisDNRole: 'Destination',
        otherDNRole: 'Origination',
        makeCallType: 'Regular',
        agentStatus: 'UserCallDialed',
      },
      {
        messageID: 'EventRinging',
        ...asAgent,
        thisDNRole: 'Origination',
        otherDNRole: 'Destination',
        thisQueue: '',
        agentStatus: 'Dialed',
      },
      { messageID: 'EventOtherRinging', ...asCustomer },
      { messageID: 'EventEstablished', ...asCustomer, thisQueue: '', makeCallType: 'Regular' },
      {
        messageID: 'EventEstablished',
        ...asAgent,
        thisQueue: '',
        makeCallType: 'Regular',
        agentStatus: 'UserCallConnected',
      },
      { ...asAgent, ...ended, hangupDisposition: 'recv_bye', agentStatus: 'Completed' },
      { ...asCustomer, ...ended, hangupDisposition: 'send_bye', agentStatus: 'UserCallCompleted' },
      {
        messageID: 'EventCallDeleted',
        ...all,
        referenceID: 0,
        thisDN: AGENT,
        otherDN: CUSTOMER,
        moments: 'start bridge end',
        connectionStatus: 'Connected',
        q850: 16,
      },
    ]);
  });

  test('internal: two phones of the company, and no number of the PSTN in any event', async () => {
    const { callID, partyID } = await client.call('RequestMakeCall', {
      referenceID: 11,
      thisDN: AGENT,
      otherDN: COLLEAGUE,
      callType: 'Internal',
    });
    const agent = await agentPhone.nextCall();
    expect(agent.callerNumber).toBe(COLLEAGUE);
    agent.ring();
    await agent.answer();
    const colleague = await colleaguePhone.nextCall();
    expect(colleague.callerNumber).toBe(AGENT);
    colleague.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await colleague.answer();
    expect(await Promise.all([agent.hears(agentTone(COLLEAGUE)), colleague.hears(agentTone(AGENT))])).toEqual([
      true,
      true,
    ]);
    await client.call('RequestReleaseCall', { referenceID: 12, callID, thisDN: AGENT });

    const events = await client.ended(callID);
    await Promise.all([agent.waitFor('ended'), colleague.waitFor('ended')]);
    expect([agent.end?.how, colleague.end?.how]).toEqual(['BYE', 'BYE']);
    expectWhole(events);
    const all = { callID, companyId: rm.companyId, callType: 'Internal', attachedData: {}, referenceID: 11 };
    const asAgent = { ...all, partyID, partyRole: 'Agent', thisDN: AGENT, otherDN: COLLEAGUE };
    const asColleague = { ...all, partyID: `${callID}-2`, partyRole: 'Agent', thisDN: COLLEAGUE, otherDN: AGENT };
    const ended = {
      ...TALKED,
      referenceID: 12,
      hangupCause: 'BY_AGENT',
      hangupDisposition: 'send_bye',
      agentStatus: 'Completed',
    };
    const inOrder = plain(events);
    expect(inOrder).toHaveLength(9);
    expect(inOrder.slice(0, 6)).toEqual([
      { messageID: 'EventCallCreated', ...all, thisDN: AGENT },
      {
        messageID: 'EventDialing',
        ...asAgent,
        thisDNRole: 'Origination',
        otherDNRole: 'Destination',
        makeCallType: 'Regular',
        agentStatus: 'Dialed',
      },
      {
        messageID: 'EventRinging',
        ...asColleague,
        thisDNRole: 'Destination',
        otherDNRole: 'Origination',
        thisQueue: '',
        agentStatus: 'Dialed',
      },
      { messageID: 'EventOtherRinging', ...asAgent },
      { messageID: 'EventEstablished', ...asAgent, thisQueue: '', makeCallType: 'Regular', agentStatus: 'Connected' },
      {
        messageID: 'EventEstablished',
        ...asColleague,
        thisQueue: '',
        makeCallType: 'Regular',
        agentStatus: 'Connected',
      },
    ]);
    // Both were hung up at once: which of the two has gone first is Asterisk's affair.
    expect(inOrder.slice(6, 8)).toEqual(
      expect.arrayContaining([
        { ...asAgent, ...ended },
        { ...asColleague, ...ended },
      ]),
    );
    expect(inOrder[8]).toEqual({
      messageID: 'EventCallDeleted',
      ...all,
      referenceID: 12,
      thisDN: AGENT,
      otherDN: COLLEAGUE,
      moments: 'start bridge end',
      connectionStatus: 'Connected',
      q850: 16,
    });
  });

  test('RequestClearCall releases everybody, whoever asks; a second one finds the call ended', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    expect(await client.call('RequestClearCall', { referenceID: 13, callID })).toEqual({});
    const events = await client.ended(callID);
    await Promise.all([agent.waitFor('ended'), customer.waitFor('ended')]);
    expectWhole(events);
    const released = events.filter((e) => e.messageID === 'EventReleased');
    expect(released.map((e) => [e.referenceID, e.hangupCause, e.connectionStatus])).toEqual([
      [13, 'BY_SYSTEM', 'Connected'],
      [13, 'BY_SYSTEM', 'Connected'],
    ]);
    expect((await client.refusal('RequestClearCall', { callID })).message).toBe('NotFoundCallID');
  });

  test('a release while the customer rings cancels the customer’s phone', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    customer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await client.call('RequestReleaseCall', { referenceID: 14, callID, thisDN: AGENT });
    const events = await client.ended(callID);
    await Promise.all([agent.waitFor('ended'), customer.waitFor('ended')]);
    expect([agent.end?.how, customer.end?.how]).toEqual(['BYE', 'CANCEL']);
    expectWhole(events);
    expect(
      events
        .filter((e) => e.messageID === 'EventReleased')
        .map((e) => [e.thisDN, e.connectionStatus, e.hangupDisposition, e.hangupCause, e.referenceID])
        .toSorted(),
    ).toEqual([
      [AGENT, 'Connected', 'send_bye', 'BY_AGENT', 14],
      [CUSTOMER, 'Hang Up', 'send_cancel', 'BY_AGENT', 14],
    ]);
  });

  test('the agent puts down while the customer rings: the customer’s phone is cancelled', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    customer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await agent.hangUp();
    const events = await client.ended(callID);
    await customer.waitFor('ended');
    expect(customer.end?.how).toBe('CANCEL');
    expectWhole(events);
    expect(
      events
        .filter((e) => e.messageID === 'EventReleased')
        .map((e) => [e.thisDN, e.connectionStatus, e.hangupDisposition, e.hangupCause]),
    ).toEqual([
      [AGENT, 'Connected', 'recv_bye', 'BY_AGENT'],
      [CUSTOMER, 'Hang Up', 'send_cancel', 'BY_AGENT'],
    ]);
  });
});
