import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { hearing } from '../support/hearing.ts';
import { type Instances, instances } from '../support/instances.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { ari, nothingLeft } from '../support/ringmaster.ts';
import { talk } from '../support/talking.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const AGENT = '1018';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;

describe('the owner does not reach Asterisk, and another instance does', () => {
  let lab: Lab;
  let agentPhone: Phone;
  let customerPhone: Phone;
  let both: Instances;
  /** The owner's ways to ARI and AMI. */
  let ways: readonly [TcpProxy, TcpProxy];

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, customerPhone] = await Promise.all([openAgentPhone(lab, AGENT), openCustomerPhone(lab, CUSTOMER)]);
  });

  beforeEach(async () => {
    const { asterisk } = lab.file;
    const { hostname, port } = new URL(asterisk.ari.url);
    ways = await Promise.all([
      TcpProxy.start(hostname, Number(port)),
      TcpProxy.start(asterisk.ami.host, asterisk.ami.port),
    ]);
  });

  /** @param leaseSeconds as shipped by default */
  const start = async (leaseSeconds = 3): Promise<Instances> => {
    const [toAri, toAmi] = ways;
    both = await instances(lab, (settings, whose) => {
      Object.assign(settings['cluster'] as object, { leaseSeconds });
      for (const trunk of settings.trunks) {
        if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customerPhone.port}`;
      }
      if (whose === 'standby') return;
      for (const node of settings.nodes) {
        node.ari.url = `http://127.0.0.1:${toAri.port}/ari`;
        node.ami.host = '127.0.0.1';
        node.ami.port = toAmi.port;
      }
    });
    return both;
  };

  afterEach(async () => {
    await both?.stop();
    await Promise.all(ways.map((way) => way.stop()));
  });

  afterAll(() => Promise.all([agentPhone?.close(), customerPhone?.close()]));

  test('the other one has its calls while the cut still stands; agents and queues stay where they are', async () => {
    const { owner, standby } = await start();
    const asking = await owner.subscriber();
    await asking.call('RequestAgentLogin', { agentID: '7018', thisDN: AGENT });
    const { callID, agent, customer } = await talk(asking, agentPhone, customerPhone, AGENT, CUSTOMER);
    for (const way of ways) way.block();

    await standby.served();
    expect(await standby.process.logged('took up live calls')).toMatchObject({ calls: 1 });
    await expect.poll(() => owner.metric('ringmaster_shards_given_cut_off_total')).toBe(1);
    expect(await owner.metric('ringmaster_node_reached')).toBe(0);
    // The one that is cut off answers every request all the same.
    const hears = hearing({
      agent: { call: agent, tone: agentTone(AGENT) },
      customer: { call: customer, tone: CUSTOMER_TONE },
    });
    await asking.call('RequestHoldCall', { callID, thisDN: AGENT });
    await hears.is({ agent: [], customer: ['music'] });
    await asking.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    await hears.is({ agent: ['customer'], customer: ['agent'] });
    expect(await owner.metric('ringmaster_shard_held')).toBe(1);
    const { agents } = await asking.call('RequestListAgents', {});
    expect(agents.map((a) => [a.agentID, a.callID])).toEqual([['7018', callID]]);

    for (const way of ways) way.unblock();
    await owner.process.logged('the node is reached from here again');
    await asking.call('RequestReleaseCall', { callID, thisDN: AGENT });
    const events = await asking.ended(callID);
    expectWhole(events);
    expect(told(events).at(-1)).toBe(`EventCallDeleted(${AGENT})`);
    // Both are hung up at the same moment.
    expect(told(events).slice(-3, -1).toSorted()).toEqual([`EventReleased(${AGENT})`, `EventReleased(${CUSTOMER})`]);
    expect(await standby.metric('ringmaster_shard_held')).toBe(1);
    await asking.call('RequestAgentLogout', { agentID: '7018' });
    await nothingLeft(lab, standby.http, both.prefix);
  });

  test('what it had sent and the network delivers only when it is back makes no call and ends none', async () => {
    const { owner, standby } = await start();
    const asking = await standby.subscriber();
    const { callID, customer } = await talk(asking, agentPhone, customerPhone, AGENT, CUSTOMER);
    const [toAri, toAmi] = ways;
    toAri.hold();
    toAmi.block();
    // Stored, and sent to where nothing arrives for now.
    const lost = await (await owner.client()).call('RequestMakeCall', { thisDN: '1001', otherDN: '911140099002' });
    await standby.served();
    const events = await asking.ended(lost.callID);
    expectWhole(events);

    const ours = async (id: string) => (await ari(lab, '/channels')).filter((c) => String(c['id']).startsWith(id));
    expect(await ours(lost.callID)).toEqual([]);
    toAri.release();
    toAmi.unblock();
    // There it is, too late.
    await vi.waitFor(async () => expect(await ours(lost.callID)).toHaveLength(1), { timeout: 15_000, interval: 10 });
    await vi.waitFor(async () => expect(await ours(lost.callID)).toEqual([]), { timeout: 15_000, interval: 100 });
    expect(await ours(callID)).toHaveLength(2);
    await customer.hangUp();
    expectWhole(await asking.ended(callID));
    await nothingLeft(lab, standby.http, both.prefix);
  });

  test('whose host refuses every connection from there: the calls are not given up, and the other one has them', async () => {
    // Longer than a refusal takes to make a node dead.
    const { owner, standby } = await start(8);
    const asking = await standby.subscriber();
    const { callID, agent, customer } = await talk(asking, agentPhone, customerPhone, AGENT, CUSTOMER);
    for (const way of ways) await way.stop();

    await standby.served();
    expect(await owner.metric('ringmaster_node_deaths_total')).toBe(0);
    const { calls } = await asking.call('RequestListCalls', {});
    expect(calls.map((c) => c.callID)).toEqual([callID]);
    const hears = hearing({
      agent: { call: agent, tone: agentTone(AGENT) },
      customer: { call: customer, tone: CUSTOMER_TONE },
    });
    await hears.is({ agent: ['customer'], customer: ['agent'] });
    await asking.call('RequestReleaseCall', { callID, thisDN: AGENT });
    expectWhole(await asking.ended(callID));
    await nothingLeft(lab, standby.http, both.prefix);
  });
});
