import { describe, expect, it } from 'vitest';
import { steadyClock } from '../../src/clock.ts';

/** A machine whose two clocks the test sets. */
function machine() {
  const at = { wall: 1_000_000, monotonic: 0 };
  const leaps: number[] = [];
  const now = steadyClock(
    () => at.wall,
    () => at.monotonic,
    (ms) => leaps.push(ms),
  );
  const pass = (ms: number): number => {
    at.wall += ms;
    at.monotonic += ms;
    return now();
  };
  return { at, leaps, now, pass };
}

describe('the steady clock', () => {
  it('goes with the wall clock', () => {
    const { pass, leaps } = machine();
    expect(pass(1_000)).toBe(1_001_000);
    expect(pass(59_000)).toBe(1_060_000);
    expect(leaps).toEqual([]);
  });

  it.each([3_600_000, -3_600_000])('does not leap where the wall clock is set by %d ms, and says so once', (leap) => {
    const { at, pass, leaps } = machine();
    const before = pass(1_000);
    at.wall += leap;
    const after = pass(1_000);
    expect(after - before).toBe(leap > 0 ? 1_010 : 990);
    pass(1_000);
    expect(leaps).toEqual([leap]);
  });

  it('never goes back, however often it is asked', () => {
    const { at, now, pass } = machine();
    at.wall -= 500;
    let before = now();
    for (let i = 0; i < 1_000; i += 1) {
      const next = pass(i % 3);
      expect(next).toBeGreaterThanOrEqual(before);
      before = next;
    }
  });

  it('comes up with a wall clock that is a little off, by one part in a hundred', () => {
    const { at, pass, leaps } = machine();
    at.wall += 500;
    pass(25_000);
    expect(pass(0)).toBe(1_025_250);
    pass(60_000);
    expect(pass(0)).toBe(at.wall);
    expect(leaps).toEqual([]);
  });

  it('tells of a second leap once it has caught up with the first', () => {
    const { at, pass, leaps } = machine();
    at.wall += 2_000;
    pass(10);
    pass(300_000);
    at.wall -= 2_000;
    pass(10);
    expect(leaps).toEqual([2_000, -2_000]);
  });
});
