import { randomBytes } from 'node:crypto';
import { Engine } from '../../src/engine/engine.ts';
import { Recordings } from '../../src/engine/recordings.ts';
import type { Store } from '../../src/store/store.ts';

type Deps = ConstructorParameters<typeof Engine>[0];

/** 16 random bytes, in hex, as ids are made of. */
export const randomHex = (): string => randomBytes(16).toString('hex');

/**
 * An engine on a real store, by the real clock, that logs nothing and takes its store to be there.
 *
 * @param deps what the test is about, and what else is to be different
 */
export function storedEngine(store: Store, deps: Pick<Deps, 'admission' | 'directory'> & Partial<Deps>): Engine {
  return new Engine({
    store: store.calls,
    floors: store.floors,
    masks: store.masks,
    recordings: new Recordings(new Map(), randomHex, () => 'http://127.0.0.1'),
    now: Date.now,
    randomHex,
    ringTimeout: 5,
    log: { info: () => {}, error: () => {}, storeAway: () => {}, storeBack: () => {} },
    storeAnswers: () => true,
    isPassing: () => false,
    onFenced: () => {},
    ...deps,
  });
}
