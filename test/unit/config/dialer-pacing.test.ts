import { describe, expect, it } from 'vitest';
import { bad, changed, good } from '../../support/config.ts';

const SECURITY_ID = 'a'.repeat(64);
const text = (more: string) => {
  const flow = `{ id: flow0001, ${more} }`;
  const account = `{ id: main, securityId: ${SECURITY_ID}, ips: [127.0.0.1], flows: [${flow}] }`;
  return changed('    trunk: carrier-a\n', `    trunk: carrier-a\n    dialer: { accounts: [${account}] }\n`);
};
const FLOW = 'companies[0].dialer.accounts[0].flows[0]';

describe('a flow with a queue', () => {
  it('calls the customer first, one call for each free agent, and abandons 3 % at most', () => {
    const { config, warnings } = good(text('queue: "8001", firstLeg: customer'));
    expect(warnings).toEqual([]);
    expect(config.companies[0]?.dialer?.accounts[0]?.flows[0]).toMatchObject({
      queue: '8001',
      agents: [],
      firstLeg: 'customer',
      pacing: { mode: 'progressive', maxAbandoned: 0.03, connectWithin: 2 },
    });
  });

  it.each([
    ['neither agents nor queue', 'name: x', 'agents'],
    ['both', 'queue: "8001", firstLeg: customer, agents: ["1001"]', 'agents'],
    ['a queue that there is not', 'queue: "8009", firstLeg: customer', 'queue'],
    ['the agent called first', 'queue: "8001"', 'firstLeg'],
    ['a call that names its agent', 'queue: "8001", firstLeg: customer, agentKey: x', 'agentKey'],
    ['14 s of ringing', 'queue: "8001", firstLeg: customer, ringTimeout: 14', 'ringTimeout'],
    ['a predictive pace without a queue', 'agents: ["1001"], pacing: { mode: predictive }', 'pacing'],
    ['no share at all', 'queue: "8001", firstLeg: customer, pacing: { maxAbandoned: 0 }', 'pacing.maxAbandoned'],
  ])('%s is refused', (_what, more, key) => {
    expect(bad(text(more)).map((p) => p.key)).toEqual([`${FLOW}.${key}`]);
  });

  it.each([
    [
      'more abandoned calls than are usually allowed',
      'queue: "8001", firstLeg: customer, pacing: { maxAbandoned: 0.05 }',
      'pacing.maxAbandoned',
    ],
    [
      'customers who are rung for less than 15 s',
      'agents: ["1001"], firstLeg: customer, ringTimeout: 10',
      'ringTimeout',
    ],
  ])('warns of %s', (_what, more, key) => {
    expect(good(text(more)).warnings.map((w) => w.key)).toEqual([`${FLOW}.${key}`]);
  });
});
