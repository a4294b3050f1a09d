/** A source of randomness that says the same for the same seed, so that a run can be repeated. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number, both ends included. */
  int(from: number, to: number): number;
  pick<T>(of: readonly T[]): T;
  chance(probability: number): boolean;
  shuffle<T>(of: readonly T[]): T[];
}

/** @param seed any whole numbers, such as a run's seed and a round's number */
export function randomOf(...seed: readonly number[]): Random {
  let state = seed.reduce((mixed, part) => Math.imul(mixed ^ part, 0x9e3779b1) ^ (mixed >>> 15), 0x2545f491);
  // Mulberry32.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    pick(of) {
      const picked = of[int(0, of.length - 1)];
      if (picked === undefined) throw new RangeError('there is nothing to pick from');
      return picked;
    },
    chance: (probability) => next() < probability,
    shuffle(of) {
      const left = [...of];
      for (let i = left.length - 1; i > 0; i -= 1) {
        const j = int(0, i);
        const [a, b] = [left[i], left[j]];
        if (a !== undefined && b !== undefined) [left[i], left[j]] = [b, a];
      }
      return left;
    },
  };
}
