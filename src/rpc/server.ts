import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { WebSocketServer } from 'ws';
import { listRoutes, type RouteList } from '../http/endpoint.ts';
import { documentRoutes } from '../http/page.ts';
import type { ApiAccess, EventLog, NodeOperations, Readiness, RecordingFiles, Requests } from '../ports.ts';
import { Dispatcher, type OnRefused } from './dispatcher.ts';
import { CompanyFeeds } from './feed.ts';
import { type ApiKeys, type KeyUse, KeyUses, type Operators } from './keys.ts';
import { DEFAULT_LIMITS, type RpcLimits } from './limits.ts';
import { rpcMetrics } from './metrics.ts';
import { nodeRoutes } from './node-routes.ts';
import { openRpcDocument } from './openrpc.ts';
import { recordingsRoute } from './recordings.ts';
import { eventsRoute, type RouteDeps, rpcRoute, watchRoutes } from './routes.ts';
import { WebSocketSession } from './websocket.ts';

/** What the RPC server works with. */
export interface RpcServerDeps {
  readonly requests: Requests;
  readonly log: EventLog;
  readonly keys: ApiKeys;
  /** Absent: there are none. */
  readonly operators?: Operators;
  /** What operators may do with the nodes; absent: nothing. */
  readonly nodes?: NodeOperations;
  /** Absent: no recordings are served. */
  readonly recordings?: RecordingFiles;
  readonly readiness: () => Readiness;
  /** Where the RPC's metrics are registered; /metrics tells everything that is in it. */
  readonly registry: Registry;
  readonly logger: Logger;
  /** Of the product, for the OpenRPC document. */
  readonly version: string;
  /** Those that differ from DEFAULT_LIMITS. */
  readonly limits?: Partial<RpcLimits>;
  /** Hears of refusals that the RPC makes itself; must not throw and not block. */
  readonly onRefused?: OnRefused;
  /** Milliseconds of a clock that never goes back, for the rates. */
  readonly now?: () => number;
}

