import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Behaviour, behave } from './behaviour.ts';
import { type CallHost, PhoneCall } from './call.ts';
import { answerChallenge, type Credentials, isProven } from './digest.ts';
import { type Codec, Media } from './media.ts';
import { type Header, header, parseAddress, parseUri, type SipRequest, type SipResponse } from './message.ts';
import { type Account, Registrations } from './registrations.ts';
import { type Peer, type ServerTransaction, Transactions, token } from './transactions.ts';

export interface PhoneOptions {
  readonly host?: string;
  /** UDP port; 0 or nothing: any that is free. */
  readonly port?: number;
  /** The number of the telephone: what its own calls come from. */
  readonly dn: string;
  /** Hertz that it sends while it talks, the same for every call, or by the number that was dialled; 0: silence. */
  readonly tone?: number | ((dialled: string) => number);
  /** What it speaks; u-law where nothing is said. */
  readonly codec?: Codec;
  /** What it does by itself with a call that comes in, by the number dialled. None: the script does it. */
  readonly behaviour?: Behaviour | ((dialled: string) => Behaviour | undefined);
  /** Register at once. */
  readonly register?: Account;
  /** Where calls go that it makes, where it does not register; `register` says so too. */
  readonly server?: Peer;
  /** Who it is towards that server; `register` says so too. */
  readonly credentials?: Credentials;
  /** A caller has to prove to be this one, as towards a carrier. */
  readonly demands?: Credentials;
  /** Told what went wrong in the background, e.g. a registration that could not be renewed. */
  readonly onProblem?: (problem: Error) => void;
}

const WAITING_CALLS = 1000;
const CHALLENGES = 1000;

/** A scriptable SIP telephone. One socket may serve any number of numbers. */
export class Phone implements CallHost {
  readonly host: string;
  readonly transactions: Transactions;
  readonly #options: PhoneOptions;
  readonly #socket: Socket;
  readonly #calls = new Map<string, PhoneCall>();
  readonly #waiting: PhoneCall[] = [];
  readonly #takers: { resolve: (call: PhoneCall) => void; reject: (error: Error) => void }[] = [];
  readonly #registrations: Registrations;
  readonly #nonces = new Set<string>();
  #port = 0;
  #closed = false;

