import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { type SentinelOptions, Store } from './store/store.ts';
import { tlsSettings } from './tls.ts';

/**
 * The store of a configuration; it connects by itself.
 *
 * @param onForgotten Redis has lost more than the store itself can write again
 */
export function openStore(config: Config, logger: Logger, onForgotten: () => void): Store {
  const { redis } = config;
  return new Store({
    ...(redis.sentinel ? { sentinel: sentinelOf(redis.sentinel) } : { url: redis.url }),
    prefix: redis.keyPrefix,
    endedCallTtl: redis.endedCallTtl,
    retention: {
      maxAgeMs: redis.eventLog.maxAgeSeconds * 1000,
      minEvents: redis.eventLog.maxEvents,
      maxEvents: redis.eventLog.maxEvents * 5,
    },
    listener: {
      onDown: (connection, err) => logger.error({ err, connection }, 'Redis cannot be reached'),
      onUp: (connection) => logger.info({ connection }, 'connected to Redis'),
      onSentinelAway: (sentinel, err) => logger.warn({ err, sentinel }, 'a sentinel does not tell who is the master'),
      onSentinelBack: (sentinel) => logger.info({ sentinel }, 'the sentinel tells who is the master'),
      onSwitched: (from, to) => logger.warn({ from, to }, 'Redis was failed over: another server is the master'),
      onError: (err) => logger.error({ err }, 'event log'),
      onRestored: ({ more, diverged, ...restored }) => {
        logger.error(restored, 'Redis had lost what was written last: it is written again');
        if (diverged.size > 0) {
          logger.error(
            { companies: [...diverged.keys()] },
            'Redis has gone on with other events than were told here: subscribers begin afresh',
          );
        }
        if (more) {
          logger.error(
            'Redis has lost more than is remembered: events are missing, live calls and agents are stored anew',
          );
        }
        if (more || diverged.size > 0) onForgotten();
      },
    },
  });
}

function sentinelOf({ tls, data, ...named }: NonNullable<Config['redis']['sentinel']>): SentinelOptions {
  const login = ({
    username,
    password,
  }: {
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  }) => ({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
  return {
    name: named.name,
    nodes: named.nodes,
    ...login(named),
    ...(tls && { tls: tlsSettings(tls) }),
    data: { ...login(data), db: data.db, ...(data.tls && { tls: tlsSettings(data.tls) }) },
  };
}
