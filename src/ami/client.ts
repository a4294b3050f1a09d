import type { AmiList, AmiOutcome } from './action-table.ts';
import { AmiConnection } from './connection.ts';
import type { AmiFields } from './encode.ts';
import { AmiError } from './errors.ts';
import type { AmiMessage } from './message.ts';
import { type AmiClientOptions, type AmiConnectionSettings, settingsOf } from './options.ts';

/**
 * Where the client is:
 *
 *     stopped → connecting → authenticating → ready
 *                   ↑              │             │
 *                   └── waiting ←──┴─────────────┘   (for ever, until close → closed)
 */
export type AmiState = 'stopped' | 'connecting' | 'authenticating' | 'ready' | 'waiting' | 'closed';

/** Takes one event; what it throws, or rejects with, is counted and told, and harms nobody else. */
export type AmiEventHandler = (event: AmiMessage) => unknown;
/** Takes a change of state, with the error that caused it, if one did. */
export type AmiStateHandler = (state: AmiState, reason: AmiError | undefined) => unknown;
/** Takes what went wrong beside the connection. */
export type AmiProblemHandler = (what: 'handler' | 'filter', error: unknown) => unknown;

/** What a caller may say about one action. */
export interface ActionOptions {
  /** ms for the whole answer; default the client's `actionTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** Counters since the client was made; each grows only, but for `pending`. */
export interface AmiStats {
  readonly connects: number;
  readonly disconnects: number;
  readonly loginsRefused: number;
  readonly events: number;
  readonly eventsUnwanted: number;
  readonly handlerErrors: number;
  readonly filtersRefused: number;
  readonly bytes: number;
  readonly lines: number;
  readonly messages: number;
  readonly malformedLines: number;
  readonly truncatedMessages: number;
  readonly unmatchedResponses: number;
  readonly lateListEvents: number;
  readonly timeouts: number;
  readonly refused: number;
  readonly actionsSent: number;
  readonly droppedBeforeReady: number;
  /** Actions that await their answer now. */
  readonly pending: number;
}

/**
 * An AMI client for one Asterisk node. It keeps itself connected: after `start` it connects, logs in, and when the
 * connection goes it waits (decorrelated jitter) and connects again, until `close`.
 */
export class AmiClient {
  readonly #settings: AmiConnectionSettings;
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #eventHandlers = new Map<string, Set<AmiEventHandler>>();
  readonly #stateHandlers = new Set<AmiStateHandler>();
  readonly #problemHandlers = new Set<AmiProblemHandler>();
  readonly #waiters = new Set<{ resolve: () => void; reject: (error: AmiError) => void }>();
  readonly #totals = new Map<string, number>();
  #state: AmiState = 'stopped';
  #connection: AmiConnection | undefined;
  #lastError: AmiError | undefined;
  #delayMs: number;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** @throws TypeError on an event name that cannot be one */
  constructor(options: AmiClientOptions) {
    this.#settings = settingsOf(options);
    this.#wanted = this.#settings.events === undefined ? undefined : new Set(this.#settings.events);
    this.#delayMs = this.#settings.reconnectMinMs;
  }

  get node(): string {
    return this.#settings.node;
  }

  get state(): AmiState {
    return this.#state;
  }

  /** Why the last connection or attempt ended. */
  get lastError(): AmiError | undefined {
    return this.#lastError;
  }

