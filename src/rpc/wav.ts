/** Bytes of a WAV header. */
export const WAV_HEADER_BYTES = 44;

const CHANNELS = 2;
const SAMPLE_RATE = 8_000;
const BITS = 16;

/**
 * The header of a WAV file of signed 16-bit stereo samples at 8000 Hz (RIFF, WAVE_FORMAT_PCM).
 *
 * @param size bytes of the samples that follow; beyond 4 GiB (37 hours) it reads as the most that fits
 */
export function wavHeader(size: number): Buffer {
  const frame = (CHANNELS * BITS) / 8;
  const data = Math.min(size, 0xffff_ffff - WAV_HEADER_BYTES);
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(data + WAV_HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(CHANNELS, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * frame, 28);
  header.writeUInt16LE(frame, 32);
  header.writeUInt16LE(BITS, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data, 40);
  return header;
}
