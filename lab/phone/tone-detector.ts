import { SAMPLE_RATE } from '../tones.ts';

/** Samples of one block: 100 ms, so that neighbours 50 Hz apart are well told apart. */
export const BLOCK = SAMPLE_RATE / 10;
/** Below this amplitude (of full scale) a tone counts as not there; phones send theirs at 0.25. */
export const AUDIBLE = 0.02;

const WINDOW = Float64Array.from({ length: BLOCK }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / BLOCK));
const WINDOW_SUM = WINDOW.reduce((sum, w) => sum + w, 0);

/**
 * The amplitude of one tone in a block of samples, by Goertzel's algorithm under a Hann window, which keeps a strong
 * tone out of the reading of its neighbours.
 * @param samples 16-bit, `BLOCK` of them
 * @param hz up to 4000
 * @returns 0 to 1 of full scale
 */
export function toneLevel(samples: Int16Array, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let s1 = 0;
  let s2 = 0;
  for (let i = 0; i < BLOCK; i += 1) {
    const s0 = ((samples[i] ?? 0) / 32_768) * (WINDOW[i] ?? 0) + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return (2 * Math.sqrt(Math.max(0, power))) / WINDOW_SUM;
}

/** The tones that the telephones of a lab may send: every 50 Hz from 300 to 3400. */
export const TELEPHONE_TONES: readonly number[] = Array.from({ length: 63 }, (_, i) => 300 + 50 * i);

/** Every tone that can be heard in a block, with its amplitude. */
export function tonesIn(samples: Int16Array, candidates: readonly number[] = TELEPHONE_TONES): Map<number, number> {
  const heard = new Map<number, number>();
  for (const hz of candidates) {
    const level = toneLevel(samples, hz);
    if (level >= AUDIBLE) heard.set(hz, level);
  }
  // The main lobe of the window is 20 Hz to either side, so a neighbour 50 Hz off never borrows from a tone that stays.
  return heard;
}
