import { z } from 'zod';
import type { Access, Body, Endpoint } from './endpoint.ts';

type Json = Record<string, unknown>;

const SECURITY: Readonly<Record<Access, readonly object[]>> = {
  open: [],
  key: [{ key: [] }],
  account: [{ account: [] }, {}],
  operator: [{ operator: [] }],
};

/**
 * The OpenAPI 3.1 document of HTTP endpoints, made from the schemas that validate their requests.
 *
 * @param version of the product
 * @param endpoints in the order in which they are shown
 */
export function openApiDocument(version: string, endpoints: readonly Endpoint[]): object {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    const item = paths[path] ?? {};
    item[endpoint.method.toLowerCase()] = operation(endpoint);
    paths[path] = item;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ringmaster',
      version,
      description:
        'Everything that Ringmaster serves over HTTP. What each method of POST /rpc takes and answers is in the OpenRPC ' +
        'document (`rpc.discover`); the same methods, and events, are to be had over a WebSocket at GET /rpc.',
    },
    tags: [...new Set(endpoints.map((e) => e.group))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key of a company.' },
        operator: { type: 'http', scheme: 'bearer', description: 'The key of an operator.' },
        account: {
          type: 'apiKey',
          in: 'header',
          name: 'security-id',
          description:
            'A dialler account: asked from an address of its whitelist, with its security id here or in the body.',
        },
      },
    },
  };
}

function operation(endpoint: Endpoint): Json {
  const { method, path, group, summary, notes, access, scope, body, answers } = endpoint;
  const words = [method.toLowerCase(), ...path.split(/[^A-Za-z0-9]+/)].filter((w) => w !== '');
  const description = [notes, scope === undefined ? undefined : `The key needs the scope \`${scope}\`.`]
    .filter((part) => part !== undefined)
    .join('\n\n');
  const parameters = [
    ...parametersOf('path', endpoint.params),
    ...parametersOf('query', endpoint.query),
    ...parametersOf('header', endpoint.headers),
  ];
  return {
    operationId: words.map((w, i) => (i === 0 ? w : w.charAt(0).toUpperCase() + w.slice(1))).join(''),
    tags: [group],
    summary,
    ...(description !== '' && { description }),
    security: SECURITY[access],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: contentOf(body, 'input') } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, { means, body: answer }]) => [
        status,
        { description: means, ...(answer && { content: contentOf(answer, 'output') }) },
      ]),
    ),
  };
}

/** Each property of an object schema as a parameter in the path, the query or the headers. */
function parametersOf(place: 'path' | 'query' | 'header', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
    // A list in a query is one value with commas.
    ...(place === 'query' && rest['type'] === 'array' && { style: 'form', explode: false }),
  }));
}

function contentOf(body: Body, io: 'input' | 'output'): Json {
  const byType = body instanceof z.ZodType ? { 'application/json': body } : body;
  return Object.fromEntries(Object.entries(byType).map(([type, schema]) => [type, { schema: schemaOf(schema, io) }]));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
