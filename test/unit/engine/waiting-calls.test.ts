import { beforeEach, expect, it } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import { CompanyId } from '../../../src/cti/ids.ts';
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
let waiting: WaitingCalls;

beforeEach(() => {
  told = [];
  stored = call;
  failures = [];
  const floor = { push: (input: FloorInput) => told.push(input), note: (note: CallNote) => told.push(note) };
  waiting = new WaitingCalls({
    directory: new Directory([], []),
    admission: roomForAll,
    now: () => 0,
    floor: () => floor as unknown as FloorRunner,
    live: () => undefined,
    other: () => false,
    elsewhere: async () => false,
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
