import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freest, isFreer, isWorthTheWay } from '../../../src/engine/placement.ts';
import type { NodeLoad } from '../../../src/ports.ts';
import { stories } from '../../support/properties.ts';

const load = (calls: number, limit?: number, room = limit === undefined || calls < limit): NodeLoad => ({
  calls,
  ...(limit !== undefined && { limit }),
  room,
});
const chosen = (...loads: NodeLoad[]): number =>
  loads.indexOf(freest(loads.map((l) => ({ load: l })))?.load ?? load(-1));

describe('where a new call goes', () => {
  it.each([
    [
      'to the one that carries the smaller part of its limit, though it has more calls',
      [load(9, 10), load(50, 100)],
      1,
    ],
    ['to the one with room, though it carries the larger part', [load(1, 10, false), load(9, 10)], 1],
    ['to the one that has room this second, of two below their limit of calls', [load(0, 10, false), load(9, 10)], 1],
    ['of two that carry the same part, to the one with fewer calls', [load(50, 100), load(5, 10)], 1],
    ['of two that are alike, to the first', [load(3, 10), load(3, 10)], 0],
    ['to the freer of two without room: it is refused there', [load(12, 10), load(10, 10)], 1],
    ['without limits, to the one with fewer calls', [load(3), load(2)], 1],
  ] as const)('%s', (_, loads, expected) => {
    expect(chosen(...loads)).toBe(expected);
  });

  it('nowhere where there is no node', () => {
    expect(freest([])).toBeUndefined();
  });

  it('one call after the other fills all nodes evenly, and none beyond its limit while another has room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), (limits) => {
        const calls = limits.map(() => 0);
        const total = limits.reduce((a, b) => a + b, 0);
        for (let i = 0; i < total; i++) {
          const at = chosen(...limits.map((limit, n) => load(calls[n] ?? 0, limit)));
          calls[at] = (calls[at] ?? 0) + 1;
          const shares = limits.map((limit, n) => (calls[n] ?? 0) / limit);
          // Apart by no more than one call makes on the smallest node.
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1 / Math.min(...limits) + 1e-9);
        }
        expect(calls).toEqual(limits);
      }),
      stories(),
    );
  });

  it('is an order: of two, never both are freer', () => {
    const loads = fc.record({ calls: fc.nat(20), limit: fc.integer({ min: 1, max: 20 }), room: fc.boolean() });
    fc.assert(
      fc.property(loads, loads, (a, b) => !(isFreer(a, b) && isFreer(b, a))),
      stories(),
    );
  });
});

describe('whether another instance’s node is worth the way', () => {
  it.each([
    ['not for a little more room', load(15, 100), load(10, 100), false],
    ['for much more room', load(40, 100), load(10, 100), true],
    ['where there is no room here, and some there', load(10, 10), load(99, 100), true],
    ['not where there is no room there, whatever there is here', load(9, 10), load(0, 10, false), false],
    ['not where there is room nowhere', load(10, 10), load(50, 100, false), false],
  ] as const)('%s', (_, here, there, expected) => {
    expect(isWorthTheWay(here, there)).toBe(expected);
  });
});
