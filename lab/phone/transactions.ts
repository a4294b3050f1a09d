import { randomBytes } from 'node:crypto';
import {
  cseq,
  type Header,
  header,
  headerValues,
  parseAddress,
  parseMessage,
  parseParams,
  reasonPhrase,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  serialiseMessage,
} from './message.ts';

/** Where a datagram goes to or came from. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** Retransmission times of RFC 3261, 17, in milliseconds. */
const T1 = 500;
const T2 = 4000;
const GIVE_UP = 64 * T1;
/** Transactions of one socket; beyond it, new requests go unanswered. */
const LIMIT = 20_000;

export function token(): string {
  return randomBytes(8).toString('hex');
}

/** What we asked, until long after its answer: a repeated answer must find it. */
interface ClientTransaction {
  readonly request: SipRequest;
  readonly peer: Peer;
  readonly onProvisional: (response: SipResponse) => void;
  readonly resolve: (response: SipResponse) => void;
  provisional: boolean;
  final: boolean;
  /** What answers a repeated final response: the ACK. */
  ack?: string;
  timer?: NodeJS.Timeout;
}

/** A request from the other side, and our answers to it. */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly from: Peer;
  readonly #send: (text: string) => void;
  #last: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #final = 0;
  #onAck: ((ack: SipRequest) => void) | undefined;
  #acked = false;

  constructor(request: SipRequest, from: Peer, send: (text: string) => void) {
    this.request = request;
    this.from = from;
    this.#send = send;
  }

  /** The final status that was sent, or 0. */
  get finalStatus(): number {
    return this.#final;
  }

  /**
   * Answers. A final answer to an INVITE is repeated until it is acknowledged.
   * @param options.tag our tag in the To header, where the request brought none
   * @param options.onAck called once, when the ACK arrives
   */
  respond(
    status: number,
    options: { tag?: string; headers?: readonly Header[]; body?: string; onAck?: (ack: SipRequest) => void } = {},
  ): void {
    if (this.#final !== 0) return; // a transaction has one final answer
    const to = header(this.request, 'to');
    const tagged = parseAddress(to).params.has('tag') || options.tag === undefined ? to : `${to};tag=${options.tag}`;
    this.#last = serialiseMessage({
      kind: 'response',
      status,
      reason: reasonPhrase(status),
      headers: [
        ...headerValues(this.request, 'via').map((via): Header => ['Via', via]),
        ['From', header(this.request, 'from')],
        ['To', tagged],
        ['Call-ID', header(this.request, 'call-id')],
        ['CSeq', header(this.request, 'cseq')],
        ...(options.headers ?? []),
      ],
      body: options.body ?? '',
    });
    this.#send(this.#last);
    if (status < 200) return;
    this.#final = status;
    this.#onAck = options.onAck;
    if (this.request.method === 'INVITE') this.#repeat(T1, Date.now() + GIVE_UP);
  }

  /** The same request came again. */
  again(): void {
    if (this.#last !== undefined) this.#send(this.#last);
  }

  acknowledge(ack: SipRequest): void {
    if (this.#final === 0 || this.#acked) return;
    this.#acked = true;
    clearTimeout(this.#timer);
    this.#onAck?.(ack);
  }

  #repeat(after: number, until: number): void {
    this.#timer = setTimeout(() => {
      this.again();
      if (Date.now() < until) this.#repeat(Math.min(after * 2, T2), until);
    }, after);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The transaction layer of one socket. */
export class Transactions {
  readonly #write: (text: string, peer: Peer) => void;
  readonly #onRequest: (transaction: ServerTransaction) => void;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #forgetting = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(write: (text: string, peer: Peer) => void, onRequest: (transaction: ServerTransaction) => void) {
    this.#write = write;
    this.#onRequest = onRequest;
  }

  /**
   * Sends a request and repeats it until it is answered.
   * @returns the final answer; 408 of our own making if none came in 32 seconds, 503 if the socket was closed
   */
  request(
    request: SipRequest,
    peer: Peer,
    onProvisional: (response: SipResponse) => void = () => {},
  ): Promise<SipResponse> {
    if (this.#closed) return Promise.resolve(ownAnswer(503));
    return new Promise((resolve) => {
      const key = clientKey(request);
      const transaction: ClientTransaction = {
        request,
        peer,
        onProvisional,
        resolve,
        provisional: false,
        final: false,
      };
      this.#clients.set(key, transaction);
      this.#send(transaction, key, T1, Date.now() + GIVE_UP);
    });
  }

  #send(transaction: ClientTransaction, key: string, after: number, until: number): void {
    const invite = transaction.request.method === 'INVITE';
    // A provisional answer to an INVITE says that it arrived; to anything else, only slows the repetition.
    if (!(invite && transaction.provisional)) this.#write(serialiseMessage(transaction.request), transaction.peer);
    transaction.timer = setTimeout(() => {
      // An INVITE that rings may ring for as long as it likes.
      if (Date.now() >= until && !(invite && transaction.provisional)) {
        this.#clients.delete(key);
        transaction.resolve(ownAnswer(408));
      } else if (!(invite && transaction.provisional)) {
        this.#send(transaction, key, invite ? after * 2 : Math.min(after * 2, T2), until);
      }
    }, after);
  }

  /** Sends what expects no answer, i.e. the ACK to a 2xx, and keeps it for repeated answers to the same INVITE. */
  acknowledge(invite: SipRequest, ack: SipRequest, peer: Peer): void {
    const text = serialiseMessage(ack);
    const transaction = this.#clients.get(clientKey(invite));
    if (transaction) transaction.ack = text;
    this.#write(text, peer);
  }

  /** Takes a datagram. @throws Error if it is no SIP message */
  receive(text: string, from: Peer): void {
    const message = parseMessage(text);
    if (message.kind === 'response') this.#takeResponse(message);
    else this.#takeRequest(message, from);
  }

  #takeResponse(response: SipResponse): void {
    const key = `${branch(response)} ${cseq(response).method}`;
    const transaction = this.#clients.get(key);
    if (!transaction) return; // the answer to something long given up
    if (transaction.final) {
      if (response.status >= 200 && transaction.ack !== undefined) this.#write(transaction.ack, transaction.peer);
      return;
    }
    if (response.status < 200) {
      transaction.provisional = true;
      transaction.onProvisional(response);
      return;
    }
    transaction.final = true;
    clearTimeout(transaction.timer);
    if (transaction.request.method === 'INVITE' && response.status >= 300) {
      transaction.ack = serialiseMessage(refusalAck(transaction.request, response));
      this.#write(transaction.ack, transaction.peer);
    }
    this.#forget(() => this.#clients.delete(key));
    transaction.resolve(response);
  }

  #takeRequest(request: SipRequest, from: Peer): void {
    if (request.method === 'ACK') {
      this.#servers.get(serverKey(request, 'INVITE'))?.acknowledge(request);
      return;
    }
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known) {
      known.again();
      return;
    }
    if (this.#servers.size >= LIMIT) return;
    const transaction = new ServerTransaction(request, from, (text) => this.#write(text, from));
    this.#servers.set(key, transaction);
    if (request.method !== 'INVITE') this.#forget(() => this.#servers.delete(key));
    this.#onRequest(transaction);
  }

  /** The INVITE that a CANCEL means. */
  cancelled(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, 'INVITE'));
  }

  /** An INVITE has to be remembered for as long as its call; then it may go. */
  release(invite: ServerTransaction): void {
    this.#forget(() => this.#servers.delete(serverKey(invite.request, 'INVITE')));
  }

  #forget(action: () => void): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#forgetting.delete(timer);
      action();
    }, GIVE_UP);
    this.#forgetting.add(timer);
  }

  /** Answers every open question with 503 and stops every timer. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#forgetting) clearTimeout(timer);
    for (const transaction of this.#servers.values()) transaction.stop();
    for (const transaction of this.#clients.values()) {
      clearTimeout(transaction.timer);
      if (!transaction.final) transaction.resolve(ownAnswer(503));
    }
    this.#clients.clear();
    this.#servers.clear();
  }
}

function ownAnswer(status: number): SipResponse {
  return { kind: 'response', status, reason: reasonPhrase(status), headers: [], body: '' };
}

/** The ACK to a refusal belongs to the transaction of its INVITE: same branch (RFC 3261, 17.1.1.3). */
function refusalAck(invite: SipRequest, response: SipResponse): SipRequest {
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [
      ['Via', header(invite, 'via')],
      ['Max-Forwards', '70'],
      ['From', header(invite, 'from')],
      ['To', header(response, 'to')],
      ['Call-ID', header(invite, 'call-id')],
      ['CSeq', `${cseq(invite).number} ACK`],
    ],
    body: '',
  };
}

function branch(message: SipMessage): string {
  const via = header(message, 'via');
  return parseParams(via.slice(via.indexOf(';'))).get('branch') ?? '';
}

function clientKey(request: SipRequest): string {
  return `${branch(request)} ${request.method}`;
}

/** Call and sequence number, which an INVITE shares with its CANCEL and with either kind of ACK. */
function serverKey(request: SipRequest, method: string): string {
  const from = parseAddress(header(request, 'from')).params.get('tag') ?? '';
  return `${header(request, 'call-id')} ${from} ${cseq(request).number} ${method}`;
}
