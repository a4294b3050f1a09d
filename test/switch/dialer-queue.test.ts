import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { leadCustomers } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { addDialer, type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const SECURITY_ID = 'q'.repeat(64);
const FLOW = 'LabQueue';
const BASE = '/kairos-apis/outbounddialer';
const AGENT = '1018';
const AGENT_ID = '7201';
const QUEUE = '8009';
const CUSTOMERS = ['911140097001', '911140097002', '911140097003'];
const CUSTOMER_TONE = 2500;
/** The lab's music on hold is one tone. */
const MUSIC = 1700;

describe('a flow that calls customers for a queue', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, CUSTOMERS[0] ?? ''),
    ]);
    rm = await ringmaster(lab, (settings) => {
      const company = settings.companies[0] as Record<string, unknown> | undefined;
      if (!company) throw new Error('the lab has no company');
      company['queues'] = [{ id: QUEUE, ringTimeout: 20, wrapUp: 0 }];
      company['routes'] = [];
      addDialer(settings, SECURITY_ID, [
        {
          id: FLOW,
          queue: QUEUE,
          firstLeg: 'customer',
          ringTimeout: 30,
          shortCall: 0,
          // The machine of a test may be slow: what counts here is that an agent came at all.
          pacing: { connectWithin: 30 },
        },
      ]);
      leadCustomers(settings, customerPhone);
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone, customerPhone].map((phone) => phone?.close()));
  });

  const ask = async (path: string, body?: unknown) => {
    const answer = await request(`${rm.base}${BASE}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', 'security-id': SECURITY_ID },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await answer.body.json()) as Record<string, unknown>;
  };

  test('puts through who answers, calls the next when the agent is free, and counts who found nobody', async () => {
    await client.call('RequestAgentLogin', { agentID: AGENT_ID, thisDN: AGENT, agentState: 1, thisQueues: [QUEUE] });
    const created = await ask('/create', {
      'api-version': '1.0',
      'security-id': SECURITY_ID,
      'flow-id': FLOW,
      calls: CUSTOMERS.map((number) => ({ 'client-identifier': number, 'contact-numbers': [number] })),
    });
    expect(created).toMatchObject({ 'api-response-code': 200 });
    const id = String(created['request-id']);
    const calls = async () => (await ask(`/status/${id}`))['call-details'] as Record<string, unknown>[];
    const statuses = async () => (await calls()).map((c) => c['status']);

    const first = await customerPhone.nextCall();
    first.ring();
    await first.answer();
    const agent = await agentPhone.nextCall();
    await agent.answer();
    expect(await Promise.all([agent.hears(CUSTOMER_TONE), first.hears(agentTone(AGENT))])).toEqual([true, true]);
    // One agent, one call.
    expect((await statuses()).slice(1)).toEqual(['UNPROCESSED', 'UNPROCESSED']);
    await first.hangUp();

    const second = await customerPhone.nextCall();
    second.ring();
    await second.refuse(486);

    const third = await customerPhone.nextCall();
    third.ring();
    await client.call('RequestAgentNotReady', { agentID: AGENT_ID });
    await third.answer();
    expect(await third.hears(MUSIC)).toBe(true);
    await third.hangUp();

    await expect.poll(statuses, { timeout: 20_000 }).toEqual(['COMPLETED', 'CUSTOMER_FAILURE', 'AGENT_FAILURE']);
    const [talked, refused, abandoned] = await calls();
    expect(talked?.['answer-to-agent']).toBeGreaterThanOrEqual(0);
    expect(refused).not.toHaveProperty('answer-to-agent');
    expect(abandoned?.['answer-to-agent']).toBeNull();
    const counts = { placed: 3, answered: 2, connected: 1, abandoned: 1, 'abandoned-share': 0.5, 'given-up-early': 0 };
    expect(await ask(`/flows/${FLOW}/ledger`)).toMatchObject({
      'api-response-code': 200,
      'last-24-hours': counts,
      'last-30-days': counts,
    });
    expect(await rm.metric(`ringmaster_dialer_abandoned_calls`)).toBe(2);
    await client.call('RequestAgentLogout', { agentID: AGENT_ID });
  });
});
