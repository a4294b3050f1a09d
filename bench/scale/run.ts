// npm run scale: more calls than two cores carry on a real Asterisk, on a simulated one and a real Redis.
//   npm run scale -- --live 10000 --calls 1000000
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startRedis } from '../../test/support/redis-server.ts';
import { recovery } from './live.ts';
import { sequence } from './sequence.ts';

const { values } = parseArgs({
  options: {
    live: { type: 'string', default: '10000' },
    calls: { type: 'string', default: '1000000' },
  },
});
const [live, calls] = [Number(values.live), Number(values.calls)];
if (
  !Number.isInteger(live) ||
  !Number.isInteger(calls) ||
  live < 0 ||
  calls < 0 ||
  live > 100_000 ||
  calls > 10_000_000
) {
  console.error('npm run scale -- --live N --calls N: whole numbers, at most 100000 and 10000000; 0 leaves one out');
  process.exit(2);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const say = (line: string): void => console.log(line);
const redis = await startRedis();
const results: Record<string, unknown> = {};
let bad = 0;
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
