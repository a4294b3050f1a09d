/** Wall and steady clock may differ by so much before it is told, ms. */
const LEAP_MS = 1_000;
/** The share by which the clock runs faster or slower while it follows the wall clock. */
const SLEW = 0.01;

/**
 * A clock in Unix ms that never goes back and never leaps, for moments whose differences are told as durations and for
 * whatever is due at one. It starts with the wall clock and follows it slowly: when somebody sets the machine's clock by
 * an hour, calls that go on then do not get an hour longer, and no timer is due an hour early or late. A restart takes
 * the new time at once.
 *
 * @param wall Unix ms, as the machine says
 * @param monotonic ms from anywhere, which nobody can set
 * @param onLeap told once when the two have come apart (ms, positive: the wall clock is ahead)
 */
export function steadyClock(wall: () => number, monotonic: () => number, onLeap: (ms: number) => void): () => number {
  let at = wall();
  let seen = monotonic();
  let told = false;
  return () => {
    const now = monotonic();
    const passed = Math.max(0, now - seen);
    seen = now;
    const apart = wall() - (at + passed);
    const most = passed * SLEW;
    const made = Math.max(-most, Math.min(most, apart));
    at += passed + made;
    if (!told && Math.abs(apart) >= LEAP_MS) {
      told = true;
      onLeap(Math.round(apart));
    }
    if (Math.abs(apart - made) < LEAP_MS) told = false;
    return Math.floor(at);
  };
}
