import { setTimeout as delay } from 'node:timers/promises';
import { createClient, ErrorReply } from 'redis';
import { asStoreError, isNoScript, isReplica, type StoreFault, StoreUnavailable } from './errors.ts';
import type { RunScript } from './journal.ts';
import type { Place, Server } from './place.ts';
import { list } from './reply.ts';
import type { Script } from './script.ts';

/** What a connection tells its owner. Neither text nor error holds a password or a value. */
export interface ConnectionListener {
  /** Once per outage, with what began it. */
  onDown(connection: string, error: Error): void;
  /** After every successful (re)connection, the first included. */
  onUp(connection: string): void;
}

/** What a connection is made of. */
export interface ConnectionOptions {
  /** Where to connect, asked anew for each connection. */
  readonly server: Server;
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
 *
 * Where the server may be another one tomorrow (Sentinel) a connection is used only once it is known to lead to a master,
 * and left as soon as another one is named or this one refuses to write. An address that has once led to a replica is
 * looked at in the same way from then on.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions;
  /** The present attempt to connect, or connection; what an earlier one says no longer counts. */
  #attempt = 0;
  /** Ends the wait before the next attempt. */
  #endWait: (() => void) | undefined;
  #client: Client | undefined;
  #place: Place | undefined;
  #closed = false;
  #up = false;
  #wasUp = false;
  /** What was lost is being put back: nobody else may use the connection. */
  #restoring = false;
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
    options.server.onMoved((place, why) => {
      const from = this.#place;
      if (from && from.name !== place.name) {
        this.#lost(this.#attempt, new Error(why ?? 'another server is the master now'));
      }
      this.#endWait?.();
    });
    this.#begin(0);
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
    return this.#up ? this.#send(args) : Promise.reject(this.#notUp());
  }

  /** Runs a script by its digest, and sends it whole where Redis does not know it. Errors as {@link command}. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#up ? this.#run(script, keys, args) : Promise.reject(this.#notUp());
  }

  #notUp(): StoreUnavailable {
    if (this.#closed) return new StoreUnavailable('closed', false, undefined, false);
    const reason = this.#restoring ? 'what was lost is being put back' : 'no connection';
    return new StoreUnavailable(reason, true, undefined, false);
  }

  async #send(args: readonly string[]): Promise<unknown> {
    const nth = this.#attempt;
    if (!this.#client) throw this.#notUp();
    try {
      return await this.#client.sendCommand(args);
    } catch (error) {
      throw this.#meaning(error, nth);
    }
  }

  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const nth = this.#attempt;
    const count = String(keys.length);
    if (!this.#client) throw this.#notUp();
    try {
      return await this.#client.sendCommand(['EVALSHA', script.sha, count, ...keys, ...args]);
    } catch (error) {
      if (isNoScript(error)) return this.#send(['EVAL', script.lua, count, ...keys, ...args]);
      throw this.#meaning(error, nth);
    }
  }

  /** @param nth the connection over which it was said */
  #meaning(error: unknown, nth: number): StoreUnavailable | StoreFault {
    if (isReplica(error) && this.#place && !this.#isOver(nth)) {
      const { server } = this.#options;
      if (server.refused) server.refused(this.#place);
      else this.#lost(nth, new Error('the server is a replica now'));
    }
    return asStoreError(error, this.#closed);
  }

  /** Ends the connection; what is under way rejects. Harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    this.#restoring = false;
    clearInterval(this.#heartbeat);
    this.#client?.destroy();
    for (const { reject } of this.#waiting) reject(new StoreUnavailable('closed', false));
    this.#waiting.clear();
  }

  /** Begins a new attempt, in place of whatever there was. */
  #begin(waitMs: number): void {
    this.#attempt += 1;
    this.#client = undefined;
    this.#place = undefined;
    void this.#open(this.#attempt, waitMs);
  }

  async #open(nth: number, waitMs: number): Promise<void> {
    try {
      if (waitMs > 0) await this.#wait(waitMs);
      if (this.#isOver(nth)) return;
      const place = await this.#options.server.find();
      if (this.#isOver(nth)) return;
      const client = newClient(this.#options, place);
      this.#client = client;
      this.#place = place;
      client.on('connect', () => {
        if (!this.#isOver(nth)) this.#greetingBeats = 0;
      });
      // An error while the socket stands is an unreadable reply: what follows can no longer be told apart.
      client.on('error', (error: Error) => this.#lost(nth, error));
      await client.connect();
      if (place.unlessMaster !== undefined) await expectMaster(client, place.unlessMaster);
      await this.#becameReady(nth, client);
    } catch (error) {
      this.#lost(nth, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isOver(nth: number): boolean {
    return nth !== this.#attempt || this.#closed;
  }

  /** The attempt or connection has failed: one that had stood is made anew at once, others after a while. */
  #lost(nth: number, error: Error): void {
    if (this.#isOver(nth)) return;
    const old = this.#client;
    const waitMs = this.#up ? 0 : this.#nextRetry();
    this.#wentDown(error);
    this.#begin(waitMs);
    old?.destroy();
  }

  async #becameReady(nth: number, client: Client): Promise<void> {
    if (this.#isOver(nth)) return;
    this.#greetingBeats = undefined;
    this.#silentBeats = 0;
    this.#beatPending = false;
    if (this.#wasUp && this.#options.restore) {
      this.#restoring = true;
      while (!this.#isOver(nth) && client.isReady) {
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
      if (this.#isOver(nth)) return;
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
      if (this.#greetingBeats > MISSED_HEARTBEATS) this.#lost(this.#attempt, new Error('no answer to the greeting'));
      return;
    }
    if (this.#beatPending) {
      this.#silent();
      return;
    }
    const nth = this.#attempt;
    this.#beatPending = true;
    const done = () => {
      if (this.#isOver(nth)) return;
      this.#beatPending = false;
      this.#silentBeats = 0;
    };
    this.#client?.sendCommand(['PING']).then(done, (error: unknown) => {
      // A refusal of Redis's is a sign of life too. One of the client's own, where so much waits that it takes no more, is
      // none: it counts as silence, and the next beat tries again. A lost connection is told by its own event.
      if (error instanceof ErrorReply) done();
      else if (!this.#isOver(nth)) {
        this.#beatPending = false;
        this.#silent();
      }
    });
  }

  #silent(): void {
    this.#silentBeats += 1;
    if (this.#silentBeats >= MISSED_HEARTBEATS) this.#lost(this.#attempt, new Error('no heartbeat'));
  }
}

/** A sentinel may name a server that has not been made the master yet, or is none any more; so may an address. */
async function expectMaster(client: Client, otherwise: string): Promise<void> {
  const [role] = list(
    await client.sendCommand(['ROLE']).catch((error: unknown) => {
      // A user who may not ask is told when he writes.
      if (error instanceof ErrorReply && error.message.startsWith('NOPERM')) return ['master'];
      throw error;
    }),
  );
  if (role !== 'master') throw new Error(otherwise);
}

function newClient(options: ConnectionOptions, place: Place) {
  return createClient({
    ...place.client,
    name: options.name,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandsQueueMaxLength: options.maxInFlight ?? 100_000,
    // 0: no timer. One per command costs a factor of four; the heartbeat stands in for it.
    commandOptions: { timeout: 0 },
    // Each connection is a client of its own: the next one may lead elsewhere.
    socket: { ...place.client.socket, connectTimeout: 5000, reconnectStrategy: false },
  });
}
