import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import { type CtiEvent, type CtiEventName, EVENT_SCHEMAS, type EventOf } from '../../src/cti/events.ts';
import type { GivenParamsOf, MethodName, ResultOf } from '../../src/cti/requests.ts';
import { told } from './call-events.ts';

/** A request was refused: the code and name of the contract. */
export class Refused extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(method: string, error: { code: number; message: string; data?: unknown }) {
    super(error.message);
    this.name = `Refused(${method})`;
    this.code = error.code;
    this.data = error.data;
  }
}

interface Waiter {
  readonly done: (events: readonly CtiEvent[]) => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { code: number; message: string; data?: unknown };
}

/** How long an event may take to come before its absence is a failure, ms. */
const PATIENCE_MS = 20_000;

/** A client of the RPC over a WebSocket. Every event that it is sent is held against its published schema. */
export class RpcClient {
  /** Every event received, in order. */
  readonly events: CtiEvent[] = [];
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  readonly #waiters = new Set<Waiter>();
  readonly #methods = new Map<number, string>();
  #fault: Error | undefined;
  #lastID = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Message));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', (code, reason) => this.#fail(new Error(`the socket was closed: ${code} ${reason}`)));
  }

  /** Connects. @throws Error naming the HTTP status if the upgrade is refused */
  static async open(url: string, key: string | undefined): Promise<RpcClient> {
    const socket = new WebSocket(url, { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
    const client = new RpcClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** A request with its params as the contract types them. @throws Refused */
  call<M extends MethodName>(method: M, params: GivenParamsOf<M>): Promise<ResultOf<M>> {
    return this.ask(method, params) as Promise<ResultOf<M>>;
  }

  /** A request with any params at all. @throws Refused */
  ask(method: string, params: unknown): Promise<unknown> {
    this.#lastID += 1;
    const id = this.#lastID;
    this.#methods.set(id, method);
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return answer;
  }

  /** The refusal of a request that must be refused, as `NotFoundCallID`. @throws Error if it is accepted */
  async refusal(method: string, params: unknown): Promise<Refused> {
    try {
      await this.ask(method, params);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
    throw new Error(`${method} was accepted`);
  }

  /**
   * Waits until the events received so far satisfy a condition.
   * @throws Error telling what did come
   */
  async until(done: (events: readonly CtiEvent[]) => boolean, within = PATIENCE_MS): Promise<void> {
    if (this.#fault) throw this.#fault;
    if (done(this.events)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        end();
      };
      const waiter: Waiter = {
        done,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => {
        waiter.reject(new Error(`not within ${within} ms; what came: ${told(this.events).join(', ') || 'nothing'}`));
      }, within);
      this.#waiters.add(waiter);
    });
  }

  /** The first event of a name that satisfies a condition, past or to come. */
  async event<N extends CtiEventName>(
    name: N,
    matches: (event: EventOf<N>) => boolean = () => true,
    within = PATIENCE_MS,
  ): Promise<EventOf<N>> {
    const find = () => this.events.find((e): e is EventOf<N> => e.messageID === name && matches(e as EventOf<N>));
    await this.until(() => find() !== undefined, within);
    const found = find();
    if (!found) throw new Error(`${name} has vanished`);
    return found;
  }

  /** The events of one call received so far. */
  of(callID: string): CtiEvent[] {
    return this.events.filter((e) => 'callID' in e && e.callID === callID);
  }

  /** Waits for a call's EventCallDeleted and returns all its events, errors of requests left out. */
  async ended(callID: string, within = PATIENCE_MS): Promise<CtiEvent[]> {
    await this.event('EventCallDeleted', (e) => e.callID === callID, within);
    return this.of(callID).filter((e) => e.messageID !== 'EventPartyError');
  }

  /** True while the socket is open. */
  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async close(): Promise<void> {
    const fault = this.#fault;
    if (this.#socket.readyState !== WebSocket.CLOSED) {
      const closed = once(this.#socket, 'close');
      this.#socket.close();
      await closed;
    }
    if (fault && !fault.message.startsWith('the socket was closed')) throw fault;
  }

  #take(message: Message): void {
    if (message.method === 'event') {
      this.#hear(message.params as CtiEvent);
      return;
    }
    const id = message.id ?? 0;
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    const method = this.#methods.get(id) ?? '?';
    this.#methods.delete(id);
    if (message.error) answer?.reject(new Refused(method, message.error));
    else answer?.resolve(message.result);
  }

  #hear(event: CtiEvent): void {
    const schema: z.ZodType | undefined = EVENT_SCHEMAS[event.messageID];
    const checked = schema?.safeParse(event);
    if (!checked?.success) {
      const why = checked?.error.message ?? 'no event of the vocabulary';
      this.#fail(new Error(`${event.messageID} fails its schema: ${why}\n${JSON.stringify(event)}`));
      return;
    }
    this.events.push(event);
    for (const waiter of this.#waiters) if (waiter.done(this.events)) waiter.resolve();
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
    for (const waiter of this.#waiters) waiter.reject(this.#fault);
  }
}
