import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';

/** Elements within each other that a body may have. */
const MAX_DEPTH = 8;
/** Elements that a body may have. */
const MAX_ELEMENTS = 1_000;

/** An element: its text, or the elements in it; those of one name together. */
export type XmlValue = string | XmlElements;
export interface XmlElements {
  readonly [name: string]: readonly XmlValue[];
}

/** A document that is not taken; the message is fit for the client. */
export class XmlFault extends Error {}

const PREDEFINED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** In the order kept, as the parser gives it: `[{ name: [children], ':@': … }]`, text as `{ '#text': … }`. */
type Parsed = readonly Readonly<Record<string, unknown>>[];

/** What CDATA is called by the parser; no element can be. */
const CDATA = '#cdata';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  trimValues: false,
  cdataPropName: CDATA,
  // Entities are read here, after the parser: it gets none to expand.
  processEntities: false,
  maxNestedTags: MAX_DEPTH + 1,
});
const builder = new XMLBuilder({ format: false, suppressEmptyNode: false });

/**
 * Reads a small XML document without attributes, DTD and processing instructions. Only the five predefined entities and
 * numbered characters are known; a document that declares or uses others, or refers to anything outside, is refused
 * before it is parsed.
 *
 * @param text the document @returns its root's name and content
 * @throws {XmlFault} for what is not taken
 */
export function readXml(text: string): { readonly root: string; readonly value: XmlValue } {
  const given = text.replace(/^\uFEFF/, '');
  refuseDangerous(given);
  const valid = XMLValidator.validate(given);
  if (valid !== true) throw new XmlFault('the body is not well-formed XML');
  let parsed: Parsed;
  try {
    // What the parser gives with preserveOrder.
    parsed = parser.parse(given) as Parsed;
  } catch {
    throw new XmlFault('the body is not XML that is taken here');
  }
  const [root, another] = parsed.filter((node) => nameOf(node) !== undefined);
  const name = root && nameOf(root);
  if (!root || name === undefined || another) throw new XmlFault('the body has no root element, or more than one');
  return { root: name, value: contentOf(root[name] as Parsed, 1, { elements: 0 }) };
}

/** Writes one element with texts in it. */
export function writeXml(root: string, fields: Readonly<Record<string, string | number | undefined>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${builder.build({ [root]: fields })}`;
}

/** Goes once through the text: only comments and CDATA may begin with `<!`, and only the declaration with `<?`. */
function refuseDangerous(text: string): void {
  const declaration = /^\s*<\?xml\s[^<>?]*\?>/.exec(text)?.[0].length ?? 0;
  const most = 4 * MAX_ELEMENTS;
  if (text.split('<', most + 1).length > most) throw new XmlFault(`the body has more than ${MAX_ELEMENTS} elements`);
  const special = /<[!?]/g;
  special.lastIndex = declaration;
  for (let found = special.exec(text); found; found = special.exec(text)) {
    const { index } = found;
    const ending = text.startsWith('<!--', index) ? '-->' : text.startsWith('<![CDATA[', index) ? ']]>' : undefined;
    if (ending === undefined) throw new XmlFault('the body has a DTD, a declaration or an instruction: none is taken');
    const end = text.indexOf(ending, index + 4);
    if (end < 0) throw new XmlFault('the body is not well-formed XML');
    special.lastIndex = end + ending.length;
  }
}

function nameOf(node: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(node).find((key) => key !== ':@' && key !== '#text' && key !== CDATA);
}

function contentOf(children: Parsed, depth: number, count: { elements: number }): XmlValue {
  if (depth > MAX_DEPTH) throw new XmlFault(`the body is more than ${MAX_DEPTH} elements deep`);
  count.elements += 1;
  if (count.elements > MAX_ELEMENTS) throw new XmlFault(`the body has more than ${MAX_ELEMENTS} elements`);
  const elements = new Map<string, XmlValue[]>();
  let text = '';
  for (const child of children) {
    const name = nameOf(child);
    if (name === undefined) {
      const cdata = child[CDATA] as Parsed | undefined;
      text += cdata ? cdata.map((c) => String(c['#text'] ?? '')).join('') : decoded(String(child['#text'] ?? ''));
      continue;
    }
    const of = elements.get(name) ?? [];
    of.push(contentOf(child[name] as Parsed, depth + 1, count));
    elements.set(name, of);
  }
  return elements.size === 0 ? text.trim() : Object.fromEntries(elements);
}

function decoded(text: string): string {
  return text.replace(/&([^;&\s]{1,12});|&/g, (_, name: string | undefined) => {
    if (name === undefined) throw new XmlFault('an & stands alone');
    const known = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined;
    if (known !== undefined) return known;
    const code = /^#x[0-9a-f]{1,6}$/i.test(name) ? Number.parseInt(name.slice(2), 16) : numbered(name);
    if (code === undefined || !isCharacter(code)) throw new XmlFault('the body uses an entity that is not known');
    return String.fromCodePoint(code);
  });
}

const numbered = (name: string): number | undefined => (/^#\d{1,7}$/.test(name) ? Number(name.slice(1)) : undefined);

/** Characters that XML 1.0 allows. */
const isCharacter = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff);
