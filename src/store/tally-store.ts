import type { CompanyId } from '../cti/ids.ts';
import type { DialerTally } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { Reading } from './redis-connection.ts';
import { list, text } from './reply.ts';

const HOURS = 24;
/** The longest window that is asked for is 30 days and a part of a day; an hour's count outlives it. */
const KEEP_SECONDS = 32 * 86_400;

/** Key of the day that an hour is in. @param hour since 1970 */
export const tallyKey = (keys: Keys, company: CompanyId, flowId: string, hour: number): string =>
  keys.dialer(company, `tally:${flowId}:${Math.floor(hour / HOURS)}`);

/** What the commit script adds: seconds that the day is kept, then field and increment in turn. */
export function tallyArgs(tally: DialerTally | undefined): string[] {
  if (!tally) return [];
  const args = [String(KEEP_SECONDS)];
  for (const [name, n] of Object.entries(tally.counts)) if (n !== 0) args.push(`${tally.hour}:${name}`, String(n));
  return args;
}

/** Reads the counts of a flow, hour by hour, from one hour to another (since 1970), both included. */
export async function readTallies(
  redis: Reading,
  keys: Keys,
  company: CompanyId,
  flowId: string,
  from: number,
  to: number,
): Promise<Map<number, Record<string, number>>> {
  const days: number[] = [];
  for (let day = Math.floor(from / HOURS); day <= Math.floor(to / HOURS); day++) days.push(day);
  const replies = await Promise.all(
    days.map((day) => redis.command(['HGETALL', tallyKey(keys, company, flowId, day * HOURS)])),
  );
  const found = new Map<number, Record<string, number>>();
  for (const reply of replies) {
    const fields = list(reply).map(text);
    for (let i = 0; i < fields.length; i += 2) {
      const [hour = '', name = ''] = (fields[i] ?? '').split(':');
      const at = Number(hour);
      if (at < from || at > to) continue;
      const counts = found.get(at) ?? {};
      counts[name] = Number(fields[i + 1]);
      found.set(at, counts);
    }
  }
  return found;
}
