import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Waiting } from '../waiting.ts';
import { header, parseAddress, parseMessage, parseUri, type SipRequest } from './message.ts';
import { ServerTransaction, token } from './transactions.ts';

/** A call that has come over the trunk. */
export interface TrunkCall {
  readonly number: string;
  /** The number shown. */
  readonly from: string;
}

/**
 * A carrier that refuses every call at once and keeps whom each was for: what went out over a trunk is counted where it
 * comes out. An INVITE that is repeated because its answer was late is the same call, known by its Call-ID.
 */
export class CountingTrunk {
  /** Every call, in the order in which they came. */
  readonly calls: TrunkCall[] = [];
  readonly #socket: Socket;
  readonly #refusal: number;
  readonly #known = new Map<string, ServerTransaction>();
  readonly #waiting = new Waiting();

  private constructor(socket: Socket, refusal: number) {
    this.#socket = socket;
    this.#refusal = refusal;
    socket.on('message', (data, { address, port }) => {
      const message = parseMessage(data.toString());
      if (message.kind !== 'request') return;
      if (message.method === 'ACK') this.#acknowledged(message);
      else this.#answer(message, { host: address, port });
    });
  }

  /** @param refusal SIP status that every call is refused with */
  static async open(refusal = 486, host = '127.0.0.1'): Promise<CountingTrunk> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    const trunk = new CountingTrunk(socket, refusal);
    socket.bind(0, host);
    await once(socket, 'listening');
    return trunk;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Numbers that were called, each with how often. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { number } of this.calls) counts.set(number, (counts.get(number) ?? 0) + 1);
    return counts;
  }

  /** Resolves once so many calls have come; whoever waits sets the limit. */
  until(condition: () => boolean): Promise<void> {
    return this.#waiting.until(condition);
  }

  async close(): Promise<void> {
    for (const t of this.#known.values()) t.stop();
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(request: SipRequest, peer: { host: string; port: number }): void {
    const respond = (status: number): ServerTransaction => {
      const transaction = new ServerTransaction(request, peer, (text) => this.#socket.send(text, peer.port, peer.host));
      transaction.respond(status, { tag: token() });
      return transaction;
    };
    if (request.method !== 'INVITE') {
      respond(200);
      return;
    }
    const id = header(request, 'call-id');
    const before = this.#known.get(id);
    if (before) {
      before.again();
      return;
    }
    this.#known.set(id, respond(this.#refusal));
    const from = parseUri(parseAddress(header(request, 'from')).uri).user;
    this.calls.push({ number: parseUri(request.uri).user, from });
    this.#waiting.changed();
  }

  #acknowledged(ack: SipRequest): void {
    this.#known.get(header(ack, 'call-id'))?.acknowledge(ack);
  }
}
