import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { startLabAnywhere } from '../../lab/anywhere.ts';
import { labDir, readLab, stopLab } from '../../lab/lab.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Run folder of the lab that the tests use. */
    labDir: string;
  }
}

const OWN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'lab', '.run-test');
/** Tried in turn: another checkout's tests may be running on this machine. */
const OFFSETS = [1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900];

/**
 * Brings a lab up for the tests and takes it down afterwards; where RINGMASTER_LAB_DIR names one, it must be running and
 * is left alone.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.env['RINGMASTER_LAB_DIR'] !== undefined) {
    const lab = await readLab();
    project.provide('labDir', lab.file.dir);
    return async () => {};
  }
  const dir = labDir(OWN);
  await startLabAnywhere({ dir, offsets: OFFSETS, progress: (line) => console.log(`lab: ${line}`) });
  project.provide('labDir', dir);
  return () => stopLab(dir);
}
