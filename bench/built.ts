import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/**
 * Builds Ringmaster with the benchmark's way to run it, as `npm run build` builds what is installed: a loader that
 * translates TypeScript at run time marks every function with its name, which costs the process that it is in.
 *
 * @param checkout whose Ringmaster @param folder for what is built; what was there goes
 * @returns the script to start, plain JavaScript
 * @throws Error with what the compiler said
 */
export async function build(checkout: string, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const project = join(folder, 'tsconfig.json');
  const script = ['bench', 'contestants', 'ringmaster-service'];
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(checkout, 'tsconfig.build.json'),
      // Whether its types are right is not asked here.
      compilerOptions: { rootDir: checkout, outDir: folder, noCheck: true },
      include: [`${join(checkout, ...script)}.ts`],
    }),
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', project]);
  } catch (error) {
    throw new Error(`Ringmaster of ${checkout} could not be built:\n${(error as { stdout?: string }).stdout}`);
  }
  return `${join(folder, ...script)}.js`;
}
