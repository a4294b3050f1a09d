import type { LatencyHook } from './carrier.ts';
import type { RequestKind } from './carrier-policy.ts';
import { DEFAULT_CARRIERS } from './carrier-policy.ts';
import type { TlsOptions } from './http-carrier.ts';
import type { AriEvent, Bridge, Channel } from './types.generated.ts';

/**
 * State of a client:
 * - `idle`: not started
 * - `connecting`: the first connection is being made; tried for ever
 * - `resyncing`: connected; the lists are fetched and handed on while events are held back
 * - `ready`: events flow
 * - `stale`: the connection was lost and is being made anew, for ever; what is known may be out of date
 * - `replaced`: another client has taken over the application; nothing happens until `connect()` is called again
 * - `closed`: for good
 */
export type AriState = 'idle' | 'connecting' | 'resyncing' | 'ready' | 'stale' | 'replaced' | 'closed';

/** What a node holds right after a connection was made, before any of its events is handed on. */
export interface Resync {
  channels: Channel[];
  bridges: Bridge[];
  /** when the lists were asked for, milliseconds since 1970 on this machine's clock */
  at: number;
  /** channels whose end is among the events that are held back: it will be told with its cause */
  ended: ReadonlySet<string>;
  /** aborted when the connection is lost before the resync is through */
  signal: AbortSignal;
}

/** Options of an AriClient. Times are milliseconds. */
export interface AriClientOptions {
  /** name of the node, for errors */
  node: string;
  /** ARI root, for example `http://127.0.0.1:8088/ari`; no credentials in it */
  url: string;
  /** Stasis application */
  app: string;
  username: string;
  password: string;
  /** each event, in the order of the socket; must not block. `receivedAt`: milliseconds since 1970 */
  onEvent: (event: AriEvent, receivedAt: number) => void;
  /** the lists after each connection; awaited before events flow. A rejection makes the connection anew */
  onResync?: (resync: Resync) => void | Promise<void>;
  onState?: (state: AriState, previous: AriState) => void;
  /** where it answers a promise, that is awaited before the lists are asked for; events are held back meanwhile */
  beforeLists?: () => Promise<void> | undefined;
  /**
   * asked before each request that changes something, and before each event socket, which takes the application from
   * whoever has it: where it answers a promise, that is waited for
   */
  gate?: () => Promise<void> | undefined;
  /** what went wrong outside a request: a failed connection, a throwing callback, a frame that is no message */
  onError?: (error: unknown) => void;
  /** each request that ended */
  onLatency?: LatencyHook;
  /** events of all channels and bridges, not only of the application's own. Default false */
  subscribeAll?: boolean;
  /** event types that Asterisk is told not to send */
  disallow?: readonly string[];
  /** `auto` (default): REST over the event socket where Asterisk answers it; `websocket`: refuse a node that does not */
  carrier?: 'auto' | 'http' | 'websocket';
  /** overrides of the carrier per kind of request */
  carriers?: Partial<Record<Exclude<RequestKind, 'list'>, 'http' | 'websocket'>>;
  /** requests under way on the event socket above which further ones go by HTTP */
  websocketDepth?: number;
  /** connections of the HTTP pool */
  connections?: number;
  /** requests under way by HTTP above which further ones are refused */
  maxInFlight?: number;
  requestTimeoutMs?: number;
  handshakeTimeoutMs?: number;
  /** how long a node may take from connected to ready */
  resyncTimeoutMs?: number;
  /** how long to wait for the first answer over the event socket before using HTTP alone */
  probeTimeoutMs?: number;
  /** silence after which the node is pinged */
  pingMs?: number;
  /** silence after which the connection is given up */
  deadMs?: number;
  reconnectBaseMs?: number;
  reconnectCapMs?: number;
  /** events held back during a resync; more make the connection anew */
  maxBufferedEvents?: number;
  maxFrameBytes?: number;
  maxResponseBytes?: number;
  tls?: TlsOptions;
  /** source of jitter, uniform in [0, 1) */
  random?: () => number;
}

/** Options with every default filled in and the URLs taken apart. */
export interface Settings {
  node: string;
  app: string;
  authorization: string;
  origin: string;
  basePath: string;
  eventsUrl: string;
  disallow: readonly string[];
  carrier: 'auto' | 'http' | 'websocket';
  carriers: Readonly<Record<RequestKind, 'http' | 'websocket'>>;
  websocketDepth: number;
  connections: number;
  maxInFlight: number;
  requestTimeoutMs: number;
  handshakeTimeoutMs: number;
  resyncTimeoutMs: number;
  probeTimeoutMs: number;
  pingMs: number;
  deadMs: number;
  reconnectBaseMs: number;
  reconnectCapMs: number;
  maxBufferedEvents: number;
  maxFrameBytes: number;
  maxResponseBytes: number;
  tls: TlsOptions | undefined;
}

/**
 * Checks the options and fills in the defaults.
 * @throws TypeError for a URL that is not http(s) or carries credentials, a missing name, or a filter against RESTResponse
 */
export function settingsOf(options: AriClientOptions): Settings {
  const url = new URL(options.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('the ARI URL must be http or https');
  if (url.username !== '' || url.password !== '') throw new TypeError('the ARI URL must not carry credentials');
  if (url.search !== '' || url.hash !== '') throw new TypeError('the ARI URL must not carry a query or fragment');
  for (const key of ['node', 'app', 'username'] as const) {
    if (options[key] === '') throw new TypeError(`${key} must not be empty`);
  }
  if (options.username.includes(':')) throw new TypeError('a user name cannot hold a colon (RFC 7617)');
  const disallow = options.disallow ?? [];
  // The filter applies to everything that travels on the event socket, answers to requests included.
  if (disallow.includes('RESTResponse')) throw new TypeError('RESTResponse cannot be disallowed');
  const basePath = url.pathname.replace(/\/+$/, '');
  const query = `app=${encodeURIComponent(options.app)}&subscribeAll=${options.subscribeAll === true}`;
  return {
    node: options.node,
    app: options.app,
    authorization: `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`,
    origin: url.origin,
    basePath,
    eventsUrl: `${url.protocol === 'https:' ? 'wss' : 'ws'}://${url.host}${basePath}/events?${query}`,
    disallow,
    carrier: options.carrier ?? 'auto',
    carriers: { ...DEFAULT_CARRIERS, ...options.carriers, list: 'http' },
    websocketDepth: options.websocketDepth ?? 64,
    connections: options.connections ?? 16,
    maxInFlight: options.maxInFlight ?? 2048,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 5_000,
    resyncTimeoutMs: options.resyncTimeoutMs ?? 30_000,
    probeTimeoutMs: options.probeTimeoutMs ?? 2_000,
    pingMs: options.pingMs ?? 2_000,
    deadMs: options.deadMs ?? 5_000,
    reconnectBaseMs: options.reconnectBaseMs ?? 100,
    reconnectCapMs: options.reconnectCapMs ?? 10_000,
    maxBufferedEvents: options.maxBufferedEvents ?? 20_000,
    maxFrameBytes: options.maxFrameBytes ?? 8 * 1024 * 1024,
    maxResponseBytes: options.maxResponseBytes ?? 64 * 1024 * 1024,
    tls: options.tls,
  };
}
