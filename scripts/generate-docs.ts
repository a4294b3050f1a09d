// Writes the documents that are made from the code. With --check it writes nothing and fails where one is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderConfigJsonSchema } from '../src/config/json-schema.ts';
import { renderConfigReference } from '../src/config/reference.ts';
import { CONTACT_ENDPOINTS } from '../src/contacts/index.ts';
import {
  CAMPAIGNCALL_ENDPOINTS,
  DIALER_ENDPOINTS,
  FLOW_ADMIN_ENDPOINTS,
  NUMBER_LIST_ENDPOINTS,
} from '../src/dialer/index.ts';
import type { Endpoint } from '../src/http/endpoint.ts';
import { openApiDocument } from '../src/http/openapi.ts';
import { DOCUMENT_ENDPOINTS } from '../src/http/page.ts';
import { NODE_ENDPOINTS, openRpcDocument, RPC_ENDPOINTS } from '../src/rpc/index.ts';
import { eventJsonSchema } from './event-schema.ts';
import { vocabularyJsonSchema } from './vocabulary-schema.ts';

/** A document made from the code: its path, and its whole text made from the text that is there now. */
interface Generated {
  readonly path: string;
  readonly render: (current: string) => string;
}

/** Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`; the rest is written by hand. */
function between(name: string, text: string): (current: string) => string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  return (current) => {
    const from = current.indexOf(begin);
    const to = current.indexOf(end);
    if (from < 0 || to < from) throw new Error(`the marks ${begin} and ${end} are missing`);
    return `${current.slice(0, from + begin.length)}\n${text}\n${current.slice(to)}`;
  };
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const json = (document: object) => (): string => `${JSON.stringify(document, null, 2)}\n`;

const endpoints = [
  RPC_ENDPOINTS,
  NODE_ENDPOINTS,
  DIALER_ENDPOINTS,
  FLOW_ADMIN_ENDPOINTS,
  NUMBER_LIST_ENDPOINTS,
  CAMPAIGNCALL_ENDPOINTS,
  CONTACT_ENDPOINTS,
  DOCUMENT_ENDPOINTS,
].flatMap((e) => Object.values<Endpoint>(e));

const documents: readonly Generated[] = [
  { path: 'docs/api/openapi.json', render: json(openApiDocument(version, endpoints)) },
  { path: 'docs/api/openrpc.json', render: json(openRpcDocument(version)) },
  { path: 'docs/api/events.schema.json', render: json(eventJsonSchema()) },
  { path: 'docs/api/vocabulary.schema.json', render: json(vocabularyJsonSchema()) },
  { path: 'docs/api/ringmaster.schema.json', render: renderConfigJsonSchema },
  { path: 'docs/configuration.md', render: between('keys', renderConfigReference()) },
];

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const check = process.argv.includes('--check');
let stale = 0;
for (const { path, render } of documents) {
  const file = join(root, path);
  const current = read(file);
  const wanted = render(current);
  if (current === wanted) continue;
  stale += 1;
  if (check) {
    console.error(`${path} is out of date; run npm run generate:docs`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, wanted);
  console.log(`wrote ${path}`);
}
process.exitCode = check && stale > 0 ? 1 : 0;
