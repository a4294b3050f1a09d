import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentID } from '../../../src/cti/ids.ts';
import type { AgentInfo } from '../../../src/cti/request-fields.ts';
import { answerRate, averagesOf, rang, talked, UNKNOWN } from '../../../src/dialer/measure.ts';
import { type QueueAgent, queueAgentsOf } from '../../../src/dialer/queue-agents.ts';
import { type Measured, type PaceState, predictive, progressive } from '../../../src/dialer/queue-pace.ts';
import { freeFor } from '../../../src/dialer/queue-share.ts';
import { NO_COUNTS } from '../../../src/dialer/tally.ts';
import { callID } from '../../support/dialer-kit.ts';
import { STORIES_MS, stories } from '../../support/properties.ts';

const state = (change: Partial<PaceState> = {}): PaceState => ({
  free: 5,
  busy: 15,
  wrapUpMs: 0,
  freeIn: [],
  ringing: 0,
  waiting: 0,
  ...change,
});
const measured = (change: Partial<Measured> = {}): Measured => ({
  answerRate: 0.2,
  ringMs: 8_000,
  talkMs: 120_000,
  answered: 2_000,
  abandoned: 10,
  ...change,
});
const LIMIT = 0.03;

describe('the progressive pace', () => {
  it('is a call for each free agent who has none on its way', () => {
    expect(progressive(state({ free: 5, ringing: 2, waiting: 1 }))).toBe(2);
    expect(progressive(state({ free: 1, ringing: 4 }))).toBe(0);
  });
});

describe('the predictive pace', () => {
  it('places more calls the fewer are answered', () => {
    const at = (rate: number): number => predictive(state(), measured({ answerRate: rate }), LIMIT);
    expect(at(0.1)).toBeGreaterThan(at(0.2));
    expect(at(0.2)).toBeGreaterThan(at(0.5));
    expect(at(0.2)).toBeGreaterThan(5);
  });

  it('reckons with agents who are about to be free', () => {
    const soon = predictive(state({ freeIn: [1_000, 7_000] }), measured(), LIMIT);
    expect(soon).toBeGreaterThan(predictive(state(), measured(), LIMIT));
    expect(predictive(state({ freeIn: [9_000] }), measured(), LIMIT)).toBe(predictive(state(), measured(), LIMIT));
    expect(predictive(state({ busy: 100 }), measured(), LIMIT)).toBeGreaterThan(soon);
    // Their after-call work outlasts the ringing.
    const worn = state({ busy: 100, wrapUpMs: 10_000 });
    expect(predictive(worn, measured(), LIMIT)).toBe(predictive(state({ busy: 0 }), measured(), LIMIT));
  });

  it('is progressive while few have answered, and where the share comes near its limit', () => {
    expect(predictive(state(), measured({ answered: 29, abandoned: 0 }), LIMIT)).toBe(5);
    expect(predictive(state(), measured({ abandoned: 51 }), LIMIT)).toBe(5);
    expect(predictive(state({ free: 0, ringing: 3 }), measured({ abandoned: 51 }), LIMIT)).toBe(0);
  });

  it('risks no more than may still be abandoned, were everybody to answer at once', () => {
    // 3 % of 100 less 1 that was: 2, of which 0.8 are risked.
    expect(predictive(state(), measured({ answered: 100, abandoned: 1, answerRate: 0.01 }), LIMIT)).toBe(6);
  });

  it(
    'never places fewer than the progressive one, nor so many that the limit could be passed',
    () => {
      const share = fc.integer({ min: 0, max: 200 });
      const record = fc.record({
        free: share,
        busy: share,
        wrapUpMs: fc.integer({ min: 0, max: 60_000 }),
        freeIn: fc.array(fc.integer({ min: -1_000, max: 60_000 }), { maxLength: 20 }),
        ringing: share,
        waiting: share,
      });
      const known = fc.record({
        answerRate: fc.double({ min: 0.01, max: 1, noNaN: true }),
        ringMs: fc.integer({ min: 0, max: 60_000 }),
        talkMs: fc.integer({ min: 0, max: 3_600_000 }),
        answered: fc.integer({ min: 0, max: 50_000 }),
        abandoned: fc.integer({ min: 0, max: 2_000 }),
      });
      fc.assert(
        fc.property(record, known, (s, m) => {
          const sure = progressive(s);
          const n = predictive(s, m, LIMIT);
          expect(n).toBeGreaterThanOrEqual(sure);
          if (n === sure) return;
          const lost = s.ringing + n + s.waiting - s.free;
          expect((m.abandoned + lost) / m.answered).toBeLessThanOrEqual(LIMIT);
        }),
        stories(1_000),
      );
    },
    STORIES_MS,
  );
});

