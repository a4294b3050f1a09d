import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './process.ts';

/** Tells a human what goes on. */
export type Progress = (line: string) => void;

const PACKAGE_OF = { 'redis-server': 'redis-server', sipp: 'sip-tester', mmdebstrap: 'mmdebstrap' } as const;
/** A program that the lab runs and that a Debian package brings. */
export type Program = keyof typeof PACKAGE_OF;

/** Where a program is, if the machine has it. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Sees to it that the machine has these programs, installing the Debian packages of those it lacks.
 * @throws Error in plain words, naming the packages, where they are missing and may not be installed
 */
export async function needPrograms(programs: readonly Program[], progress: Progress): Promise<void> {
  const missing = programs.filter((name) => findProgram(name) === undefined).map((name) => PACKAGE_OF[name]);
  if (missing.length === 0) return;
  const by = `apt-get install -y ${missing.join(' ')}`;
  if (findProgram('apt-get') === undefined) {
    throw new Error(`The lab needs ${missing.join(', ')}, and this is not a Debian machine: install them yourself.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`The lab needs ${missing.join(', ')}. Only root may install them: sudo ${by}`);
  }
  progress(`installing ${missing.join(', ')} …`);
  // RUNLEVEL: Debian would start a Redis of its own at once; the lab brings up one on its own port.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing] as [string, ...string[]];
  try {
    await run(install, { env });
  } catch {
    progress('refreshing the package lists …'); // stale lists are the usual reason on a fresh machine
    try {
      await run(['apt-get', 'update'], { env });
      await run(install, { env });
    } catch (cause) {
      throw new Error(`Could not install ${missing.join(', ')}: ${(cause as Error).message}`, { cause });
    }
  }
  const still = programs.filter((name) => findProgram(name) === undefined);
  if (still.length > 0) throw new Error(`apt-get succeeded, yet there is no ${still.join(', ')} to be found.`);
}
