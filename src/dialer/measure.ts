import type { Counts } from './tally.ts';

/** What a flow's pace has measured of its calls: averages that forget, as plain data. Times in ms. */
export interface Averages {
  /** Answer rate over the last calls, and over more of them. */
  readonly quick: number;
  readonly slow: number;
  /** Calls that they are made from, up to {@link SLOW}. */
  readonly calls: number;
  readonly ringMs: number;
  readonly rings: number;
  readonly talkMs: number;
  readonly talks: number;
}

const QUICK = 30;
const SLOW = 300;
const TIMES = 100;

/** Before anything is known: everybody answers, at once, and talks for long. */
export const UNKNOWN: Averages = { quick: 1, slow: 1, calls: 0, ringMs: 0, rings: 0, talkMs: 0, talks: 0 };

/** What the counts of the last hours say, for one who begins anew. It weighs as much as the last calls would. */
export function averagesOf({ placed, answered, connected, ringMs, talkMs }: Counts): Averages {
  if (answered === 0) return UNKNOWN;
  const rate = answered / placed;
  return {
    quick: rate,
    slow: rate,
    calls: Math.min(QUICK, placed),
    ringMs: ringMs / answered,
    rings: Math.min(QUICK, answered),
    talkMs: connected === 0 ? 0 : talkMs / connected,
    talks: Math.min(QUICK, connected),
  };
}

/** An average with one value more, made from `n` values so far, that forgets after `most`. */
const next = (average: number, n: number, value: number, most: number): number =>
  average + (value - average) / Math.min(most, n + 1);

/** A customer has answered after so long, or has not (undefined). */
export function rang(a: Averages, answeredAfterMs: number | undefined): Averages {
  const answered = answeredAfterMs === undefined ? 0 : 1;
  const known = {
    ...a,
    quick: next(a.quick, a.calls, answered, QUICK),
    slow: next(a.slow, a.calls, answered, SLOW),
    calls: Math.min(SLOW, a.calls + 1),
  };
  if (answeredAfterMs === undefined) return known;
  return { ...known, ringMs: next(a.ringMs, a.rings, answeredAfterMs, TIMES), rings: Math.min(TIMES, a.rings + 1) };
}

/** A talk is over. */
export const talked = (a: Averages, ms: number): Averages => ({
  ...a,
  talkMs: next(a.talkMs, a.talks, ms, TIMES),
  talks: Math.min(TIMES, a.talks + 1),
});

/** The answer rate to reckon with: the higher of the two, so that a rise is believed at once and a fall only slowly. */
export const answerRate = ({ quick, slow }: Averages): number => Math.min(1, Math.max(quick, slow, 0.01));
