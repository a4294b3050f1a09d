import { configJsonSchema, type JsonSchemaPart } from './json-schema.ts';

interface Row {
  readonly key: string;
  readonly kind: string;
  readonly standard: string;
  readonly meaning: string;
}

function kindOf(part: JsonSchemaPart): string {
  if (Array.isArray(part['enum'])) return part['enum'].join(', ');
  if (part['type'] === 'integer' || part['type'] === 'number') return `${part['minimum']} to ${part['maximum']}`;
  if (part['type'] === 'boolean') return 'true, false';
  if (part['type'] === 'array') return part.items?.['enum'] === undefined ? 'list' : `list of ${kindOf(part.items)}`;
  return 'text';
}

function rowsOf(part: JsonSchemaPart, key: string, required: boolean): Row[] {
  const item = part.items;
  const children = part.properties ?? item?.properties;
  const wanted = (part.properties === undefined ? item?.['required'] : part['required']) ?? [];
  const names = Array.isArray(wanted) ? wanted : [];
  const rows: Row[] = [];
  if (key !== '') {
    const value = part['default'];
    const written =
      typeof value === 'object'
        ? Array.isArray(value)
          ? value.length === 0
            ? 'empty'
            : `\`${value.join(', ')}\``
          : ''
        : `\`${value}\``;
    rows.push({
      key,
      kind: children === undefined ? kindOf(part) : part.properties === undefined ? 'list' : 'group',
      standard: value === undefined ? (required ? 'required' : '–') : written,
      meaning: part.description ?? '',
    });
  }
  const prefix = key === '' ? '' : `${key}${part.properties === undefined ? '[]' : ''}.`;
  for (const [name, child] of Object.entries(children ?? {})) {
    rows.push(...rowsOf(child, `${prefix}${name}`, names.includes(name)));
  }
  return rows;
}

/** The table of all keys for docs/configuration.md, in Markdown. */
export function renderConfigReference(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = rowsOf(configJsonSchema(), '', true);
  return [
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((row) => `| \`${row.key}\` | ${cell(row.kind)} | ${cell(row.standard)} | ${cell(row.meaning)} |`),
  ].join('\n');
}
