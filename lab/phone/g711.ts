/** u-law and A-law (ITU-T G.711): to and from 16-bit samples. */

const ULAW_BIAS = 0x84;

function decodeUlaw(byte: number): number {
  const u = ~byte & 0xff;
  const magnitude = (((u & 0x0f) << 3) + ULAW_BIAS) << ((u & 0x70) >> 4);
  return (u & 0x80) !== 0 ? ULAW_BIAS - magnitude : magnitude - ULAW_BIAS;
}

function decodeAlaw(byte: number): number {
  const a = byte ^ 0x55;
  const segment = (a & 0x70) >> 4;
  const mantissa = ((a & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);
  return (a & 0x80) !== 0 ? magnitude : -magnitude;
}

/** The sample of each of the 256 codes. */
export const ULAW_SAMPLES = Int16Array.from({ length: 256 }, (_, byte) => decodeUlaw(byte));
export const ALAW_SAMPLES = Int16Array.from({ length: 256 }, (_, byte) => decodeAlaw(byte));

/** The u-law code of a 16-bit sample. */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + ULAW_BIAS;
  const segment = 31 - Math.clz32(magnitude >> 7);
  const mantissa = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | mantissa) & 0xff;
}
