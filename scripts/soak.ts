// npm run soak: every property test on stories that nobody has seen yet, and many of them. The seed is told first and last.
//   npm run soak -- [--runs 20] [--seed N] [file …]
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The test files that have properties. */
function propertyTests(): string[] {
  return readdirSync(join(root, 'test', 'unit'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', 'unit', name))
    .filter((file) => readFileSync(join(root, file), 'utf8').includes("from 'fast-check'"))
    .sort();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 31 - 1)) },
  },
});
const files = positionals.length > 0 ? positionals : propertyTests();
const again = `RINGMASTER_SEED=${values.seed} RINGMASTER_RUNS=${values.runs}`;
console.log(`${files.length} files, ${again}`);
const child = spawn(
  process.execPath,
  // One file after the other: a search is nothing that the rest of the machine should wait for.
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', '--no-file-parallelism', ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, RINGMASTER_SEED: values.seed, RINGMASTER_RUNS: values.runs },
  },
);
const [code] = (await once(child, 'exit')) as [number | null];
console.log(code === 0 ? `nothing was found with ${again}` : `something was found; the same stories again: ${again}`);
process.exitCode = code ?? 1;
