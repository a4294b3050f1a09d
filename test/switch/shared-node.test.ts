import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { expectWhole } from '../support/call-events.ts';
import { leadCustomers } from '../support/conversation.ts';
import { type Instances, instances } from '../support/instances.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { nothingLeft } from '../support/ringmaster.ts';
import { talk } from '../support/talking.ts';

const AGENT = '1019';
const OTHER = '1020';
const SUPERVISOR = '1094';
const CUSTOMER = '911140099001';
const QUEUE = '8002';

describe('two instances that share a node, a shard each', () => {
  let lab: Lab;
  let both: Instances;
  let phones: Record<'agent' | 'other' | 'supervisor' | 'customer', Phone>;

  beforeAll(async () => {
    lab = await testLab();
    const [agent, other, supervisor, customer] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, OTHER),
      openAgentPhone(lab, SUPERVISOR),
      openCustomerPhone(lab, CUSTOMER),
    ]);
    phones = { agent, other, supervisor, customer };
  });

  afterEach(() => both?.stop());

  afterAll(() => Promise.all(Object.values(phones ?? {}).map((phone) => phone.close())));

  /** The second instance has been given one of the two shards; agents and queues are the first one's. */
  const start = async () => {
    both = await instances(lab, (settings) => {
      for (const node of settings.nodes) Object.assign(node, { shards: 2 });
      leadCustomers(settings, phones.customer);
    });
    const given = await both.owner.process.logged('the shard was handed over');
    const shard = String(given['shard']);
    await both.standby.served(shard);
    return { first: both.owner, second: both.standby, shard };
  };

  test('a queue’s call at the one is given to an agent by the other, who has the agents', async () => {
    const { first, second } = await start();
    const [asking, listening] = [await second.subscriber(), await first.subscriber()];
    await asking.call('RequestAgentLogin', { agentID: '7019', thisDN: AGENT, thisQueues: [QUEUE], agentState: 1 });
    const { callID } = await asking.call('RequestMakeCall', { thisDN: QUEUE, otherDN: CUSTOMER, firstLeg: 'customer' });
    // Whoever was asked has the call.
    expect(await second.metric('ringmaster_live_calls')).toBe(1);
    const customer = await phones.customer.nextCall();
    await customer.answer();
    const agent = await phones.agent.nextCall();
    await agent.answer();
    await listening.event('EventEstablished', (e) => e.callID === callID && e.thisDN === AGENT);
    const asked = await first.client();
    await vi.waitFor(async () => {
      const { agents } = await asked.call('RequestListAgents', {});
      expect(agents).toMatchObject([{ agentID: '7019', callID, agentStatus: 'Connected' }]);
    }, 10_000);
    await customer.hangUp();
    expectWhole(await listening.ended(callID));
    // After-call work of one second, which the other instance ends.
    await listening.until((events) => events.some((e) => e.messageID === 'EventAgentReady'));
    await asking.call('RequestAgentLogout', { agentID: '7019' });
    await nothingLeft(lab, first.http, both.prefix);
    await nothingLeft(lab, second.http, both.prefix);
  });

  test('a supervisor who is in a call at the one may not supervise a call at the other', async () => {
    const { first, second } = await start();
    const [one, two] = [await first.subscriber(), await second.subscriber()];
    const observed = await talk(one, phones.agent, phones.customer, AGENT, CUSTOMER);
    const own = await two.call('RequestMakeCall', { thisDN: SUPERVISOR, otherDN: OTHER });
    const supervisor = await phones.supervisor.nextCall();
    await supervisor.answer();
    const answering = await phones.other.nextCall();
    await answering.answer();
    await two.event('EventEstablished', (e) => e.callID === own.callID && e.thisDN === OTHER);
    for (const client of [one, two]) {
      const params = { callID: observed.callID, thisDN: SUPERVISOR, otherDN: AGENT };
      expect((await client.refusal('RequestMonitor', params)).message).toBe('SupervisorInCall');
      const { calls } = await client.call('RequestListCalls', {});
      expect(calls.map((c) => c.callID).sort()).toEqual([observed.callID, own.callID].sort());
    }
    await supervisor.hangUp();
    await observed.customer.hangUp();
    for (const callID of [own.callID, observed.callID]) await one.ended(callID);
    await nothingLeft(lab, first.http, both.prefix);
    await nothingLeft(lab, second.http, both.prefix);
  });

  test('the one dies: the other has both shards, and the agents, and all calls go on', async () => {
    const { first, second } = await start();
    const [one, two] = [await first.subscriber(), await second.subscriber()];
    await two.call('RequestAgentLogin', { agentID: '7020', thisDN: OTHER });
    const here = await talk(one, phones.agent, phones.customer, AGENT, CUSTOMER);
    const there = await two.call('RequestMakeCall', { thisDN: SUPERVISOR, otherDN: OTHER });
    const supervisor = await phones.supervisor.nextCall();
    await supervisor.answer();
    const other = await phones.other.nextCall();
    await other.answer();
    await two.event('EventEstablished', (e) => e.callID === there.callID && e.thisDN === OTHER);

    first.process.kill('SIGKILL');
    await second.served('floor');
    // Its own shard it has kept; the other one is told of here.
    await second.process.logged('took up live calls');
    const agents = async () => (await two.call('RequestListAgents', {})).agents;
    expect(await agents()).toMatchObject([{ agentID: '7020', callID: there.callID }]);
    const { calls } = await two.call('RequestListCalls', {});
    expect(calls.map((c) => c.callID).sort()).toEqual([here.callID, there.callID].sort());
    await other.hangUp();
    await here.customer.hangUp();
    expectWhole(await two.ended(here.callID));
    expectWhole(await two.ended(there.callID));
    await two.call('RequestAgentLogout', { agentID: '7020' });
    await nothingLeft(lab, second.http, both.prefix);
  });
});
