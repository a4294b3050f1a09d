import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { CountingTrunk } from '../../lab/phone/counting-trunk.ts';
import { testLab } from '../support/lab.ts';
import { addDialer, type Ringmaster, ringmaster } from '../support/ringmaster.ts';

const SECURITY_ID = 't'.repeat(64);

describe('a trunk for each flow', () => {
  let lab: Lab;
  let rm: Ringmaster;
  const trunks = new Map<string, CountingTrunk>();

  beforeAll(async () => {
    lab = await testLab();
    for (const id of ['own', 'other']) trunks.set(id, await CountingTrunk.open());
    rm = await ringmaster(lab, (settings) => {
      settings.trunks = [...trunks].map(([id, { port }], n) => ({
        id,
        endpoint: `PJSIP/carrier-a/sip:{number}@127.0.0.1:${port}`,
        callerId: `91114000500${n}`,
        limits: { calls: 100, callsPerSecond: 100 },
      }));
      for (const one of settings.companies) one.trunk = 'own';
      const flow = { agents: ['1001', '1002', '1003'], firstLeg: 'customer', limits: { callsPerSecond: 100 } };
      const flows = [
        { id: 'OwnTrunk', ...flow },
        { id: 'ItsTrunk', ...flow, trunk: 'other' },
        { id: 'ItsShown', ...flow, trunk: 'other', callerId: '911140005009' },
      ];
      addDialer(settings, SECURITY_ID, flows);
    });
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([...trunks.values()].map((t) => t.close()));
  });

  test('each number comes out of the trunk of its flow, once, with that trunk’s number or the flow’s own', async () => {
    const numbersOf = (n: number) => Array.from({ length: 5 }, (_, i) => `9180001${n}000${i}`);
    const flows = ['OwnTrunk', 'ItsTrunk', 'ItsShown'];
    const ids: string[] = [];
    for (const [n, flow] of flows.entries()) {
      const calls = numbersOf(n).map((number) => ({ 'client-identifier': number, 'contact-numbers': [number] }));
      const { body } = await request(`${rm.base}/kairos-apis/outbounddialer/create`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': flow, calls }),
      });
      ids.push(String(((await body.json()) as Record<string, unknown>)['request-id']));
    }
    const statusesOf = async (id: string) => {
      const { body } = await request(`${rm.base}/kairos-apis/outbounddialer/status/${id}`);
      const told = (await body.json()) as { 'call-details': { status: string }[] };
      return told['call-details'].map((c) => c.status);
    };
    for (const id of ids) await expect.poll(() => statusesOf(id)).toEqual(new Array(5).fill('CUSTOMER_FAILURE'));
    const came = (id: string) => (trunks.get(id)?.calls ?? []).map((c) => `${c.number} ${c.from}`).toSorted();
    expect(came('own')).toEqual(numbersOf(0).map((number) => `${number} 911140005000`));
    expect(came('other')).toEqual([
      ...numbersOf(1).map((number) => `${number} 911140005001`),
      ...numbersOf(2).map((number) => `${number} 911140005009`),
    ]);
  });
});
