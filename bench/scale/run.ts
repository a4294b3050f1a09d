// npm run scale: more calls than two cores carry on a real Asterisk, on a simulated one and a real Redis.
//   npm run scale -- --live 10000 --calls 1000000
// and scheduled calls of the dialler on a real Asterisk and a real trunk, with the processes that place them killed:
//   npm run scale -- --dialler 10000 --kills 12 --seed 4711
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startLabAnywhere } from '../../lab/anywhere.ts';
import { stopLab } from '../../lab/lab.ts';
import { run } from '../../lab/process.ts';
import { startRedis } from '../../test/support/redis-server.ts';
import { exactlyOnce } from './dialler.ts';
import { recovery } from './live.ts';
import { sequence } from './sequence.ts';

const { values } = parseArgs({
  options: {
    live: { type: 'string' },
    calls: { type: 'string' },
    dialler: { type: 'string' },
    kills: { type: 'string', default: '12' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  },
});
// Who asks for the dialler alone is not given the rest as well.
const alone = values.dialler !== undefined;
const wanted = {
  live: [values.live ?? (alone ? '0' : '10000'), 100_000],
  calls: [values.calls ?? (alone ? '0' : '1000000'), 10_000_000],
  dialler: [values.dialler ?? '0', 90_000],
  kills: [values.kills, 1_000],
  seed: [values.seed, Number.MAX_SAFE_INTEGER],
} as const;
for (const [name, [text, most]] of Object.entries(wanted)) {
  if (/^\d+$/.test(text) && Number(text) <= most) continue;
  console.error('npm run scale -- [--live N] [--calls N] [--dialler N [--kills N] [--seed N]]');
  console.error(`--${name}: a whole number, at most ${most}; 0 leaves it out`);
  process.exit(2);
}
const [live, calls, dialler] = [Number(wanted.live[0]), Number(wanted.calls[0]), Number(wanted.dialler[0])];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const say = (line: string): void => console.log(line);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const OFFSETS = [900, 800, 700, 600, 500];
const results: Record<string, unknown> = {};
let bad = dialler > 0 ? await dial() : 0;
const redis = await startRedis();
try {
  if (live > 0) {
    say(`${live} live calls in every state, then a crash of the controller:`);
    const found = await recovery(redis.url, 'live', live, say);
    results['recovery'] = found;
    const wrong = [...found.faults, ...found.tally.faults];
    bad += wrong.length + found.left.channels + found.left.bridges + found.left.liveInRedis;
    say(
      `under control again after ${(found.controlAfterMs / 1000).toFixed(2)} s; calls dropped ${live - found.alive - found.endedMeanwhile}`,
    );
    say(
      `${found.tally.events} events, ${found.tally.created} calls created, ${found.tally.deleted} deleted; faults: ${wrong.length}`,
    );
    for (const line of wrong) say(`  ${line}`);
  }
  if (calls > 0) {
    say(`${calls} calls one after the other:`);
    const found = await sequence(redis.url, 'sequence', calls, collect, say);
    results['sequence'] = found;
    bad += found.faults.length + found.left.calls + found.left.channels + found.left.bridges + found.left.timers;
    say(
      `${(found.calls / found.seconds).toFixed(0)} calls/s; left: ${JSON.stringify(found.left)}; faults: ${found.faults.length}`,
    );
    for (const line of found.faults) say(`  ${line}`);
  }
} finally {
  await redis.stop();
}
const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'results', 'scale.json');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
say(file);
process.exitCode = bad === 0 ? 0 : 1;

/** @returns how much was not as it must be */
async function dial(): Promise<number> {
  const [kills, seed] = [Number(wanted.kills[0]), Number(wanted.seed[0])];
  const dir = join(root, 'lab', '.run-scale');
  say(`${dialler} scheduled calls of the dialler, ${kills} kills, seed ${seed}:`);
  // What is shipped is what is killed, and it starts faster than the source.
  await run(
    [process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    {},
  );
  try {
    const lab = await startLabAnywhere({ dir, offsets: OFFSETS, progress: say });
    const main = join(root, 'dist', 'main.js');
    const found = await exactlyOnce(lab, { calls: dialler, kills, seed, main, say });
    results['dialler'] = { ...found, kills, seed };
    say(`${found.seconds.toFixed(0)} s in all, ${found.perSecond} calls/s (median); faults: ${found.faults.length}`);
    for (const line of found.faults) say(`  ${line}`);
    return found.faults.length;
  } finally {
    await stopLab(dir);
  }
}
