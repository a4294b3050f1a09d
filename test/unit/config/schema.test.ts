import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { renderConfigJsonSchema, schemaAt } from '../../../src/config/json-schema.ts';
import { renderConfigReference } from '../../../src/config/reference.ts';

const file = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the published schema', () => {
  it('is the one of the code', () => {
    expect(file('docs/api/ringmaster.schema.json')).toBe(renderConfigJsonSchema());
    expect(file('docs/configuration.md')).toContain(renderConfigReference());
  });

  it('accepts the example and refuses an unknown key in it', () => {
    const published = z.fromJSONSchema(JSON.parse(file('docs/api/ringmaster.schema.json')));
    const validate = (value: unknown): boolean => published.safeParse(value).success;
    const example = parse(file('ringmaster.example.yaml'));
    expect(validate(example)).toBe(true);
    expect(validate({ ...example, listn: 'x' })).toBe(false);
    expect(validate({ ...example, nodes: [] })).toBe(false);
    expect(validate({ ...example, ringTimeout: 'thirty' })).toBe(false);
    expect(validate({ ...example, ringTimeout: `\${RING_TIMEOUT}` })).toBe(true);
  });

  it('describes every key', () => {
    const undescribed = renderConfigReference()
      .split('\n')
      .filter((row) => row.endsWith('|  |'));
    expect(undescribed).toEqual([]);
    expect(schemaAt(['nodes', 0, 'ami', 'port'])?.['default']).toBe(5_038);
    expect(schemaAt(['nodes', 0, 'constructor'])).toBeUndefined();
  });
});
