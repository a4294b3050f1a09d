import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLabAnywhere } from '../../lab/anywhere.ts';
import { type Lab, startLab, stopLab } from '../../lab/lab.ts';
import { FAULTS } from './faults.ts';
import { faultsOf, Rounds } from './rounds.ts';
import { World } from './world.ts';

/** `npm run chaos` sets these; without them this is the short form. */
const given = (name: string): number | undefined => {
  const text = process.env[`RINGMASTER_CHAOS_${name}`];
  return text === undefined ? undefined : Number(text);
};
const rounds = given('ROUNDS');
const seed = given('SEED') ?? Math.floor(Math.random() * 1_000_000);
const places = given('CALLS') ?? 12;
const short = rounds === undefined;

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A lab of its own: it is broken on purpose. */
const DIR = process.env['RINGMASTER_CHAOS_DIR'] ?? join(ROOT, 'lab', '.run-chaos');
const OFFSETS = [1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 1000];

const SHORT_FORM = new Set([
  'kill -9',
  'kill -9 after-commit',
  'kill -9 after-command',
  'ARI cut',
  'half-open network',
  'Redis killed',
  'Redis loses its last second',
  'Asterisk killed',
  'the clock leaps by an hour',
]);

let lab: Lab;
let world: World;

beforeAll(async () => {
  const progress = (line: string): void => console.log(`chaos: ${line}`);
  const offset = process.env['RINGMASTER_CHAOS_OFFSET'];
  lab =
    offset === undefined
      ? await startLabAnywhere({ dir: DIR, offsets: OFFSETS, appendOnly: true, progress })
      : await startLab({ dir: DIR, offset: Number(offset), appendOnly: true, progress });
  world = await World.open(lab, places);
});

afterAll(async () => {
  await world?.close();
  await stopLab(DIR);
});

test(
  short ? 'whatever dies, no call is dropped and no event is lost' : `${rounds} rounds`,
  async () => {
    const faults = FAULTS.filter((f) => !short || SHORT_FORM.has(f.name));
    const planned = faultsOf(seed, rounds ?? faults.length, faults);
    const run = new Rounds(world, places, {
      rounds: planned.length,
      seed,
      broken: short ? [0.2, 1] : [1, 1, 5, 5, 5, 30],
      faults: planned,
      say: (line) => console.log(`chaos: ${line}`),
    });
    console.log(
      `chaos: seed ${seed} (again: npm run chaos -- --seed ${seed} --rounds ${planned.length} --calls ${places})`,
    );
    try {
      await run.run();
    } finally {
      for (const line of run.tally.lines(seed)) console.log(`chaos: ${line}`);
      mkdirSync(DIR, { recursive: true });
      writeFileSync(join(DIR, 'ringmaster.log'), `${world.logs.join('\n')}\n`);
    }
    expect(run.tally.findings).toEqual([]);
  },
  (rounds ?? 9) * 120_000 + 120_000,
);
