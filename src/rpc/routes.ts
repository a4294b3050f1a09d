import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { type Refusal, refuse } from '../cti/errors.ts';
import { METHODS } from '../cti/requests.ts';
import { at } from '../http/endpoint.ts';
import type { Readiness } from '../ports.ts';
import { readBody } from './body.ts';
import { invalidParams } from './dispatcher.ts';
import { RPC_ENDPOINTS } from './endpoints.ts';
import type { KeyUse, KeyUses, Operators } from './keys.ts';
import { EventStream } from './sse.ts';
import type { SessionDeps } from './websocket.ts';
import { errorText } from './wire.ts';

/** What the HTTP routes work with. */
export interface RouteDeps extends SessionDeps {
  readonly uses: KeyUses;
  readonly operators: Operators;
  readonly readiness: () => Readiness;
  readonly registry: Registry;
  readonly streams: Set<EventStream>;
  readonly state: { draining: boolean };
}

/**
 * `POST /rpc`. Status 200 with every JSON-RPC answer, refusals included; 204 where only notifications were sent; 400
 * for what is not JSON; 401 without a key; 413 over the size limit; 429 for a long body of a key over its rate, which
 * is not parsed, so that its id stays unknown.
 */
export function rpcRoute(app: FastifyInstance, deps: RouteDeps): void {
  const { bodyBytes } = deps.limits;
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', async (_request: FastifyRequest, payload: FastifyRequest['raw']) =>
      readBody(payload, bodyBytes),
    );
    scope.route({
      ...at(RPC_ENDPOINTS.rpc),
      onRequest: async (request, reply) => {
        if (deps.uses.find(request.headers.authorization) === undefined) return unauthorized(reply, deps);
      },
      handler: async (request, reply) => {
        const use = deps.uses.find(request.headers.authorization);
        if (use === undefined) return unauthorized(reply, deps);
        if (request.body === 'too-long') {
          const reason = `the body is over ${bodyBytes} bytes`;
          reply.header('connection', 'close');
          return json(reply.code(413), errorText(null, refuse('InvalidRequest', { reason })));
        }
        const body = typeof request.body === 'string' ? request.body : '';
        const { status, text } = await deps.dispatcher.answer({ use }, body);
        return text === undefined ? reply.code(204).send() : json(reply.code(status), text);
      },
    });
  });
  app.route({
    ...at(RPC_ENDPOINTS.webSocket),
    handler: async (_request, reply) => {
      reply.header('upgrade', 'websocket').header('connection', 'upgrade');
      return json(reply.code(426), '{"error":"GET /rpc is a WebSocket; POST /rpc takes requests"}');
    },
  });
}

/**
 * `GET /events`: the company's events as Server-Sent Events, each with its eventID as `id` and the event as `data`.
 * Filters as query (`events` with commas, `callID`, `thisDN`); begins after the header `Last-Event-ID`, else after
 * the query's `after`, else now. 401 without a key, 403 without the scope `read`, 400 for a query that fails the
 * schema of Subscribe, 410 EventsExpired, 429 over the key's rate or sockets, 503 while the log cannot be read.
 */
export function eventsRoute(app: FastifyInstance, deps: RouteDeps): void {
  app.route({
    ...at(RPC_ENDPOINTS.events),
    handler: async (request, reply) => {
      const use = deps.uses.find(request.headers.authorization);
      if (use === undefined) return unauthorized(reply, deps);
      const { scope, params: schema } = METHODS.Subscribe;
      if (!use.caller.scopes.has(scope)) return refused(reply, 403, refuse('Forbidden', { scope }));
      // Each begins with a reading of the log: it costs what a request costs.
      if (!use.rate.take()) return refused(reply.header('retry-after', '1'), 429, refuse('RequestTooFast'));
      const params = schema.safeParse(givenParams(request));
      if (!params.success) return refused(reply, 400, invalidParams(params.error));
      if (use.sockets >= deps.limits.socketsPerKey) return refused(reply, 429, tooManySockets(deps));
      const stream = new EventStream(use, reply.raw, deps);
      hold(use, stream, deps);
      reply.raw.on('close', () => letGo(use, stream, deps));
      let refusal: Refusal | undefined;
      try {
        refusal = await stream.open(params.data);
      } catch (error) {
        stream.failed(error);
        return refused(reply, 503, refuse('NotReady'));
      }
      if (refusal !== undefined) return refused(reply, 410, refusal);
      reply.hijack();
      stream.start(reply.getHeaders());
      return reply;
    },
  });
}

