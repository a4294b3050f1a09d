import { isAmbiguous } from './ambiguity.ts';

/**
 * Tells why a regular expression from the configuration may not be used, or nothing if it may.
 *
 * The expressions see every number that a client or a trunk sends, so one that can backtrack without end would stop the
 * service. The guard errs on the safe side: no repeated group that itself holds a variable repetition or an alternative,
 * no back-reference, and no more than two parts in a row that can share a long text out between them (ambiguity.ts).
 *
 * @param source the expression as written, without slashes
 */
export function patternFault(source: string): string | undefined {
  if (source.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  try {
    new RegExp(source, 'u');
  } catch {
    return 'is not a regular expression';
  }
  if (backtracks(source)) return 'repeats a group that itself repeats or has alternatives, which can take for ever';
  return isAmbiguous(source)
    ? 'has more than two parts that repeat and can match the same text, which can take for ever'
    : undefined;
}

/** True if an expression is tied to both ends of the text, so that it cannot match a part of a number. */
export function isAnchored(source: string): boolean {
  return source.startsWith('^') && source.endsWith('$') && !source.endsWith('\\$') && !hasTopAlternative(source);
}

export const MAX_PATTERN_LENGTH = 200;

interface Quantifier {
  /** Characters of it in the source. */
  length: number;
  /** True if the number of repetitions is not fixed. */
  variable: boolean;
  /** True if it can repeat more than once. */
  repeats: boolean;
}

function quantifierAt(source: string, at: number): Quantifier | undefined {
  const match = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(source.slice(at));
  if (match === null) return undefined;
  const [text, sign, min, comma, max] = match;
  if (sign !== undefined) return { length: text.length, variable: true, repeats: sign !== '?' };
  const most = comma === undefined ? Number(min) : max === '' ? Number.POSITIVE_INFINITY : Number(max);
  return { length: text.length, variable: Number(min) !== most, repeats: most > 1 };
}

/** Walks the expression's plain tokens, calling back with each one outside a character class. */
function walk(source: string, token: (text: string, at: number) => void): void {
  let inClass = false;
  for (let at = 0; at < source.length; at += 1) {
    const text = source[at] === '\\' ? source.slice(at, at + 2) : (source[at] ?? '');
    if (inClass) inClass = text !== ']';
    else {
      if (text === '[') inClass = true;
      token(text, at);
    }
    at += text.length - 1;
  }
}

function backtracks(source: string): boolean {
  // One entry per open group: may a match of what is in it vary in length or choice?
  const groups: boolean[] = [false];
  let bad = false;
  walk(source, (text, at) => {
    const top = groups.length - 1;
    if (/^\\[1-9k]/.test(text)) bad = true;
    if (text === '(') groups.push(false);
    else if (text === '|') groups[top] = true;
    else if (text === ')') {
      const inner = groups.pop() ?? false;
      const after = quantifierAt(source, at + 1);
      if (inner && after?.repeats === true) bad = true;
      const outer = groups.length - 1;
      groups[outer] = groups[outer] === true || inner || after?.variable === true;
    } else if (!(text === '?' && source[at - 1] === '(') && quantifierAt(source, at)?.variable === true) {
      groups[top] = true;
    }
  });
  return bad;
}

function hasTopAlternative(source: string): boolean {
  let depth = 0;
  let found = false;
  walk(source, (text) => {
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (text === '|' && depth === 0) found = true;
  });
  return found;
}
