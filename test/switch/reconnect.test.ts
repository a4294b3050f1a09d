import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import { leadCustomers } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const AGENT = '1018';
/** A phone of the lab's that answers by itself. */
const OTHER_AGENT = '1001';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
/** What the service may say of a connection that is cut. */
const CUT = /^(ari|canary|command|watching|AMI|phones could|REST does not answer)/;

describe('the connection to Asterisk is cut in mid-call', () => {
  let lab: Lab;
  let proxy: TcpProxy;
  let ami: TcpProxy;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    const ari = new URL(lab.file.asterisk.ari.url);
    proxy = await TcpProxy.start(ari.hostname, Number(ari.port));
    ami = await TcpProxy.start(lab.file.asterisk.ami.host, lab.file.asterisk.ami.port);
    [agentPhone, customerPhone] = await Promise.all([openAgentPhone(lab, AGENT), openCustomerPhone(lab, CUSTOMER)]);
    rm = await ringmaster(lab, (settings) => {
      for (const node of settings.nodes) {
        node.ari.url = `http://127.0.0.1:${proxy.port}/ari`;
        node.ami.host = '127.0.0.1';
        node.ami.port = ami.port;
      }
      leadCustomers(settings, customerPhone);
    });
    client = await rm.subscriber();
  });

  afterEach(async (context) => {
    proxy.unblock();
    ami.unblock();
    await rm.serving();
    await rm.afterTest(context, CUT);
  });

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone.close(), customerPhone.close(), proxy.stop(), ami.stop()]);
  });

  /** A call whose customer rings. */
  async function ringing() {
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    customer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    return { callID, agent, customer };
  }

  async function talking() {
    const call = await ringing();
    await call.customer.answer();
    await client.event('EventEstablished', (e) => e.callID === call.callID && e.thisDN === CUSTOMER);
    return call;
  }

  /** Cuts, and keeps the connection from being made again until what happens meanwhile has happened. */
  async function meanwhile(happens: () => Promise<unknown>): Promise<void> {
    proxy.block();
    await rm.away();
    await happens();
    proxy.unblock();
    await rm.serving();
  }

  const wholeCall = [
    `EventCallCreated(${AGENT})`,
    `EventDialing(${AGENT})`,
    `EventRinging(${CUSTOMER})`,
    `EventOtherRinging(${AGENT})`,
    `EventEstablished(${AGENT})`,
    `EventEstablished(${CUSTOMER})`,
    `EventReleased(${CUSTOMER})`,
    `EventReleased(${AGENT})`,
    `EventCallDeleted(${AGENT})`,
  ];

  test('it reconnects, the call goes on, and the customer’s hang-up afterwards is told as ever', async () => {
    const { callID, agent, customer } = await talking();
    const before = client.of(callID).length;
    proxy.cut();
    await rm.away();
    await rm.serving();
    expect(await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(agentTone(AGENT))])).toEqual([true, true]);
    expect(client.of(callID)).toHaveLength(before);
    await customer.hangUp();
    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expectWhole(events);
    expect(told(events)).toEqual(wholeCall);
    expect(events.filter((e) => e.recovered)).toEqual([]);
    expect(only(events, 'EventReleased', CUSTOMER)).toMatchObject({
      connectionStatus: 'Connected',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
      q850: 16,
    });
  });

  test('the customer hangs up during the cut: it is told afterwards as recovered, and the agent is released', async () => {
    const { callID, agent, customer } = await talking();
    await meanwhile(() => customer.hangUp());
    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expect(agent.end).toMatchObject({ by: 'them', how: 'BYE' });
    expectWhole(events);
    expect(told(events)).toEqual(wholeCall);
    expect(only(events, 'EventReleased', CUSTOMER)).toMatchObject({
      recovered: true,
      connectionStatus: 'Connected',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
    });
    const agentReleased = only(events, 'EventReleased', AGENT);
    expect(agentReleased).toMatchObject({ connectionStatus: 'Connected', hangupCause: 'BY_CUSTOMER' });
    expect(agentReleased).not.toHaveProperty('recovered');
  });

  test('both hang up during the cut: both are released and the call is ended, all of it recovered', async () => {
    const { callID, agent, customer } = await talking();
    await meanwhile(() => Promise.all([customer.hangUp(), agent.hangUp()]));
    const events = await client.ended(callID);
    expectWhole(events);
    const last = events.slice(-3);
    expect(last.map((e) => [e.messageID, e.recovered])).toEqual([
      ['EventReleased', true],
      ['EventReleased', true],
      ['EventCallDeleted', true],
    ]);
  });

  test('the customer answers during the cut: the conversation is told afterwards as recovered', async () => {
    const { callID, agent, customer } = await ringing();
    await meanwhile(() => customer.answer());
    const established = await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    expect(established).toMatchObject({ recovered: true });
    expect(await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(agentTone(AGENT))])).toEqual([true, true]);
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events).slice(0, 6)).toEqual(wholeCall.slice(0, 6));
    expect(only(events, 'EventCallDeleted').connectionStatus).toBe('Connected');
  });

  test('the customer refuses during the cut: the agent is released, and the call is ended', async () => {
    const { callID, agent, customer } = await ringing();
    await meanwhile(() => customer.refuse(486));
    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expectWhole(events);
    expect(only(events, 'EventReleased', CUSTOMER)).toMatchObject({ recovered: true, billsec: 0 });
  });

  test('while the node is away a hold is refused as PBXError, and the two talk on; afterwards it is granted', async () => {
    const { callID, agent, customer } = await talking();
    const party = { callID, thisDN: AGENT };
    proxy.block();
    await rm.away();
    const before = await client.call('RequestListCalls', {});
    const refusal = await client.refusal('RequestHoldCall', { ...party, referenceID: 41 });
    expect([refusal.code, refusal.message]).toEqual([301019, 'PBXError']);
    const published = await client.event('EventPartyError', (e) => e.referenceID === 41);
    expect(published).toMatchObject({ errorCode: 301019, request: 'RequestHoldCall', callID, thisDN: AGENT });
    expect(await client.call('RequestListCalls', {})).toEqual(before);
    proxy.unblock();
    await rm.serving();
    expect(await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(agentTone(AGENT))])).toEqual([true, true]);
    expect(await client.call('RequestHoldCall', party)).toEqual({});
    await client.event('EventHeld', (e) => e.callID === callID);
    await client.call('RequestClearCall', { callID });
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events).filter((e) => e.startsWith('EventHeld'))).toHaveLength(1);
    await Promise.all([agent.waitFor('ended'), customer.waitFor('ended')]);
  });

  test('AMI is cut: a phone cannot be made to answer, which is told as PBXError, and it rings on', async () => {
    const { callID } = await client.call('RequestMakeCall', { thisDN: OTHER_AGENT, otherDN: AGENT });
    const agent = await agentPhone.nextCall();
    agent.ring();
    await client.event('EventRinging', (e) => e.callID === callID && e.thisDN === AGENT);
    ami.block();
    await client.call('RequestAnswerCall', { callID, thisDN: AGENT, referenceID: 42 });
    const error = await client.event('EventPartyError', (e) => e.referenceID === 42);
    expect(error).toMatchObject({ errorCode: 301019, errorMessage: 'PBXError', request: 'RequestAnswerCall', callID });
    await agent.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === AGENT);
    expect(await agent.hears(agentTone(OTHER_AGENT))).toBe(true);
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventReleased', AGENT).connectionStatus).toBe('Connected');
  });

  test('while the node is away a new call ends as Failed, and nobody’s phone rings', async () => {
    proxy.block();
    await rm.away();
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual([
      `EventCallCreated(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(only(events, 'EventReleased')).toMatchObject({ connectionStatus: 'Failed', hangupCause: 'BY_SYSTEM' });
  });
});
