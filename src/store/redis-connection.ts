import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import { asStoreError, isNoScript, StoreUnavailable } from './errors.ts';
import type { RunScript } from './journal.ts';
import type { Script } from './script.ts';

/** What a connection tells its owner. Neither text nor error holds a password or a value. */
export interface ConnectionListener {
  /** Once per outage, with what began it. */
  onDown(connection: string, error: Error): void;
  /** After every successful (re)connection, the first included. */
  onUp(connection: string): void;
}

export interface ConnectionOptions {
  /** `redis://host:port/db`, `rediss://` for TLS. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Shown in CLIENT LIST and given to the listener. */
  readonly name: string;
  readonly listener: ConnectionListener;
  /** How often Redis is asked for a sign of life, ms; default 1000. After three without one the socket is dropped. */
  readonly heartbeatMs?: number;
  /**
   * Done after each reconnection before anybody else may use the connection: what Redis has lost is put back. Where it
   * fails with the connection it is done again with the next one; any other failure is told as `onDown` tells.
   */
  readonly restore?: (run: RunScript) => Promise<void>;
  /** Commands that may wait for their reply; one more is refused as unavailable. Default 100,000. */
  readonly maxInFlight?: number;
}

/** A connection for those who only read with it; what they write goes through the RedoLog. */
export type Reading = Pick<RedisConnection, 'command'>;

const MISSED_HEARTBEATS = 3;
/** Wait before it is tried again to put back what was lost, while Redis says that it cannot serve yet, ms. */
const RESTORE_AGAIN_MS = 100;
const RETRY_MS = { first: 50, longest: 3000 };

type Client = ReturnType<typeof newClient>;

