import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { ERRORS } from '../../src/cti/errors.ts';
import { CTI_EVENT_NAMES } from '../../src/cti/events.ts';
import { METHOD_NAMES, METHODS, type Method } from '../../src/cti/requests.ts';
import { openRpcDocument } from '../../src/rpc/index.ts';
import { Harness, KEYS } from '../support/rpc-harness.ts';

let harness: Harness | undefined;
afterEach(async () => harness?.stop());

interface Described {
  openrpc: string;
  info: { title: string; version: string };
  methods: {
    name: string;
    params: { name: string; required: boolean; schema: object }[];
    result: { name: string; schema: object };
    errors: { $ref: string }[];
    'x-scope': string;
  }[];
  components: { schemas: Record<string, object>; errors: Record<string, { code: number; message: string }> };
}

test('rpc.discover needs a key and no scope, and answers the document over both carriers', async () => {
  harness = await Harness.start();
  const document = openRpcDocument('1.2.3');
  expect((await harness.ask('rpc.discover', undefined, KEYS.reader)).result).toEqual(document);
  expect((await (await harness.socket()).ask('rpc.discover')).result).toEqual(document);
});

test('the document lists every method with its params by name, its result, its scope and its errors', () => {
  const document = openRpcDocument('1.2.3') as Described;
  expect(document.openrpc).toMatch(/^1\.3\.\d+$/);
  expect(document.info).toMatchObject({ title: 'Ringmaster', version: '1.2.3' });
  expect(document.methods.map((method) => method.name)).toEqual(METHOD_NAMES);
  for (const described of document.methods) {
    const method: Method | undefined = Object.entries(METHODS).find(([name]) => name === described.name)?.[1];
    expect(described['x-scope']).toBe(method?.scope);
    expect(described.params.every((param) => typeof param.schema === 'object')).toBe(true);
    const required = described.params.map((param) => param.required);
    expect(required).toEqual([...required].sort((a, b) => Number(b) - Number(a)));
    expect(described.params.map((param) => param.name)).toContain('referenceID');
    expect(described.result.schema).toMatchObject({ type: 'object' });
    expect(described.errors.length).toBeGreaterThan(0);
  }
  const makeCall = document.methods.find((method) => method.name === 'RequestMakeCall');
  expect(makeCall?.params.filter((param) => param.required).map((param) => param.name)).toEqual(['thisDN', 'otherDN']);
});

test('a method’s errors are those that the page of refusals says of it, or more', () => {
  const document = openRpcDocument('1.2.3') as Described;
  const codes = new Map(
    document.methods.map(({ name, errors }) => [
      name,
      errors.map(({ $ref }) => document.components.errors[$ref.split('/').at(-1) ?? '']?.code),
    ]),
  );
  const page = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (-?\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(80);
  const missing = rows.flatMap(([, code, of = '']) =>
    METHOD_NAMES.filter((name) => namedIn(of, name) && !codes.get(name)?.includes(Number(code))).map(
      (name) => `${name} ${code}`,
    ),
  );
  expect(missing).toEqual([]);
});

/** Whether a row of that page is about a method, by name or as one of several. */
function namedIn(of: string, name: string): boolean {
  const [all, but = ''] = of.split(' but ');
  if (but.includes(name)) return false;
  if (all?.includes('the four of supervision') && /Monitor|Whisper|Bargein|Intercept/.test(name)) return true;
  if (all?.includes('all about agents') && /Agent|AfterCallWork/.test(name)) return true;
  if (all?.includes('all of recording') && name.endsWith('Recording')) return true;
  return all === 'all' || new RegExp(`\\b${name}\\b`).test(all ?? '');
}

test('the document holds every event and every error, and every reference in it leads somewhere', () => {
  const document = openRpcDocument('1.2.3') as Described;
  expect(Object.keys(document.components.schemas)).toEqual([...CTI_EVENT_NAMES, 'CtiEvent']);
  expect(Object.values(document.components.errors).map((error) => error.code)).toEqual(
    Object.values(ERRORS).map((error) => error.code),
  );
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(100);
  for (const reference of new Set(references)) {
    let target: unknown = document;
    for (const step of reference.split('/').slice(1)) target = (target as Record<string, unknown>)[step];
    expect(target, reference).toBeTypeOf('object');
  }
});
