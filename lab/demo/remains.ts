import { createClient } from 'redis';
import type { Lab } from '../lab.ts';

/** What ended calls have left behind. */
export interface Remains {
  readonly channels: number;
  readonly bridges: number;
  /** Indexes of live calls and timers in Redis; an empty one does not exist. */
  readonly redisKeys: readonly string[];
}

/** Looks into Asterisk and Redis themselves, past Ringmaster. */
export async function remainsOf(lab: Lab): Promise<Remains> {
  const [channels, bridges, redisKeys] = await Promise.all([
    countOf(lab, 'channels'),
    countOf(lab, 'bridges'),
    liveKeys(lab.file.redis.url),
  ]);
  return { channels, bridges, redisKeys };
}

async function countOf(lab: Lab, what: 'channels' | 'bridges'): Promise<number> {
  const { url, username, password } = lab.file.asterisk.ari;
  const response = await fetch(`${url}/${what}`, {
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
  });
  if (!response.ok) throw new Error(`ARI answers ${response.status} to GET /${what}`);
  return ((await response.json()) as unknown[]).length;
}

async function liveKeys(url: string): Promise<string[]> {
  const client = createClient({ url });
  client.on('error', () => client.destroy()); // the command under way is rejected with it
  await client.connect();
  try {
    const keys = [...(await client.keys('*:live:*')), ...(await client.keys('*:timers:*'))];
    return keys.sort();
  } finally {
    client.destroy();
  }
}
