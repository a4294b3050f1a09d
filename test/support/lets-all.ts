import type { Admission } from '../../src/ports.ts';

/** An admission that lets everything begin and counts nothing. */
export const LETS_ALL: Admission = {
  admit: () => undefined,
  release: () => undefined,
  admitUse: () => undefined,
  settled: () => undefined,
  usesOf: () => undefined,
  readmit: () => undefined,
  own: () => undefined,
  disown: () => undefined,
  load: () => ({ calls: 0, room: true }),
};
