import { describe, expect, it } from 'vitest';
import { ELSEWHERE, memoryEngine, NODE, SMALL, TO_NUMBER, TO_QUEUE } from '../../support/memory-engine.ts';

/** What only the engine knows of a queue that is asked or handed a call: who waits there already, and the trunk's room. */

const verdict = (answer: { result: unknown } | { refusal: { name: string } }): string =>
  'refusal' in answer ? answer.refusal.name : 'ok';

describe('a queue with one place', () => {
  it('takes one of two calls that are handed to it at once, and the other keeps its agent', async () => {
    const e = await memoryEngine();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    const verdicts = await Promise.all([e.hand(one, 1, SMALL), e.hand(two, 2, SMALL)]);
    expect(verdicts.map(verdict)).toEqual(['ok', 'RequestTooFast']);
    await e.settle();
    expect(e.commands.filter((c) => c.do === 'hang-up').map((c) => c.channel)).toEqual([`${one}-1`]);
    expect(e.failures).toEqual([]);
  });

  it('keeps the place until the agent has gone, while the customer waits, and gives it free with him', async () => {
    const e = await memoryEngine();
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
    const e = await memoryEngine();
    const [one, two] = [await e.talking(1), await e.talking(2)];
    expect(verdict(await e.hand(one, 9, SMALL))).toBe('NotFoundParty');
    expect(verdict(await e.hand('none', 1, SMALL))).toBe('NotFoundCallID');
    const consult = { callID: two, thisDN: '1002', otherDN: SMALL };
    expect(await e.request('RequestInitiateConsult', consult)).toEqual({ partyID: `${two}-1` });
  });

  it('is declined to a phone that refers to it when it is full', async () => {
    const e = await memoryEngine();
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
    const e = await memoryEngine(2);
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
    const e = await memoryEngine(trunkCalls);
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
