import type { Leg } from './dialer-call.ts';
import { isOurs } from './outcome.ts';

/** What is counted of the calls of one flow that call the customer first. Sums of times in ms. */
export interface Counts {
  /** Customers called. */
  readonly placed: number;
  readonly answered: number;
  /** Put through to an agent, however late. */
  readonly connected: number;
  /** Of the answered: not put through within the flow's limit. */
  readonly abandoned: number;
  /** Not answered, and given up by us after less than 15 s of ringing. */
  readonly givenUpEarly: number;
  /** From the start to the answer, of the answered. */
  readonly ringMs: number;
  /** From the customer's answer to the agent, of the connected. */
  readonly waitMs: number;
  /** From then to the end. */
  readonly talkMs: number;
}

export const NO_COUNTS: Counts = {
  placed: 0,
  answered: 0,
  connected: 0,
  abandoned: 0,
  givenUpEarly: 0,
  ringMs: 0,
  waitMs: 0,
  talkMs: 0,
};

/** The names of what is counted, as they are stored. */
export const COUNTED = Object.keys(NO_COUNTS) as (keyof Counts)[];

/** Ringing that regulators want before an unanswered customer is given up, ms (16 CFR 310.4(b)(4)(ii)). */
export const LEAST_RING_MS = 15_000;

/** What a call adds to its flow's ledger. */
export interface Tally {
  /** Unix ms: the customer's answer, or the end of a call that was not answered. */
  readonly at: number;
  readonly counts: Counts;
}

/**
 * What one call that is over counts for.
 *
 * @param legs of this call
 * @param connectWithinMs from the customer's answer to the agent, at most
 * @returns undefined where no customer was called, or the call failed on our side
 */
export function tallyOf(legs: readonly Leg[], connectWithinMs: number): Tally | undefined {
  const leg = legs.find((l) => l.role === 'customer');
  if (!leg) return undefined;
  const { startedAt, ringingAt, answeredAt, bridgedAt, endedAt } = leg;
  if (answeredAt === undefined) {
    if (isOurs(leg)) return undefined;
    const early = !leg.remote && ringingAt !== undefined && endedAt - ringingAt < LEAST_RING_MS;
    return { at: endedAt, counts: { ...NO_COUNTS, placed: 1, givenUpEarly: early ? 1 : 0 } };
  }
  const answered = { ...NO_COUNTS, placed: 1, answered: 1, ringMs: answeredAt - startedAt };
  if (bridgedAt === undefined) return { at: answeredAt, counts: { ...answered, abandoned: 1 } };
  const waitMs = Math.max(0, bridgedAt - answeredAt);
  const abandoned = waitMs > connectWithinMs ? 1 : 0;
  return { at: answeredAt, counts: { ...answered, connected: 1, abandoned, waitMs, talkMs: endedAt - bridgedAt } };
}

/** The sum of several. */
export function sumOf(all: Iterable<Counts>): Counts {
  const sum: Record<keyof Counts, number> = { ...NO_COUNTS };
  for (const counts of all) for (const name of COUNTED) sum[name] += counts[name];
  return sum;
}

const HOUR_MS = 3_600_000;

/** Hours since 1970. @param at Unix ms */
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

/** Hours of the windows that are told: so many before the present one, which is not over yet. */
export const WINDOWS = { day: 24, month: 720 } as const;

/** What one flow's calls count for, hour by hour; hours that are older than asked for are dropped. */
export class Hours {
  readonly #byHour = new Map<number, Counts>();
  /** The last answer, good for the hour that it was asked in. */
  #day: { readonly hour: number; readonly sum: Counts } | undefined;

  /** @param known as the store has it */
  constructor(known: ReadonlyMap<number, Counts> = new Map()) {
    for (const [hour, counts] of known) this.#byHour.set(hour, counts);
  }

  add({ at, counts }: Tally): void {
    const hour = hourOf(at);
    this.#byHour.set(hour, sumOf([this.#byHour.get(hour) ?? NO_COUNTS, counts]));
    if (this.#day && hour >= this.#day.hour - WINDOWS.day) {
      this.#day = { ...this.#day, sum: sumOf([this.#day.sum, counts]) };
    }
  }

  /** The last 24 hours and what has passed of this one. @param now Unix ms */
  day(now: number): Counts {
    const hour = hourOf(now);
    if (this.#day?.hour !== hour) {
      const first = hour - WINDOWS.day;
      for (const known of this.#byHour.keys()) if (known < first) this.#byHour.delete(known);
      this.#day = { hour, sum: sumOf(this.#byHour.values()) };
    }
    return this.#day.sum;
  }
}
