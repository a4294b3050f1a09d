import { describe, expect, it } from 'vitest';
import type { Admission, NoRoom, Soon } from '../../../src/ports.ts';
import type { CallAdmission } from '../../../src/switch/admission.ts';
import { ACME, DID, ELSEWHERE, memoryEngine, NODE, SMALL } from '../../support/memory-engine.ts';

/** Whether there is room is asked of others, and the answer is in the test's hands: what happens meanwhile is not lost. */

type Answer = 'as-it-is' | 'away';

class Asking {
  readonly #waiting: ((answer: Answer) => void)[] = [];
  /** False: answered at once. */
  slow = false;

  admission(real: CallAdmission): Admission {
    const asked = (ask: () => Soon<NoRoom | undefined>): Soon<NoRoom | undefined> => {
      if (!this.slow) return ask();
      return new Promise((resolve, reject) => {
        this.#waiting.push((answer) =>
          answer === 'away' ? reject(new Error('Redis is away')) : resolve(Promise.resolve(ask())),
        );
      });
    };
    return {
      admit: (call) => asked(() => real.admit(call)),
      admitUse: (callID, use) => asked(() => real.admitUse(callID, use)),
      release: (callID) => real.release(callID),
      settled: (callID, use) => real.settled(callID, use),
      usesOf: (callID, uses) => real.usesOf(callID, uses),
      load: (node) => real.load(node),
      readmit: (call) => real.readmit(call),
      own: (shard, fence) => real.own(shard, fence),
      disown: (shard) => real.disown(shard),
    };
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  answer(answer: Answer = 'as-it-is'): void {
    for (const settle of this.#waiting.splice(0)) settle(answer);
  }
}

async function opened(trunkCalls = 100) {
  const asking = new Asking();
  const e = await memoryEngine(trunkCalls, (real) => asking.admission(real));
  const arrival = {
    channel: 'in-1',
    origin: 'trunk',
    dialled: DID,
    caller: '911140002222',
    endpoint: 'carrier',
  } as const;
  const live = () => [...e.engine.calls()].filter((c) => !c.deleted);
  return { ...e, asking, arrival, live };
}

describe('while others are asked whether there is room', () => {
  it('a call that arrives waits, and has ended if its caller has hung up meanwhile', async () => {
    const e = await opened();
    e.asking.slow = true;
    e.engine.onArrival(NODE, e.arrival);
    // What the node has is listed meanwhile: it is no second call.
    e.engine.onArrival(NODE, e.arrival);
    e.engine.onFact(NODE, { kind: 'leg-ended', channel: 'in-1', q850: 16 });
    expect([e.asking.waiting, e.engine.liveCalls]).toEqual([1, 0]);
    e.asking.answer();
    await e.settle();
    // It began, and its caller has gone: the phone that was dialled is hung up.
    const [call] = e.live();
    expect(call?.parties.map((p) => p.leg.state)[0]).toBe('ended');
    expect(e.commands.at(-1)).toMatchObject({ do: 'hang-up', channel: `${call?.callID}-2` });
    await e.fact('leg-ended', `${call?.callID}-2`);
    expect([e.engine.liveCalls, e.admission.size, e.failures]).toEqual([0, 0, []]);
  });

  it('a call that arrives rings as soon as there is room, and is turned away where nobody can be asked', async () => {
    const e = await opened();
    e.asking.slow = true;
    e.engine.onArrival(NODE, e.arrival);
    e.asking.answer();
    await e.settle();
    expect(e.dialled()).toEqual(['PJSIP/1001']);
    e.engine.onArrival(NODE, { ...e.arrival, channel: 'in-2' });
    e.asking.answer('away');
    await e.settle();
    expect(e.commands.at(-1)).toEqual({ do: 'hang-up', channel: 'in-2', q850: 42 });
    expect([e.engine.liveCalls, e.failures.length]).toEqual([1, 1]);
    // Whatever is told of it from now on is nobody's.
    e.engine.onFact(NODE, { kind: 'leg-ended', channel: 'in-2', q850: 42 });
  });

  it('a shard that goes takes its place along, and the request is done nowhere', async () => {
    const e = await opened();
    e.asking.slow = true;
    const params = { thisDN: '1003', otherDN: ELSEWHERE, makeCallType: 'Regular', firstLeg: 'agent', ringTimeout: 30 };
    const caller = { companyId: ACME, keyName: 'k', scopes: new Set<string>() };
    const asked = e.engine.request(caller, 'RequestMakeCall', params);
    e.engine.onArrival(NODE, e.arrival);
    e.engine.removeNode(NODE);
    e.asking.answer();
    expect(await asked).toMatchObject({ refusal: { name: 'NotReady' }, moved: true });
    await e.settle();
    expect([e.engine.liveCalls, e.admission.size, e.dialled()]).toEqual([0, 0, []]);
  });

  it('what a line tells comes after the transfer that it asked for', async () => {
    const e = await opened();
    const callID = await e.talking(1);
    e.asking.slow = true;
    const channel = `${callID}-1`;
    e.engine.onFact(NODE, { kind: 'leg-transfer-requested', channel, dialled: ELSEWHERE });
    e.engine.onFact(NODE, { kind: 'leg-ended', channel, q850: 16 });
    await e.settle();
    // The phone has asked to hand the call on, and is still in it.
    expect(e.live()[0]?.parties[0]?.leg.state).not.toBe('ended');
    e.asking.answer();
    await e.settle();
    expect(e.dialled().at(-1)).toBe(`PJSIP/${ELSEWHERE}@carrier`);
    expect(e.live().map((c) => c.callID)).toEqual([callID]);
  });

  it('a leg that there is no room for is refused, and one whose call ended meanwhile holds no place', async () => {
    const e = await opened(2);
    const callID = await e.talking(1);
    e.asking.slow = true;
    const add = { callID, thisDN: '1001', otherDN: ELSEWHERE };
    const asked = e.request('RequestSingleStepConference', add);
    await e.fact('leg-ended', `${callID}-1`);
    await e.fact('leg-ended', `${callID}-2`);
    e.asking.answer();
    expect(await asked).toMatchObject(['NotFoundCallID', undefined]);
    e.asking.slow = false;
    // Both places are free again.
    const [one, two] = [await e.talking(2), await e.talking(3)];
    const added = async (): Promise<number> => {
      const before = e.dialled().length;
      await e.request('RequestSingleStepConference', { ...add, callID: one, thisDN: '1002' });
      return e.dialled().length - before;
    };
    expect(await added()).toBe(0);
    await e.fact('leg-ended', `${two}-1`);
    await e.fact('leg-ended', `${two}-2`);
    expect(await added()).toBe(1);
  });

  it('a place in a queue is kept for the one who asked first', async () => {
    const e = await opened();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    e.asking.slow = true;
    const asked = [e.hand(one, 1, SMALL), e.hand(two, 2, SMALL)];
    await e.settle();
    e.asking.answer();
    const answers = await Promise.all(asked);
    expect(answers.map((a) => ('refusal' in a ? a.refusal.name : 'ok'))).toEqual(['ok', 'RequestTooFast']);
  });
});
