import { createHash } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ActionTable, type AmiList, type AmiOutcome, nextActionId } from './action-table.ts';
import { type AmiFields, encodeAction } from './encode.ts';
import { AmiError, type AmiErrorCode } from './errors.ts';
import type { AmiMessage } from './message.ts';
import type { AmiConnectionSettings } from './options.ts';
import { AmiParser } from './parser.ts';

/** What a connection tells its client. */
export interface ConnectionHooks {
  /** An event for the client's listeners, in the order in which Asterisk sent it. */
  onEvent: (event: AmiMessage) => void;
  /** Asterisk would not set a filter; events are then filtered here alone. */
  onFilterRefused: (error: AmiError) => void;
}

const GREETING = /^Asterisk Call Manager\//;

/**
 * One TCP or TLS connection from greeting to end. Parser, pending actions and watchdog are its own and die with it, so
 * nothing of an old connection can be mistaken for an answer on a new one.
 */
export class AmiConnection {
  readonly #settings: AmiConnectionSettings;
  readonly #hooks: ConnectionHooks;
  readonly #parser: AmiParser;
  readonly #table: ActionTable;
  readonly #closed: Promise<AmiError>;
  #tellClosed: (error: AmiError) => void = () => undefined;
  #greet: (line: string) => void = () => undefined;
  #socket: Socket | undefined;
  #ping: NodeJS.Timeout | undefined;
  #end: AmiError | undefined;
  #events: AmiMessage[] | undefined = [];
  #actionsSent = 0;
  #droppedBeforeReady = 0;

