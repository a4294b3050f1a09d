import { request } from 'undici';
import { BLOCK, tonesIn } from '../../lab/phone/tone-detector.ts';

/** A tone counts as heard from this amplitude on; telephones send theirs at 0.25. */
const HEARD = 0.1;
const HEADER = 44;

/** One tenth of a second of a stereo recording: the tones of each side, in hertz, and whether it is all zeros. */
export interface Moment {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly silent: boolean;
}

/** A stereo recording, tenth of a second by tenth of a second. @throws Error if it is no 16-bit stereo WAV at 8000 Hz */
export function listen(wav: Buffer): Moment[] {
  const [riff, wave, channels, rate, bits, bytes] = [
    wav.toString('latin1', 0, 4),
    wav.toString('latin1', 8, 16),
    wav.readUInt16LE(22),
    wav.readUInt32LE(24),
    wav.readUInt16LE(34),
    wav.readUInt32LE(40),
  ];
  if (riff !== 'RIFF' || wave !== 'WAVEfmt ' || channels !== 2 || rate !== 8000 || bits !== 16) {
    throw new Error(`not the WAV file that was expected: ${riff} ${wave} ${channels} ${rate} ${bits}`);
  }
  if (bytes !== wav.length - HEADER)
    throw new Error(`the header says ${bytes} bytes, there are ${wav.length - HEADER}`);
  const moments: Moment[] = [];
  for (let at = HEADER; at + BLOCK * 4 <= wav.length; at += BLOCK * 4) {
    const left = new Int16Array(BLOCK);
    const right = new Int16Array(BLOCK);
    for (let i = 0; i < BLOCK; i += 1) {
      left[i] = wav.readInt16LE(at + i * 4);
      right[i] = wav.readInt16LE(at + i * 4 + 2);
    }
    moments.push({
      left: heard(left),
      right: heard(right),
      silent: left.every((s) => s === 0) && right.every((s) => s === 0),
    });
  }
  return moments;
}

const heard = (samples: Int16Array): number[] =>
  [...tonesIn(samples)].filter(([, level]) => level >= HEARD).map(([hz]) => hz);

/** Moments as `2500|1300`, equal neighbours taken together, each with how many there were. */
export function story(moments: readonly Moment[]): { sounds: string; tenths: number }[] {
  const told: { sounds: string; tenths: number }[] = [];
  for (const { left, right } of moments) {
    const sounds = `${left.join('+')}|${right.join('+')}`;
    const last = told.at(-1);
    if (last?.sounds === sounds) last.tenths += 1;
    else told.push({ sounds, tenths: 1 });
  }
  return told;
}

/** Fetches over HTTP, with a key or none. */
export async function fetchFile(
  url: string,
  key?: string,
  headers: Readonly<Record<string, string>> = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<{ status: number; headers: Record<string, unknown>; bytes: Buffer }> {
  const answer = await request(url, {
    method,
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, bytes };
}
