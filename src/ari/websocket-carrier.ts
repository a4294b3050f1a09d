import type { Carrier, Exchange } from './carrier.ts';
import type { AriErrorKind } from './errors.ts';

/** Asterisk closes the socket (1009) on a frame above 65,535 bytes; some room for the envelope's multi-byte characters. */
export const MAX_REQUEST_FRAME_BYTES = 60_000;

/** What the carrier needs of a socket. */
export interface FrameSender {
  send(text: string): void;
}

/** A RESTResponse as it arrives. */
export interface RestResponseFrame {
  request_id?: unknown;
  status_code?: unknown;
  reason_phrase?: unknown;
  message_body?: unknown;
}

/**
 * REST over the event WebSocket (Asterisk 20.14, 22.4 and later). Asterisk runs the requests of one socket one after the
 * other; it belongs to one connection and ends with it.
 */
export class WebSocketCarrier implements Carrier {
  readonly name = 'websocket';
  readonly #socket: FrameSender;
  readonly #maxInFlight: number;
  readonly #pending = new Map<string, Exchange>();
  #lastId = 0;
  #refusal: { kind: AriErrorKind; reason: string } | undefined;

  constructor(socket: FrameSender, maxInFlight: number) {
    this.#socket = socket;
    this.#maxInFlight = maxInFlight;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  send(exchange: Exchange): void {
    if (this.#refusal) {
      exchange.fail(this.#refusal.kind, this.#refusal.reason);
      return;
    }
    if (this.#pending.size >= this.#maxInFlight) {
      exchange.fail('overload', `${this.#maxInFlight} requests are under way on the event socket`);
      return;
    }
    exchange.key = ++this.#lastId;
    const id = String(exchange.key);
    // The fields are ours or already escaped, but for the target and the body: a template is cheaper than an object.
    const uri = JSON.stringify(exchange.target.slice(1));
    const body =
      exchange.body === undefined
        ? ''
        : `,"content_type":"application/json","message_body":${JSON.stringify(exchange.body)}`;
    const frame = `{"type":"RESTRequest","transaction_id":"${id}","request_id":"${id}","method":"${exchange.method}","uri":${uri}${body}}`;
    if (frame.length > MAX_REQUEST_FRAME_BYTES / 3 && Buffer.byteLength(frame) > MAX_REQUEST_FRAME_BYTES) {
      exchange.fail('too-large', `the request exceeds ${MAX_REQUEST_FRAME_BYTES} bytes`);
      return;
    }
    this.#pending.set(id, exchange);
    try {
      this.#socket.send(frame);
    } catch (error) {
      this.#pending.delete(id);
      exchange.fail('connection', 'the event socket refused the frame', undefined, error);
    }
  }

  /** Settles the request that a RESTResponse answers. Returns false when none is waiting for it: it came too late. */
  receive(frame: RestResponseFrame): boolean {
    const id = frame.request_id;
    if (typeof id !== 'string') return false;
    const exchange = this.#pending.get(id);
    if (exchange === undefined) return false;
    this.#pending.delete(id);
    if (typeof frame.status_code !== 'number') {
      exchange.fail('malformed', 'a RESTResponse without status');
      return true;
    }
    exchange.respond(
      frame.status_code,
      typeof frame.message_body === 'string' ? frame.message_body : undefined,
      typeof frame.reason_phrase === 'string' ? frame.reason_phrase : undefined,
    );
    return true;
  }

  cancel(exchange: Exchange): void {
    this.#pending.delete(String(exchange.key));
  }

  close(kind: AriErrorKind, reason: string): void {
    if (this.#refusal) return;
    this.#refusal = { kind, reason };
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const exchange of pending) exchange.fail(kind, reason);
  }
}
