import type { RedisClientOptions } from 'redis';

/** How the other side of a TLS connection is trusted. */
export interface TlsSettings {
  /** PEM text of the authority to trust instead of the system's. */
  readonly ca?: string;
  /** The name that the certificate must carry, where it is not the host. */
  readonly servername?: string;
  /** Accept any certificate. */
  readonly insecure?: boolean;
}

/** Where a server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A Redis server to connect to. */
export interface Place {
  /** The same text is the same server; no secret is in it. */
  readonly name: string;
  readonly client: Pick<RedisClientOptions, 'url' | 'username' | 'password' | 'database' | 'socket'>;
  /** It must be a master: anything else is left again. */
  readonly master: boolean;
}

/** Tells connections where to go. */
export interface Server {
  /**
   * Where to connect now.
   *
   * @throws {Error} nobody knows; why, without a secret
   */
  find(): Promise<Place>;
  /** Tells whenever another place than before is the right one: whoever is connected elsewhere must leave. */
  onMoved(listener: (place: Place) => void): void;
}

/** One server that is always the same. @param url `redis://host:port/db`, `rediss://` for TLS */
export function fixedServer(url: string, username?: string, password?: string): Server {
  const client = { url, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const place: Place = { name: 'redis.url', client, master: false };
  return { find: async () => place, onMoved: () => undefined };
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = ({ host, port }: HostPort): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Socket options of the Redis client. */
export function socketOf({ host, port }: HostPort, tls: TlsSettings | undefined) {
  if (!tls) return { host, port };
  return {
    host,
    port,
    tls: true as const,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.servername !== undefined && { servername: tls.servername }),
    rejectUnauthorized: tls.insecure !== true,
  };
}
