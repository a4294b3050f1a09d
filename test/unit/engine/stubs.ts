import type { Admission, CallStore } from '../../../src/ports.ts';

/** A store that has nothing; what commits is the test's own. */
export const emptyStore: Omit<CallStore, 'commit'> = {
  append: () => Promise.resolve(),
  load: () => Promise.resolve(undefined),
  loadLive: () => Promise.resolve([]),
  takeShard: () => Promise.resolve(1),
};

/** Has room for every call. */
export const roomForAll: Admission = {
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
