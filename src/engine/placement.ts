import type { NodeLoad } from '../ports.ts';

/** Where a new call goes. Pure: from what is known of the nodes at the moment. */

/** What part of its limit a node carries; 0 where it has none. */
export const shareOf = ({ calls, limit }: NodeLoad): number => (limit === undefined ? 0 : calls / limit);

/**
 * Whether a call should rather go to the one than to the other: to one that has room; of two that have, to the one that
 * carries the smaller part of its limit; of two that carry the same part, to the one with fewer calls.
 */
export function isFreer(one: NodeLoad, other: NodeLoad): boolean {
  if (one.room !== other.room) return one.room;
  const difference = shareOf(one) - shareOf(other);
  return difference !== 0 ? difference < 0 : one.calls < other.calls;
}

/**
 * The candidate to which a new call should go: the freest, the first of those that are equally free. Where none has room
 * that is one without; the call is then refused there.
 */
export function freest<T extends { readonly load: NodeLoad }>(candidates: Iterable<T>): T | undefined {
  let best: T | undefined;
  for (const candidate of candidates) if (!best || isFreer(candidate.load, best.load)) best = candidate;
  return best;
}

/**
 * By how much smaller a part of its limit another instance's node must carry before a call that could begin here is sent
 * there: what is known of it is up to a beat old, and the way costs time.
 */
const WORTH_THE_WAY = 0.1;

/** Whether a call that was asked for here should begin at another instance's node. */
export function isWorthTheWay(here: NodeLoad, there: NodeLoad): boolean {
  if (here.room !== there.room) return there.room;
  return here.room && shareOf(here) - shareOf(there) > WORTH_THE_WAY;
}
