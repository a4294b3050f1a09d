import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { leadCustomers } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard } from '../support/talking.ts';

const AGENT = '1018';
const CUSTOMER = '911140099002';
const CUSTOMER_TONE = 2500;
const SHOWN = '911140004321';
const QUEUE = '8007';

describe('a callback request', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, CUSTOMER, { tone: CUSTOMER_TONE }),
    ]);
    rm = await ringmaster(lab, (settings) => {
      const main = settings.companies[0] as Record<string, unknown> | undefined;
      if (!main) throw new Error('the lab has no company');
      main['queues'] = [{ id: QUEUE, ringTimeout: 20, wrapUp: 0 }];
      main['routes'] = [];
      main['contacts'] = {
        ips: ['127.0.0.1'],
        feeds: [{ id: '100020', kind: 'callback', queue: QUEUE, callerId: SHOWN }],
      };
      leadCustomers(settings, customerPhone);
    });
    client = await rm.subscriber();
    await client.call('RequestAgentLogin', { agentID: '7101', thisDN: AGENT, agentState: 2, thisQueues: [QUEUE] });
  });

  afterEach(async (context) => {
    await client.call('RequestAgentNotReady', { agentID: '7101' });
    await rm.afterTest(context);
  });

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone, customerPhone].map((p) => p?.close()));
  });

  const ask = async (path: string, method: 'GET' | 'POST' | 'DELETE', body?: string) => {
    const answer = await request(`${rm.base}${path}`, {
      method,
      headers: { 'content-type': 'application/xml' },
      ...(body !== undefined && { body }),
    });
    return { status: answer.statusCode, location: answer.headers['location'], text: await answer.body.text() };
  };
  const post = async (): Promise<string> => {
    const body = `<Contact><name>Ann</name><title>A question</title><mediaAddress>${CUSTOMER}</mediaAddress></Contact>`;
    const answer = await ask('/ccp/rest/callback/feed/100020', 'POST', body);
    expect(answer.status).toBe(201);
    return String(answer.location);
  };
  const state = async (location: string): Promise<string> => {
    const { text } = await ask(location, 'GET');
    return `${/<status>(.*)<\/status>/.exec(text)?.[1]} ${/<statusReason>(.*)<\/statusReason>/.exec(text)?.[1]}`;
  };
  const becomes = (location: string, wanted: string) =>
    vi.waitFor(async () => expect(await state(location)).toBe(wanted), { timeout: 15_000, interval: 50 });
  const ready = () => client.call('RequestAgentReady', { agentID: '7101' });

  test('becomes a real call from queue to agent to customer, who hear each other', async () => {
    const location = await post();
    expect(await state(location)).toBe('Queued EXTERNALLY_HANDLED');
    await ready();
    const agent = await agentPhone.nextCall();
    agent.ring();
    expect(await state(location)).toBe('Queued EXTERNALLY_HANDLED');
    await agent.answer();
    const customer = await customerPhone.nextCall();
    expect(customer.callerNumber).toBe(SHOWN);
    customer.ring();
    await customer.answer();
    await becomes(location, 'Handled EXTERNALLY_HANDLED');
    await expectHeard(
      [
        { name: 'agent', call: agent, tone: agentTone(AGENT) },
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
      ],
      { agent: ['customer'], customer: ['agent'] },
    );
    const { agents } = await client.call('RequestListAgents', { queue: QUEUE });
    expect(agents.map((a) => a.agentStatus)).not.toContain('AVAILABLE');
    expect((await ask(location, 'DELETE')).status).toBe(400);
    await customer.hangUp();
    await agent.waitFor('ended');
    expect(await state(location)).toBe('Handled EXTERNALLY_HANDLED');
  });

  test('cancelled in time: nobody’s phone rings', async () => {
    const location = await post();
    const cancel = await ask(location, 'DELETE');
    expect([cancel.status, cancel.text]).toEqual([200, expect.stringContaining('<status>Queued</status>')]);
    await becomes(location, 'Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED');
    const before = client.events.length;
    await ready();
    await client.call('RequestAgentNotReady', { agentID: '7101' });
    await client.until((events) => events.slice(before).some((e) => e.messageID === 'EventAgentNotReady'));
    expect(client.events.slice(before).filter((e) => e.messageID === 'EventCallCreated')).toEqual([]);
  });

  test('cancelled too late: the agent’s phone rings already, and the customer is called', async () => {
    const location = await post();
    await ready();
    const agent = await agentPhone.nextCall();
    agent.ring();
    expect((await ask(location, 'DELETE')).status).toBe(200);
    expect(await state(location)).toBe('Queued NOTIFICATION_CCE_CALLBACK_CANCELLED');
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.answer();
    await becomes(location, 'Handled EXTERNALLY_HANDLED');
    await customer.hangUp();
    await agent.waitFor('ended');
  });
});