/**
 * `GET /healthz`, `GET /readyz` and `GET /metrics`. They take no key; /metrics does from other than loopback addresses,
 * and then an operator’s: they tell of all companies. What a proxy on the same host passes on comes from elsewhere, as the
 * proxy says (X-Forwarded-For, Forwarded, Via); one that says nothing must not pass /metrics on.
 */
export function watchRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.route({ ...at(RPC_ENDPOINTS.health), handler: async (_request, reply) => json(reply, '{"status":"up"}') });
  app.route({
    ...at(RPC_ENDPOINTS.readiness),
    handler: async (_request, reply) => {
      const told = deps.readiness();
      const readiness = deps.state.draining ? { ...told, ready: false, draining: true } : told;
      return json(reply.code(readiness.ready ? 200 : 503), JSON.stringify(readiness));
    },
  });
  app.route({
    ...at(RPC_ENDPOINTS.metrics),
    handler: async (request, reply) => {
      const operator = deps.operators.find(request.headers.authorization) !== undefined;
      if (!operator && !isFromHere(request)) {
        if (deps.uses.find(request.headers.authorization) === undefined) return unauthorized(reply, deps);
        return refused(
          reply,
          403,
          refuse('Forbidden', { reason: 'metrics are of all companies: an operator’s key is wanted' }),
        );
      }
      return reply.header('content-type', deps.registry.contentType).send(await deps.registry.metrics());
    },
  });
}

/** Headers by which a proxy says that it passes something on. */
const PASSED_ON = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'];

const isFromHere = (request: FastifyRequest): boolean =>
  isLoopback(request.socket.remoteAddress) && PASSED_ON.every((name) => request.headers[name] === undefined);

/** Whether an address is this host's own: 127.0.0.0/8, ::1, and the former written as the latter. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address);
}

/** The refusal of one more socket. */
export function tooManySockets(deps: Pick<RouteDeps, 'limits'>): Refusal {
  return refuse('RequestTooFast', { reason: `a key may have ${deps.limits.socketsPerKey} sockets open` });
}

function hold(use: KeyUse, stream: EventStream, deps: RouteDeps): void {
  use.sockets += 1;
  deps.streams.add(stream);
  deps.metrics.sockets.inc({ carrier: 'sse' });
}

function letGo(use: KeyUse, stream: EventStream, deps: RouteDeps): void {
  if (!deps.streams.delete(stream)) return;
  use.sockets -= 1;
  deps.metrics.sockets.dec({ carrier: 'sse' });
}

/** The query and the headers of GET /events as params of Subscribe; what is malformed is left for the schema. */
function givenParams(request: FastifyRequest): Record<string, unknown> {
  const { events, after, ...rest } = request.query as Record<string, unknown>;
  // An empty one is what a client says that has heard nothing yet.
  const resumed = request.headers['last-event-id'] || after;
  return {
    ...rest,
    ...(events === undefined ? {} : { events: typeof events === 'string' ? events.split(',') : events }),
    ...(resumed === undefined || resumed === '' ? {} : { after: wholeNumber(resumed) }),
  };
}

function wholeNumber(text: unknown): unknown {
  return typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

/** 401, and how to do better. */
export function unauthorized(reply: FastifyReply, deps: RouteDeps): FastifyReply {
  deps.metrics.unauthorized.inc();
  reply.header('www-authenticate', 'Bearer');
  return json(reply.code(401), '{"error":"a valid API key is needed: Authorization: Bearer <key>"}');
}

/** A refusal as the body of an HTTP status. */
export function refused(reply: FastifyReply, status: number, refusal: Refusal): FastifyReply {
  return json(reply.code(status), errorText(null, refusal));
}

/** An answer that is JSON already. */
export function json(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(text);
}
