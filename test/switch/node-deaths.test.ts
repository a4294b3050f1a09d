import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectWhole, only } from '../support/call-events.ts';
import { openCustomerPhone } from '../support/lab.ts';
import { metricOf } from '../support/ringmaster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { FIRST, nodeOf, SECOND, TwoNodes, until } from '../support/two-nodes.ts';

const SECURITY_ID = 'e'.repeat(64);
/** A number that leads to agent 1011. */
const DID = '911140001011';

describe('two Asterisk nodes', () => {
  const nodes = new TwoNodes();
  const { start, serving, admin, ring, talk, clear, bothHear, dropCalls } = nodes;

  beforeAll(() => nodes.open());
  afterEach(nodes.afterTest);
  afterAll(() => nodes.close());

  describe('one of them dies', () => {
    afterEach(() => dropCalls());

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
      await nodes.client.call('RequestAgentLogin', { agentID: '7401', thisDN: '1401', agentState: 1 });
      const talking = await talk('1401');
      const ringing = await ring('1402');
      const dialled = await dial('911140091403');
      const first = await nodes.agents.nextCall();
      first.ring();
      const placed = await nodes.client.event('EventDialing', (e) => e.thisDN === '1403');
      expect([talking.node, ringing.node, nodeOf(placed.callID)]).toEqual([SECOND, SECOND, SECOND]);
      await admin('POST', `/${FIRST}/resume`);

      await nodes.second.kill();
      dropCalls();
      for (const { callID } of [talking, ringing, placed]) {
        const events = await nodes.client.ended(callID);
        expectWhole(events);
        const released = events.filter((e) => e.messageID === 'EventReleased');
        const deleted = only(events, 'EventCallDeleted');
        for (const e of [...released, deleted])
          expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
      }
      expect(only(nodes.client.of(talking.callID), 'EventReleased', '1401').hangupCause).toBe('BY_SYSTEM');
      expect(await metricOf(nodes.rm.base, 'ringmaster_node_dead', { node: SECOND })).toBe(1);
      expect((await admin('GET', '')).body['nodes']).toMatchObject([{ state: 'serving' }, { state: 'dead', calls: 0 }]);
      const [agent] = (await nodes.client.call('RequestListAgents', {})).agents;
      expect(agent).toMatchObject({ agentID: '7401', agentState: 1 });
      expect(agent).not.toHaveProperty('callID');

      const again = await nodes.agents.nextCall(20_000);
      await again.answer();
      const customer = await nodes.customers.nextCall();
      await customer.answer();
      const met = await nodes.client.event('EventEstablished', (e) => e.thisDN === '911140091403');
      expect(nodeOf(met.callID)).toBe(FIRST);
      await customer.hangUp();
      await nodes.client.ended(met.callID);
      await until(async () => {
        const { history } = await statusOf(dialled);
        expect(history).toEqual(['UNPROCESSED', 'IN_PROGRESS', 'REATTEMPT_SCHEDULED', 'IN_PROGRESS', 'COMPLETED']);
      });

      await nodes.second.again();
      await serving(2);
      await until(async () => expect(await nodes.rm.metric('ringmaster_node_dead')).toBe(0));
      const [one, two] = [await ring('1404'), await ring('1405')];
      expect([one.node, two.node].sort()).toEqual([FIRST, SECOND]);
      await clear(one, two);
      await nodes.client.call('RequestAgentLogout', { agentID: '7401' });
    });

    test('and is back before it is given up: the same statuses, told by the restart', async () => {
      await start((both) => {
        for (const node of both) Object.assign(node, { deadAfter: { refused: 600 } });
      });
      await admin('POST', `/${FIRST}/drain`);
      const talking = await talk('1501');
      const ringing = await ring('1502');
      await nodes.second.kill();
      dropCalls();
      await nodes.second.again();
      for (const { callID } of [talking, ringing]) {
        const events = await nodes.client.ended(callID);
        expectWhole(events);
        for (const e of events.filter((one) => one.messageID === 'EventReleased')) {
          expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
        }
      }
      await serving(2);
      expect(await nodes.rm.metric('ringmaster_node_deaths_total')).toBe(0);
    });

    test('and was only cut off: what is still alive there is hung up when it is back, callers from outside too', async () => {
      const [ari, ami] = await Promise.all([
        TcpProxy.start('127.0.0.1', nodes.second.ports.http),
        TcpProxy.start('127.0.0.1', nodes.second.ports.ami),
      ]);
      try {
        await start((both) => {
          const node = both[1];
          if (node) {
            node.ari.url = `http://127.0.0.1:${ari.port}/ari`;
            node.ami.port = ami.port;
            Object.assign(node, { deadAfter: { refused: 1, silent: 10 } });
          }
        });
        await admin('POST', `/${FIRST}/drain`);
        const talking = await talk('1601');
        const caller = await openCustomerPhone(nodes.lab, '911140099003', { server: nodes.second.sip });
        const outside = caller.call(DID);
        const agent = await nodes.agents.nextCall();
        await agent.answer();
        const met = await nodes.client.event('EventEstablished', (e) => e.thisDN === '1011');
        await admin('POST', `/${FIRST}/resume`);

        for (const proxy of [ari, ami]) proxy.block();
        await serving(1);
        // Connections are taken and broken: no sign of life, and no refusal either. People talk on meanwhile.
        await bothHear(talking);
        for (const callID of [talking.callID, met.callID]) {
          const events = await nodes.client.ended(callID, 40_000);
          expectWhole(events);
          for (const e of events.filter((one) => one.messageID === 'EventReleased')) {
            expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
          }
        }
        expect([talking.customer.end, outside.end]).toEqual([undefined, undefined]);
        const before = nodes.client.events.length;
        for (const proxy of [ari, ami]) proxy.unblock();
        await Promise.all(
          [talking.agent, talking.customer, outside, agent].map((call) => call.waitFor('ended', 30_000)),
        );
        await serving(2);
        await until(async () => expect(await nodes.second.channels()).toEqual([]));
        expect(nodes.client.events.slice(before)).toEqual([]);
        await caller.close();
      } finally {
        await Promise.all([ari.stop(), ami.stop()]);
      }
    });

    /** A call of the dialler's. @returns its uuid */
    const dial = async (number: string): Promise<string> => {
      const answer = await request(`${nodes.rm.base}/kairos-apis/outbounddialer/create`, {
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
      const answer = await request(`${nodes.rm.base}/kairos-apis/outbounddialer/status/${uuid}`);
      const body = (await answer.body.json()) as { 'call-details': { history: { status: string }[] }[] };
      return { history: (body['call-details'][0]?.history ?? []).map((h) => h.status) };
    };
  });
});
