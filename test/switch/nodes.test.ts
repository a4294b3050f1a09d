import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectWhole, only } from '../support/call-events.ts';
import { instances } from '../support/instances.ts';
import { openCustomerPhone } from '../support/lab.ts';
import { metricOf } from '../support/ringmaster.ts';
import { FIRST, SECOND, TwoNodes, until } from '../support/two-nodes.ts';

describe('two Asterisk nodes', () => {
  const nodes = new TwoNodes();
  const { start, onBoth, serving, admin, ring, talk, clear, bothHear, dropCalls } = nodes;

  beforeAll(() => nodes.open());
  afterEach(nodes.afterTest);
  afterAll(() => nodes.close());

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
    expect(await nodes.second.channels()).toHaveLength(4);
    const { callID } = await nodes.client.call('RequestMakeCall', { thisDN: '1107', otherDN: '911140091107' });
    expect(only(await nodes.client.ended(callID), 'EventCallDeleted').connectionStatus).toBe('Channel Busy');
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
    expect(await metricOf(nodes.rm.base, 'ringmaster_node_draining', { node: SECOND })).toBe(1);
    const ready = await request(`${nodes.rm.base}/readyz`);
    expect([ready.statusCode, await ready.body.json()]).toMatchObject([
      200,
      { ready: true, nodes: { [FIRST]: 'serving', [SECOND]: 'draining' } },
    ]);
    const elsewhere = [await ring('1202'), await ring('1203'), await ring('1204')];
    expect(elsewhere.map((c) => c.node)).toEqual([FIRST, FIRST, FIRST]);
    await clear(...elsewhere);

    // A caller from outside is sent back with what lets the carrier try the next node.
    const caller = await openCustomerPhone(nodes.lab, '911140099002', { server: nodes.second.sip });
    const refused = caller.call('911140001000');
    await refused.waitFor('ended');
    expect(refused.end?.status).toBe(503);
    await caller.close();

    await bothHear(call);
    const acting = { callID: call.callID, thisDN: '1201' };
    await nodes.client.call('RequestInitiateConsult', { ...acting, otherDN: '1205' });
    const asked = await nodes.agents.nextCall();
    await asked.answer();
    await nodes.client.event('EventEstablished', (e) => e.callID === call.callID && e.thisDN === '1205');
    await nodes.client.call('RequestRetrieveConsult', acting);
    await asked.waitFor('ended');
    await bothHear(call);
    await clear(call);
    await until(() => expect(nodes.rm.log.map((l) => l.msg)).toContain('the drained node has no calls any more'));

    expect(await admin('POST', `/${SECOND}/resume`)).toMatchObject({ body: { state: 'serving', draining: false } });
    const [one, two] = [await ring('1206'), await ring('1207')];
    expect([one.node, two.node].sort()).toEqual([FIRST, SECOND]);
    await clear(one, two);
    expect(nodes.rm.log.map((l) => l.msg)).toEqual(
      expect.arrayContaining(['the node is drained: no new calls, live ones go on', 'the node takes new calls again']),
    );
  });

  test('a node whose sockets live and whose REST hangs gets no calls, and comes back to service by itself', async () => {
    await start();
    await admin('POST', `/${FIRST}/drain`);
    const call = await talk('1301');
    expect(call.node).toBe(SECOND);
    await admin('POST', `/${FIRST}/resume`);
    nodes.second.signal('SIGSTOP');
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
      nodes.second.signal('SIGCONT');
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
    const both = await instances(nodes.lab, (settings) => {
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
      const seenBy = async (base: string, node: string): Promise<unknown> => {
        const { body } = await admin('GET', '', undefined, base);
        return (body['nodes'] as Record<string, unknown>[]).find((n) => n['id'] === node);
      };

      await admin('POST', `/${FIRST}/drain`, undefined, secondOwner.http);
      await until(async () => expect(await seenBy(firstOwner.http, FIRST)).toMatchObject({ state: 'draining' }));
      const calls = [await ring('1701', atFirst), await ring('1702', atSecond)];
      expect(calls.map((c) => c.node)).toEqual([SECOND, SECOND]);
      await admin('POST', `/${FIRST}/resume`, undefined, firstOwner.http);
      await until(async () => expect(await seenBy(secondOwner.http, FIRST)).toMatchObject({ state: 'serving' }));
      await until(async () => expect(await seenBy(firstOwner.http, SECOND)).toMatchObject({ calls: 2 }));
      // The one is a fifth full and the other empty: whoever is asked, the call goes to the empty one.
      const third = await ring('1703', atSecond);
      expect(third.node).toBe(FIRST);

      await nodes.second.kill();
      for (const { callID } of calls) {
        const events = await atFirst.ended(callID);
        expectWhole(events);
        expect(only(events, 'EventCallDeleted')).toMatchObject({ connectionStatus: 'Failed', recovered: true });
      }
      await until(async () => {
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
      await nodes.second.again();
      dropCalls();
    }
  });
});
