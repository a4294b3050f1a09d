/**
 * How many calls a flow with a queue places now. Pure: what goes on at the queue and what was measured go in, a number
 * comes out. The reasons are in docs/dialer.md and docs/decisions/0011-predictive-pace.md.
 */

/** What the pace of one flow with a queue is reckoned from. */
export interface PaceState {
  /** Agents who are free. */
  readonly free: number;
  /** Agents in a call, who take another one after it. */
  readonly busy: number;
  /** After-call work that follows a call, ms. */
  readonly wrapUpMs: number;
  /** When each of the agents in after-call work is free again, ms from now. */
  readonly freeIn: readonly number[];
  /** Calls whose customer has not answered yet, of all flows of the queue. */
  readonly ringing: number;
  /** Calls whose customer has answered and for whom nobody is rung yet. */
  readonly waiting: number;
}

/** What was measured of the flow's calls. */
export interface Measured {
  /** Share of the calls that are answered. */
  readonly answerRate: number;
  /** From the start to the answer, ms. */
  readonly ringMs: number;
  /** From the agent to the end, ms. */
  readonly talkMs: number;
  /** Over the last 24 hours. */
  readonly answered: number;
  readonly abandoned: number;
}

/** Progressive: every call has its agent before it is placed. @returns calls to place now */
export const progressive = ({ free, ringing, waiting }: PaceState): number => Math.max(0, free - ringing - waiting);

/** Answered calls that must be known before more calls than free agents are placed. */
const ENOUGH_ANSWERED = 30;
/** Above this part of the share allowed, the pace is progressive. */
const FALL_BACK_AT = 0.85;
/** Part of what may still be abandoned that is risked at once. */
const RISKED = 0.8;

/**
 * Predictive: as many calls as can be placed so that, of those that will be answered, the share that finds no agent stays
 * within what may be abandoned; never fewer than progressive.
 *
 * @param maxAbandoned share of the answered calls that may be abandoned
 * @returns calls to place now
 */
export function predictive(state: PaceState, measured: Measured, maxAbandoned: number): number {
  const sure = progressive(state);
  const { answered, abandoned } = measured;
  if (answered < ENOUGH_ANSWERED) return sure;
  const share = abandoned / answered;
  if (share >= FALL_BACK_AT * maxAbandoned) return sure;
  // The further the share is below the limit, the more is risked with every call: up to twice the limit.
  const target = maxAbandoned * Math.min(2, 3 * (1 - share / (FALL_BACK_AT * maxAbandoned)));
  const { ringing, waiting, free } = state;
  // Were all of them answered at once, what may still be abandoned would cover it.
  const most = Math.floor((maxAbandoned * answered - abandoned) * RISKED) + free - waiting;
  const coming = comingFree(state, measured);
  let lines = ringing + sure;
  while (lines < most && withoutAgent(lines + 1, waiting, measured.answerRate, coming) <= target) lines++;
  return lines - ringing;
}

interface Spread {
  readonly mean: number;
  readonly variance: number;
}

/** Agents who will be free by the time that a call placed now is answered. */
function comingFree({ free, busy, wrapUpMs, freeIn }: PaceState, { ringMs, talkMs }: Measured): Spread {
  // Talks are taken to be as likely to end in each second as in any other (exponential).
  const ends = talkMs <= 0 ? 0 : 1 - Math.exp(-Math.max(0, ringMs - wrapUpMs) / talkMs);
  const soon = freeIn.filter((ms) => ms <= ringMs).length;
  return { mean: free + soon + busy * ends, variance: busy * ends * (1 - ends) };
}

/** Share of the answered of `lines` calls that will find no agent, on average, those who wait already before them. */
function withoutAgent(lines: number, waiting: number, answerRate: number, agents: Spread): number {
  return surplus(lines, waiting, answerRate, agents) / (lines * answerRate);
}

/** Customers more than agents, on average. */
function surplus(lines: number, waiting: number, answerRate: number, agents: Spread): number {
  const mean = lines * answerRate + waiting - agents.mean;
  const deviation = Math.sqrt(lines * answerRate * (1 - answerRate) + agents.variance);
  if (deviation < 1e-9) return Math.max(0, mean);
  const z = mean / deviation;
  // The mean of what a normal distribution has above zero.
  return deviation * density(z) + mean * cumulative(z);
}

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** Standard normal distribution (Abramowitz and Stegun 26.2.17; error below 1e-7). */
function cumulative(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = density(z) * series;
  return z > 0 ? 1 - tail : tail;
}
