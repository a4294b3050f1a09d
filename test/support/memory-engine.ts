import { onTestFinished } from 'vitest';
import type { Command } from '../../src/calls/command.ts';
import { AgentID, type CallID, CompanyId } from '../../src/cti/ids.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Admission, Caller } from '../../src/ports.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import { bareEngine } from './bare-engine.ts';

export const ACME = CompanyId.parse('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'k', scopes: new Set(['call', 'agent', 'read']) };
export const NODE = 'pbx-1';
/** Queues with one place each: one that sends nobody on, one that does to a number, one that does to the first. */
export const SMALL = '8001';
export const TO_NUMBER = '8002';
export const TO_QUEUE = '8003';
/** A number from outside that rings 1001. */
export const DID = '911140001000';
export const ELSEWHERE = '911140009999';

/**
 * An engine on a store that takes everything at once, closed when the test has finished.
 *
 * @param trunkCalls calls that the trunk may carry
 * @param asked what the engine has in place of its admission
 */
export async function memoryEngine(trunkCalls = 100, asked: (real: CallAdmission) => Admission = (real) => real) {
  let now = 1_700_000_000_000;
  const commands: Command[] = [];
  const failures: unknown[] = [];
  const queue = { ringTimeout: 15, wrapUp: 0, maxWaiting: 1 };
  const directory = new Directory(
    [
      {
        companyId: ACME,
        extensions: { pattern: /^1\d{3}$/, endpoint: 'PJSIP/{dn}' },
        numbers: { pattern: /^\d{7,15}$/ },
        trunk: 'carrier',
        routes: [{ did: DID, agent: '1001' }],
        queues: [
          { id: SMALL, ...queue },
          { id: TO_NUMBER, ...queue, overflow: { afterSeconds: 10, to: { number: ELSEWHERE } } },
          { id: TO_QUEUE, ...queue, overflow: { afterSeconds: 10, to: { queue: SMALL } } },
        ],
      },
    ],
    [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
  );
  const queues = [SMALL, TO_NUMBER, TO_QUEUE].map((id) => [`${ACME}:${id}`, { calls: queue.maxWaiting }] as const);
  const admission = new CallAdmission(
    { trunks: new Map([['carrier', { calls: trunkCalls }]]), queues: new Map(queues) },
    () => now,
  );
  const engine = bareEngine({
    directory,
    admission: asked(admission),
    now: () => now,
    onError: (error) => failures.push(error),
  });
  await engine.addNode({
    id: NODE,
    number: 1,
    app: 'ringmaster',
    switch: { node: NODE, serving: true, perform: (_: CallID, list) => commands.push(...list), resync: () => {} },
  });
  await engine.openFloors();
  onTestFinished(() => engine.close());
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 200; i += 1) await Promise.resolve();
  };
  const request = async (method: string, params: object) => {
    const answer = await engine.request(CALLER, method, params);
    await settle();
    return 'refusal' in answer
      ? [answer.refusal.name, answer.refusal.data?.['reason']]
      : (answer.result as { callID: string });
  };
  const fact = async (kind: 'leg-answered' | 'leg-ended', channel: string): Promise<void> => {
    engine.onFact(NODE, kind === 'leg-ended' ? { kind, channel, q850: 16 } : { kind, channel });
    await settle();
  };
  /** Agent and customer of the i-th pair talk. @returns the call's id */
  const talking = async (i: number): Promise<string> => {
    const params = { thisDN: `100${i}`, otherDN: `91114000000${i}`, makeCallType: 'Regular', firstLeg: 'agent' };
    const made = await request('RequestMakeCall', { ...params, ringTimeout: 30 });
    if (Array.isArray(made)) throw new Error(String(made));
    await fact('leg-answered', `${made.callID}-1`);
    await fact('leg-answered', `${made.callID}-2`);
    return made.callID;
  };
  return {
    engine,
    commands,
    failures,
    admission,
    fact,
    request,
    settle,
    talking,
    hand: (callID: string, i: number, otherDN: string) =>
      engine.request(CALLER, 'RequestSingleStepTransfer', { callID, thisDN: `100${i}`, otherDN }),
    /** Time passes, and something happens to the agents and queues: what is due is done. */
    after: async (ms: number): Promise<void> => {
      now += ms;
      const agent = { agentID: AgentID.parse('a1'), thisDN: '1999', agentState: 2, thisQueues: [] };
      await engine.request(CALLER, 'RequestAgentLogin', agent);
      await settle();
    },
    dialled: () => commands.flatMap((c) => (c.do === 'dial' ? [c.endpoint] : [])),
  };
}
