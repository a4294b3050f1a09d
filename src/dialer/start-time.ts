/** When a call is to begin, or why that cannot be said. */
export type StartTime =
  /** `at`: Unix ms; `future`: later than now. */
  | { readonly at: number; readonly future: boolean }
  | { readonly fault: 'INVALID_CALL_START_TIME' | 'INVALID_CALL_START_TIME_FORMAT' };

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|(?=[+-]))(?:([+-])(\d\d)(?::?(\d\d))?)?$/;
const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * Reads a `start-time`: ISO 8601 with an offset. `Z` before an offset, as in the seed's own example, is passed over: the
 * offset wins. A moment that has passed today, by the calendar of its own offset, is now; one of an earlier day is
 * refused.
 *
 * @param text as it came; absent means now
 * @param now Unix ms
 */
export function startTime(text: unknown, now: number): StartTime {
  if (text === undefined) return { at: now, future: false };
  const match = typeof text === 'string' && text.length <= 40 ? ISO.exec(text) : null;
  if (!match) return { fault: 'INVALID_CALL_START_TIME_FORMAT' };
  const part = (i: number): number => Number(match[i] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const ms = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000);
  const [offsetHours, offsetMinutes] = [part(9), part(10)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 18 || offsetMinutes > 59) {
    return { fault: 'INVALID_CALL_START_TIME_FORMAT' };
  }
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second, ms);
  // 30 February becomes 1 or 2 March: such a day does not exist.
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) {
    return { fault: 'INVALID_CALL_START_TIME_FORMAT' };
  }
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * MINUTE;
  const at = local.getTime() - offset;
  if (at > now) return { at, future: true };
  const today = Math.floor((now + offset) / DAY) === Math.floor(local.getTime() / DAY);
  return today ? { at: now, future: false } : { fault: 'INVALID_CALL_START_TIME' };
}