/** The RPC server: JSON-RPC over HTTP and WebSocket, Server-Sent Events, health and metrics, on one port. */
export interface RpcServer {
  /** The HTTP server, so that further routes can be registered before listen(). */
  readonly http: FastifyInstance;
  /** The routes that it has. */
  readonly routes: RouteList;
  /** The API keys, for those routes. */
  readonly access: ApiAccess;
  /**
   * Opens the port.
   *
   * @param address port 0: any free one
   * @returns where it listens
   * @throws what the system refuses it with (EADDRINUSE, …)
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>;
  /**
   * Tells load balancers to go elsewhere: /readyz answers 503, and HTTP connections are closed after their answer. What
   * is connected goes on, and nothing is refused.
   */
  drain(): void;
  /** Lets open requests end, as long as the grace period lasts, and closes everything. May be called again. */
  close(): Promise<void>;
}

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Makes the RPC server; it serves nothing until listen(). */
export function createRpcServer(deps: RpcServerDeps): RpcServer {
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...deps.limits };
  const { logger } = deps;
  const metrics = rpcMetrics(deps.registry);
  const uses = new KeyUses(deps.keys, limits, deps.now ?? (() => performance.now()));
  const feeds = new CompanyFeeds(deps.log);
  let discovered: string | undefined;
  const discover = () => {
    discovered ??= JSON.stringify(openRpcDocument(deps.version));
    return discovered;
  };
  const onRefused = deps.onRefused ?? (() => undefined);
  const dispatcher = new Dispatcher({ requests: deps.requests, limits, metrics, logger, onRefused, discover });
  const sessions = new Set<WebSocketSession>();
  const routeDeps: RouteDeps = {
    dispatcher,
    feeds,
    limits,
    metrics,
    logger,
    uses,
    operators: deps.operators ?? { find: () => undefined },
    readiness: deps.readiness,
    registry: deps.registry,
    streams: new Set(),
    state: { draining: false },
  };
  const http = httpServer(routeDeps);
  const routes = listRoutes(http);
  rpcRoute(http, routeDeps);
  eventsRoute(http, routeDeps);
  watchRoutes(http, routeDeps);
  if (deps.recordings) recordingsRoute(http, routeDeps, deps.recordings);
  if (deps.nodes) nodeRoutes(http, routeDeps, deps.nodes);
  documentRoutes(http, routes, deps.version);
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
    clientTracking: false,
    // Known to ws 8.19 and later, not yet to its types.
    ...{ closeTimeout: limits.closeGraceMs },
  });
  let closing: Promise<void> | undefined;

  http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => logger.debug({ err: error }, 'a socket failed'));
    const use = uses.find(request.headers.authorization);
    const status = upgradeRefused(request, use);
    if (use === undefined || status !== undefined) {
      if (status === 401) metrics.unauthorized.inc();
      refuseUpgrade(socket, status ?? 401);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (ws) => {
      const session = new WebSocketSession(use, ws, socket, routeDeps);
      sessions.add(session);
      use.sockets += 1;
      metrics.sockets.inc({ carrier: 'websocket' });
      ws.on('close', () => {
        sessions.delete(session);
        use.sockets -= 1;
        metrics.sockets.dec({ carrier: 'websocket' });
      });
    });
  });

  function upgradeRefused(request: IncomingMessage, use: KeyUse | undefined): number | undefined {
    if (request.url?.split('?', 1)[0] !== '/rpc') return 404;
    if (use === undefined) return 401;
    if (closing !== undefined) return 503;
    return use.sockets >= limits.socketsPerKey ? 429 : undefined;
  }

  const heartbeat = setInterval(() => {
    for (const session of sessions) session.heartbeat();
    for (const stream of routeDeps.streams) stream.heartbeat();
  }, limits.heartbeatMs);
  heartbeat.unref();

  async function shut(): Promise<void> {
    routeDeps.state.draining = true;
    clearInterval(heartbeat);
    // The port closes first and open requests end; then those who only listen are told.
    const closed = http.close();
    await within(limits.closeGraceMs, dispatcher.idle());
    // The last answers are handed to their sockets in this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    for (const stream of routeDeps.streams) stream.goAway();
    for (const session of sessions) session.goAway();
    await within(limits.closeGraceMs, closed);
    // Whoever has not read to the end by now is not waited for.
    http.server.closeAllConnections();
    await closed;
    webSockets.close();
  }

  return {
    http,
    routes,
    access: {
      admit(authorization) {
        const use = uses.find(authorization);
        if (use === undefined) metrics.unauthorized.inc();
        return use === undefined ? 'unauthorized' : use.rate.take() ? use.caller : 'too-fast';
      },
    },
    async listen(address) {
      await http.listen(address);
      const { address: host, port } = http.server.address() as AddressInfo;
      return { host, port };
    },
    drain() {
      routeDeps.state.draining = true;
    },
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

function httpServer(deps: RouteDeps): FastifyInstance {
  const { logger, limits } = deps;
  const app = Fastify({
    logger: false,
    requestTimeout: 30_000,
    keepAliveTimeout: 60_000,
    bodyLimit: limits.bodyBytes,
    frameworkErrors: (error, _request, reply: FastifyReply) => refuseAddress(error.code, reply),
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
  });
  app.server.maxConnections = limits.connections;
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (deps.state.draining) reply.header('connection', 'close');
  });
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: 'not found' }));
  app.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ err: error }, 'a request failed');
    // What went wrong inside is for the log alone.
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });
  return app;
}

/** An address that leads to no route, in our words: the framework's are its own error codes. */
function refuseAddress(code: string, reply: FastifyReply): void {
  // Nothing here has a name as long as that.
  const isTooLong = code === 'FST_ERR_MAX_PARAM_LENGTH';
  reply.headers(SECURITY_HEADERS).code(isTooLong ? 404 : 400);
  reply.send({ error: isTooLong ? 'not found' : 'the address is not well-formed' });
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}

async function within(milliseconds: number, work: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
