import { describe, expect, it } from 'vitest';
import type { Leg } from '../../../src/dialer/dialer-call.ts';
import { Hours, NO_COUNTS, sumOf, tallyOf } from '../../../src/dialer/tally.ts';
import { callID } from '../../support/dialer-kit.ts';

const HOUR = 3_600_000;
const START = 500_000 * HOUR;
const customer = (change: Partial<Leg>): Leg => ({
  partyID: 'x-1',
  callID: callID(1),
  role: 'customer',
  number: '918000123456',
  startedAt: START,
  ringingAt: START + 2_000,
  endedAt: START + 60_000,
  hangupCause: 'BY_CUSTOMER',
  q850: 16,
  remote: true,
  connectionStatus: 'Connected',
  ...change,
});
const counted = (change: Partial<Leg>) => tallyOf([customer(change)], 2_000);

describe('what a call counts for', () => {
  it('is nothing where no customer was called', () => {
    expect(tallyOf([customer({ role: 'agent' })], 2_000)).toBeUndefined();
  });

  it('is an answered call that an agent took in time, with its times, in the hour of the answer', () => {
    expect(counted({ answeredAt: START + 8_000, bridgedAt: START + 10_000 })).toEqual({
      at: START + 8_000,
      counts: { ...NO_COUNTS, placed: 1, answered: 1, connected: 1, ringMs: 8_000, waitMs: 2_000, talkMs: 50_000 },
    });
  });

  it('is an abandoned one where the agent came late, or never', () => {
    const late = counted({ answeredAt: START + 8_000, bridgedAt: START + 10_001 });
    expect(late?.counts).toMatchObject({ answered: 1, connected: 1, abandoned: 1, waitMs: 2_001 });
    const never = counted({ answeredAt: START + 8_000 });
    expect(never?.counts).toEqual({ ...NO_COUNTS, placed: 1, answered: 1, abandoned: 1, ringMs: 8_000 });
  });

  it.each([
    ['given up by us before 15 s of ringing', { remote: false, endedAt: START + 16_999 }, 1],
    ['given up by us after them', { remote: false, endedAt: START + 17_000 }, 0],
    ['refused by the customer', { remote: true, endedAt: START + 5_000 }, 0],
  ])('is a customer who did not answer: %s', (_what, change, givenUpEarly) => {
    expect(counted(change)?.counts).toEqual({ ...NO_COUNTS, placed: 1, givenUpEarly });
  });

  it('is no early end where nothing ever rang', () => {
    const { ringingAt: _, ...dead } = customer({ remote: false, endedAt: START + 1_000 });
    expect(tallyOf([dead], 2_000)?.counts.givenUpEarly).toBe(0);
  });
});

describe('the hours of a flow', () => {
  const one = (at: number) => ({ at, counts: { ...NO_COUNTS, placed: 1, answered: 1, abandoned: 1 } });

  it('are the last 24 and what has passed of this one', () => {
    const hours = new Hours(new Map([[500_000, { ...NO_COUNTS, answered: 5 }]]));
    hours.add(one(START + 10));
    hours.add(one(START + 20 * HOUR));
    expect(hours.day(START + 25 * HOUR - 1)).toMatchObject({ placed: 2, answered: 7, abandoned: 2 });
    expect(hours.day(START + 25 * HOUR)).toMatchObject({ placed: 1, answered: 1, abandoned: 1 });
    expect(hours.day(START + 60 * HOUR)).toEqual(NO_COUNTS);
  });

  it('add up', () => {
    expect(sumOf([])).toEqual(NO_COUNTS);
    expect(sumOf([one(0).counts, one(1).counts]).abandoned).toBe(2);
  });
});
