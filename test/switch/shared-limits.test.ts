import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { leadCustomers } from '../support/conversation.ts';
import { type Instance, type Instances, instances } from '../support/instances.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { nothingLeft } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard } from '../support/talking.ts';

const AGENT = '1018';
const CUSTOMER = '911140099007';
const CUSTOMER_TONE = 2500;
const QUEUE = '8009';
const AT_ONCE = 3;

describe('two instances that share a node', () => {
  let lab: Lab;
  let both: Instances;
  let first: Instance;
  let second: Instance;
  let one: RpcClient;
  let two: RpcClient;
  let agentPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, CUSTOMER, { tone: CUSTOMER_TONE }),
    ]);
    both = await instances(lab, (settings) => {
      for (const node of settings.nodes) Object.assign(node, { shards: 2 });
      leadCustomers(settings, customerPhone);
      const carrier = settings.trunks.find((trunk) => trunk.id === 'carrier-a');
      Object.assign(carrier ?? {}, { limits: { calls: AT_ONCE, callsPerSecond: 1_000 } });
      const main = settings.companies[0] as Record<string, unknown> | undefined;
      if (!main) throw new Error('the lab has no company');
      main['queues'] = [{ id: QUEUE, ringTimeout: 20, wrapUp: 0, maxWaiting: 1 }];
      main['routes'] = [];
      main['contacts'] = { ips: ['127.0.0.1'], feeds: [{ id: 'back', kind: 'callback', queue: QUEUE }] };
    });
    first = both.owner;
    second = both.standby;
    const given = await first.process.logged('the shard was handed over');
    await second.served(String(given['shard']));
    one = await first.subscriber();
    two = await second.subscriber();
  });

  /** Nothing is left, and so no place is taken: that is known a moment after the end of a call has been heard. */
  const allFree = async (): Promise<void> => {
    await nothingLeft(lab, first.http, both.prefix);
    await nothingLeft(lab, second.http, both.prefix);
  };

  afterEach(allFree);

  afterAll(async () => {
    await both?.stop();
    await Promise.all([agentPhone, customerPhone].map((p) => p?.close()));
  });

  /** Calls over the trunk, all asked for at once. @returns their ids */
  const ask = async (clients: readonly RpcClient[]): Promise<string[]> => {
    const params = { thisDN: AGENT, otherDN: CUSTOMER, firstLeg: 'customer' } as const;
    const answers = await Promise.all(clients.map((client) => client.call('RequestMakeCall', params)));
    return answers.map((a) => a.callID);
  };

  /** How those ended that were not tried. */
  const turnedAway = async (callIDs: readonly string[], number: number): Promise<void> => {
    const over = () =>
      one.events.flatMap((e) =>
        e.messageID === 'EventCallDeleted' && callIDs.includes(e.callID) ? e.connectionStatus : [],
      );
    await one.until(() => over().length >= number);
    expect(over()).toEqual(Array(number).fill('Channel Busy'));
  };

  test('a trunk never carries more than its limit, and either can use all of it', async () => {
    for (const clients of [
      [one, two, one, two, one, two, one, two],
      [one, one, one, one, one],
      [two, two, two, two, two],
    ]) {
      const callIDs = await ask(clients);
      const ringing = [];
      for (let n = 0; n < AT_ONCE; n++) ringing.push(await customerPhone.nextCall());
      await turnedAway(callIDs, clients.length - AT_ONCE);
      // The phone has as many as the trunk may carry, and nobody else was let through.
      expect(customerPhone.calls).toHaveLength(AT_ONCE);
      await Promise.all(ringing.map((call) => call.refuse(486)));
      await Promise.all(callIDs.map((callID) => one.ended(callID)));
      await allFree();
    }
    // Where both have shards it was asked in Redis.
    expect(await first.metric('ringmaster_places_asked_total')).toBeGreaterThan(0);
    expect(await second.metric('ringmaster_places_asked_total')).toBeGreaterThan(0);
  });

  test('a queue takes no more than may wait, wherever they come', async () => {
    const params = { thisDN: AGENT, otherDN: QUEUE } as const;
    const { callID } = await one.call('RequestMakeCall', params);
    for (const client of [two, one]) {
      expect(await client.refusal('RequestMakeCall', params)).toMatchObject({ data: { reason: 'queue-full' } });
    }
    const caller = await agentPhone.nextCall();
    await caller.refuse(486);
    await one.ended(callID);
    await allFree();
    const next = await two.call('RequestMakeCall', params);
    await (await agentPhone.nextCall()).refuse(486);
    await two.ended(next.callID);
  });

  test('a callback asked for where the queues are not becomes a real call', async () => {
    const at = (path: string, method: 'GET' | 'POST' | 'DELETE', body?: string) =>
      request(`${second.http}${path}`, {
        method,
        headers: { 'content-type': 'application/xml' },
        ...(body !== undefined && { body }),
      });
    const asked = await at(
      '/ccp/rest/callback/feed/back',
      'POST',
      `<Contact><name>Ann</name><title>A question</title><mediaAddress>${CUSTOMER}</mediaAddress></Contact>`,
    );
    expect(asked.statusCode).toBe(201);
    await asked.body.dump();
    const location = String(asked.headers['location']);
    const state = async (): Promise<string> => {
      const text = await (await at(location, 'GET')).body.text();
      return /<status>(.*)<\/status>/.exec(text)?.[1] ?? text;
    };
    expect(await state()).toBe('Queued');
    await two.call('RequestAgentLogin', { agentID: '7121', thisDN: AGENT, agentState: 1, thisQueues: [QUEUE] });
    const agent = await agentPhone.nextCall();
    await agent.answer();
    const customer = await customerPhone.nextCall();
    await customer.answer();
    await vi.waitFor(async () => expect(await state()).toBe('Handled'), { timeout: 15_000, interval: 50 });
    await expectHeard(
      [
        { name: 'agent', call: agent, tone: agentTone(AGENT) },
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
      ],
      { agent: ['customer'], customer: ['agent'] },
    );
    const late = await at(location, 'DELETE');
    expect(late.statusCode).toBe(400);
    await late.body.dump();
    await customer.hangUp();
    await agent.waitFor('ended');
    await two.call('RequestAgentLogout', { agentID: '7121' });
  });
});
