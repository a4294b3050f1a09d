import { answerRate, rang, talked, UNKNOWN } from '../../src/dialer/measure.ts';
import { type PaceState, predictive, progressive } from '../../src/dialer/queue-pace.ts';
import { Hours, NO_COUNTS, type Tally } from '../../src/dialer/tally.ts';

/** A call centre to be simulated. Times in seconds, rates per call; what may change is a function of the time. */
export interface Centre {
  readonly seed: number;
  readonly hours: number;
  readonly agents: (at: number) => number;
  readonly answerRate: (at: number) => number;
  readonly talk: number;
  readonly wrapUp: number;
}

export interface Simulated {
  readonly placed: number;
  readonly answered: number;
  readonly abandoned: number;
  /** Talking and after-call work, as a share of the agents' time. */
  readonly utilisation: number;
  /** The highest share of abandoned calls that any rolling 24 hours had, looked at every minute, once 100 had answered. */
  readonly worstShare: number;
}

export type Mode = 'progressive' | 'predictive';

const MAX_ABANDONED = 0.03;
const CONNECT_WITHIN = 2_000;
const RING_TIMEOUT = 20_000;
const TICK = 1_000;
const MINUTE = 60_000;

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Happening =
  | { readonly kind: 'answers' | 'leaves'; readonly call: Call }
  | { readonly kind: 'rings-out' }
  | { readonly kind: 'talked'; readonly ms: number }
  | { readonly kind: 'wrapped-up' }
  | { readonly kind: 'tick' };

interface Call {
  readonly startedAt: number;
  answeredAt: number;
  waits: boolean;
}

/** What happens when: a binary heap. */
class Agenda {
  readonly #heap: { readonly at: number; readonly n: number; readonly what: Happening }[] = [];
  #n = 0;

  add(at: number, what: Happening): void {
    const heap = this.#heap;
    heap.push({ at, n: this.#n++, what });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  next(): { readonly at: number; readonly what: Happening } | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    let i = 0;
    for (;;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < heap.length && this.#before(left, least)) least = left;
      if (right < heap.length && this.#before(right, least)) least = right;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.n < b.n));
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (!a || !b) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}

/**
 * Runs a call centre on a clock of its own. Customers answer after 3 to 13 s or are given up after 20 s; agents' phones
 * answer within 0.5 s; talks last at least a third of their mean, the rest is exponential; who waits leaves after 2 s and
 * 10 s more on average.
 */
export function simulate(centre: Centre, mode: Mode): Simulated {
  const rnd = random(centre.seed);
  const exponential = (mean: number): number => -mean * Math.log(1 - rnd());
  const agenda = new Agenda();
  const hours = new Hours();
  const end = centre.hours * 3_600_000;
  const waiting: Call[] = [];
  const wrapping: number[] = [];
  let averages = UNKNOWN;
  let now = 0;
  let [busy, free, ringing, leaving] = [0, 0, 0, 0];
  let [placed, answered, abandoned] = [0, 0, 0];
  let [staffedMs, workedMs, worstShare] = [0, 0, 0];

  const count = (at: number, counts: Partial<Tally['counts']>): void => {
    hours.add({ at, counts: { ...NO_COUNTS, ...counts } });
  };
  const connect = (call: Call): void => {
    free--;
    busy++;
    const late = now - call.answeredAt + 500 * rnd() > CONNECT_WITHIN;
    if (late) abandoned++;
    count(now, { answered: 1, abandoned: late ? 1 : 0 });
    const ms = (centre.talk / 3 + exponential((centre.talk * 2) / 3)) * 1000;
    agenda.add(now + ms, { kind: 'talked', ms });
  };
  const released = (): void => {
    if (leaving > 0) leaving--;
    else free++;
  };
  const staff = (): void => {
    const wanted = centre.agents(now / 1000);
    const there = free + busy + wrapping.length - leaving;
    if (wanted > there) free += wanted - there;
    const gone = Math.max(0, there - wanted);
    // Those who are free go at once, the others after their call.
    const atOnce = Math.min(free, gone);
    free -= atOnce;
    leaving += gone - atOnce;
  };
  const pace = (): number => {
    const state: PaceState = {
      free,
      busy: busy - Math.min(busy, leaving),
      wrapUpMs: centre.wrapUp * 1000,
      freeIn: wrapping.map((at) => at - now),
      ringing,
      waiting: waiting.length,
    };
    if (mode === 'progressive') return progressive(state);
    const day = hours.day(now);
    const measured = {
      answerRate: answerRate(averages),
      ringMs: averages.ringMs,
      talkMs: averages.talkMs,
      answered: day.answered,
      abandoned: day.abandoned,
    };
    return predictive(state, measured, MAX_ABANDONED);
  };
  const place = (): void => {
    ringing++;
    placed++;
    const call: Call = { startedAt: now, answeredAt: 0, waits: false };
    if (rnd() < centre.answerRate(now / 1000)) agenda.add(now + 3_000 + 10_000 * rnd(), { kind: 'answers', call });
    else agenda.add(now + RING_TIMEOUT, { kind: 'rings-out' });
  };
  const happen = (what: Happening): void => {
    switch (what.kind) {
      case 'answers':
        ringing--;
        answered++;
        what.call.answeredAt = now;
        averages = rang(averages, now - what.call.startedAt);
        if (free > 0) {
          connect(what.call);
          return;
        }
        what.call.waits = true;
        waiting.push(what.call);
        agenda.add(now + 2_000 + exponential(10_000), { kind: 'leaves', call: what.call });
        return;
      case 'leaves':
        if (!what.call.waits) return;
        waiting.splice(waiting.indexOf(what.call), 1);
        abandoned++;
        count(what.call.answeredAt, { answered: 1, abandoned: 1 });
        return;
      case 'rings-out':
        ringing--;
        averages = rang(averages, undefined);
        return;
      case 'talked':
        busy--;
        workedMs += what.ms;
        averages = talked(averages, what.ms);
        if (centre.wrapUp === 0) {
          released();
          return;
        }
        wrapping.push(now + centre.wrapUp * 1000);
        agenda.add(now + centre.wrapUp * 1000, { kind: 'wrapped-up' });
        return;
      case 'wrapped-up':
        wrapping.shift();
        workedMs += centre.wrapUp * 1000;
        released();
        return;
      case 'tick': {
        staff();
        staffedMs += centre.agents(now / 1000) * TICK;
        agenda.add(now + TICK, { kind: 'tick' });
        const day = now % MINUTE === 0 ? hours.day(now) : NO_COUNTS;
        if (day.answered >= 100) worstShare = Math.max(worstShare, day.abandoned / day.answered);
      }
    }
  };

  agenda.add(0, { kind: 'tick' });
  for (let due = agenda.next(); due && due.at < end; due = agenda.next()) {
    now = due.at;
    happen(due.what);
    while (free > 0 && waiting.length > 0) {
      const call = waiting.shift();
      if (!call) break;
      call.waits = false;
      connect(call);
    }
    for (let n = pace(); n > 0; n--) place();
  }
  return { placed, answered, abandoned, utilisation: workedMs / staffedMs, worstShare };
}
