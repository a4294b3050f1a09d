import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { emitModule } from '../../../src/ari/generator/emit.ts';
import { readModels } from '../../../src/ari/generator/read.ts';
import { EVENT_TYPES } from '../../../src/ari/index.ts';

const FIXTURE = fileURLToPath(new URL('./fixtures/rest-api', import.meta.url));
let copy: string | undefined;
afterEach(() => {
  if (copy) rmSync(copy, { recursive: true });
  copy = undefined;
});

/** A copy of the fixture with one file more. */
function fixtureWith(file: string, content: unknown): string {
  copy = mkdtempSync(join(tmpdir(), 'rest-api-'));
  cpSync(FIXTURE, copy, { recursive: true });
  writeFileSync(join(copy, file), JSON.stringify(content));
  return copy;
}

/** The declaration that begins with `head`, up to the next empty line. */
function declaration(source: string, head: string): string {
  const start = source.indexOf(head);
  expect(start).toBeGreaterThanOrEqual(0);
  return source.slice(start, source.indexOf('\n\n', start));
}

describe('the generator of the types', () => {
  it('writes the same text for the same models', () => {
    expect(emitModule(readModels(FIXTURE))).toBe(emitModule(readModels(FIXTURE)));
  });

  it('writes an interface per model, with its properties optional unless required', () => {
    const source = emitModule(readModels(FIXTURE));
    expect(declaration(source, 'export interface LampLit')).toBe(`export interface LampLit extends Event {
  type: 'LampLit';
  lamp: Lamp;
  others?: Lamp[];
  watts?: number;
  'odd-name'?: Record<string, unknown>;
}`);
    expect(declaration(source, 'export interface Lamp {')).toBe(`export interface Lamp {
  colour: 'red' | "it's blue";
  on: boolean;
}`);
    expect(source).not.toContain('prose');
  });

  it('writes the union of what can arrive, the unknown among it', () => {
    const source = emitModule(readModels(FIXTURE));
    expect(declaration(source, 'export type AriEvent =')).toBe(`export type AriEvent =
  | Complaint
  | LampLit
  | UnknownEvent;`);
  });

  it('refuses a type that nothing explains', () => {
    const folder = fixtureWith('zones.json', {
      models: { Zone: { id: 'Zone', properties: { shape: { type: 'Polygon' } } } },
    });
    expect(() => emitModule(readModels(folder))).toThrow('Zone.shape: unknown type Polygon');
  });

  it('refuses a model that is declared twice, and a folder without models', () => {
    const folder = fixtureWith('zones.json', { models: { Lamp: { id: 'Lamp', properties: {} } } });
    expect(() => readModels(folder)).toThrow('Lamp is declared twice');
    expect(() => readModels(fileURLToPath(new URL('.', import.meta.url)))).toThrow('no rest-api model');
  });

  it('has given the client the events that it routes', () => {
    expect(EVENT_TYPES).toEqual(expect.arrayContaining(['StasisStart', 'ChannelDestroyed', 'RESTResponse', 'Dial']));
  });
});