/**
 * One connection to Redis that comes back for ever. While it is away every command is refused at once: a live call's
 * state must not be written minutes later from a queue. Commands of the same turn of the event loop go out together.
 *
 * The heartbeat exists because a Redis that hangs keeps its socket: without it commands would wait without end, the
 * client's own timer per command costing a factor of four.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions;
  #client: Client;
  #closed = false;
  #up = false;
  #wasUp = false;
  /** What was lost is being put back: nobody else may use the connection. */
  #restoring = false;
  /** How often the connection has become ready. */
  #readied = 0;
  #toldDown = false;
  #silentBeats = 0;
  #beatPending = false;
  /** Beats since the socket opened, while Redis has not yet answered the greeting. */
  #greetingBeats: number | undefined;
  #retryMs = RETRY_MS.first;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<{ resolve: () => void; reject: (e: Error) => void }>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = this.#begin();
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? 1000);
  }

  /** Connected, and no heartbeat missing. */
  get healthy(): boolean {
    return this.#up && this.#silentBeats <= 1;
  }

  /**
   * Resolves at once while connected, else with the next connection.
   *
   * @throws {StoreUnavailable} not retryable, once it is closed
   */
  connected(): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('closed', false));
    if (this.#up) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  /**
   * Sends one command.
   *
   * @returns the reply as it came (RESP2)
   * @throws {StoreUnavailable} no connection, or it was lost before the reply
   * @throws {StoreFault} Redis refused the command
   */
  command(args: readonly string[]): Promise<unknown> {
    if (this.#restoring) return Promise.reject(new StoreUnavailable('what was lost is being put back', true));
    return this.#send(args);
  }

  /** Runs a script by its digest, and sends it whole where Redis does not know it. Errors as {@link command}. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (this.#restoring) return Promise.reject(new StoreUnavailable('what was lost is being put back', true));
    return this.#run(script, keys, args);
  }

  async #send(args: readonly string[]): Promise<unknown> {
    try {
      return await this.#client.sendCommand(args);
    } catch (error) {
      throw asStoreError(error, this.#closed);
    }
  }

  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const count = String(keys.length);
    try {
      return await this.#client.sendCommand(['EVALSHA', script.sha, count, ...keys, ...args]);
    } catch (error) {
      if (isNoScript(error)) return this.#send(['EVAL', script.lua, count, ...keys, ...args]);
      throw asStoreError(error, this.#closed);
    }
  }

  /** Ends the connection; what is under way rejects. Harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    this.#restoring = false;
    clearInterval(this.#heartbeat);
    this.#client.destroy();
    for (const { reject } of this.#waiting) reject(new StoreUnavailable('closed', false));
    this.#waiting.clear();
  }

  #begin(): Client {
    const client = newClient(this.#options, () => this.#nextRetry());
    client.on('connect', () => {
      if (client === this.#client) this.#greetingBeats = 0;
    });
    client.on('ready', () => {
      if (client === this.#client) void this.#becameReady(client);
    });
    client.on('error', (error: Error) => {
      if (client !== this.#client || this.#closed) return;
      // An error while the socket stands is an unreadable reply: what follows can no longer be told apart.
      if (client.isReady) this.#replace(error);
      else this.#wentDown(error);
    });
    // It rejects only when we end it; everything else is retried and told through 'error'.
    client.connect().catch((error: Error) => {
      if (client === this.#client && !this.#closed) this.#replace(error);
    });
    return client;
  }

  #replace(error: Error): void {
    const old = this.#client;
    this.#wentDown(error);
    this.#client = this.#begin();
    old.destroy();
  }

  async #becameReady(client: Client): Promise<void> {
    this.#readied += 1;
    const nth = this.#readied;
    this.#greetingBeats = undefined;
    this.#silentBeats = 0;
    this.#beatPending = false;
    if (this.#wasUp && this.#options.restore) {
      this.#restoring = true;
      const isOurs = (): boolean => nth === this.#readied && client === this.#client && client.isReady && !this.#closed;
      while (isOurs()) {
        try {
          await this.#options.restore((script, keys, args) => this.#run(script, keys, args));
          break;
        } catch (error) {
          // It loads its file, or is a replica still: asked again. What is no outage is told, and keeps nobody waiting.
          if (error instanceof StoreUnavailable) await delay(RESTORE_AGAIN_MS);
          else {
            if (error instanceof Error) this.#options.listener.onDown(this.#options.name, error);
            break;
          }
        }
      }
      // Lost meanwhile: it is done again with the next connection.
      if (!isOurs()) return;
    }
    this.#restoring = false;
    this.#up = true;
    this.#wasUp = true;
    this.#toldDown = false;
    this.#retryMs = RETRY_MS.first;
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
    this.#options.listener.onUp(this.#options.name);
  }

  #wentDown(error: Error): void {
    this.#up = false;
    this.#restoring = false;
    this.#greetingBeats = undefined;
    if (this.#toldDown) return;
    this.#toldDown = true;
    this.#options.listener.onDown(this.#options.name, error);
  }

  /** Decorrelated jitter: instances that lost the same Redis do not come back in step. */
  #nextRetry(): number {
    const { first, longest } = RETRY_MS;
    this.#retryMs = Math.min(longest, first + Math.random() * (this.#retryMs * 3 - first));
    return this.#retryMs;
  }

  /** Counts beats and not time: a process that was itself held up must not blame Redis for it. */
  #beat(): void {
    if (!this.#up && !this.#restoring) {
      if (this.#greetingBeats === undefined) return;
      this.#greetingBeats += 1;
      if (this.#greetingBeats > MISSED_HEARTBEATS) this.#replace(new Error('no answer to the greeting'));
      return;
    }
    if (this.#beatPending) {
      this.#silentBeats += 1;
      if (this.#silentBeats >= MISSED_HEARTBEATS) this.#replace(new Error('no heartbeat'));
      return;
    }
    const client = this.#client;
    this.#beatPending = true;
    const done = () => {
      if (client !== this.#client) return;
      this.#beatPending = false;
      this.#silentBeats = 0;
    };
    // A refusal is a sign of life too, and a lost connection is told by its own event.
    client.sendCommand(['PING']).then(done, done);
  }
}

function newClient(options: ConnectionOptions, retry: () => number) {
  return createClient({
    url: options.url,
    ...(options.username !== undefined && { username: options.username }),
    ...(options.password !== undefined && { password: options.password }),
    name: options.name,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandsQueueMaxLength: options.maxInFlight ?? 100_000,
    // 0: no timer. One per command costs a factor of four; the heartbeat stands in for it.
    commandOptions: { timeout: 0 },
    socket: { connectTimeout: 5000, reconnectStrategy: retry },
  });
}
