import { z } from 'zod';
import { CTI_EVENT_NAMES } from '../cti/events.ts';
import { METHOD_NAMES, METHODS } from '../cti/requests.ts';
import type { Endpoint } from '../http/endpoint.ts';

/** What the HTTP endpoints of the RPC take and answer. The handlers are in routes.ts, recordings.ts and websocket.ts. */

const requestID = z.union([z.string(), z.number(), z.null()]);
const failure = z.strictObject({ error: z.string() });
const refusal = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.null(),
  error: z.strictObject({ code: z.int(), message: z.string(), data: z.record(z.string(), z.unknown()).optional() }),
});
const answer = z.union([
  z.strictObject({ jsonrpc: z.literal('2.0'), id: requestID, result: z.record(z.string(), z.unknown()) }),
  refusal.extend({ id: requestID }),
]);
const requestOf = (name: string, params: z.ZodType, summary: string) =>
  z
    .strictObject({
      jsonrpc: z.literal('2.0'),
      id: requestID.optional(),
      method: z.literal(name),
      // Those of which nothing is required may be left out.
      params: params.safeParse({}).success ? params.optional() : params,
    })
    .describe(summary);
const request = z.union([
  ...METHOD_NAMES.filter((name) => METHODS[name].carrier !== 'websocket').map((name) =>
    requestOf(name, METHODS[name].params, METHODS[name].summary),
  ),
  requestOf('rpc.discover', z.looseObject({}), 'The OpenRPC document'),
]);

const NO_KEY = { means: 'No key, or an unknown one.', body: failure };
const NO_SCOPE = { means: 'The key does not have the scope.', body: refusal };

/** The query of `GET /events`: Subscribe's parameters, the names with commas between them. */
const subscribe = METHODS.Subscribe.params.omit({ referenceID: true }).extend({
  events: z
    .array(z.enum(CTI_EVENT_NAMES))
    .optional()
    .describe('Names of events, with commas between them; all of them where absent.'),
});

const readiness = z.strictObject({
  ready: z.boolean(),
  draining: z.boolean(),
  redis: z.boolean(),
  nodes: z.record(z.string(), z.string()),
});

export const RPC_ENDPOINTS = {
  rpc: {
    method: 'POST',
    path: '/rpc',
    group: 'RPC',
    summary: 'Requests of JSON-RPC 2.0, one or a batch',
    access: 'key',
    body: z.union([request, z.array(request).min(1)]),
    answers: {
      200: { means: 'Every answer, refusals included.', body: z.union([answer, z.array(answer)]) },
      204: { means: 'Only notifications were sent.' },
      400: { means: 'The body is no JSON.', body: refusal },
      401: NO_KEY,
      413: { means: 'The body is over the limit.', body: refusal },
      429: { means: 'A long body of a key that is over its rate; it was not read.', body: refusal },
    },
  },
  webSocket: {
    method: 'GET',
    path: '/rpc',
    group: 'RPC',
    summary: 'The same over a WebSocket, which can also Subscribe',
    access: 'key',
    answers: {
      101: { means: 'The WebSocket is open.' },
      401: { means: 'No key, or an unknown one.' },
      426: { means: 'The request was no upgrade.', body: failure },
      429: { means: 'The key has as many sockets open as it may.' },
    },
  },
  events: {
    method: 'GET',
    path: '/events',
    group: 'RPC',
    summary: 'The company’s events as Server-Sent Events',
    notes: 'Resumes after `Last-Event-ID`, or `after`. Filters as Subscribe does.',
    access: 'key',
    scope: METHODS.Subscribe.scope,
    query: subscribe,
    headers: z.strictObject({ 'last-event-id': z.string().optional().describe('As a browser sends it.') }),
    answers: {
      200: { means: 'The stream.', body: { 'text/event-stream': z.string() } },
      400: { means: 'The query fails its schema.', body: refusal },
      401: NO_KEY,
      403: NO_SCOPE,
      410: { means: 'EventsExpired: the log no longer has what came after it.', body: refusal },
      429: { means: 'The key is over its rate, or has as many sockets open as it may.', body: refusal },
      503: { means: 'The log cannot be read now.', body: refusal },
    },
  },
  recording: {
    method: 'GET',
    path: '/recordings/:file',
    group: 'Recordings',
    summary: 'A recording as a stereo WAV file, 16 bits, 8000 Hz',
    notes: 'One Range is served; HEAD too.',
    access: 'key',
    scope: 'read',
    params: z.strictObject({ file: z.string().describe('The recordUUID; `.wav` may follow.') }),
    headers: z.strictObject({ range: z.string().optional() }),
    answers: {
      200: { means: 'The file.', body: { 'audio/wav': z.string() } },
      206: { means: 'The part that was asked for.', body: { 'audio/wav': z.string() } },
      401: NO_KEY,
      403: NO_SCOPE,
      404: { means: 'The company has no such recording.', body: failure },
      416: { means: 'No such part.' },
      429: { means: 'Too many are being sent.', body: refusal },
      503: { means: 'The node that has it cannot be asked now.', body: refusal },
    },
  },
  health: {
    method: 'GET',
    path: '/healthz',
    group: 'Watching',
    summary: 'Whether the process answers',
    access: 'open',
    answers: { 200: { means: 'It does.', body: z.strictObject({ status: z.literal('up') }) } },
  },
  readiness: {
    method: 'GET',
    path: '/readyz',
    group: 'Watching',
    summary: 'Whether new calls are taken',
    access: 'open',
    answers: {
      200: { means: 'They are.', body: readiness },
      503: { means: 'They are not; why.', body: readiness },
    },
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    group: 'Watching',
    summary: 'Metrics in Prometheus’ text format',
    notes:
      'Takes no key from loopback; from elsewhere, or by way of a proxy, an operator’s: they tell of all companies.',
    access: 'key',
    answers: {
      200: { means: 'Them.', body: { 'text/plain': z.string() } },
      401: NO_KEY,
      403: { means: 'The key is a company’s.', body: refusal },
    },
  },
} satisfies Record<string, Endpoint>;