  get stats(): AmiStats {
    const total = (key: string): number => (this.#totals.get(key) ?? 0) + (this.#connection?.counters[key] ?? 0);
    return {
      connects: total('connects'),
      disconnects: total('disconnects'),
      loginsRefused: total('loginsRefused'),
      events: total('events'),
      eventsUnwanted: total('eventsUnwanted'),
      handlerErrors: total('handlerErrors'),
      filtersRefused: total('filtersRefused'),
      bytes: total('bytes'),
      lines: total('lines'),
      messages: total('messages'),
      malformedLines: total('malformedLines'),
      truncatedMessages: total('truncatedMessages'),
      unmatchedResponses: total('unmatchedResponses'),
      lateListEvents: total('lateListEvents'),
      timeouts: total('timeouts'),
      refused: total('refused'),
      actionsSent: total('actionsSent'),
      droppedBeforeReady: total('droppedBeforeReady'),
      pending: this.#connection?.pending ?? 0,
    };
  }

  /** Listens to one event by name, or to all with `*`; returns what ends the listening. Register before `start`. */
  onEvent(name: string, handler: AmiEventHandler): () => void {
    const handlers = this.#eventHandlers.get(name) ?? new Set();
    handlers.add(handler);
    this.#eventHandlers.set(name, handlers);
    return () => {
      handlers.delete(handler);
      if (handlers.size === 0) this.#eventHandlers.delete(name);
    };
  }

  /** Listens to state changes, each with the error that caused it, if one did. */
  onState(handler: AmiStateHandler): () => void {
    this.#stateHandlers.add(handler);
    return () => this.#stateHandlers.delete(handler);
  }

  /** Listens to what went wrong beside the connection: a handler that threw, a filter that Asterisk would not set. */
  onProblem(handler: AmiProblemHandler): () => void {
    this.#problemHandlers.add(handler);
    return () => this.#problemHandlers.delete(handler);
  }

  /** Starts to connect and stay connected. Does nothing the second time. */
  start(): void {
    if (this.#state !== 'stopped') return;
    this.#running = this.#run();
  }

  /**
   * Resolves once logged in with the filter set; at once if it is so already.
   * @throws AmiError `login-refused` as soon as a login is refused, `closed`, or `timeout`
   */
  ready(options: ActionOptions = {}): Promise<void> {
    const { node } = this;
    if (this.#state === 'ready') return Promise.resolve();
    if (this.#state === 'closed')
      return Promise.reject(new AmiError(node, 'connect', 'closed', 'the client is closed'));
    if (this.#state === 'waiting' && this.#lastError?.code === 'login-refused') return Promise.reject(this.#lastError);
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter = {
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error: AmiError) => {
          settle();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      const { timeoutMs } = options;
      if (timeoutMs !== undefined) {
        const late = (): void =>
          waiter.reject(new AmiError(node, 'connect', 'timeout', `not logged in within ${timeoutMs} ms`));
        timer = setTimeout(late, timeoutMs);
      }
    });
  }

  /**
   * Sends an action and resolves with its answer.
   * @throws AmiError; `refused` where Asterisk answers `Response: Error`
   */
  action(fields: AmiFields, options: ActionOptions = {}): Promise<AmiMessage> {
    return this.#with(fields, (c) => c.action(fields, options.timeoutMs ?? this.#settings.actionTimeoutMs));
  }

  /**
   * Sends an action that answers with a list, and gathers the events up to the list's end.
   * @throws AmiError; `too-large` beyond `maxItems`
   */
  list(fields: AmiFields, options: ActionOptions & { readonly maxItems?: number } = {}): Promise<AmiList> {
    const timeoutMs = options.timeoutMs ?? this.#settings.actionTimeoutMs;
    return this.#with(fields, (c) => c.list(fields, timeoutMs, options.maxItems ?? this.#settings.maxListItems));
  }

  /** Sends an action whose outcome comes later as the named event (Originate with Async: `OriginateResponse`). */
  outcome(fields: AmiFields, eventName: string, options: ActionOptions = {}): Promise<AmiOutcome> {
    const timeoutMs = options.timeoutMs ?? this.#settings.actionTimeoutMs;
    return this.#with(fields, (c) => c.outcome(fields, eventName, timeoutMs));
  }

  async #with<T>(fields: AmiFields, send: (connection: AmiConnection) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    if (this.#state === 'ready' && connection !== undefined) return send(connection);
    const [code, why] =
      this.#state === 'closed'
        ? (['closed', 'the client is closed'] as const)
        : (['not-connected', `not logged in (${this.#state})`] as const);
    throw new AmiError(this.node, fields.Action, code, why);
  }

  /** Ends the connection for good; actions under way fail with `closed`. Safe to call again. */
  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      const error = new AmiError(this.node, 'connect', 'closed', 'the client was closed');
      this.#setState('closed', error);
      for (const waiter of [...this.#waiters]) waiter.reject(error);
      this.#connection?.destroy(error);
      this.#wake?.();
    }
    await this.#running;
  }

  /** `close` may come at any await; this asks the field anew where the compiler would remember the last assignment. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async #run(): Promise<void> {
    while (!this.#isClosed()) {
      const connection = new AmiConnection(this.#settings, {
        onEvent: (event) => this.#event(event),
        onFilterRefused: (error) => {
          this.#count('filtersRefused');
          this.#problem('filter', error);
        },
      });
      this.#connection = connection;
      this.#setState('connecting', undefined);
      const error = await this.#serve(connection);
      for (const [key, value] of Object.entries(connection.counters)) this.#count(key, value);
      this.#connection = undefined;
      this.#lastError = error;
      if (this.#isClosed()) return;
      this.#setState('waiting', error);
      if (error.code === 'login-refused') {
        this.#count('loginsRefused');
        for (const waiter of [...this.#waiters]) waiter.reject(error);
      }
      await this.#pause(error.code === 'login-refused');
    }
  }

  /** One connection from start to end; returns why it ended. */
  async #serve(connection: AmiConnection): Promise<AmiError> {
    try {
      await connection.open(() => this.#setState('authenticating', undefined));
    } catch (error) {
      return error instanceof AmiError ? error : new AmiError(this.node, 'connect', 'protocol', String(error));
    }
    if (this.#isClosed()) return connection.closed;
    this.#count('connects');
    this.#delayMs = this.#settings.reconnectMinMs;
    this.#setState('ready', undefined);
    for (const waiter of [...this.#waiters]) waiter.resolve();
    connection.release();
    const error = await connection.closed;
    this.#count('disconnects');
    return error;
  }

  /** Decorrelated jitter: each wait is random between the minimum and three times the last, so that clients spread out. */
  async #pause(refused: boolean): Promise<void> {
    const { reconnectMinMs: min, reconnectMaxMs: max, refusedRetryMs, random } = this.#settings;
    this.#delayMs = Math.min(max, min + random() * (this.#delayMs * 3 - min));
    const ms = refused ? Math.max(refusedRetryMs, this.#delayMs) : this.#delayMs;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #setState(state: AmiState, reason: AmiError | undefined): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    for (const handler of [...this.#stateHandlers]) this.#safely(() => handler(state, reason));
  }

  #event(event: AmiMessage): void {
    // Filters may come later than the first events, or be refused: what was not asked for is not handed on.
    if (this.#wanted !== undefined && !this.#wanted.has(event.name)) {
      this.#count('eventsUnwanted');
      return;
    }
    this.#count('events');
    for (const name of [event.name, '*']) {
      const handlers = this.#eventHandlers.get(name);
      if (handlers !== undefined) for (const handler of [...handlers]) this.#safely(() => handler(event));
    }
  }

  /** A listener's fault is its own: it is counted and told, and neither the reader nor another listener notices. */
  #safely(call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error) => this.#handlerFailed(error));
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #handlerFailed(error: unknown): void {
    this.#count('handlerErrors');
    this.#problem('handler', error);
  }

  #problem(what: 'handler' | 'filter', error: unknown): void {
    for (const handler of [...this.#problemHandlers]) {
      try {
        handler(what, error);
      } catch {
        // The listener for faults is at fault itself: there is nobody left to tell, and the count shows it.
        this.#count('handlerErrors');
      }
    }
  }

  #count(key: string, by = 1): void {
    this.#totals.set(key, (this.#totals.get(key) ?? 0) + by);
  }
}
