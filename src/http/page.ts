import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { at, type Endpoint, type RouteList } from './endpoint.ts';
import { openApiDocument } from './openapi.ts';

const document = z.looseObject({ openapi: z.string() });
const page = (path: string, summary: string, type: string): Endpoint => ({
  method: 'GET',
  path,
  group: 'Documents',
  summary,
  access: 'open',
  answers: { 200: { means: 'It.', body: { [type]: z.string() } } },
});

/** The documents of the HTTP endpoints. */
export const DOCUMENT_ENDPOINTS = {
  document: {
    method: 'GET',
    path: '/openapi.json',
    group: 'Documents',
    summary: 'This document',
    access: 'open',
    answers: { 200: { means: 'OpenAPI 3.1, of what this instance serves.', body: document } },
  },
  page: page('/docs', 'A page to read it and try it on', 'text/html'),
  script: page('/docs/swagger-ui-bundle.js', 'The page’s program', 'text/javascript'),
  style: page('/docs/swagger-ui.css', 'The page’s style', 'text/css'),
  start: page('/docs/start.js', 'Opens the document in the page', 'text/javascript'),
} satisfies Record<string, Endpoint>;

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ringmaster: HTTP API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="api"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`;

/** Nothing from elsewhere; the page talks to this server alone. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/**
 * Serves the OpenAPI document of the routes that are registered by the time the server listens, and a page on which they
 * can be tried.
 *
 * @param routes the server's, from `listRoutes`
 * @param version of the product
 */
export function documentRoutes(http: FastifyInstance, routes: RouteList, version: string): void {
  const files = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  let text: string | undefined;
  http.route({
    ...at(DOCUMENT_ENDPOINTS.document),
    handler: async (_request, reply) => {
      text ??= JSON.stringify(openApiDocument(version, routes.endpoints));
      return reply.header('content-type', 'application/json; charset=utf-8').send(text);
    },
  });
  const serve = (endpoint: Endpoint, type: string, body: () => string | Promise<string>): void => {
    http.route({
      ...at(endpoint),
      handler: async (_request, reply) =>
        reply
          .header('content-security-policy', POLICY)
          .header('content-type', `${type}; charset=utf-8`)
          .send(await body()),
    });
  };
  const file = (name: string) => () => readFile(join(files, name), 'utf8');
  serve(DOCUMENT_ENDPOINTS.page, 'text/html', () => HTML);
  serve(DOCUMENT_ENDPOINTS.start, 'text/javascript', () => START);
  serve(DOCUMENT_ENDPOINTS.script, 'text/javascript', file('swagger-ui-bundle.js'));
  serve(DOCUMENT_ENDPOINTS.style, 'text/css', file('swagger-ui.css'));
}
