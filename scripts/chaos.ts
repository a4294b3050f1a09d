// npm run chaos: the long form of the chaos suite. Breaks a lab of its own again and again under live calls; the tally at
// the end says what came of it. npm test has a short form of the same.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { catchInterruption } from '../lab/interruption.ts';
import { stopLab } from '../lab/lab.ts';
import { run } from '../lab/process.ts';

const USAGE = `npm run chaos -- [--rounds N] [--seed S] [--calls C] [--faults NAME,NAME] [--minutes M] [--dir FOLDER]
  --rounds   how often something breaks, default 50
  --seed     repeats an earlier run: the same faults and the same acts in the same order
  --calls    calls that live when something breaks, 1 to 300, default 100
  --faults   only these, by their names in docs/chaos.md; default all
  --minutes  no round is begun after so long; default no bound
  --dir      folder of the lab, the log and the tally, default lab/.run-chaos
Exit code: 0 nothing was found wrong, 1 something was, 2 it could not be run.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const interruption = catchInterruption();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      calls: { type: 'string', default: '100' },
      faults: { type: 'string' },
      minutes: { type: 'string' },
      dir: { type: 'string', default: join(root, 'lab', '.run-chaos') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { rounds, seed, calls, faults, minutes } = values;
  const numbers = [rounds, seed, calls, minutes ?? '1'];
  const few = [rounds, minutes ?? '1'].some((n) => Number(n) < 1) || Number(calls) < 1 || Number(calls) > 300;
  if (values.help || !numbers.every((n) => /^\d{1,9}$/.test(n)) || few) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  // What is shipped is what is broken, and it starts faster than the source.
  await run(
    [process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    {},
  );
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'chaos', '--silent=false'],
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        RINGMASTER_CHAOS_ROUNDS: rounds,
        RINGMASTER_CHAOS_SEED: seed,
        RINGMASTER_CHAOS_CALLS: calls,
        ...(faults !== undefined && { RINGMASTER_CHAOS_FAULTS: faults }),
        ...(minutes !== undefined && { RINGMASTER_CHAOS_MINUTES: minutes }),
        RINGMASTER_CHAOS_DIR: values.dir,
        RINGMASTER_CHAOS_MAIN: join(root, 'dist', 'main.js'),
      },
    },
  );
  const ended = once(child, 'exit').then(([code]: number[]) => code ?? 1);
  await Promise.race([ended, interruption.happened]);
  const interrupted = interruption.signal !== undefined;
  // What stands still on purpose must go on to end.
  if (interrupted) for (const signal of ['SIGTERM', 'SIGCONT'] as const) tellGroup(child.pid, signal);
  const code = await ended;
  if (interrupted) tellGroup(child.pid, 'SIGKILL');
  await stopLab(values.dir);
  return interrupted ? 1 : code;
}

function tellGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: all of it has ended by itself
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`chaos: ${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
process.exit();