  constructor(settings: AmiConnectionSettings, hooks: ConnectionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#table = new ActionTable(settings.node);
    this.#closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.#parser = new AmiParser({
      maxMessageBytes: settings.maxMessageBytes,
      onGreeting: (line) => this.#greet(line),
      onMessage: (message) => this.#message(message),
    });
  }

  /** Resolves, never rejects, with the reason when the connection is over. */
  get closed(): Promise<AmiError> {
    return this.#closed;
  }

  get counters(): Readonly<Record<string, number>> {
    return {
      ...this.#parser.stats,
      ...this.#table.stats,
      actionsSent: this.#actionsSent,
      droppedBeforeReady: this.#droppedBeforeReady,
    };
  }

  get pending(): number {
    return this.#table.size;
  }

  /**
   * Connects, logs in and sets the event filter, all within `loginTimeoutMs`.
   * @throws AmiError `login-refused`, `connection-lost`, `protocol`, `timeout`
   */
  async open(onAuthenticating: () => void): Promise<void> {
    const { loginTimeoutMs } = this.#settings;
    const deadline = setTimeout(
      () => this.destroy(this.#error('timeout', `not logged in within ${loginTimeoutMs} ms`)),
      loginTimeoutMs,
    );
    const ended = this.#closed.then((error) => Promise.reject(error));
    try {
      await Promise.race([this.#handshake(onAuthenticating), ended]);
    } catch (error) {
      this.destroy(error instanceof AmiError ? error : this.#error('protocol', String(error)));
      // Where the connection ended for a reason of its own, that reason tells more than the action that it took along.
      throw this.#end ?? error;
    } finally {
      clearTimeout(deadline);
      ended.catch(() => undefined);
    }
    this.#watch();
  }

  /** Hands on the events that came during login, and from here on each as it comes. */
  release(): void {
    const held = this.#events ?? [];
    this.#events = undefined;
    for (const event of held) this.#hooks.onEvent(event);
  }

  async #handshake(onAuthenticating: () => void): Promise<void> {
    const greeting = new Promise<string>((resolve) => {
      this.#greet = resolve;
    });
    this.#connect();
    const line = await greeting;
    if (!GREETING.test(line)) throw this.#error('protocol', 'the other side did not greet as Asterisk does');
    onAuthenticating();
    await this.#login();
    await this.#filter();
  }

  #connect(): void {
    const { host, port, tls } = this.#settings;
    const socket =
      tls === false
        ? connectTcp({ host, port })
        : connectTls({
            host,
            port,
            // An address is no server name (RFC 6066 section 3); the certificate is checked against `host` then.
            ...(tls.servername !== undefined
              ? { servername: tls.servername }
              : isIP(host) === 0
                ? { servername: host }
                : {}),
            ...(tls.ca !== undefined ? { ca: tls.ca } : {}),
            rejectUnauthorized: tls.insecure !== true,
          });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.#end === undefined) this.#parser.push(chunk);
    });
    socket.on('error', (error) => this.destroy(this.#error('connection-lost', error.message)));
    socket.on('close', () => this.destroy(this.#error('connection-lost', 'Asterisk closed the connection')));
  }

  async #login(): Promise<void> {
    const { username, secret, auth, eventMask, events, actionTimeoutMs } = this.#settings;
    const common = { Action: 'Login', Username: username, Events: events?.length === 0 ? 'off' : eventMask };
    try {
      if (auth === 'plain') {
        await this.action({ ...common, Secret: secret }, actionTimeoutMs);
        return;
      }
      const answer = await this.action({ Action: 'Challenge', AuthType: 'MD5' }, actionTimeoutMs);
      const challenge = answer.get('Challenge');
      if (challenge === undefined) throw this.#error('protocol', 'Asterisk sent no challenge');
      const key = createHash('md5').update(`${challenge}${secret}`).digest('hex');
      await this.action({ ...common, AuthType: 'MD5', Key: key }, actionTimeoutMs);
    } catch (error) {
      if (error instanceof AmiError && error.code === 'refused') {
        const why = error.response?.get('Message') ?? 'no reason given';
        throw new AmiError(this.#settings.node, 'Login', 'login-refused', `login refused: ${why}`, error.response);
      }
      throw error;
    }
  }

  /** Tells Asterisk which events are wanted, so that it does not write the others: by name, else by pattern. */
  async #filter(): Promise<void> {
    const { events, actionTimeoutMs } = this.#settings;
    if (events === undefined) return;
    const add = { Action: 'Filter', Operation: 'Add' };
    for (const name of events) {
      try {
        // By name is far cheaper for Asterisk than a pattern over the whole event, but only 22 and later know it.
        await this.action({ ...add, MatchCriteria: `action(include),name(${name})` }, actionTimeoutMs).catch(
          (error) => {
            if (!(error instanceof AmiError) || error.code !== 'refused') throw error;
            return this.action({ ...add, Filter: `Event: ${name}` }, actionTimeoutMs);
          },
        );
      } catch (error) {
        if (!(error instanceof AmiError) || error.code !== 'refused') throw error;
        this.#hooks.onFilterRefused(error);
        return;
      }
    }
  }

  #message(message: AmiMessage): void {
    if (message.kind === 'response') {
      this.#table.response(message);
      return;
    }
    if (message.kind !== 'event' || this.#table.event(message)) return;
    if (this.#events === undefined) this.#hooks.onEvent(message);
    else if (this.#events.length < this.#settings.maxPending) this.#events.push(message);
    else this.#droppedBeforeReady += 1;
  }

  /** A switch that no longer answers keeps its socket open: only an unanswered Ping tells. */
  #watch(): void {
    const { pingIntervalMs, pingTimeoutMs } = this.#settings;
    this.#ping = setTimeout(() => {
      this.action({ Action: 'Ping' }, pingTimeoutMs).then(
        () => {
          if (this.#end === undefined) this.#watch();
        },
        () => this.destroy(this.#error('connection-lost', `no answer to a Ping within ${pingTimeoutMs} ms`)),
      );
    }, pingIntervalMs);
  }

  /** Sends an action; resolves with its answer. */
  action(fields: AmiFields, timeoutMs: number): Promise<AmiMessage> {
    return new Promise((resolve, reject) => {
      const id = this.#write(fields, reject);
      if (id !== undefined) this.#table.add(id, fields.Action, { kind: 'response', resolve }, reject, timeoutMs);
    });
  }

  /** Sends a list action; resolves when its last event has come. */
  list(fields: AmiFields, timeoutMs: number, max: number): Promise<AmiList> {
    return new Promise((resolve, reject) => {
      const id = this.#write(fields, reject);
      if (id === undefined) return;
      this.#table.add(id, fields.Action, { kind: 'list', resolve, items: [], max }, reject, timeoutMs);
    });
  }

  /** Sends an action whose outcome is an event with its ActionID; resolves when both answer and event are there. */
  outcome(fields: AmiFields, eventName: string, timeoutMs: number): Promise<AmiOutcome> {
    return new Promise((resolve, reject) => {
      const id = this.#write(fields, reject);
      if (id === undefined) return;
      this.#table.add(id, fields.Action, { kind: 'event', eventName, resolve }, reject, timeoutMs);
    });
  }

  /** Writes an action and returns its id, or rejects and returns undefined with nothing written. */
  #write(fields: AmiFields, reject: (error: unknown) => void): string | undefined {
    const { node, maxPending } = this.#settings;
    if (this.#end !== undefined || this.#socket === undefined) {
      reject(new AmiError(node, fields.Action, 'not-connected', 'no connection'));
      return undefined;
    }
    if (this.#table.size >= maxPending) {
      reject(new AmiError(node, fields.Action, 'busy', `${maxPending} actions already await their answer`));
      return undefined;
    }
    try {
      const id = nextActionId();
      const text = encodeAction(node, fields, id);
      this.#socket.write(text);
      this.#actionsSent += 1;
      return id;
    } catch (error) {
      reject(error);
      return undefined;
    }
  }

  /** Ends the connection; what awaits an answer fails. Safe to call again. */
  destroy(error: AmiError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    clearTimeout(this.#ping);
    this.#socket?.destroy();
    this.#table.failAll(error.code === 'closed' ? 'closed' : 'connection-lost', error.message);
    this.#tellClosed(error);
  }

  #error(code: AmiErrorCode, message: string): AmiError {
    return new AmiError(this.#settings.node, 'connect', code, message);
  }
}
