import { describe, expect, it } from 'vitest';
import type { CallRequest } from '../../../src/calls/input.ts';
import { ERRORS } from '../../../src/cti/errors.ts';
import { AT_A_QUEUE, MATRIX, STATES, type StateName } from './matrix.ts';

const VERBS = Object.keys(MATRIX) as CallRequest['kind'][];
const STATE_NAMES = Object.keys(STATES) as StateName[];
const NAMES: ReadonlySet<string> = new Set(Object.values(ERRORS).map((e) => e.name));

it.each(VERBS)('%s is carried out in some state, and refused in another', (verb) => {
  const verdicts = new Set(Object.values(MATRIX[verb].in));
  expect([verdicts.has('ok'), verdicts.size > 1]).toEqual([true, true]);
});

const ROWS = Object.entries({ ...MATRIX, ...AT_A_QUEUE });

describe.each(ROWS)('%s', (_, { request, in: verdicts }) => {
  it.each(STATE_NAMES)('%s', (state) => {
    const call = STATES[state]();
    const before = call.call;
    const told = call.events.length;
    const asked = call.commands.length;
    call.happens(request);
    expect(call.refusal ?? 'ok').toBe(verdicts[state]);
    if (call.refusal === undefined) return;
    expect(NAMES.has(call.refusal)).toBe(true);
    expect(call.call).toEqual(before);
    expect([call.events.length, call.commands.length]).toEqual([told, asked]);
  });
});
