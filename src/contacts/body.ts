import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ShownContact } from './endpoints.ts';
import { readXml, writeXml, XmlFault, type XmlValue } from './xml.ts';

/** A body that cannot be read; the message is fit for the client. */
export class UnreadableBody extends Error {
  readonly status: 400 | 415;

  constructor(status: 400 | 415, message: string) {
    super(message);
    this.status = status;
  }
}

type Kind = 'callback' | 'task';

/** Roots that are taken, whatever their capitals. */
const ROOTS: Readonly<Record<Kind, readonly string[]>> = {
  callback: ['contact', 'callback', 'socialcontact'],
  task: ['task', 'contact', 'socialcontact'],
};

const isJson = (type: string): boolean => /^application\/(json|[\w.-]+\+json)\b/i.test(type);
const isXml = (type: string): boolean => type === '' || /^(application|text)\/(xml|[\w.-]+\+xml)\b/i.test(type);

/**
 * The fields of a request's body, as they are written; whether they are what they should be is for the message to say.
 *
 * @throws {UnreadableBody} for what is neither XML nor JSON, and XML that is not taken (docs/contacts.md)
 */
export function readBody(kind: Kind, request: FastifyRequest): unknown {
  const type = request.headers['content-type'] ?? '';
  const text = typeof request.body === 'string' ? request.body : '';
  if (isJson(type)) return readJson(text);
  if (!isXml(type)) throw new UnreadableBody(415, 'write XML or JSON');
  try {
    const { root, value } = readXml(text);
    if (!ROOTS[kind].includes(root.toLowerCase())) throw new UnreadableBody(400, 'the root element is another one');
    return fieldsOf(value);
  } catch (error) {
    if (error instanceof XmlFault) throw new UnreadableBody(400, error.message);
    throw error;
  }
}

/** Objects within each other that a JSON body may have. */
const MAX_DEPTH = 8;

function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnreadableBody(400, 'the body is no JSON');
  }
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new UnreadableBody(400, `the body is more than ${MAX_DEPTH} levels deep`);
    level = level.flatMap((v) => (typeof v === 'object' && v !== null ? Object.values(v) : []));
  }
  return value;
}

/** XML has no lists: those of tags and variables are elements within an element. */
function fieldsOf(value: XmlValue): unknown {
  if (typeof value === 'string') return value === '' ? {} : value;
  const fields = new Map<string, unknown>();
  for (const [name, all] of Object.entries(value)) {
    // A field that stands twice is not guessed at.
    if (all.length !== 1) return undefined;
    const [only] = all;
    if (name === 'tags') fields.set(name, listOf(only, 'tag'));
    else if (name === 'variables') fields.set(name, variablesOf(only));
    else fields.set(name, only);
  }
  return Object.fromEntries(fields);
}

function listOf(value: XmlValue | undefined, element: string): unknown {
  if (value === '') return [];
  if (typeof value !== 'object') return value;
  return Object.keys(value).every((k) => k === element) ? value[element] : undefined;
}

function variablesOf(value: XmlValue | undefined): unknown {
  const list = listOf(value, 'variable');
  if (!Array.isArray(list)) return list ?? 'no list';
  return list.map((variable: XmlValue) => {
    if (typeof variable === 'string') return variable;
    return Object.fromEntries(Object.entries(variable).map(([k, all]) => [k, all.length === 1 ? all[0] : all]));
  });
}

/**
 * True where an answer is to be JSON: asked for, or, where nothing is asked for, sent. Of two that are asked for the one
 * of the higher quality counts (RFC 9110, 12.5.1), and of equals the one that is named first.
 */
export function wantsJson(request: FastifyRequest): boolean {
  const ranges = (request.headers.accept ?? '').split(',');
  const json = qualityOf(ranges, /\bjson\b/i);
  const xml = qualityOf(ranges, /\bxml\b/i);
  if (json.q === xml.q) return json.q > 0 ? json.at < xml.at : isJson(request.headers['content-type'] ?? '');
  return json.q > xml.q;
}

/** How much a form is wanted, 0 to 1, and where it is named; what is not named is not wanted. */
function qualityOf(ranges: readonly string[], form: RegExp): { readonly q: number; readonly at: number } {
  const at = ranges.findIndex((range) => form.test(range.split(';')[0] ?? ''));
  const q = /;\s*q=([\d.]+)\s*$/i.exec(ranges[at] ?? '')?.[1] ?? 1;
  return { q: at < 0 ? 0 : Number(q), at };
}

const ELEMENTS: Readonly<Record<Kind, string>> = { callback: 'Contact', task: 'Task' };

/** Answers with a contact, in the form that is asked for. */
export function sendContact(request: FastifyRequest, reply: FastifyReply, kind: Kind, contact: ShownContact) {
  if (wantsJson(request)) return reply.send(contact);
  return xml(reply, writeXml(ELEMENTS[kind], contact));
}

/** Answers with what is wrong, in the form that is asked for. */
export function sendFault(request: FastifyRequest, reply: FastifyReply, status: number, error: string) {
  reply.code(status);
  return wantsJson(request) ? reply.send({ error }) : xml(reply, writeXml('Error', { error }));
}

const xml = (reply: FastifyReply, text: string) =>
  reply.header('content-type', 'application/xml; charset=utf-8').send(text);
