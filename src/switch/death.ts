/**
 * What was seen of a node at one moment. `alive`: it said something. `refused`: its host refuses every connection, so that
 * nobody listens there. `silent`: neither.
 */
export type Sight = 'alive' | 'refused' | 'silent';

/** How long a node must look dead before it is taken for dead, ms. */
export interface DeathAfter {
  readonly refused: number;
  readonly silent: number;
}

/** Two sights further apart than this say nothing of what was between them, ms: this process stood still, or was held up. */
export const GAP_MS = 5_000;
/** Sights at least, however short the time is that was asked for. */
const FEWEST = 3;

/** Sights of one kind, without a gap. */
interface Run {
  readonly since: number;
  last: number;
  sights: number;
}

/**
 * Says when a node is dead: from what is seen of it again and again, not from how late it is. A process that did not look
 * has seen nothing. Pure but for what it remembers.
 */
export class DeathJudge {
  readonly #after: DeathAfter;
  /** The host refused every time. */
  #refused: Run | undefined;
  /** Nothing was said, whether refused or not. */
  #silent: Run | undefined;

  constructor(after: DeathAfter) {
    this.#after = after;
  }

  /**
   * Takes one sight.
   *
   * @param at ms of a clock that never goes back
   * @returns what it died of, as long as it is dead
   */
  saw(sight: Sight, at: number): 'refused' | 'silent' | undefined {
    this.#refused = sight === 'refused' ? goOn(this.#refused, at) : undefined;
    this.#silent = sight === 'alive' ? undefined : goOn(this.#silent, at);
    if (lasts(this.#refused, this.#after.refused)) return 'refused';
    return lasts(this.#silent, this.#after.silent) ? 'silent' : undefined;
  }
}

function goOn(run: Run | undefined, at: number): Run {
  if (!run || at - run.last > GAP_MS) return { since: at, last: at, sights: 1 };
  run.last = at;
  run.sights += 1;
  return run;
}

const lasts = (run: Run | undefined, ms: number): boolean =>
  run !== undefined && run.sights >= FEWEST && run.last - run.since >= ms;
