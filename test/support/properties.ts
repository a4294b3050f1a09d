/**
 * How the property tests of this repository are run: always on the same stories, so that a commit is judged as the one
 * before it; on others where somebody goes looking for what nobody has thought of (`npm run soak`).
 *
 * - `RINGMASTER_SEED=N` other stories, repeatable; `RINGMASTER_SEED=random` others each time. A failure tells its seed.
 * - `RINGMASTER_RUNS=N` so many times more of them.
 */

/** The seed of a run that names none. */
const USUAL_SEED = 1;
const HIGHEST_SEED = 2 ** 31 - 1;
const MOST_RUNS = 10_000;

/** What fast-check is told, for any property. */
export interface Stories {
  readonly seed: number;
  readonly numRuns: number;
}

function wholeNumber(name: string, text: string, highest: number): number {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(n >= 1 && n <= highest)) throw new Error(`${name} is a whole number from 1 to ${highest}, not ${text}`);
  return n;
}

/** @throws Error if `RINGMASTER_SEED` is neither a number nor `random` */
export function seedOf(env: NodeJS.ProcessEnv): number {
  const text = env['RINGMASTER_SEED'] ?? '';
  if (text === '') return USUAL_SEED;
  if (text === 'random') return 1 + Math.floor(Math.random() * HIGHEST_SEED);
  return wholeNumber('RINGMASTER_SEED', text, HIGHEST_SEED);
}

/** @throws Error if `RINGMASTER_RUNS` is not a number */
export function timesOf(env: NodeJS.ProcessEnv): number {
  const text = env['RINGMASTER_RUNS'] ?? '';
  return text === '' ? 1 : wholeNumber('RINGMASTER_RUNS', text, MOST_RUNS);
}

const seed = seedOf(process.env);
const times = timesOf(process.env);

/**
 * The parameters of `fc.assert` for a property that is tried on so many stories.
 * @param numRuns by default fast-check's own
 */
export const stories = (numRuns = 100): Stories => ({ seed, numRuns: numRuns * times });

/** The parameters of `fc.sample` where the stories themselves are looked at: the same ones whatever is asked for. */
export const usualStories = (numRuns: number): Stories => ({ seed: USUAL_SEED, numRuns });

/** How long a test of a property may take, ms. Ample: these tests are work, not waiting. */
export const STORIES_MS = 120_000 * times;
