import { afterEach, describe, expect, it } from 'vitest';
import type { Command } from '../../../src/calls/command.ts';
import { AgentID, type CallID, CompanyId } from '../../../src/cti/ids.ts';
import { Directory } from '../../../src/engine/directory.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { Recordings } from '../../../src/engine/recordings.ts';
import type { Caller, Commit, CommitResult } from '../../../src/ports.ts';
import { CallAdmission } from '../../../src/switch/admission.ts';

/** What only the engine knows of a queue that is asked or handed a call: who waits there already, and the trunk's room. */

const ACME = CompanyId.parse('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'k', scopes: new Set(['call', 'agent', 'read']) };
const NODE = 'pbx-1';
const SMALL = '8001';
const TO_NUMBER = '8002';
const TO_QUEUE = '8003';
const ELSEWHERE = '911140009999';

const stored = ({ version }: { version: number }): Promise<CommitResult> =>
  Promise.resolve({ outcome: 'stored', version: version + 1, lastEventID: 0 });

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

/** An engine on a store that takes everything at once. @param trunkCalls calls that the trunk may carry */
async function opened(trunkCalls = 100) {
  let n = 0;
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
        routes: [],
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
  const engine = new Engine({
    store: {
      commit: (commit: Commit) => stored(commit),
      append: () => Promise.resolve(),
      load: () => Promise.resolve(undefined),
      loadLive: () => Promise.resolve([]),
      takeShard: () => Promise.resolve(1),
    },
    masks: { counterpart: () => Promise.resolve(undefined) },
    floors: { commitFloor: stored, loadFloor: () => Promise.resolve({ version: 0, agents: [], waiting: [] }) },
    recordings: new Recordings(
      new Map(),
      () => '0',
      () => 'http://127.0.0.1',
    ),
    admission,
    directory,
    now: () => now,
    randomHex: () => {
      n += 1;
      return String(n).padStart(32, '0');
    },
    ringTimeout: 30,
    log: { info: () => {}, error: (_, error) => failures.push(error), storeAway: () => {}, storeBack: () => {} },
    storeAnswers: () => true,
    isPassing: () => false,
    onFenced: () => {},
  });
  await engine.addNode({
    id: NODE,
    number: 1,
    app: 'ringmaster',
    switch: { node: NODE, serving: true, perform: (_: CallID, list) => commands.push(...list), resync: () => {} },
  });
  await engine.openFloors();
  open.push(engine);
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

const verdict = (answer: { result: unknown } | { refusal: { name: string } }): string =>
  'refusal' in answer ? answer.refusal.name : 'ok';

describe('a queue with one place', () => {
  it('takes one of two calls that are handed to it at once, and the other keeps its agent', async () => {
    const e = await opened();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    const verdicts = await Promise.all([e.hand(one, 1, SMALL), e.hand(two, 2, SMALL)]);
    expect(verdicts.map(verdict)).toEqual(['ok', 'RequestTooFast']);
    await e.settle();
    expect(e.commands.filter((c) => c.do === 'hang-up').map((c) => c.channel)).toEqual([`${one}-1`]);
    expect(e.failures).toEqual([]);
  });

  it('keeps the place until the agent has gone, while the customer waits, and gives it free with him', async () => {
    const e = await opened();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    expect(verdict(await e.hand(one, 1, SMALL))).toBe('ok');
    await e.settle();
    expect(verdict(await e.hand(two, 2, SMALL))).toBe('RequestTooFast');
    await e.fact('leg-ended', `${one}-1`);
    expect(verdict(await e.hand(two, 2, SMALL))).toBe('RequestTooFast');
    const call = { thisDN: '1003', otherDN: SMALL, makeCallType: 'Regular', firstLeg: 'agent', ringTimeout: 30 };
    expect(await e.request('RequestMakeCall', call)).toEqual(['RequestTooFast', 'queue-full']);
    expect(e.admission.size).toBe(2);
    await e.fact('leg-ended', `${one}-2`);
    expect(verdict(await e.hand(two, 2, SMALL))).toBe('ok');
  });

  it('keeps no place for a request that is refused', async () => {
    const e = await opened();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    expect(verdict(await e.hand(one, 9, SMALL))).toBe('NotFoundParty');
    expect(verdict(await e.hand('none', 1, SMALL))).toBe('NotFoundCallID');
    const consult = { callID: two, thisDN: '1002', otherDN: SMALL };
    expect(await e.request('RequestInitiateConsult', consult)).toEqual({ partyID: `${two}-1` });
  });

  it('is declined to a phone that refers to it when it is full', async () => {
    const e = await opened();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    for (const callID of [one, two]) {
      e.engine.onFact(NODE, { kind: 'leg-transfer-requested', channel: `${callID}-1`, dialled: SMALL });
      await e.settle();
    }
    expect(e.commands.flatMap((c) => (c.do === 'answer-transfer' ? [c.taken] : []))).toEqual([true, false]);
  });
});

describe('the overflow of a queue', () => {
  it('to a number takes a place on its trunk, given back when that leg ends', async () => {
    const e = await opened(2);
    const callID = await e.talking(1);
    await e.hand(callID, 1, TO_NUMBER);
    await e.fact('leg-ended', `${callID}-1`);
    await e.after(10_000);
    expect(e.dialled().at(-1)).toBe(`PJSIP/${ELSEWHERE}@carrier`);
    const call = {
      thisDN: '1003',
      otherDN: '911140000003',
      makeCallType: 'Regular',
      firstLeg: 'agent',
      ringTimeout: 30,
    };
    const full = await e.request('RequestMakeCall', call);
    expect(full).toHaveProperty('callID');
    expect(e.dialled().at(-1)).toBe(`PJSIP/${ELSEWHERE}@carrier`);
    await e.fact('leg-ended', `${callID}-3`);
    expect(e.dialled().at(-1)).toBe('PJSIP/1001');
    await e.request('RequestMakeCall', call);
    expect(e.dialled().at(-1)).toBe('PJSIP/1003');
  });

  it.each([
    ['to a number on a trunk that is full', TO_NUMBER, 1],
    ['to a queue that is full', TO_QUEUE, 100],
  ])('%s brings the call back to the agent who handed it on', async (_, otherDN, trunkCalls) => {
    const e = await opened(trunkCalls);
    const callID = await e.talking(1);
    if (otherDN === TO_QUEUE) {
      const other = await e.talking(2);
      await e.hand(other, 2, SMALL);
      await e.fact('leg-ended', `${other}-1`);
    }
    await e.hand(callID, 1, otherDN);
    await e.fact('leg-ended', `${callID}-1`);
    await e.after(10_000);
    expect(e.dialled().at(-1)).toBe('PJSIP/1001');
    expect(e.commands.at(-1)).toMatchObject({ do: 'dial', channel: `${callID}-3` });
    await e.fact('leg-answered', `${callID}-3`);
    expect(e.commands.at(-1)).toMatchObject({ do: 'place', channels: [`${callID}-2`, `${callID}-3`] });
    expect(e.failures).toEqual([]);
  });
});
