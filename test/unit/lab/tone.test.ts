import { describe, expect, test } from 'vitest';
import { encodeUlaw, ULAW_SAMPLES } from '../../../lab/phone/g711.ts';
import { Media } from '../../../lab/phone/media.ts';
import { AUDIBLE, BLOCK, toneLevel, tonesIn } from '../../../lab/phone/tone-detector.ts';
import { agentTone, customerTone, STANDING_AGENTS } from '../../../lab/standing.ts';
import { musicOnHold, toneSamples } from '../../../lab/tones.ts';

/** What a telephone hears of these tones through u-law. */
function throughUlaw(...tones: number[]): Int16Array {
  const all = tones.map((hz) => toneSamples(hz));
  return Int16Array.from({ length: BLOCK }, (_, i) => {
    const sum = all.reduce((total, samples) => total + (samples[i] ?? 0), 0);
    return ULAW_SAMPLES[encodeUlaw(sum)] ?? 0;
  });
}

describe('tones', () => {
  test('u-law: every code is the code of its own sample', () => {
    const wrong = [...ULAW_SAMPLES.keys()].filter((code) => {
      const sample = ULAW_SAMPLES[code] ?? 0;
      return ULAW_SAMPLES[encodeUlaw(sample)] !== sample;
    });
    expect(wrong).toEqual([]);
  });

  test('a tone is measured at the amplitude that it was sent with', () => {
    expect(toneLevel(throughUlaw(1000), 1000)).toBeCloseTo(0.25, 1);
  });

  test('three tones at once are heard as those three and nothing else', () => {
    expect([...tonesIn(throughUlaw(450, 500, 2050)).keys()]).toEqual([450, 500, 2050]);
  });

  test.each(['ulaw', 'linear'] as const)('two telephones that speak %s hear each other', async (codec) => {
    const [one, other] = await Promise.all([450, 500].map((hz) => Media.open('127.0.0.1', hz, () => {}, codec)));
    if (!one || !other) throw new Error('no telephones');
    const far = { host: '127.0.0.1', direction: 'sendrecv', payloads: [] } as const;
    one.connect({ ...far, port: other.port, linearPayload: 120 });
    other.connect({ ...far, port: one.port, linearPayload: 120 });
    for (const media of [one, other]) media.send(true);
    try {
      expect(await Promise.all([one.hears(500, 5000), other.hears(450, 5000)])).toEqual([true, true]);
    } finally {
      for (const media of [one, other]) media.close();
    }
  });

  test('silence has no tones', () => {
    expect(tonesIn(new Int16Array(BLOCK)).size).toBe(0);
    expect(toneLevel(new Int16Array(BLOCK), 1000)).toBeLessThan(AUDIBLE);
  });

  test('every standing telephone has a tone of its own, and none is the music or the fallback', () => {
    const tones = STANDING_AGENTS.map((agent) => agentTone(agent.dn));
    expect(new Set(tones).size).toBe(tones.length);
    const customers = Array.from({ length: 20 }, (_, i) => customerTone(`911140010${String(i).padStart(2, '0')}`));
    expect(new Set([...customers, ...tones]).size).toBe(tones.length + 20);
    expect([...tones, ...customers].filter((hz) => hz === 1700 || hz === 3000 || hz % 50 !== 0)).toEqual([]);
  });

  test('music on hold is ten seconds of samples', () => {
    expect(musicOnHold(1700).length).toBe(160_000);
  });
});
