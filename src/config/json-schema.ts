import { z } from 'zod';
import { configSchema } from './schema.ts';

/** A part of a JSON Schema, as far as it is read here. */
export interface JsonSchemaPart {
  readonly properties?: Readonly<Record<string, JsonSchemaPart>>;
  readonly items?: JsonSchemaPart;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

let cached: JsonSchemaPart | undefined;

/** The JSON Schema (draft 2020-12) of ringmaster.yaml as people write it: defaults are optional. */
export function configJsonSchema(): JsonSchemaPart {
  cached ??= { title: 'ringmaster.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) } as JsonSchemaPart;
  return cached;
}

const REFERENCE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}';

/** Lets a reference to the environment stand wherever text or a number may, so that an editor does not object to it. */
function withReferences(part: JsonSchemaPart): JsonSchemaPart {
  const { type, pattern, properties, items } = part;
  return {
    ...part,
    ...(type === 'integer' ? { type: ['integer', 'string'], pattern: `^${REFERENCE}$` } : {}),
    ...(type === 'string' && typeof pattern === 'string' ? { pattern: `${pattern}|${REFERENCE}` } : {}),
    ...(items === undefined ? {} : { items: withReferences(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, child]) => [key, withReferences(child)]),
          ),
        }),
  };
}

/** The file docs/api/ringmaster.schema.json. */
export function renderConfigJsonSchema(): string {
  return `${JSON.stringify(withReferences(configJsonSchema()), null, 2)}\n`;
}

/** The part of the schema that a path in the configuration leads to, or undefined where there is none. */
export function schemaAt(path: ReadonlyArray<string | number>): JsonSchemaPart | undefined {
  return path.reduce<JsonSchemaPart | undefined>((part, key) => {
    if (typeof key === 'number') return part?.items;
    return part?.properties !== undefined && Object.hasOwn(part.properties, key) ? part.properties[key] : undefined;
  }, configJsonSchema());
}
