import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { type CallID, nodeOfCallID } from '../../src/cti/ids.ts';
import { expectWhole, only } from '../support/call-events.ts';
import { instances } from '../support/instances.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { metricOf, type Ringmaster, ringmaster, type Settings } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { SecondNode } from '../support/second-node.ts';
import { expectHeard } from '../support/talking.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const OPERATOR = 'operator-of-the-lab-0001';
const SECURITY_ID = 'e'.repeat(64);
const FIRST = 'pbx-1';
const SECOND = 'pbx-2';
const AGENT = '1018';
const CUSTOMER_TONE = 2500;
/** A number that leads to agent 1011. */
const DID = '911140001011';
/** What may be said of a node that is away, dead or back. */
const NODE_TROUBLE = /^(ari|canary|command|watching|AMI|phones could|REST does not answer|the node)/;

const nodeOf = (callID: string): string => [FIRST, SECOND][nodeOfCallID(callID as CallID) ?? 2] ?? '';

describe('two Asterisk nodes', () => {
  let lab: Lab;
  let second: SecondNode;
  let rm: Ringmaster;
  /** It runs: a test may bring instances of its own instead. */
  let runs = false;
  let client: RpcClient;
  /** All agents' phones, and all customers': each is one socket that any number reaches, from either node. */
  let agents: Phone;
  let customers: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [second, agents, customers] = await Promise.all([
      SecondNode.start(lab),
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, '911140099001', { tone: CUSTOMER_TONE }),
    ]);
  });

  afterEach(async (context) => {
    if (!runs) return;
    runs = false;
    await rm.afterTest(context, NODE_TROUBLE);
    await rm.close();
  });

  afterAll(async () => {
    await Promise.all([second?.close(), agents?.close(), customers?.close()]);
  });

  /** Both nodes, the test's own telephones behind each, and an operator. */
  const onBoth = (settings: Settings): void => {
    settings['operators'] = [{ name: 'night-shift', key: OPERATOR }];
    settings.nodes.push(second.settings(SECOND));
    for (const node of settings.nodes) Object.assign(node, { deadAfter: { refused: 1 } });
    for (const trunk of settings.trunks) {
      if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customers.port}`;
    }
    for (const company of settings.companies) {
      if (company.extensions) company.extensions.endpoint = `PJSIP/${AGENT}/sip:{dn}@127.0.0.1:${agents.port}`;
    }
  };

  const start = async (change: (nodes: Settings['nodes'][number][], settings: Settings) => void = () => {}) => {
    rm = await ringmaster(lab, (settings) => {
      onBoth(settings);
      change(settings.nodes, settings);
    });
    runs = true;
    client = await rm.subscriber();
    await serving(2);
  };

  const serving = (nodes: number) =>
    vi.waitFor(async () => expect(await rm.metric('ringmaster_node_serving')).toBe(nodes), 30_000);

  const admin = async (method: 'GET' | 'POST', path: string, body?: object, base = rm.base) => {
    const answer = await request(`${base}/admin/nodes${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  };

  /** A call whose agent's phone rings. */
  const ring = async (
    thisDN: string,
    at: RpcClient = client,
  ): Promise<{ callID: string; agent: PhoneCall; node: string }> => {
    const { callID } = await at.call('RequestMakeCall', { thisDN, otherDN: `91114009${thisDN}` });
    const agent = await agents.nextCall();
    agent.ring();
    await at.event('EventDialing', (e) => e.callID === callID);
    return { callID, agent, node: nodeOf(callID) };
  };

  /** A call in which both talk. */
  const talk = async (thisDN: string) => {
    const ringing = await ring(thisDN);
    await ringing.agent.answer();
    const customer = await customers.nextCall();
    customer.ring();
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === ringing.callID && e.thisDN === `91114009${thisDN}`);
    return { ...ringing, customer };
  };

  const clear = async (...calls: readonly { callID: string }[]) => {
    for (const { callID } of calls) await client.call('RequestClearCall', { callID });
    for (const { callID } of calls) expectWhole(await client.ended(callID));
  };

  const bothHear = ({ agent, customer }: { agent: PhoneCall; customer: PhoneCall }) =>
    expectHeard(
      [
        { name: 'agent', call: agent, tone: agentTone(AGENT) },
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
      ],
      { agent: ['customer'], customer: ['agent'] },
    );

  test('each call goes to the node that carries the smaller part of its limit; where none has room it is Channel Busy', async () => {
    await start(([first, other]) => {
      if (first) first.limits.calls = 2;
      if (other) other.limits.calls = 4;
    });
    const calls = [];
    for (const dn of ['1101', '1102', '1103', '1104', '1105', '1106']) calls.push(await ring(dn));
    const on = (node: string, of: readonly { node: string }[]) => of.filter((c) => c.node === node).length;
    // Half of the calls fill half of each; what is over the smaller one's limit goes to the other.
    expect([on(FIRST, calls.slice(0, 3)), on(SECOND, calls.slice(0, 3))]).toEqual([1, 2]);
    expect([on(FIRST, calls), on(SECOND, calls)]).toEqual([2, 4]);
    expect(await second.channels()).toHaveLength(4);
    const { callID } = await client.call('RequestMakeCall', { thisDN: '1107', otherDN: '911140091107' });
    expect(only(await client.ended(callID), 'EventCallDeleted').connectionStatus).toBe('Channel Busy');
    await clear(...calls);
  });

  test('a node that is drained takes no new call, and its live one goes on with all that belongs to it', async () => {
    await start();
    expect(await admin('POST', `/${FIRST}/drain`)).toMatchObject({ status: 200, body: { state: 'draining' } });
    const call = await talk('1201');
    expect(call.node).toBe(SECOND);
    await admin('POST', `/${FIRST}/resume`);

    const drained = await admin('POST', `/${SECOND}/drain`, { reason: 'new kernel' });
    expect(drained).toMatchObject({
      status: 200,
      body: { id: SECOND, state: 'draining', calls: 1, drain: { by: 'night-shift', reason: 'new kernel' } },
    });
    expect(await metricOf(rm.base, 'ringmaster_node_draining', { node: SECOND })).toBe(1);
    const ready = await request(`${rm.base}/readyz`);
    expect([ready.statusCode, await ready.body.json()]).toMatchObject([
      200,
      { ready: true, nodes: { [FIRST]: 'serving', [SECOND]: 'draining' } },
    ]);
    const elsewhere = [await ring('1202'), await ring('1203'), await ring('1204')];
    expect(elsewhere.map((c) => c.node)).toEqual([FIRST, FIRST, FIRST]);
    await clear(...elsewhere);

    // A caller from outside is sent back with what lets the carrier try the next node.
    const caller = await openCustomerPhone(lab, '911140099002', { server: second.sip });
    const refused = caller.call('911140001000');
    await refused.waitFor('ended');
    expect(refused.end?.status).toBe(503);
    await caller.close();

    await bothHear(call);
    const acting = { callID: call.callID, thisDN: '1201' };
    await client.call('RequestInitiateConsult', { ...acting, otherDN: '1205' });
    const asked = await agents.nextCall();
    await asked.answer();
    await client.event('EventEstablished', (e) => e.callID === call.callID && e.thisDN === '1205');
    await client.call('RequestRetrieveConsult', acting);
    await asked.waitFor('ended');
    await bothHear(call);
    await clear(call);
    await vi.waitFor(() => expect(rm.log.map((l) => l.msg)).toContain('the drained node has no calls any more'));

    expect(await admin('POST', `/${SECOND}/resume`)).toMatchObject({ body: { state: 'serving', draining: false } });
    const [one, two] = [await ring('1206'), await ring('1207')];
    expect([one.node, two.node].sort()).toEqual([FIRST, SECOND]);
    await clear(one, two);
    expect(rm.log.map((l) => l.msg)).toEqual(
      expect.arrayContaining(['the node is drained: no new calls, live ones go on', 'the node takes new calls again']),
    );
  });

  test('a node whose sockets live and whose REST hangs gets no calls, and comes back to service by itself', async () => {
    await start();
    await admin('POST', `/${FIRST}/drain`);
    const call = await talk('1301');
    expect(call.node).toBe(SECOND);
    await admin('POST', `/${FIRST}/resume`);
    second.signal('SIGSTOP');
    try {
      await serving(1);
      const { body } = await admin('GET', '');
      expect(body['nodes']).toMatchObject([
        { id: FIRST, state: 'serving' },
        { id: SECOND, state: 'away', calls: 1 },
      ]);
      const calls = [await ring('1302'), await ring('1303')];
      expect(calls.map((c) => c.node)).toEqual([FIRST, FIRST]);
      await clear(...calls);
    } finally {
      second.signal('SIGCONT');
    }
    await serving(2);
    await bothHear(call);
    // The call that went on counts: two of the next three make it even again.
    const calls = [await ring('1304'), await ring('1305'), await ring('1306')];
    expect(calls.map((c) => c.node).sort()).toEqual([FIRST, FIRST, SECOND]);
    await clear(call, ...calls);
  });

  test('two instances with a node each: calls go where the room is, a drain holds for both, and a death is told once', {
    timeout: 180_000,
  }, async () => {
    const both = await instances(lab, (settings) => {
      onBoth(settings);
      for (const node of settings.nodes) node.limits.calls = 10;
    });
    try {
      const moved = await both.owner.process.logged('the shard was handed over');
      await both.standby.served(String(moved['shard']));
      const [firstOwner, secondOwner] = String(moved['shard']).endsWith(SECOND)
        ? [both.owner, both.standby]
        : [both.standby, both.owner];
      const [atFirst, atSecond] = [await firstOwner.subscriber(), await secondOwner.subscriber()];
      const seenBy = (base: string, node: string) =>
        vi.waitFor(async () => {
          const { body } = await admin('GET', '', undefined, base);
          const found = (body['nodes'] as Record<string, unknown>[]).find((n) => n['id'] === node);
          return found ?? expect.fail(`no ${node}`);
        });

      await admin('POST', `/${FIRST}/drain`, undefined, secondOwner.http);
      await vi.waitFor(async () => expect(await seenBy(firstOwner.http, FIRST)).toMatchObject({ state: 'draining' }));
      const calls = [await ring('1701', atFirst), await ring('1702', atSecond)];
      expect(calls.map((c) => c.node)).toEqual([SECOND, SECOND]);
      await admin('POST', `/${FIRST}/resume`, undefined, firstOwner.http);
      await vi.waitFor(async () => expect(await seenBy(secondOwner.http, FIRST)).toMatchObject({ state: 'serving' }));
      await vi.waitFor(async () => expect(await seenBy(firstOwner.http, SECOND)).toMatchObject({ calls: 2 }));
      // The one is a fifth full and the other empty: whoever is asked, the call goes to the empty one.
      const third = await ring('1703', atSecond);
      expect(third.node).toBe(FIRST);

      await second.kill();
      for (const { callID } of calls) {
        const events = await atFirst.ended(callID);
        expectWhole(events);
        expect(only(events, 'EventCallDeleted')).toMatchObject({ connectionStatus: 'Failed', recovered: true });
      }
      await vi.waitFor(async () => {
        for (const { http } of [firstOwner, secondOwner]) {
          expect(await seenBy(http, SECOND)).toMatchObject({ state: 'dead', calls: 0 });
        }
      });
      expect(await firstOwner.metric('ringmaster_node_deaths_total')).toBe(0);
      const fourth = await ring('1704', atSecond);
      expect(fourth.node).toBe(FIRST);
      for (const { callID } of [third, fourth]) await atSecond.call('RequestClearCall', { callID });
      for (const { callID } of [third, fourth]) expectWhole(await atSecond.ended(callID));
    } finally {
      await both.stop();
      await second.again();
      for (const call of [...agents.calls, ...customers.calls]) call.close();
    }
  });

  describe('one of them dies', () => {
    afterEach(async () => {
      for (const call of [...agents.calls, ...customers.calls]) call.close();
    });

    test('its calls are Failed, agents are free, the dialler’s call is placed on the other, and it takes calls when it is back', async () => {
      await start((_nodes, settings) => {
        const [company] = settings.companies as (object | undefined)[];
        Object.assign(company ?? {}, {
          dialer: {
            accounts: [
              {
                id: 'main',
                securityId: SECURITY_ID,
                ips: ['127.0.0.1'],
                flows: [{ id: 'NodeFlow', agents: ['1403'], shortCall: 0 }],
              },
            ],
          },
        });
      });
      await admin('POST', `/${FIRST}/drain`);
      await client.call('RequestAgentLogin', { agentID: '7401', thisDN: '1401', agentState: 1 });
      const talking = await talk('1401');
      const ringing = await ring('1402');
      const dialled = await dial('911140091403');
      const first = await agents.nextCall();
      first.ring();
      const placed = await client.event('EventDialing', (e) => e.thisDN === '1403');
      expect([talking.node, ringing.node, nodeOf(placed.callID)]).toEqual([SECOND, SECOND, SECOND]);
      await admin('POST', `/${FIRST}/resume`);

      await second.kill();
      for (const call of [...agents.calls, ...customers.calls]) call.close();
      for (const { callID } of [talking, ringing, placed]) {
        const events = await client.ended(callID);
        expectWhole(events);
        const released = events.filter((e) => e.messageID === 'EventReleased');
        const deleted = only(events, 'EventCallDeleted');
        for (const e of [...released, deleted])
          expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
      }
      expect(only(client.of(talking.callID), 'EventReleased', '1401').hangupCause).toBe('BY_SYSTEM');
      expect(await metricOf(rm.base, 'ringmaster_node_dead', { node: SECOND })).toBe(1);
      expect((await admin('GET', '')).body['nodes']).toMatchObject([{ state: 'serving' }, { state: 'dead', calls: 0 }]);
      const [agent] = (await client.call('RequestListAgents', {})).agents;
      expect(agent).toMatchObject({ agentID: '7401', agentState: 1 });
      expect(agent).not.toHaveProperty('callID');

      const again = await agents.nextCall(20_000);
      await again.answer();
      const customer = await customers.nextCall();
      await customer.answer();
      const met = await client.event('EventEstablished', (e) => e.thisDN === '911140091403');
      expect(nodeOf(met.callID)).toBe(FIRST);
      await customer.hangUp();
      await client.ended(met.callID);
      await vi.waitFor(async () => {
        const { history } = await statusOf(dialled);
        expect(history).toEqual(['UNPROCESSED', 'IN_PROGRESS', 'REATTEMPT_SCHEDULED', 'IN_PROGRESS', 'COMPLETED']);
      });

      await second.again();
      await serving(2);
      await vi.waitFor(async () => expect(await rm.metric('ringmaster_node_dead')).toBe(0));
      const [one, two] = [await ring('1404'), await ring('1405')];
      expect([one.node, two.node].sort()).toEqual([FIRST, SECOND]);
      await clear(one, two);
      await client.call('RequestAgentLogout', { agentID: '7401' });
    });

    test('and is back before it is given up: the same statuses, told by the restart', async () => {
      await start((nodes) => {
        for (const node of nodes) Object.assign(node, { deadAfter: { refused: 600 } });
      });
      await admin('POST', `/${FIRST}/drain`);
      const talking = await talk('1501');
      const ringing = await ring('1502');
      await second.kill();
      for (const call of [...agents.calls, ...customers.calls]) call.close();
      await second.again();
      for (const { callID } of [talking, ringing]) {
        const events = await client.ended(callID);
        expectWhole(events);
        for (const e of events.filter((one) => one.messageID === 'EventReleased')) {
          expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
        }
      }
      await serving(2);
      expect(await rm.metric('ringmaster_node_deaths_total')).toBe(0);
    });

    test('and was only cut off: what is still alive there is hung up when it is back, callers from outside too', async () => {
      const [ari, ami] = await Promise.all([
        TcpProxy.start('127.0.0.1', second.ports.http),
        TcpProxy.start('127.0.0.1', second.ports.ami),
      ]);
      try {
        await start((nodes) => {
          const node = nodes[1];
          if (node) {
            node.ari.url = `http://127.0.0.1:${ari.port}/ari`;
            node.ami.port = ami.port;
            Object.assign(node, { deadAfter: { refused: 1, silent: 10 } });
          }
        });
        await admin('POST', `/${FIRST}/drain`);
        const talking = await talk('1601');
        const caller = await openCustomerPhone(lab, '911140099003', { server: second.sip });
        const outside = caller.call(DID);
        const agent = await agents.nextCall();
        await agent.answer();
        const met = await client.event('EventEstablished', (e) => e.thisDN === '1011');
        await admin('POST', `/${FIRST}/resume`);

        for (const proxy of [ari, ami]) proxy.block();
        await serving(1);
        // Connections are taken and broken: no sign of life, and no refusal either. People talk on meanwhile.
        await bothHear(talking);
        for (const callID of [talking.callID, met.callID]) {
          const events = await client.ended(callID, 40_000);
          expectWhole(events);
          for (const e of events.filter((one) => one.messageID === 'EventReleased')) {
            expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
          }
        }
        expect([talking.customer.end, outside.end]).toEqual([undefined, undefined]);
        const before = client.events.length;
        for (const proxy of [ari, ami]) proxy.unblock();
        await Promise.all(
          [talking.agent, talking.customer, outside, agent].map((call) => call.waitFor('ended', 30_000)),
        );
        await serving(2);
        await vi.waitFor(async () => expect(await second.channels()).toEqual([]));
        expect(client.events.slice(before)).toEqual([]);
        await caller.close();
      } finally {
        await Promise.all([ari.stop(), ami.stop()]);
      }
    });

    /** A call of the dialler's. @returns its uuid */
    const dial = async (number: string): Promise<string> => {
      const answer = await request(`${rm.base}/kairos-apis/outbounddialer/create`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          'api-version': '1.0',
          'security-id': SECURITY_ID,
          'flow-id': 'NodeFlow',
          calls: [{ 'client-identifier': 'one', 'contact-numbers': [number] }],
        }),
      });
      const body = (await answer.body.json()) as { 'call-details': { 'phonon-uuid': string }[] };
      return body['call-details'][0]?.['phonon-uuid'] ?? '';
    };

    const statusOf = async (uuid: string): Promise<{ history: string[] }> => {
      const answer = await request(`${rm.base}/kairos-apis/outbounddialer/status/${uuid}`);
      const body = (await answer.body.json()) as { 'call-details': { history: { status: string }[] }[] };
      return { history: (body['call-details'][0]?.history ?? []).map((h) => h.status) };
    };
  });
});
