/** How to trust the other side of a TLS connection. */
export interface AmiTlsOptions {
  /** PEM text of the authority (or the certificate itself) to trust instead of the system's. */
  readonly ca?: string;
  /** The name that the certificate must carry, where it is not `host`. */
  readonly servername?: string;
  /** Accept any certificate: protects from listeners, not from impostors. */
  readonly insecure?: boolean;
}

/** Everything an AMI client can be told; only the first five have no default. */
export interface AmiClientOptions {
  /** The node's name in errors and counters. */
  readonly node: string;
  readonly host: string;
  /** TCP port; Asterisk's own default is 5038, and 5039 with TLS. */
  readonly port: number;
  readonly username: string;
  readonly secret: string;
  /** TLS settings, or false (default) for plain TCP. */
  readonly tls?: false | AmiTlsOptions;
  /** How to log in; `auto` (default): plain over TLS or to this machine itself, MD5 challenge otherwise. */
  readonly auth?: 'auto' | 'plain' | 'md5';
  /** Event classes for the login (`system,call`); default `on`, all that the user may read. */
  readonly eventMask?: string;
  /** Names of the events wanted; undefined (default): all that the mask lets through; empty: none. */
  readonly events?: readonly string[];
  /** ms for connecting, greeting, login and filters together; default 10,000. */
  readonly loginTimeoutMs?: number;
  /** ms that an action may take unless it says otherwise; default 5,000. */
  readonly actionTimeoutMs?: number;
  /** ms between Pings; default 5,000. */
  readonly pingIntervalMs?: number;
  /** ms within which a Ping must be answered; default 5,000. */
  readonly pingTimeoutMs?: number;
  /** ms: shortest wait before connecting again; default 250. */
  readonly reconnectMinMs?: number;
  /** ms: longest wait before connecting again; default 10,000. */
  readonly reconnectMaxMs?: number;
  /** ms: shortest wait after a refused login, which seldom mends itself; default 30,000. */
  readonly refusedRetryMs?: number;
  /** Bytes of one message; default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Items of one list; default 100,000. */
  readonly maxListItems?: number;
  /** Actions awaiting their answer at once; default 1,000. */
  readonly maxPending?: number;
  /** A number from 0 up to 1 for the reconnect jitter; default Math.random. */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export interface AmiConnectionSettings extends Required<Omit<AmiClientOptions, 'events' | 'auth'>> {
  readonly events: readonly string[] | undefined;
  readonly auth: 'plain' | 'md5';
}

const EVENT_NAME = /^[A-Za-z0-9_]{1,80}$/;

/** @throws TypeError on an event name that could not be a name (it goes into Asterisk's filter expression) */
export function settingsOf(options: AmiClientOptions): AmiConnectionSettings {
  for (const name of options.events ?? []) {
    if (!EVENT_NAME.test(name)) throw new TypeError(`"${name}" is not the name of an AMI event`);
  }
  const tls = options.tls ?? false;
  const local = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(options.host);
  const auth = options.auth ?? 'auto';
  return {
    eventMask: 'on',
    loginTimeoutMs: 10_000,
    actionTimeoutMs: 5_000,
    pingIntervalMs: 5_000,
    pingTimeoutMs: 5_000,
    reconnectMinMs: 250,
    reconnectMaxMs: 10_000,
    refusedRetryMs: 30_000,
    maxMessageBytes: 16 * 1024 * 1024,
    maxListItems: 100_000,
    maxPending: 1_000,
    random: Math.random,
    ...options,
    tls,
    events: options.events === undefined ? undefined : [...options.events],
    auth: auth === 'auto' ? (tls !== false || local ? 'plain' : 'md5') : auth,
  };
}
