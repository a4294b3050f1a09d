import { cseq, type Header, header, parseAddress, parseUri, type SipRequest, type SipResponse } from './message.ts';
import { type Peer, type ServerTransaction, type Transactions, token } from './transactions.ts';

/** What sends the requests of a dialog: the telephone that it is on. */
export interface Sender {
  readonly host: string;
  readonly port: number;
  readonly transactions: Transactions;
  /** Sends a request, answering a digest challenge where one comes. */
  ask(
    build: (extra: readonly Header[]) => SipRequest,
    peer: Peer,
    onProvisional?: (r: SipResponse) => void,
  ): Promise<SipResponse>;
  via(): Header;
}

/** A dialog as one of its ends knows it (RFC 3261, 12): who both are, where each is reached, and the next number. */
export class Dialog {
  readonly callId: string;
  readonly localTag = token();
  /** Where we are reached, as a Contact header. */
  readonly contact: string;
  /** Where its requests go. */
  readonly peer: Peer;
  readonly #sender: Sender;
  readonly #localAddress: string;
  #remoteAddress: string;
  #remoteTag: string;
  #remoteTarget: string;
  #cseq = 1;

  private constructor(
    sender: Sender,
    peer: Peer,
    invite: SipRequest,
    ends: { readonly local: string; readonly remote: string; readonly target: string; readonly contact: string },
  ) {
    this.#sender = sender;
    this.peer = peer;
    this.callId = header(invite, 'call-id');
    this.contact = ends.contact;
    this.#localAddress = `${ends.local};tag=${this.localTag}`;
    this.#remoteAddress = ends.remote;
    this.#remoteTag = parseAddress(ends.remote).params.get('tag') ?? '';
    this.#remoteTarget = ends.target;
  }

  /** The dialog that an INVITE of ours is to begin. @param peer where it goes */
  static calling(sender: Sender, invite: SipRequest, peer: Peer): Dialog {
    return new Dialog(sender, peer, invite, {
      local: header(invite, 'from'),
      remote: header(invite, 'to'),
      target: invite.uri,
      contact: header(invite, 'contact'),
    });
  }

  /** The dialog that an INVITE begins which has come in. */
  static called(sender: Sender, { request: invite, from }: ServerTransaction): Dialog {
    return new Dialog(sender, from, invite, {
      local: header(invite, 'to'),
      remote: header(invite, 'from'),
      target: parseAddress(header(invite, 'contact')).uri,
      contact: `<sip:${parseUri(invite.uri).user}@${sender.host}:${sender.port}>`,
    });
  }

  /** Our address, without its tag. */
  get localUri(): string {
    return parseAddress(this.#localAddress).uri;
  }

  /** The far end's address as a Refer-To header, with this dialog to be replaced (RFC 3891). */
  get replaced(): string {
    const replaces = `${this.callId};to-tag=${this.#remoteTag};from-tag=${this.localTag}`;
    return `<${this.#remoteTarget}?Replaces=${encodeURIComponent(replaces)}>`;
  }

  /** Takes from an answer to our INVITE who the far end is, and where. */
  learn(response: SipResponse): void {
    this.#remoteAddress = header(response, 'to');
    this.#remoteTag = parseAddress(this.#remoteAddress).params.get('tag') ?? '';
    const contact = header(response, 'contact');
    if (contact !== '') this.#remoteTarget = parseAddress(contact).uri;
  }

  /** The INVITE that is to begin the dialog, with the next number. @param extra the answer to a challenge */
  invitation(invite: SipRequest, body: string, extra: readonly Header[]): SipRequest {
    this.#cseq += 1;
    return {
      ...invite,
      headers: [
        this.#sender.via(),
        ...invite.headers.filter(
          ([name]) => !['Via', 'From', 'CSeq', 'Authorization', 'Proxy-Authorization'].includes(name),
        ),
        ['From', this.#localAddress],
        ['CSeq', `${this.#cseq} INVITE`],
        ...extra,
      ],
      body,
    };
  }

  /** Asks the far end something. @returns its final answer */
  ask(method: string, headers: readonly Header[] = [], body = ''): Promise<SipResponse> {
    return this.#sender.ask((extra) => this.#next(method, [...headers, ...extra], body), this.peer);
  }

  /** Asks the far end for other sound. @returns its final answer, which has been acknowledged */
  async reinvite(headers: readonly Header[], body: string): Promise<SipResponse> {
    let sent: SipRequest | undefined;
    const answer = await this.#sender.ask((extra) => {
      sent = this.#next('INVITE', [...headers, ...extra], body);
      return sent;
    }, this.peer);
    if (answer.status < 300 && sent) this.acknowledge(sent);
    return answer;
  }

  /** The ACK to the 2xx of an INVITE of ours. */
  acknowledge(invite: SipRequest): void {
    const ack = this.#request('ACK', cseq(invite).number);
    this.#sender.transactions.acknowledge(invite, ack, this.peer);
  }

  #next(method: string, headers: readonly Header[], body: string): SipRequest {
    this.#cseq += 1;
    return this.#request(method, this.#cseq, headers, body);
  }

  #request(method: string, number: number, headers: readonly Header[] = [], body = ''): SipRequest {
    return {
      kind: 'request',
      method,
      uri: this.#remoteTarget,
      headers: [
        this.#sender.via(),
        ['Max-Forwards', '70'],
        ['From', this.#localAddress],
        ['To', this.#remoteAddress],
        ['Call-ID', this.callId],
        ['CSeq', `${number} ${method}`],
        ...headers,
      ],
      body,
    };
  }
}
