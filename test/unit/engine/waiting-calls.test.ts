import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import { CompanyId, partyIDOf } from '../../../src/cti/ids.ts';
import { Directory } from '../../../src/engine/directory.ts';
import type { FloorRunner } from '../../../src/engine/floor-runner.ts';
import { WaitingCalls } from '../../../src/engine/waiting-calls.ts';
import type { FloorEffect, FloorInput } from '../../../src/queues/floor.ts';
import type { CallNote } from '../../../src/queues/note.ts';
import { newCall } from '../../support/store-kit.ts';
import { roomForAll } from './stubs.ts';

const ACME = CompanyId.parse('acme');
const { call } = newCall(ACME);
const ASSIGN: FloorEffect = { do: 'assign', callID: call.callID, queue: '8001', dn: '1001', assignment: 1 };
const DECLINED: FloorInput = { kind: 'declined', callID: call.callID, assignment: 1 };

let told: (FloorInput | CallNote)[];
let stored: Call | undefined;
let failures: unknown[];
/** What the instance that has the call answers, one after the other; the last one stays. */
let answers: (boolean | 'unknown')[];
let asked: number;
let floor: FloorRunner | undefined;
let waiting: WaitingCalls;

beforeEach(() => {
  told = [];
  stored = call;
  failures = [];
  answers = [false];
  asked = 0;
  const here = { push: (input: FloorInput) => told.push(input), note: (note: CallNote) => told.push(note) };
  floor = here as unknown as FloorRunner;
  waiting = new WaitingCalls({
    directory: new Directory([], []),
    admission: roomForAll,
    now: () => 0,
    floor: () => floor,
    live: () => undefined,
    other: () => false,
    elsewhere: async () => {
      asked += 1;
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? false;
    },
    stored: async () => {
      if (failures.length > 0) throw failures[0];
      return stored;
    },
    reach: () => {
      throw new Error('nobody is rung here');
    },
    log: { error: () => undefined },
  });
});

it('a call that lives elsewhere and does not take an agent waits on', async () => {
  await waiting.serve(ACME, ASSIGN);
  expect(told).toEqual([DECLINED]);
});

it.each([
  ['has ended', { ...call, deleted: true }],
  ['nobody knows any more', undefined],
])('a call that %s, and whose end was never told, waits no more', async (_what, found) => {
  stored = found;
  await waiting.serve(ACME, ASSIGN);
  expect(told).toHaveLength(2);
  expect(told[0]).toMatchObject({ callID: call.callID });
  expect(told[0]).not.toHaveProperty('waiting');
  expect(told[1]).toEqual(DECLINED);
});

it('waits on where that cannot be read', async () => {
  failures.push(new Error('away'));
  await waiting.serve(ACME, ASSIGN);
  expect(told).toEqual([DECLINED]);
});

describe('a call that lives elsewhere, and whose instance did not answer', () => {
  const waits = {
    id: '8001',
    party: partyIDOf(call.callID, 2),
    ringTimeout: 20,
    wrapUp: 0,
    since: 0,
    enteredAt: 0,
    assignment: 0,
    overflowed: false,
  };
  const waitingCall: Call = { ...call, queue: waits };

  beforeEach(() => {
    vi.useFakeTimers();
    stored = waitingCall;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const served = async (effect: FloorEffect = ASSIGN): Promise<void> => {
    const done = waiting.serve(ACME, effect);
    await vi.advanceTimersByTimeAsync(60_000);
    await done;
  };

  it('is asked again until it takes the agent', async () => {
    answers = ['unknown', 'unknown', true];
    await served();
    expect([asked, told]).toEqual([3, []]);
  });

  it('is not asked again where it had taken the agent', async () => {
    answers = ['unknown', false];
    stored = { ...waitingCall, queue: { ...waits, assignment: 1 } };
    await served();
    expect([asked, told]).toEqual([1, []]);
  });

  it('keeps the agent where it took him between two questions', async () => {
    answers = ['unknown', false];
    const serving = waiting.serve(ACME, ASSIGN);
    await vi.advanceTimersByTimeAsync(750);
    stored = { ...waitingCall, queue: { ...waits, assignment: 1 } };
    await vi.advanceTimersByTimeAsync(60_000);
    await serving;
    expect([asked, told]).toEqual([2, []]);
  });

  it('gives the agent back where it does not take him, and where it has ended meanwhile', async () => {
    answers = ['unknown', false];
    await served();
    expect([asked, told]).toEqual([2, [DECLINED]]);
    told.length = 0;
    stored = undefined;
    answers = ['unknown', false];
    await served();
    expect(told).toEqual([{ callID: call.callID, parties: [] }, DECLINED]);
  });

  it('is not sent to another queue twice', async () => {
    answers = ['unknown'];
    await served({ do: 'to-queue', callID: call.callID, from: '8001', queue: '8002' });
    expect(asked).toBe(1);
    expect(told).toEqual([{ kind: 'declined', callID: call.callID }]);
  });

  it('is left to whoever has the agents by then', async () => {
    answers = ['unknown'];
    const serving = waiting.serve(ACME, ASSIGN);
    await vi.advanceTimersByTimeAsync(100);
    floor = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    await serving;
    expect([asked, told]).toEqual([1, []]);
  });
});
