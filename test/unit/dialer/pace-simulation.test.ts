import { afterAll, describe, expect, it } from 'vitest';
import { type Centre, type Simulated, simulate } from '../../support/pace-simulation.ts';

const HOUR = 3_600;

interface Scenario {
  readonly name: string;
  readonly centre: Centre;
  /** So many of the customers answer, and so few agents are there, that there is nothing to gain. */
  readonly nothingToGain?: boolean;
}

const steady = (agents: number, rate: number, talk: number, wrapUp = 0, nothingToGain = false): Scenario => ({
  name: `${agents} agents, ${rate * 100} % answer, talks of ${talk} s, after-call work ${wrapUp} s`,
  centre: { seed: 7, hours: 24, agents: () => agents, answerRate: () => rate, talk, wrapUp },
  nothingToGain,
});
const shock = (name: string, change: Partial<Centre>): Scenario => ({
  name,
  centre: { seed: 11, hours: 30, agents: () => 20, answerRate: () => 0.2, talk: 120, wrapUp: 0, ...change },
});
const from = (hour: number, before: number, after: number) => (at: number) => (at < hour * HOUR ? before : after);
const hourly = (even: number, odd: number) => (at: number) => (Math.floor(at / HOUR) % 2 === 0 ? even : odd);

const SCENARIOS: readonly Scenario[] = [
  steady(5, 0.1, 120),
  steady(5, 0.3, 120),
  steady(5, 0.8, 120, 0, true),
  steady(10, 0.1, 120, 10),
  steady(10, 0.3, 300),
  steady(20, 0.1, 120),
  steady(20, 0.3, 180),
  steady(20, 0.5, 60, 5),
  steady(20, 0.8, 60),
  steady(50, 0.1, 240),
  steady(50, 0.3, 240, 10),
  steady(50, 0.8, 120),
  shock('20 agents, 10 % answer, from the 2nd hour on 80 %', { answerRate: from(2, 0.1, 0.8) }),
  shock('20 agents, 10 % answer, from the 6th hour on 80 %', { answerRate: from(6, 0.1, 0.8) }),
  shock('20 agents, 80 % and 10 % answer, changing every hour', { answerRate: hourly(0.8, 0.1) }),
  shock('20 agents, from the 2nd hour on 10', { agents: from(2, 20, 10) }),
  shock('50 agents, from the 6th hour on 25', { agents: from(6, 50, 25), answerRate: () => 0.1 }),
  shock('10 and 20 agents, changing every hour', { agents: hourly(10, 20) }),
];

describe('a simulated call centre with the predictive pace', () => {
  const table: Record<string, string | number>[] = [];
  const percent = (share: number): string => (share * 100).toFixed(2);

  afterAll(() => console.table(table));

  it.each(SCENARIOS)('$name', ({ name, centre, nothingToGain }) => {
    const one: Simulated = simulate(centre, 'progressive');
    const many: Simulated = simulate(centre, 'predictive');
    const share = many.abandoned / many.answered;
    table.push({
      scenario: name,
      placed: many.placed,
      answered: many.answered,
      'abandoned %': percent(share),
      'worst 24 h %': percent(many.worstShare),
      'busy %, progressive': percent(one.utilisation),
      'busy %, predictive': percent(many.utilisation),
    });
    expect(many.answered).toBeGreaterThan(1_000);
    expect(share).toBeLessThanOrEqual(0.03);
    expect(many.worstShare).toBeLessThanOrEqual(0.03);
    if (nothingToGain) expect(many.utilisation).toBeGreaterThanOrEqual(one.utilisation - 0.005);
    else expect(many.utilisation).toBeGreaterThan(one.utilisation);
  });
});