  private constructor(options: PhoneOptions) {
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    this.transactions = new Transactions(
      (text, peer) => {
        if (!this.#closed) this.#socket.send(text, peer.port, peer.host);
      },
      (transaction) => this.#take(transaction),
    );
    this.#registrations = new Registrations({
      host: this.host,
      port: () => this.#port,
      via: () => this.via(),
      askAs: (who, build, peer) => this.#ask(build, peer, who),
      onProblem: (error) => this.#problem(error),
    });
    this.#socket.on('message', (data, from) => {
      const text = data.toString();
      if (text.trim() === '') return; // a keep-alive
      try {
        this.transactions.receive(text, { host: from.address, port: from.port });
      } catch (error) {
        this.#problem(error);
      }
    });
  }

  /** Opens a telephone, registered if it is to be. @throws Error if the port is taken or registration is refused */
  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    phone.#socket.bind(options.port ?? 0, phone.host);
    await once(phone.#socket, 'listening');
    phone.#port = phone.#socket.address().port;
    phone.#socket.on('error', (error) => phone.#problem(error));
    if (options.register) {
      try {
        await phone.register();
      } catch (error) {
        await phone.close();
        throw error;
      }
    }
    return phone;
  }

  get port(): number {
    return this.#port;
  }

  /** Calls that go on now. */
  get calls(): readonly PhoneCall[] {
    return [...this.#calls.values()];
  }

  /** The next call that comes in, or the oldest that nobody was given yet. @param within milliseconds */
  nextCall(within = 10_000): Promise<PhoneCall> {
    const waiting = this.#waiting.shift();
    if (waiting) return Promise.resolve(waiting);
    return new Promise((resolve, reject) => {
      const drop = (): void => {
        clearTimeout(timer);
        const at = this.#takers.indexOf(taker);
        if (at >= 0) this.#takers.splice(at, 1);
      };
      const taker = {
        resolve: (call: PhoneCall) => {
          drop();
          resolve(call);
        },
        reject: (error: Error) => {
          drop();
          reject(error);
        },
      };
      const timer = setTimeout(
        () => taker.reject(new Error(`no call for ${this.#options.dn} in ${within} ms`)),
        within,
      );
      this.#takers.push(taker);
    });
  }

  /**
   * Calls somebody.
   * @param target a number, or a whole SIP URI
   * @param options.from the number to come from; the telephone's own by default
   * @param options.name the name to come with
   */
  call(target: string, options: { headers?: readonly Header[]; from?: string; name?: string } = {}): PhoneCall {
    const server = this.#options.register?.registrar ?? this.#options.server;
    if (!server) throw new Error('this telephone has no server to call through');
    const uri = target.includes(':') ? target : `sip:${encodeURIComponent(target)}@${server.host}:${server.port}`;
    const from = options.from ?? this.#options.dn;
    const name = options.name === undefined ? '' : `"${options.name.replace(/["\\]/g, '\\$&')}" `;
    const invite: SipRequest = {
      kind: 'request',
      method: 'INVITE',
      uri,
      headers: [
        ['Max-Forwards', '70'],
        ['From', `${name}<sip:${encodeURIComponent(from)}@${this.host}>`],
        ['To', `<${uri}>`],
        ['Call-ID', `${token()}@${this.host}`],
        ['Contact', `<sip:${encodeURIComponent(from)}@${this.host}:${this.#port}>`],
        ['Allow', ALLOW],
        ['Content-Type', 'application/sdp'],
        ...(options.headers ?? []),
      ],
      body: '',
    };
    const media = this.#media(from, (digit) => call.takeDigit(digit));
    const call: PhoneCall = new PhoneCall(this, { invite, peer: server }, media);
    this.#calls.set(call.callId, call);
    call.start().catch((error: unknown) => {
      this.#problem(error);
      call.close();
    });
    return call;
  }

  /** Registers an account, the telephone's own by default, and keeps it registered. @throws Error if it is refused */
  async register(account: Account | undefined = this.#options.register): Promise<void> {
    if (!account) throw new Error('this telephone has no account to register');
    await this.#registrations.add(account);
  }

  /** Takes an account off the registrar. */
  async unregister(username = this.#options.register?.username ?? ''): Promise<void> {
    await this.#registrations.remove(username);
  }

  /** Registers every account again, now: the registrar has been restarted. */
  async renew(): Promise<void> {
    await this.#registrations.renew();
  }

  // ---- what a call needs ----

  via(): Header {
    return ['Via', `SIP/2.0/UDP ${this.host}:${this.#port};rport;branch=z9hG4bK${token()}`];
  }

  ask(
    build: (extra: readonly Header[]) => SipRequest,
    peer: Peer,
    onProvisional?: (r: SipResponse) => void,
  ): Promise<SipResponse> {
    return this.#ask(build, peer, this.#options.register ?? this.#options.credentials, onProvisional);
  }

  async #ask(
    build: (extra: readonly Header[]) => SipRequest,
    peer: Peer,
    who: Credentials | undefined,
    onProvisional?: (r: SipResponse) => void,
  ): Promise<SipResponse> {
    const request = build([]);
    const answer = await this.transactions.request(request, peer, onProvisional);
    if ((answer.status !== 401 && answer.status !== 407) || !who) return answer;
    const [challenge, name] =
      answer.status === 401 ? ['www-authenticate', 'Authorization'] : ['proxy-authenticate', 'Proxy-Authorization'];
    const proof = answerChallenge(header(answer, challenge ?? ''), request.method, request.uri, who);
    return await this.transactions.request(build([[name ?? '', proof]]), peer, onProvisional);
  }

  ended(call: PhoneCall): void {
    this.#calls.delete(call.callId);
  }

  // ---- what comes in ----

  #take(transaction: ServerTransaction): void {
    this.#route(transaction).catch((error: unknown) => {
      this.#problem(error);
      transaction.respond(500, { tag: token() });
    });
  }

  async #route(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    const call = this.#calls.get(header(request, 'call-id'));
    const inside = parseAddress(header(request, 'to')).params.has('tag');
    if (call && (inside || request.method === 'CANCEL')) {
      await call.take(transaction);
      if (request.method === 'NOTIFY') this.#obey(request, [call]);
      return;
    }
    if (inside) {
      transaction.respond(481);
      if (request.method === 'INVITE') this.transactions.release(transaction);
      return;
    }
    switch (request.method) {
      case 'INVITE':
        return this.#ring(transaction);
      case 'NOTIFY':
        transaction.respond(200, { tag: token() });
        return this.#notifyOutside(request);
      case 'OPTIONS':
        return transaction.respond(200, { tag: token(), headers: [['Allow', ALLOW]] });
      case 'CANCEL':
        return transaction.respond(481, { tag: token() });
      default:
        return transaction.respond(501, { tag: token() });
    }
  }

  #ring(transaction: ServerTransaction): void {
    if (!this.#proves(transaction)) {
      this.transactions.release(transaction);
      return;
    }
    transaction.respond(100);
    const { user } = parseUri(transaction.request.uri);
    const media = this.#media(user, (digit) => call.takeDigit(digit));
    const call: PhoneCall = new PhoneCall(this, transaction, media);
    this.#calls.set(call.callId, call);
    const behaviour = this.#behaviour(user);
    if (behaviour) behave(call, behaviour).catch((error: unknown) => this.#problem(error));
    const taker = this.#takers[0];
    if (taker) {
      taker.resolve(call);
      return;
    }
    this.#waiting.push(call);
    // A telephone that answers by itself is asked for its calls by nobody.
    if (this.#waiting.length > WAITING_CALLS) this.#waiting.shift();
  }

  #behaviour(user: string): Behaviour | undefined {
    const { behaviour } = this.#options;
    return typeof behaviour === 'function' ? behaviour(user) : behaviour;
  }

  /** Asks the caller for a proof where one is demanded. @returns true if the call may go on */
  #proves(transaction: ServerTransaction): boolean {
    const { demands } = this.#options;
    if (!demands) return true;
    const { request } = transaction;
    const given = header(request, 'authorization');
    const nonce = /nonce="([^"]*)"/.exec(given)?.[1] ?? '';
    if (this.#nonces.delete(nonce) && isProven(given, request.method, nonce, demands)) return true;
    const fresh = token();
    this.#nonces.add(fresh);
    const [oldest] = this.#nonces;
    if (this.#nonces.size > CHALLENGES && oldest !== undefined) this.#nonces.delete(oldest);
    const challenge = `Digest realm="carrier", nonce="${fresh}", algorithm=MD5, qop="auth"`;
    transaction.respond(401, { tag: token(), headers: [['WWW-Authenticate', challenge]] });
    return false;
  }

  /** A NOTIFY that belongs to no dialog means the telephone: the call that rings on it, else the one that talks. */
  #notifyOutside(request: SipRequest): void {
    const { user } = parseUri(request.uri);
    const mine = this.calls.filter((call) => call.direction === 'out' || call.dialled === user);
    const call = mine.find((one) => one.ringing) ?? mine.find((one) => one.answered);
    if (!call) return;
    const event = header(request, 'event').trim().toLowerCase();
    if (event === 'talk') call.note({ name: 'talk', message: request });
    if (event === 'hold') call.note({ name: 'hold-requested', message: request });
    this.#obey(request, [call]);
  }

  #obey(request: SipRequest, calls: readonly PhoneCall[]): void {
    const event = header(request, 'event').trim().toLowerCase();
    for (const call of calls) {
      if (!this.#behaviour(call.dialled)?.answersOnTalk) continue;
      if (event === 'talk')
        (call.ringing ? call.answer() : call.retrieve()).catch((error: unknown) => this.#problem(error));
      if (event === 'hold') call.hold().catch((error: unknown) => this.#problem(error));
    }
  }

  #media(number: string, onDigit: (digit: string) => void): Promise<Media> {
    const { tone, codec } = this.#options;
    return Media.open(this.host, typeof tone === 'function' ? tone(number) : (tone ?? 0), onDigit, codec);
  }

  #problem(error: unknown): void {
    if (this.#closed) return;
    this.#options.onProblem?.(error instanceof Error ? error : new Error(String(error)));
  }

  /** Hangs every call up, takes its accounts off the registrar, and closes the socket. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.allSettled([
      ...this.calls.map((call) => within(call.hangUp(), 2000)),
      ...this.#registrations.usernames.map((username) => within(this.unregister(username), 2000)),
    ]);
    this.#closed = true;
    this.#registrations.close();
    for (const call of this.calls) call.close();
    for (const taker of this.#takers.splice(0)) taker.reject(new Error('the telephone was closed'));
    this.transactions.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, UPDATE, INFO';

/** The far end may be gone: closing a telephone does not wait for it for 32 seconds. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
