import { descendants, type Models, type SwaggerModel, type SwaggerProperty } from './read.ts';

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  Date: 'string',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  object: 'Record<string, unknown>',
  binary: 'Uint8Array',
};

// Names and types only: Asterisk's prose stays in Asterisk's documentation.
const HEADER = `// Written by src/ari/generator from Asterisk's own rest-api JSON. Do not edit: generate anew.
// What each model and property means: https://docs.asterisk.org, Asterisk REST Interface.
`;

const UNKNOWN_EVENT = `/** An event of a type that this version of the types does not know: counted and passed on, never thrown. */
export interface UnknownEvent {
  type: 'UnknownEvent';
  /** the type that Asterisk sent */
  unknownType: string;
  /** the whole event as parsed */
  raw: Readonly<Record<string, unknown>>;
}
`;

/**
 * Writes the TypeScript module for a set of rest-api models: one interface a model, the union \`AriEvent\` discriminated by
 * \`type\`, and the list of the known types.
 * @param models all models
 * @param eventRoot name of the model under which the events hang (Asterisk: Message, by its subTypes)
 * @returns source text; the same models give the same text
 * @throws Error for a type that no model and no primitive explains
 */
export function emitModule(models: Models, eventRoot = 'Message'): string {
  const family = new Map<string, string>();
  for (const parent of models.values()) {
    for (const child of parent.subTypes ?? []) family.set(child, parent.id);
  }
  // A root that is itself only a base (Message, Event) never travels; its leaves do.
  const events = descendants(models, eventRoot)
    .filter((name) => models.has(name) && models.get(name)?.subTypes === undefined)
    .sort();
  const leaves = new Set(events);

  const parts = [HEADER];
  for (const name of [...models.keys()].sort()) {
    const model = models.get(name);
    if (model) parts.push(emitModel(models, name, model, family.get(name), leaves.has(name)));
  }
  parts.push(UNKNOWN_EVENT);
  parts.push(`/** Every event, discriminated by \`type\`. */
export type AriEvent =
${events.map((name) => `  | ${name}`).join('\n')}
  | UnknownEvent;
`);
  parts.push(`/** The types that Asterisk's description names. */
export const EVENT_TYPES = [
${events.map((name) => `  '${name}',`).join('\n')}
] as const;

/** One of the described event types. */
export type AriEventType = (typeof EVENT_TYPES)[number];
`);
  return parts.join('\n');
}

function emitModel(
  models: Models,
  name: string,
  model: SwaggerModel,
  parent: string | undefined,
  leaf: boolean,
): string {
  const lines: string[] = [];
  lines.push(`export interface ${name}${parent ? ` extends ${parent}` : ''} {`);
  if (leaf) lines.push(`  type: '${name}';`);
  for (const [key, property] of Object.entries(model.properties)) {
    if (leaf && key === 'type') continue;
    lines.push(`  ${propertyName(key)}${property.required ? '' : '?'}: ${typeOf(models, property, `${name}.${key}`)};`);
  }
  lines.push('}\n');
  return lines.join('\n');
}

function typeOf(models: Models, property: SwaggerProperty, where: string): string {
  const values = property.allowableValues?.values;
  if (property.allowableValues?.valueType === 'LIST' && values && property.type === 'string') {
    return values.map(quoted).join(' | ');
  }
  return plainType(models, property.type, where);
}

function plainType(models: Models, type: string, where: string): string {
  const list = /^List\[(.+)\]$/.exec(type)?.[1];
  if (list !== undefined) return `${plainType(models, list, where)}[]`;
  const primitive = PRIMITIVES[type];
  if (primitive !== undefined) return primitive;
  if (models.has(type)) return type;
  throw new Error(`${where}: unknown type ${type}`);
}

function propertyName(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

function quoted(text: string): string {
  return /^[^'"\\]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}
