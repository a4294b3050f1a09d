import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLabAnywhere } from '../../lab/anywhere.ts';
import { type Lab, startLab, stopLab } from '../../lab/lab.ts';
import { FAULTS } from './faults.ts';
import { faultsOf, named, type Part, partsOf } from './plan.ts';
import { placesFor, Rounds } from './rounds.ts';
import { Tally } from './tally.ts';
import { World } from './world.ts';

/** `npm run chaos` sets these; without them this is the short form. */
const text = (name: string): string | undefined => process.env[`RINGMASTER_CHAOS_${name}`];
const given = (name: string): number | undefined => (text(name) === undefined ? undefined : Number(text(name)));
const rounds = given('ROUNDS');
const short = rounds === undefined;
const seed = given('SEED') ?? Math.floor(Math.random() * 1_000_000);
const calls = given('CALLS') ?? 11;
const minutes = given('MINUTES') ?? 24 * 60;

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A lab of its own: it is broken on purpose. */
const DIR = text('DIR') ?? join(ROOT, 'lab', '.run-chaos');
const OFFSETS = [1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 1000];

/** What npm test breaks: a rolling restart is left to the long form, for its length. */
const SHORT_FORM = [
  'kill -9 after-commit',
  'kill -9 after-command',
  'half-open network',
  'Redis loses its last second',
  'Asterisk killed',
  'the clock leaps by an hour',
  'kill -9 of the owner',
  'the owner stands still',
  'one instance cut from Redis',
];

let lab: Lab;
let world: World | undefined;
const say = (line: string): void => console.log(`chaos: ${line}`);

/** What is broken in which world, by the seed. */
function planned(): Part[] {
  if (short) {
    // One world, and the second instance joins once.
    const faults = faultsOf(seed, SHORT_FORM.length, named(SHORT_FORM));
    return [{ shards: 2, faults: faults.toSorted((a, b) => a.instances - b.instances) }];
  }
  const names = text('FAULTS');
  return partsOf(
    faultsOf(seed, rounds, names === undefined ? FAULTS : named(names.split(',').map((name) => name.trim()))),
  );
}

beforeAll(async () => {
  const offset = text('OFFSET');
  lab =
    offset === undefined
      ? await startLabAnywhere({ dir: DIR, offsets: OFFSETS, appendOnly: true, progress: say })
      : await startLab({ dir: DIR, offset: Number(offset), appendOnly: true, progress: say });
});

afterAll(async () => {
  await world?.close();
  await stopLab(DIR);
});

test(
  short ? 'whatever dies, no call is dropped and no event is lost' : `${rounds} rounds`,
  async () => {
    const parts = planned();
    const of = parts.reduce((sum, part) => sum + part.faults.length, 0);
    const tally = new Tally(seed);
    const until = performance.now() + minutes * 60_000;
    const logs: string[] = [];
    say(`seed ${seed} (again: npm run chaos -- --seed ${seed} --rounds ${of} --calls ${calls})`);
    let first = 0;
    try {
      for (const { shards, faults } of parts) {
        world = await World.open(lab, { places: placesFor(calls), shards });
        const enough = (): boolean => performance.now() > until;
        const broken = short ? [0.2, 1] : [1, 1, 5, 5, 5, 30];
        const plan = { seed, calls, broken, faults, first, of, enough, say };
        try {
          await new Rounds(world, plan, tally).run();
        } finally {
          logs.push(...world.logs);
          await world.close();
          world = undefined;
        }
        first += faults.length;
      }
    } finally {
      mkdirSync(DIR, { recursive: true });
      writeFileSync(join(DIR, 'ringmaster.log'), `${logs.join('\n')}\n`);
      writeFileSync(join(DIR, 'tally.md'), `${tally.markdown()}\n`);
      writeFileSync(join(DIR, 'tally.json'), `${JSON.stringify(tally.json(), null, 2)}\n`);
      say(`the tally:\n${tally.markdown()}`);
    }
    expect(tally.findings).toEqual([]);
    expect(tally.rounds.length).toBeGreaterThan(0);
  },
  (rounds ?? 10) * 120_000 + 120_000,
);
