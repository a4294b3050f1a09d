import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { CtiEvent, CtiEventName, EventOf } from '../../src/cti/events.ts';
import type { GivenParamsOf, MethodName, ResultOf } from '../../src/cti/requests.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}
type Message = Answer | { readonly method: 'event'; readonly params: CtiEvent };

/** A client of the RPC over a WebSocket, as a dialer or a desktop would have one. */
export class RpcClient {
  readonly #socket: WebSocket;
  readonly #onEvent: (event: CtiEvent) => void;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #events: CtiEvent[] = [];
  readonly #waiting = new Set<(event: CtiEvent) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket, onEvent: (event: CtiEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Message));
  }

  /** @param url of the RPC, `ws://…/rpc` @param key an API key @param onEvent told of every event subscribed to */
  static async open(url: string, key: string, onEvent: (event: CtiEvent) => void): Promise<RpcClient> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } });
    const client = new RpcClient(socket, onEvent);
    await once(socket, 'open');
    return client;
  }

  /** @throws Error with code and name where the request is refused, or is not answered in 10 s */
  async request<Name extends MethodName>(method: Name, params: GivenParamsOf<Name>): Promise<ResultOf<Name>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method} was not answered in 10 s`)), 10_000);
      this.#answers.set(id, (one) => {
        clearTimeout(late);
        resolve(one);
      });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    }).finally(() => this.#answers.delete(id));
    if (answer.error) throw new Error(`${method} was refused: ${answer.error.code} ${answer.error.message}`);
    return answer.result as ResultOf<Name>;
  }

  /**
   * The event of this name of a call, past or to come.
   * @param thisDN the party that it speaks for, where that matters
   * @throws Error naming the call's events so far if it does not come in 20 s
   */
  event<Name extends CtiEventName>(messageID: Name, callID: string, thisDN?: string): Promise<EventOf<Name>> {
    const wanted = (event: CtiEvent): event is EventOf<Name> =>
      event.messageID === messageID &&
      'callID' in event &&
      event.callID === callID &&
      (thisDN === undefined || ('thisDN' in event && event.thisDN === thisDN));
    const past = this.#events.find(wanted);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const look = (event: CtiEvent): void => {
        if (!wanted(event)) return;
        clearTimeout(late);
        this.#waiting.delete(look);
        resolve(event);
      };
      const late = setTimeout(() => {
        this.#waiting.delete(look);
        const came = this.#events.map((event) => event.messageID).join(', ') || 'none';
        reject(new Error(`no ${messageID} in 20 s; the events were: ${came}`));
      }, 20_000);
      this.#waiting.add(look);
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #take(message: Message): void {
    if ('method' in message) {
      this.#events.push(message.params);
      this.#onEvent(message.params);
      for (const look of this.#waiting) look(message.params);
    } else this.#answers.get(message.id)?.(message);
  }
}
