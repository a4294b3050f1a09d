/**
 * How much a regular expression can backtrack: over how many ways of sharing a text out between its parts a match that
 * fails has to go. Parts that can match the same characters, and that nothing of fixed place stands between, multiply.
 * An upper bound: alternatives and optional parts count as if each were there.
 */

/** log2 of the ways in which one part can take more or less of a long text: 4096 characters. */
const WIDE_BITS = 12;
/** Two parts that share one long text out between them. */
const MOST_BITS = 2 * WIDE_BITS;

/** Characters by which the sets of parts are compared: ASCII, and some that stand for all others. */
const SAMPLE: readonly string[] = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  'é',
  'あ',
  '🙂',
];

/** Parts before the place where we are, between which the text may still be shared out: bits by set of characters. */
type Open = ReadonlyMap<string, number>;

interface Repetition {
  readonly length: number;
  readonly min: number;
  readonly max: number;
}

/** One open group, or the expression as a whole. */
interface Frame {
  /** As it was where the group begins. */
  readonly before: Open;
  /** At the end of each of its alternatives. */
  readonly ends: Open[];
  /** What its parts match, all together. */
  chars: string;
}

/** Whether a failing match can take for ever. @param source a valid expression, as written with the flag `u` */
export function isAmbiguous(source: string): boolean {
  // One that is not tied to the beginning is tried at each place: as if something that matches all stood before it.
  let open: Open = source.startsWith('^') ? new Map() : new Map([['1'.repeat(SAMPLE.length), WIDE_BITS]]);
  const frames: Frame[] = [{ before: open, ends: [], chars: none }];
  let worst = 0;
  const matched = (chars: string, { min, max }: Repetition): void => {
    // What must stand there has one place only, as far as those before it cannot match it themselves.
    const still = min > 0 ? new Map([...open].filter(([other]) => overlap(other, chars))) : new Map(open);
    if (min !== max) {
      const shared = Math.max(0, ...[...still].map(([other, bits]) => (overlap(other, chars) ? bits : 0)));
      const bits = shared + Math.min(WIDE_BITS, Math.log2(max - min + 1));
      worst = Math.max(worst, bits);
      still.set(chars, Math.max(bits, still.get(chars) ?? 0));
    }
    open = still;
  };
  const top = (): Frame => frames.at(-1) ?? { before: open, ends: [], chars: none };
  for (let at = 0; at < source.length; ) {
    const text = partAt(source, at);
    at += text.length;
    if (text.startsWith('(')) {
      frames.push({ before: open, ends: [], chars: none });
    } else if (text === '|') {
      top().ends.push(open);
      open = top().before;
    } else if (text === ')') {
      const { before, ends, chars } = frames.pop() ?? top();
      const repetition = repetitionAt(source, at);
      at += repetition.length;
      open = merged([...ends, open, ...(repetition.min === 0 ? [before] : [])]);
      if (repetition.min !== repetition.max)
        matched(chars, { ...repetition, min: 0, max: repetition.max - repetition.min });
      top().chars = union(top().chars, chars);
    } else if (!/^(?:[\^$]|\\[bB])$/.test(text)) {
      const repetition = repetitionAt(source, at);
      at += repetition.length;
      const chars = charsOf(text);
      matched(chars, repetition);
      top().chars = union(top().chars, chars);
    }
  }
  return worst > MOST_BITS;
}

/** The part that begins here: a class, an escape, the head of a group, or one character. */
function partAt(source: string, at: number): string {
  const match =
    /^(?:\[(?:\\[\s\S]|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\c[A-Za-z]|\\[\s\S]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?|[\s\S])/u.exec(
      source.slice(at),
    );
  return match?.[0] ?? source.slice(at, at + 1);
}

function repetitionAt(source: string, at: number): Repetition {
  const match = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(source.slice(at));
  if (match === null) return { length: 0, min: 1, max: 1 };
  const [{ length }, sign, least, comma, most] = match;
  if (sign !== undefined)
    return { length, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
  const min = Number(least);
  return { length, min, max: comma === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most) };
}

const none = '0'.repeat(SAMPLE.length);

/** Which of the sample a part matches, as digits 0 and 1. */
function charsOf(part: string): string {
  const pattern = new RegExp(`^${part}$`, 'u');
  return SAMPLE.map((char) => (pattern.test(char) ? '1' : '0')).join('');
}

const overlap = (a: string, b: string): boolean => [...a].some((x, i) => x === '1' && b[i] === '1');
const union = (a: string, b: string): string => [...a].map((x, i) => (x === '1' ? x : (b[i] ?? '0'))).join('');

function merged(maps: readonly Open[]): Open {
  const all = new Map<string, number>();
  for (const map of maps) for (const [chars, bits] of map) all.set(chars, Math.max(bits, all.get(chars) ?? 0));
  return all;
}
