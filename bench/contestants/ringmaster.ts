import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Deferred } from '../deferred.ts';
import type { CallTimes } from '../round.ts';

interface CtiEvent {
  readonly messageID: string;
  readonly callID: string;
  readonly partyID?: string;
  readonly thisDN?: string;
  readonly referenceID?: number;
  readonly answerUepoch?: number;
  readonly errorMessage?: string;
}

interface Call {
  readonly start: number;
  readonly agent: string;
  readonly done: Deferred<CallTimes>;
  established: number;
  bridgedAt: number;
  answeredAt: number;
}

/** Unix ms with fractions, on this machine's clock. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

/** A client of Ringmaster: makes calls by RPC, and hears of them by the one subscription of the same WebSocket. */
export class RingmasterClient {
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(event: CtiEvent, at: number) => void>();
  readonly #byReference = new Map<number, Call>();
  readonly #byCallID = new Map<string, Call>();
  readonly #asked = new Map<number, (error: Error | undefined) => void>();
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#message(data.toString(), wallClock()));
    socket.on('close', () => this.#closed());
  }

  static async open(url: string, key: string): Promise<RingmasterClient> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } });
    const client = new RingmasterClient(socket);
    await once(socket, 'open');
    await client.#ask('Subscribe', {});
    return client;
  }

  /** Hears every event until the function returned is called; `at`: when it came, Unix ms. */
  onEvent(listener: (event: CtiEvent, at: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** An agent's phone, then a customer's; both talk; the call is cleared. @param slot keeps agents of calls at once apart */
  async call(slot: number): Promise<CallTimes> {
    const referenceID = this.#requests + 1;
    const agent = String(1000 + slot);
    const call: Call = {
      start: wallClock(),
      agent,
      done: new Deferred<CallTimes>(),
      established: 0,
      bridgedAt: 0,
      answeredAt: 0,
    };
    this.#byReference.set(referenceID, call);
    const otherDN = `9111${String(referenceID).padStart(8, '0')}`;
    await this.#ask('RequestMakeCall', { thisDN: agent, otherDN, referenceID });
    return await call.done.promise;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #ask(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    this.#requests += 1;
    const id = this.#requests;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, (error) => (error ? reject(error) : resolve()));
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  #message(text: string, at: number): void {
    const message = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: CtiEvent;
      error?: { message: string };
    };
    if (message.method === 'event' && message.params) {
      this.#follow(message.params, at);
      for (const listener of this.#listeners) listener(message.params, at);
    } else if (message.id !== undefined) {
      this.#asked.get(message.id)?.(message.error && new Error(message.error.message));
      this.#asked.delete(message.id);
    }
  }

  #follow(event: CtiEvent, at: number): void {
    if (event.messageID === 'EventCallCreated') {
      const created = this.#byReference.get(event.referenceID ?? 0);
      if (created) this.#byCallID.set(event.callID, created);
      this.#byReference.delete(event.referenceID ?? 0);
      return;
    }
    const call = this.#byCallID.get(event.callID);
    if (!call) return;
    switch (event.messageID) {
      case 'EventEstablished':
        call.established += 1;
        if (call.established < 2) return;
        call.bridgedAt = at;
        this.#ask('RequestClearCall', { callID: event.callID }).catch((error) => call.done.reject(error));
        return;
      case 'EventReleased':
        if (event.thisDN === call.agent) call.answeredAt = event.answerUepoch ?? Number.NaN;
        return;
      case 'EventCallDeleted':
        this.#byCallID.delete(event.callID);
        if (call.established < 2) call.done.reject(new Error('a call ended before both parties talked'));
        call.done.resolve({ setUp: call.bridgedAt - call.start, answerToBridge: call.bridgedAt - call.answeredAt });
        return;
    }
  }

  #closed(): void {
    const error = new Error('Ringmaster closed the WebSocket');
    for (const settle of this.#asked.values()) settle(error);
    for (const call of [...this.#byReference.values(), ...this.#byCallID.values()]) call.done.reject(error);
  }
}
