/** Most shards that a node can have: a digit of the call's id tells which one it is in. */
export const MAX_SHARDS = 16;

/** One of a node's shards. */
export interface ShardPart {
  /** From 0. */
  readonly index: number;
  /** How many the node has. */
  readonly of: number;
}

/** The only shard of its node. */
export const WHOLE: ShardPart = { index: 0, of: 1 };

/** Place in a callID of the digit that tells its shard: the last one before the node's number. */
const DIGIT = 31;

/** Which of so many shards a call is in, by its id. */
export const partOfCall = (callID: string, of: number): number => Number.parseInt(callID.charAt(DIGIT), 16) % of;

/**
 * Random digits of a callID, changed so that they tell its shard.
 *
 * @param random 32 lower-case hex digits
 */
export function inPart(random: string, { index, of }: ShardPart): string {
  if (of === 1) return random;
  const rounds = Math.floor(MAX_SHARDS / of);
  const digit = index + of * (Number.parseInt(random.charAt(DIGIT), 16) % rounds);
  return `${random.slice(0, DIGIT)}${digit.toString(16)}${random.slice(DIGIT + 1)}`;
}
