import { describe, expect, it } from 'vitest';
import { AskedCalls } from '../../../src/contacts/asked-calls.ts';
import { newCallID } from '../../../src/cti/ids.ts';

const TICKET = newCallID('0'.repeat(32), 1);
const CARRY_ON_MS = 60_000;

describe('a callback’s call of which nothing is stored', () => {
  it('is asked for under its id while an ended one would still be known, and no later', () => {
    const asked = new AskedCalls(CARRY_ON_MS);
    expect([59_999, 60_000].map((now) => asked.missing(TICKET, 0, now))).toEqual(['ask', 'lost']);
  });

  it('is never asked for again where it is known to have been begun: it is given up once the store has settled', () => {
    const asked = new AskedCalls(CARRY_ON_MS);
    asked.begun(TICKET);
    expect([1_000, 6_999, 7_000].map((now) => asked.missing(TICKET, 0, now))).toEqual(['wait', 'wait', 'lost']);
    asked.forget(TICKET);
    expect(asked.missing(TICKET, 0, 7_000)).toBe('ask');
  });
});
