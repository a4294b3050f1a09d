import type { Credentials } from './digest.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import { type Peer, token } from './transactions.ts';

/** An account at a registrar. */
export interface Account extends Credentials {
  /** The SIP server, which also takes our calls. */
  readonly registrar: Peer;
  /** Seconds that a registration holds; it is renewed at half of them. */
  readonly expires?: number;
}

/** What keeping accounts registered needs of the telephone that has them. */
export interface Registrant {
  readonly host: string;
  /** Its UDP port, once it is open. */
  port(): number;
  via(): Header;
  /** Sends a request as that account. @returns the final answer */
  askAs(who: Credentials, build: (extra: readonly Header[]) => SipRequest, peer: Peer): Promise<SipResponse>;
  /** Told why one could not be renewed. */
  onProblem(error: unknown): void;
}

interface Registration {
  readonly account: Account;
  readonly callId: string;
  cseq: number;
  timer?: NodeJS.Timeout;
}

/** The accounts of a telephone, which are kept registered (RFC 3261, 10). */
export class Registrations {
  readonly #phone: Registrant;
  readonly #accounts = new Map<string, Registration>();
  #closed = false;

  constructor(phone: Registrant) {
    this.#phone = phone;
  }

  /** Registers an account and keeps it registered. @throws Error if it is refused */
  async add(account: Account): Promise<void> {
    const known = this.#accounts.get(account.username) ?? {
      account,
      callId: `${token()}@${this.#phone.host}`,
      cseq: 0,
    };
    this.#accounts.set(account.username, known);
    await this.#send(account.username, account.expires ?? 120);
    this.#renewLater(account.username);
  }

  /** Takes an account off the registrar. */
  async remove(username: string): Promise<void> {
    const known = this.#accounts.get(username);
    if (!known) return;
    clearTimeout(known.timer);
    await this.#send(username, 0);
    this.#accounts.delete(username);
  }

  /** Registers every account again, now. */
  async renew(): Promise<void> {
    await Promise.all([...this.#accounts.values()].map(({ account }) => this.add(account)));
  }

  /** The names of the accounts. */
  get usernames(): string[] {
    return [...this.#accounts.keys()];
  }

  /** Renews nothing any more. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#accounts.values()) clearTimeout(timer);
  }

  async #send(username: string, expires: number): Promise<void> {
    const known = this.#accounts.get(username);
    if (!known) return;
    const { registrar } = known.account;
    const address = `<sip:${username}@${registrar.host}:${registrar.port}>`;
    const register = (extra: readonly Header[]): SipRequest => {
      known.cseq += 1;
      return {
        kind: 'request',
        method: 'REGISTER',
        uri: `sip:${registrar.host}:${registrar.port}`,
        headers: [
          this.#phone.via(),
          ['Max-Forwards', '70'],
          ['From', `${address};tag=${token()}`],
          ['To', address],
          ['Call-ID', known.callId],
          ['CSeq', `${known.cseq} REGISTER`],
          ['Contact', `<sip:${username}@${this.#phone.host}:${this.#phone.port()}>`],
          ['Expires', String(expires)],
          ...extra,
        ],
        body: '',
      };
    };
    const answer = await this.#phone.askAs(known.account, register, registrar);
    if (answer.status >= 300) throw new Error(`registration of ${username} was answered ${answer.status}`);
  }

  #renewLater(username: string): void {
    const known = this.#accounts.get(username);
    if (!known || this.#closed) return;
    clearTimeout(known.timer);
    const renew = (): void => {
      this.#send(username, known.account.expires ?? 120)
        .catch((error: unknown) => this.#phone.onProblem(error))
        .finally(() => this.#renewLater(username));
    };
    known.timer = setTimeout(renew, (known.account.expires ?? 120) * 500);
  }
}
