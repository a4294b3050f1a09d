/** Levels of nesting that a request may have; the API itself needs four. */
const MAX_DEPTH = 32;

/**
 * Reads JSON, and JSON with comments and a comma before a closing bracket: the example that clients of this API start
 * from (seed 002) is written so.
 *
 * @throws {SyntaxError} what was given is neither, or is nested too deep
 */
export function parseTolerant(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError('nested too deep');
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(withoutExtras(text));
  }
}

/** Counted before parsing, so that a hostile body costs one pass. Brackets in texts count too: nobody needs so many. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inText) {
      if (c === '\\') i++;
      else if (c === '"') inText = false;
    } else if (c === '"') inText = true;
    else if (c === '{' || c === '[') {
      depth++;
      if (depth > MAX_DEPTH) return true;
    } else if (c === '}' || c === ']') depth--;
  }
  return false;
}

/** The text without comments and trailing commas; what is in quotes is left as it is. One pass. */
function withoutExtras(text: string): string {
  const parts: string[] = [];
  let comma = -1;
  let last = '';
  for (let i = 0; i < text.length; ) {
    const c = text.charAt(i);
    if (c === '"') {
      const end = endOfText(text, i);
      parts.push(text.slice(i, end));
      comma = -1;
      last = c;
      i = end;
    } else if (c === '/' && text[i + 1] === '/') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else if (c === '/' && text[i + 1] === '*') {
      const end = text.indexOf('*/', i + 2);
      i = end < 0 ? text.length : end + 2;
    } else {
      if ((c === '}' || c === ']') && comma >= 0) parts[comma] = '';
      // A comma that no value precedes is a mistake and stays one.
      if (c === ',' && last !== '[' && last !== '{' && last !== ',') comma = parts.length;
      else if (c.trim() !== '') comma = -1;
      if (c.trim() !== '') last = c;
      parts.push(c);
      i++;
    }
  }
  return parts.join('');
}

/** Where a text in quotes that begins at `from` ends: the place after its closing quote. */
function endOfText(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}
