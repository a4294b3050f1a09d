import type { Directory } from '../../src/engine/directory.ts';
import { Engine } from '../../src/engine/engine.ts';
import { Recordings } from '../../src/engine/recordings.ts';
import type { Admission, CallStore, CommitResult } from '../../src/ports.ts';

/** Seconds that phones ring where a request says nothing. */
export const RING_TIMEOUT = 25;

const stored = ({ version }: { version: number }): Promise<CommitResult> =>
  Promise.resolve({ outcome: 'stored', version: version + 1, lastEventID: 0 });

/** An engine on a store that takes everything at once and keeps nothing, or on the one given; its ids count up from 1. */
export function bareEngine(options: {
  readonly directory: Directory;
  readonly admission: Admission;
  readonly now: () => number;
  readonly onError?: (error: unknown) => void;
  readonly store?: CallStore;
  readonly isPassing?: (error: unknown) => boolean;
  readonly randomHex?: () => string;
}): Engine {
  let n = 0;
  return new Engine({
    store: options.store ?? {
      commit: stored,
      append: () => Promise.resolve(),
      load: () => Promise.resolve(undefined),
      loadLive: () => Promise.resolve([]),
      takeShard: () => Promise.resolve(1),
    },
    masks: { counterpart: () => Promise.resolve(undefined) },
    floors: { commitFloor: stored, loadFloor: () => Promise.resolve({ version: 0, agents: [], waiting: [] }) },
    recordings: new Recordings(
      new Map(),
      () => '0',
      () => 'http://127.0.0.1',
    ),
    admission: options.admission,
    directory: options.directory,
    now: options.now,
    randomHex:
      options.randomHex ??
      (() => {
        n += 1;
        return String(n).padStart(32, '0');
      }),
    ringTimeout: RING_TIMEOUT,
    log: {
      info: () => {},
      error: (_, error) => options.onError?.(error),
      storeAway: () => {},
      storeBack: () => {},
    },
    storeAnswers: () => true,
    isPassing: options.isPassing ?? (() => false),
    onFenced: () => {},
  });
}