describe('what is measured', () => {
  it('begins with everybody answering, believes a rise at once and a fall slowly', () => {
    expect(answerRate(UNKNOWN)).toBe(1);
    let a = UNKNOWN;
    for (let i = 0; i < 300; i++) a = rang(a, i % 10 === 0 ? 8_000 : undefined);
    expect(answerRate(a)).toBeCloseTo(0.1, 1);
    expect(a.ringMs).toBe(8_000);
    for (let i = 0; i < 10; i++) a = rang(a, 4_000);
    expect(answerRate(a)).toBeGreaterThan(0.3);
    for (let i = 0; i < 30; i++) a = rang(a, undefined);
    expect(a.quick).toBeLessThan(0.15);
    expect(answerRate(a)).toBe(Math.max(a.quick, a.slow));
    expect(talked(talked(a, 60_000), 120_000).talkMs).toBe(90_000);
  });

  it('is taken from the counts where one begins anew', () => {
    const counts = { ...NO_COUNTS, placed: 400, answered: 100, connected: 80, ringMs: 700_000, talkMs: 8_000_000 };
    const a = averagesOf(counts);
    expect([answerRate(a), a.ringMs, a.talkMs]).toEqual([0.25, 7_000, 100_000]);
    expect(averagesOf(NO_COUNTS)).toBe(UNKNOWN);
  });
});

describe('agents of several queues', () => {
  const agents = (n: number, ...queues: string[]): QueueAgent[] =>
    Array.from({ length: n }, () => ({ queues, state: 'free' }));

  it('are left to the calls of the other queue once its own are spoken for', () => {
    const all = [
      ...agents(2, 'a'),
      ...agents(3, 'b'),
      ...agents(4, 'a', 'b'),
      { queues: ['a'], state: 'busy' as const },
    ];
    expect(freeFor('a', all, new Map())).toBe(6);
    expect(freeFor('a', all, new Map([['b', 3]]))).toBe(6);
    expect(freeFor('a', all, new Map([['b', 5]]))).toBe(4);
    expect(freeFor('a', all, new Map([['b', 50]]))).toBe(2);
    expect(freeFor('a', all, new Map([['a', 50]]))).toBe(6);
    expect(freeFor('c', all, new Map())).toBe(0);
  });
});

describe('the agents of queues', () => {
  it('are free, busy, or away until their after-call work ends', () => {
    const agent = (change: Partial<AgentInfo>): AgentInfo => ({
      agentID: AgentID.parse('7001'),
      agentUUID: '0'.repeat(32),
      thisDN: '1001',
      thisQueues: ['a'],
      state: 'Ready',
      stateSince: 1,
      agentStatus: 'AVAILABLE',
      agentStatusSince: 1,
      ...change,
    });
    const agents = [
      agent({}),
      agent({ callID: callID(1), agentStatus: 'ACQUIRED' }),
      agent({ state: 'NotReady', reasonCode: 4, expirationTime: 9 }),
      agent({ state: 'NotReady' }),
      agent({ state: 'Logout' }),
    ];
    expect(queueAgentsOf({ agents })).toEqual([
      { queues: ['a'], state: 'free' },
      { queues: ['a'], state: 'busy' },
      { queues: ['a'], state: 'away', freeAt: 9 },
      { queues: ['a'], state: 'away' },
    ]);
  });
});
