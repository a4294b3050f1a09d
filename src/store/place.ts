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
  /** It must be a master: anything else is left again, and this is told. Absent: it is not looked at. */
  readonly unlessMaster?: string;
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
  onMoved(listener: (place: Place, why?: string) => void): void;
  /** The server at a place has refused to write, because it is a replica. Absent: whoever was refused leaves by himself. */
  refused?(place: Place): void;
}

/** How often an address is looked up anew because what is there refuses to write, ms, at most. */
const ANEW_MS = 1_000;

/** One address, and whatever server it leads to. @param url `redis://host:port/db`, `rediss://` for TLS */
export function fixedServer(url: string, username?: string, password?: string): Server {
  const client = { url, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const listeners: ((place: Place, why?: string) => void)[] = [];
  let place: Place = { name: 'redis.url', client };
  let times = 0;
  let anewAt = Number.NEGATIVE_INFINITY;
  return {
    find: async () => place,
    onMoved: (listener) => void listeners.push(listener),
    refused(by) {
      if (by.name !== place.name || performance.now() - anewAt < ANEW_MS) return;
      anewAt = performance.now();
      // The address may lead to another server by now. Connections that stand do not.
      times += 1;
      place = { name: `redis.url/${times}`, client, unlessMaster: 'redis.url leads to a replica' };
      for (const listener of listeners) listener(place, 'the server is a replica now');
    },
  };
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
