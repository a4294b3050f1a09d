import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { NewCtiEvent } from '../../src/cti/events.ts';
import { partyIDOf } from '../../src/cti/ids.ts';
import type { QueueAgent } from '../../src/dialer/queue-agents.ts';
import type { Store } from '../../src/store/store.ts';
import { type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, type FlowSettings, SECURITY_ID } from '../support/dialer-kit.ts';
import type { QueueCallStory } from '../support/queue-call-events.ts';
import { company, newStore } from '../support/store-kit.ts';

const ACME = company('acme');
const BASE = '/kairos-apis/outbounddialer';
const free = (n: number, ...queues: string[]): QueueAgent[] =>
  Array.from({ length: n }, () => ({ queues, state: 'free' }));

describe('a flow that calls customers for a queue', () => {
  const stores: Store[] = [];
  const instances: Instance[] = [];
  let prefix = '';

  const open = (): Store => {
    const { store } = newStore(inject('redisUrl'), { prefix });
    stores.push(store);
    return store;
  };
  const begin = async (): Promise<SimulatedSwitch> => {
    prefix = `t${randomBytes(6).toString('hex')}`;
    const store = open();
    await store.connected();
    const sim = new SimulatedSwitch(store);
    sim.holding = true;
    return sim;
  };
  const dialler = async (sim: SimulatedSwitch, companies: readonly CompanyConfig[]): Promise<Instance> => {
    const made = await instance(open(), sim, companies);
    instances.push(made);
    return made;
  };
  const queued = (flow: FlowSettings = {}): FlowSettings => ({
    agents: [],
    queue: '8001',
    firstLeg: 'customer',
    limits: { calls: 1_000, callsPerSecond: 1_000 },
    ...flow,
  });
  const ask = async (at: Instance, from: number, to: number, flowId = 'flow0001') => {
    const calls = Array.from({ length: to - from }, (_, i) => ({
      'client-identifier': `n${from + i}`,
      'contact-numbers': [`9180${String(from + i).padStart(8, '0')}`],
    }));
    const payload = { 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': flowId, calls };
    const answer = (await at.http.inject({ method: 'POST', url: `${BASE}/create`, payload })).json();
    expect(answer).toMatchObject({ 'api-response-code': 200 });
    return String(answer['request-id']);
  };
  const statusesOf = async (at: Instance, id: string): Promise<string[]> =>
    (await at.http.inject({ method: 'GET', url: `${BASE}/status/${id}` }))
      .json()
      ['call-details'].map((c: { status: string }) => c.status);

  afterEach(async () => {
    await Promise.all(instances.splice(0).map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  it('places one call for each free agent of the queue, in order, customer first', async () => {
    const sim = await begin();
    sim.agents = [...free(2, '8001'), { queues: ['8001'], state: 'busy' }, ...free(3, '8002')];
    const one = await dialler(sim, [companyOf([queued()])]);
    const id = await ask(one, 0, 6);
    for (let placed = 2; placed <= 6; placed += 2) {
      await sim.until(() => sim.placed.length === placed);
      expect(sim.live).toBe(2);
      await sim.hangUp();
    }
    expect(sim.placed.map((p) => p.agent)).toEqual(new Array(6).fill('8001'));
    expect(sim.placed.map((p) => Number(p.number.slice(4)))).toEqual([0, 1, 2, 3, 4, 5]);
    await expect.poll(() => statusesOf(one, id), { timeout: 10_000 }).toEqual(new Array(6).fill('COMPLETED'));
    expect(one.warnings).toEqual([]);
  });

  it('places the next one when a customer has been put through and another agent is free', async () => {
    const sim = await begin();
    sim.agents = free(1, '8001');
    const one = await dialler(sim, [companyOf([queued()])]);
    await ask(one, 0, 3);
    await sim.until(() => sim.placed.length === 1);
    const [first] = sim.placed;
    if (!first) throw new Error('nothing was placed');
    sim.progress.set(first.callID, { state: 'served' });
    await sim.until(() => sim.placed.length === 2);
    expect(sim.live).toBe(2);
  });

  it('follows by the event log the calls that live at another instance', async () => {
    const sim = await begin();
    sim.elsewhere = true;
    sim.agents = free(1, '8001');
    const one = await dialler(sim, [companyOf([queued()])]);
    await ask(one, 0, 3);
    await sim.until(() => sim.placed.length === 1);
    const callID = sim.placed[0]?.callID;
    if (!callID) throw new Error('nothing was placed');
    const party = (messageID: 'EventRinging' | 'EventEstablished', n: 1 | 2): NewCtiEvent => ({
      messageID,
      companyId: ACME,
      callID,
      callType: 'Outbound',
      creationTime: Date.now(),
      referenceID: 0,
      partyID: partyIDOf(callID, n),
      partyRole: n === 1 ? 'Customer' : 'Agent',
      thisDN: n === 1 ? '918000000000' : '1001',
      thisQueue: '8001',
    });
    // The agent who is rung is not free any more, and another one is: his call need not wait for this one.
    await one.store.calls.append(ACME, [party('EventRinging', 2)]);
    await sim.until(() => sim.placed.length === 2);
    await one.store.calls.append(ACME, [party('EventEstablished', 2), party('EventEstablished', 1)]);
    await sim.end(sim.placed[1]?.callID ?? callID);
    await sim.until(() => sim.placed.length === 3);
    expect(sim.live).toBe(2);
  });

  it('shares the agents of two queues: none is counted for both', async () => {
    const sim = await begin();
    sim.agents = free(3, '8001', '8002');
    const flows = [queued(), queued({ id: 'flow0002', queue: '8002' })];
    const one = await dialler(sim, [companyOf(flows)]);
    await ask(one, 0, 10);
    await ask(one, 10, 20, 'flow0002');
    await sim.until(() => sim.placed.length === 3);
    await sim.hangUp();
    await sim.until(() => sim.placed.length === 6);
    expect(sim.live).toBe(3);
    const queues = sim.placed.map((p) => p.agent);
    expect(new Set(queues)).toEqual(new Set(['8001', '8002']));
  });

  it('places every call exactly once, with two instances beside each other and one killed in the middle', async () => {
    const sim = await begin();
    sim.holding = false;
    sim.agents = free(20, '8001');
    const companies = [companyOf([queued()])];
    const [first, second] = [await dialler(sim, companies), await dialler(sim, companies)];
    const total = 1_000;
    await ask(first, 0, 500);
    await ask(second, 500, total);
    await sim.until(() => sim.placed.length >= total / 4);
    instances.splice(instances.indexOf(first), 1);
    await first.crash();
    await sim.until(() => sim.placed.length >= total && sim.live === 0);
    const numbers = sim.placed.map((p) => p.number);
    expect(numbers).toHaveLength(total);
    expect(new Set(numbers).size).toBe(total);
    expect(second.warnings).toEqual([]);
  }, 60_000);

  it('keeps a ledger: answer to agent, abandoned calls, calls given up early; by HTTP and as metrics', async () => {
    const sim = await begin();
    sim.agents = free(6, '8001');
    const stories: Readonly<Record<string, QueueCallStory>> = {
      '0': { answeredAfter: 4_000, connectedAfter: 1_000, lasted: 30_000 },
      '1': { answeredAfter: 6_000, connectedAfter: 2_000, lasted: 20_000 },
      '2': { answeredAfter: 5_000, connectedAfter: 3_000, lasted: 30_000 },
      '3': { answeredAfter: 5_000, lasted: 6_000 },
      '4': { lasted: 25_000 },
      '5': { lasted: 10_000 },
    };
    sim.storyOf = (number) => stories[number.slice(-1)] ?? { lasted: 1_000 };
    const companies = [companyOf([queued(), { id: 'flow0002' }])];
    const first = await dialler(sim, companies);
    const id = await ask(first, 0, 6);
    await sim.until(() => sim.placed.length === 6);
    await sim.hangUp();
    const ledgerOf = async (at: Instance, flow = 'flow0001') =>
      (
        await at.http.inject({
          method: 'GET',
          url: `${BASE}/flows/${flow}/ledger`,
          headers: { 'security-id': SECURITY_ID },
        })
      ).json();
    const counts = {
      placed: 6,
      answered: 4,
      connected: 3,
      abandoned: 2,
      'abandoned-share': 0.5,
      'given-up-early': 1,
      'average-ring': 5_000,
      'average-answer-to-agent': 2_000,
    };
    await expect
      .poll(() => ledgerOf(first), { timeout: 10_000 })
      .toMatchObject({
        'api-response-code': 200,
        'flow-id': 'flow0001',
        mode: 'progressive',
        'max-abandoned': 0.03,
        'connect-within': 2_000,
        'last-24-hours': counts,
        'last-30-days': counts,
      });
    const calls = (await first.http.inject({ method: 'GET', url: `${BASE}/status/${id}` })).json()['call-details'];
    const waits = calls.map((c: Record<string, unknown>) => c['answer-to-agent']);
    expect(waits).toEqual([1_000, 2_000, 3_000, null, undefined, undefined]);

    const registry = new Registry();
    first.dialer.watch(registry);
    const metrics = await registry.metrics();
    for (const window of ['24h', '30d']) {
      expect(metrics).toContain(
        `ringmaster_dialer_abandoned_calls{company="${ACME}",flow="flow0001",window="${window}"} 2`,
      );
      expect(metrics).toContain(
        `ringmaster_dialer_answer_to_agent_seconds{company="${ACME}",flow="flow0001",window="${window}"} 2`,
      );
    }
    expect(metrics).not.toContain(`answered_calls{company="${ACME}",flow="flow0002"`);
    // A flow that calls its agents first has no ledger.
    expect(await ledgerOf(first, 'flow0002')).toMatchObject({ 'api-response-code': 213 });
    expect(await ledgerOf(first, 'flow0003')).toMatchObject({ 'api-response-code': 301 });
    // The next instance goes on counting.
    await first.close();
    instances.splice(0);
    const second = await dialler(sim, companies);
    await ask(second, 10, 11);
    await sim.until(() => sim.placed.length === 7);
    await sim.hangUp();
    const after = { placed: 7, answered: 5, connected: 4, abandoned: 2 };
    await expect.poll(() => ledgerOf(second), { timeout: 10_000 }).toMatchObject({ 'last-24-hours': after });
  });

  describe('at a predictive pace', () => {
    const TENTH = { answeredAfter: 5_000, connectedAfter: 500, lasted: 65_000 };
    const flows = [queued({ pacing: { mode: 'predictive' } })];

    /** Lets a flow have its history, ten agents being free; then calls are held, and more are asked for. */
    async function afterHistory(answered: QueueCallStory): Promise<{ sim: SimulatedSwitch; one: Instance }> {
      const sim = await begin();
      sim.holding = false;
      sim.agents = free(10, '8001');
      sim.storyOf = (number) => (number.endsWith('0') ? answered : { lasted: 20_000 });
      const one = await dialler(sim, [companyOf(flows)]);
      await ask(one, 0, 500);
      await ask(one, 500, 1_000);
      await expect.poll(() => one.store.dialer.waiting(ACME, 'flow0001'), { timeout: 15_000 }).toBe(0);
      await sim.until(() => sim.placed.length === 1_000 && sim.live === 0);
      await expect.poll(() => one.dialer.activeCalls, { timeout: 15_000 }).toBe(0);
      sim.holding = true;
      await ask(one, 1_000, 1_100);
      return { sim, one };
    }

    it('places more calls than agents are free, and no more than may be abandoned', async () => {
      const { sim } = await afterHistory(TENTH);
      // 3 % of the 100 that have answered, of which 0.8 are risked: two more than the ten.
      await sim.until(() => sim.live === 12);
      const [first] = sim.placed.slice(1_000);
      if (!first) throw new Error('nothing was placed');
      await sim.end(first.callID);
      await sim.until(() => sim.placed.length === 1_013);
      expect(sim.live).toBe(12);
    }, 60_000);

    it('places one for each free agent where too many were abandoned, also after a restart', async () => {
      const { sim, one } = await afterHistory({ ...TENTH, connectedAfter: 2_500 });
      await sim.until(() => sim.live === 10);
      await one.close();
      instances.splice(0);
      await dialler(sim, [companyOf(flows)]);
      const [first] = sim.placed.slice(1_000);
      if (!first) throw new Error('nothing was placed');
      await sim.end(first.callID);
      await sim.until(() => sim.placed.length === 1_011);
      expect(sim.live).toBe(10);
    }, 60_000);
  });
});
