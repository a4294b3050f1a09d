/** Samples a second of everything here: narrow-band telephony. */
export const SAMPLE_RATE = 8000;

/** A second of a tone, which repeats without a seam where `hz` is whole. @param amplitude 0 to 1 of full scale */
export function toneSamples(hz: number, amplitude = 0.25): Int16Array {
  const samples = new Int16Array(SAMPLE_RATE);
  for (let i = 0; i < samples.length; i += 1) {
    samples[i] = Math.round(32_767 * amplitude * Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE));
  }
  return samples;
}

/** Ten seconds of a tone as Asterisk's `.sln`: signed linear, 16 bits, little-endian, no header. */
export function musicOnHold(hz: number): Buffer {
  const second = Buffer.alloc(SAMPLE_RATE * 2);
  toneSamples(hz).forEach((sample, i) => {
    second.writeInt16LE(sample, i * 2);
  });
  return Buffer.concat(Array.from({ length: 10 }, () => second));
}
