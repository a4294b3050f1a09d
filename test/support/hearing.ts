import { expect } from 'vitest';
import { MUSIC_HZ } from '../../lab/asterisk.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';

/** Somebody in a call: the call on the telephone, and the one tone that it sends (hertz, a multiple of 50). */
export interface Speaker {
  readonly call: PhoneCall;
  readonly tone: number;
}

/** For each listener, by name, whom it hears; `music` is the music on hold. Whoever is not listed hears nothing. */
export type Hears = Readonly<Record<string, readonly string[]>>;

/** Who hears whom among some telephones. */
export interface Hearing {
  /** Listens once, on all telephones at the same time. @returns for each listener the names heard, sorted */
  now(): Promise<Record<string, string[]>>;
  /**
   * Waits until everybody hears exactly those named, and nobody else, for a whole window on all telephones at once:
   * what has been asked for takes its time to be heard. Fails with what is heard instead.
   *
   * @param within milliseconds
   */
  is(expected: Hears, within?: number): Promise<void>;
}

/**
 * How long one look takes, ms. A tone is heard that is there for 200 ms running; one is not heard that is never so
 * throughout the window.
 */
const WINDOW_MS = 500;
const PATIENCE_MS = 15_000;

/**
 * The hearing matrix of a call: every telephone listens for the tone of every other, and for the music on hold.
 *
 * @param speakers by a name of the test's choosing; each with a tone of its own
 * @throws Error where two would send the same tone, since nobody could tell them apart
 */
export function hearing(speakers: Readonly<Record<string, Speaker>>): Hearing {
  const names = Object.keys(speakers);
  const byTone = new Map<number, string>([[MUSIC_HZ, 'music']]);
  for (const [name, { tone }] of Object.entries(speakers)) {
    const same = byTone.get(tone);
    if (same !== undefined) throw new Error(`${name} and ${same} both send ${tone} Hz`);
    byTone.set(tone, name);
  }

  const now = async (): Promise<Record<string, string[]>> => {
    const rows = Object.entries(speakers).map(async ([name, { call }]) => {
      const tones = await call.heard(WINDOW_MS);
      const heard = [...tones.keys()].flatMap((hz) => byTone.get(hz) ?? []);
      return [name, heard.toSorted()] as const;
    });
    return Object.fromEntries(await Promise.all(rows));
  };

  const is = async (expected: Hears, within = PATIENCE_MS): Promise<void> => {
    const strangers = [...Object.keys(expected), ...Object.values(expected).flat()].filter(
      (name) => name !== 'music' && !names.includes(name),
    );
    if (strangers.length > 0) throw new Error(`nobody here is called ${strangers.join(', ')}`);
    const wanted = Object.fromEntries(names.map((name) => [name, [...(expected[name] ?? [])].toSorted()]));
    const until = Date.now() + within;
    let found = await now();
    while (!equal(found, wanted) && Date.now() < until) found = await now();
    expect(found).toEqual(wanted);
  };

  return { now, is };
}

const equal = (a: Record<string, string[]>, b: Record<string, string[]>): boolean =>
  Object.keys(b).every((name) => a[name]?.join() === b[name]?.join());
