import { afterEach, expect, test } from 'vitest';
import { authorization, Harness, KEYS } from '../support/rpc-harness.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.stop();
  harness = undefined;
});

interface Operation {
  readonly operationId: string;
  readonly security: readonly Record<string, unknown>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Record<string, unknown> }> };
  readonly responses: Record<string, { readonly description: string }>;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: Record<string, unknown> };
}

async function get(path: string): Promise<Response> {
  harness ??= await Harness.start();
  return fetch(`http://127.0.0.1:${harness.port}${path}`);
}

test('every route of the server is in its OpenAPI document, and nothing else is', async () => {
  const document = (await (await get('/openapi.json')).json()) as Document;
  expect(document.openapi).toBe('3.1.0');
  expect(document.info).toMatchObject({ title: 'Ringmaster', version: '1.2.3' });
  const routes = harness?.server.routes;
  expect(routes?.untold).toEqual([]);
  const told = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const registered = routes?.endpoints.map((e) => `${e.method} ${e.path.replace(/:(\w+)/g, '{$1}')}`);
  expect(told.sort()).toEqual(registered?.sort());
  expect(told).toEqual(expect.arrayContaining(['POST /rpc', 'GET /events', 'GET /metrics', 'GET /docs']));
});

test('operations have an id of their own, answers that are described, and variables for what the path leaves open', async () => {
  const document = (await (await get('/openapi.json')).json()) as Document;
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.values(item).map((operation) => ({ path, operation })),
  );
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  for (const { path, operation } of operations) {
    const variables = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const given = (operation.parameters ?? []).filter((p) => p.in === 'path');
    expect(given.map((p) => p.name).sort(), path).toEqual(variables.sort());
    expect(given.every((p) => p.required)).toBe(true);
    expect(Object.keys(operation.responses).length, path).toBeGreaterThan(0);
    for (const { description } of Object.values(operation.responses)) expect(description, path).not.toBe('');
    for (const name of operation.security.flatMap((s) => Object.keys(s))) {
      expect(Object.keys(document.components.securitySchemes)).toContain(name);
    }
  }
});

test('the bodies of POST /rpc are the methods’ own schemas', async () => {
  const document = (await (await get('/openapi.json')).json()) as Document;
  const body = document.paths['/rpc']?.['post']?.requestBody?.content['application/json']?.schema;
  expect(JSON.stringify(body)).toContain('"const":"RequestMakeCall"');
  expect(JSON.stringify(body)).toContain('"thisDN"');
});

test('of a body, only what is required is required', async () => {
  const document = (await (await get('/openapi.json')).json()) as Document;
  const body = document.paths['/rpc']?.['post']?.requestBody?.content['application/json']?.schema;
  const alternatives = JSON.parse(JSON.stringify(body)).anyOf[0].anyOf as {
    properties: { method: { const: string } };
    required: string[];
  }[];
  const required = new Map(alternatives.map((a) => [a.properties.method.const, a.required]));
  expect(required.get('RequestHoldCall')).toEqual(['jsonrpc', 'method', 'params']);
  for (const name of ['RequestListCalls', 'RequestListAgents', 'rpc.discover']) {
    expect(required.get(name), name).toEqual(['jsonrpc', 'method']);
    const sent = await fetch(`http://127.0.0.1:${harness?.port}/rpc`, {
      method: 'POST',
      headers: authorization(KEYS.full),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: name }),
    });
    expect(await sent.json(), name).toHaveProperty('result');
  }
});

test('the page loads only what this server gives, and is given it', async () => {
  const page = await get('/docs');
  expect(page.headers.get('content-type')).toContain('text/html');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('http');
  const html = await page.text();
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(links).toHaveLength(3);
  for (const link of links) {
    expect(link).toMatch(/^\/docs\//);
    const file = await get(link);
    expect(file.status).toBe(200);
    expect((await file.text()).length).toBeGreaterThan(50);
  }
  const start = await (await get('/docs/start.js')).text();
  expect(start).toContain("url: '/openapi.json'");
});
