// npm test: brings a lab up, runs the tests on it, takes it down. The last line is the total, `N passed, N failed`.
// Arguments are handed on to vitest, e.g. npm test -- test/switch/lab.test.ts
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startLabAnywhere } from '../lab/anywhere.ts';
import { catchInterruption } from '../lab/interruption.ts';
import { stopLab } from '../lab/lab.ts';
import { withLock } from '../lab/lock.ts';
import { type Leftover, leftovers } from './leftovers.ts';
import { type Totals, totalsOf } from './totals.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const labFolder = join(root, 'lab', '.run-test');
const OFFSETS = [1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900];
/** Every process that the tests start carries it in its environment, so that one which is left behind can be told. */
const RUN_MARK = `RINGMASTER_TEST_RUN=${randomUUID()}`;

const interruption = catchInterruption();

function projects(): string[] {
  const chaos = join(root, 'test', 'chaos');
  const hasChaos = existsSync(chaos) && readdirSync(chaos).some((name) => name.endsWith('.test.ts'));
  return ['unit', 'contract', 'switch', ...(hasChaos ? ['chaos'] : [])];
}

/** Runs vitest in a process group of its own, so that Ctrl-C reaches it through us alone and nothing of it is left. */
async function runVitest(labDir: string, report: string): Promise<number> {
  const [markName = '', mark = ''] = RUN_MARK.split('=');
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...projects().flatMap((name) => ['--project', name]),
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, RINGMASTER_LAB_DIR: labDir, [markName]: mark },
    },
  );
  const ended = once(child, 'exit').then(([code]: number[]) => code ?? 1);
  await Promise.race([ended, interruption.happened]);
  if (interruption.signal !== undefined && child.pid !== undefined) {
    endGroup(child.pid, 'SIGTERM');
    const late = setTimeout(() => endGroup(child.pid ?? 0, 'SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  }
  return await ended;
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 1) process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: all of it has ended by itself
  }
}

/** Ends what the tests have left running. @returns what had to be ended, after a moment to end by itself */
async function sweep(): Promise<readonly Leftover[]> {
  const until = Date.now() + (interruption.signal === undefined ? 3000 : 0);
  let left = leftovers(RUN_MARK);
  while (left.length > 0 && Date.now() < until) {
    await delay(100);
    left = leftovers(RUN_MARK);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it has just ended
    }
  }
  return left;
}

async function runAll(report: string): Promise<Totals> {
  let code = 1;
  let left: readonly Leftover[] = [];
  try {
    const lab = await startLabAnywhere({
      dir: labFolder,
      offsets: OFFSETS,
      progress: (line) => console.log(`lab: ${line}`),
    });
    if (interruption.signal === undefined) code = await runVitest(lab.file.dir, report);
  } finally {
    const good = code === 0;
    await stopLab(labFolder, { remove: good });
    if (!good) console.log(`lab: the logs of this run are in ${labFolder}`);
    left = await sweep();
  }
  const totals = totalsOf(report, code);
  if (interruption.signal !== undefined) return { ...totals, failed: Math.max(1, totals.failed) };
  for (const { pid, command } of left) console.log(`left running by a test, and ended now: ${pid} ${command}`);
  return { ...totals, failed: totals.failed + left.length };
}

async function main(): Promise<Totals> {
  const scratch = mkdtempSync(join(tmpdir(), 'ringmaster-test-'));
  try {
    return await withLock(
      join(root, 'test'),
      () => console.log('waiting for another npm test in this checkout …'),
      () => runAll(join(scratch, 'report.json')),
    );
  } catch (error) {
    console.error(`\nThe tests could not be run: ${(error as Error).message}`);
    console.error('npm run unit runs the tests that need neither Asterisk nor Redis.\n');
    return { passed: 0, failed: 1, problems: [] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const { passed, failed, problems } = await main();
for (const problem of problems) console.log(problem);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
process.exit();
