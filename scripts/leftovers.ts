import { readdirSync, readFileSync } from 'node:fs';

/** A process that outlived what started it. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that carry a mark in their environment, this one excepted.
 * @param mark as it stands there: NAME=value
 * @param proc the kernel's list of processes
 */
export function leftovers(mark: string, proc = '/proc'): Leftover[] {
  const found: Leftover[] = [];
  for (const name of readdirSync(proc)) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`${proc}/${name}/environ`, 'utf8').split('\0').includes(mark)) continue;
      const command = readFileSync(`${proc}/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (command !== '') found.push({ pid, command }); // empty: it has ended and waits to be reaped
    } catch {
      // It has ended since it was listed, or is somebody else's.
    }
  }
  return found;
}
