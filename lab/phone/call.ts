import { type CallEvent, type CallEventName, CallLog } from './events.ts';
import type { Media } from './media.ts';
import {
  cseq,
  type Header,
  header,
  headerValues,
  parseAddress,
  parseUri,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { answerDirection, buildSdp, type Direction, parseSdp } from './sdp.ts';
import { type Peer, type ServerTransaction, type Transactions, token } from './transactions.ts';

/** What a call needs of the telephone that it is on. */
export interface CallHost {
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
  ended(call: PhoneCall): void;
}

/** How a call came to its end. */
export interface CallEnd {
  readonly by: 'us' | 'them';
  /** `refused`: a final answer other than 2xx, `timeout`: no answer at all. */
  readonly how: 'BYE' | 'CANCEL' | 'refused' | 'timeout' | 'closed';
  /** SIP status, where it was refused. */
  readonly status?: number;
  /** Reason headers of the message that ended it. */
  readonly reasons: readonly string[];
}

/** One call on a telephone, incoming or outgoing. */
export class PhoneCall {
  readonly direction: 'in' | 'out';
  readonly callId: string;
  /** The INVITE that began it. */
  invite: SipRequest;
  /** How it ended, once it has. */
  end: CallEnd | undefined;
  readonly #host: CallHost;
  readonly #log = new CallLog();
  readonly #media: Promise<Media>;
  readonly #peer: Peer;
  readonly #localTag = token();
  #remoteTag = '';
  #localAddress: string;
  #remoteAddress: string;
  #remoteTarget: string;
  #contact: string;
  #cseq = 1;
  #sdpVersion = 1;
  #incoming: ServerTransaction | undefined;
  #answered = false;
  #cancelling = false;
  #provisional = false;
  #held = false;
  #digits = '';
  #settled: () => void = () => {};

  /**
   * @param start the INVITE's transaction where it came in; the INVITE itself where it is ours to send
   * @param media opened on its own port; carries nothing where the telephone has no media
   */
  constructor(host: CallHost, start: ServerTransaction | { invite: SipRequest; peer: Peer }, media: Promise<Media>) {
    this.#host = host;
    this.#media = media;
    // Whoever uses the media sees why it could not be opened; a call that never does need not.
    media.catch(() => {});
    this.invite = 'invite' in start ? start.invite : start.request;
    this.callId = header(this.invite, 'call-id');
    if ('invite' in start) {
      this.direction = 'out';
      this.#peer = start.peer;
      this.#localAddress = `${header(this.invite, 'from')};tag=${this.#localTag}`;
      this.#remoteAddress = header(this.invite, 'to');
      this.#remoteTarget = this.invite.uri;
      this.#contact = header(this.invite, 'contact');
    } else {
      this.direction = 'in';
      this.#peer = start.from;
      this.#incoming = start;
      this.#localAddress = `${header(this.invite, 'to')};tag=${this.#localTag}`;
      this.#remoteAddress = header(this.invite, 'from');
      this.#remoteTag = parseAddress(this.#remoteAddress).params.get('tag') ?? '';
      this.#remoteTarget = parseAddress(header(this.invite, 'contact')).uri;
      this.#contact = `<sip:${this.dialled}@${host.host}:${host.port}>`;
    }
  }

  /** The user part of the INVITE's URI: the number or DN that was called. */
  get dialled(): string {
    return parseUri(this.invite.uri).user;
  }

  /** The number in the INVITE's From header. */
  get callerNumber(): string {
    return parseUri(parseAddress(header(this.invite, 'from')).uri).user;
  }

  /** The name in the INVITE's From header. */
  get callerName(): string {
    return parseAddress(header(this.invite, 'from')).name;
  }

  /** Headers of the INVITE by this name. */
  headers(name: string): string[] {
    return headerValues(this.invite, name);
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** True while an incoming call waits to be answered. */
  get ringing(): boolean {
    return this.direction === 'in' && !this.#answered && !this.end;
  }

  /** Digits received so far. */
  get dtmf(): string {
    return this.#digits;
  }

  /** Names of everything that happened to the call, in order. */
  get history(): CallEventName[] {
    return this.#log.names;
  }

  /** Waits for something to happen: `CallLog.waitFor`. @param within milliseconds */
  waitFor(name: CallEventName, within = 10_000): Promise<CallEvent> {
    return this.#log.waitFor(name, within);
  }

  /** For the telephone: a digit came in. */
  takeDigit(digit: string): void {
    this.#digits = (this.#digits + digit).slice(-1000);
    this.#log.add({ name: 'dtmf', detail: digit });
  }

  /** For the telephone: something was asked of this call from outside it. */
  note(event: CallEvent): void {
    this.#log.add(event);
  }

  // ---- an incoming call ----

  trying(): void {
    this.#incoming?.respond(100);
  }

  /** 180, or another provisional status without media. */
  ring(status = 180): void {
    this.#respond(status);
  }

  /** 183, or another provisional status, with media: the caller hears our tone before the answer. */
  async early(status = 183): Promise<void> {
    const media = await this.#open();
    if (!this.ringing) return;
    this.#respond(status, await this.#sdp('sendrecv'));
    media.send(true);
  }

  /** 200; resolves when the ACK is here. */
  async answer(): Promise<void> {
    const media = await this.#open();
    const incoming = this.#incoming;
    if (!this.ringing || !incoming) return;
    const body = await this.#sdp('sendrecv');
    this.#answered = true;
    await new Promise<void>((resolve) => {
      // An ACK that never comes must not keep anyone waiting beyond the end of the call.
      this.#settled = resolve;
      incoming.respond(200, { tag: this.#localTag, headers: this.#sdpHeaders(), body, onAck: () => resolve() });
      media.send(true);
      this.#log.add({ name: 'answered' });
    });
  }

  /** A final refusal. @param status 300 to 699 @param options.reasonHeader e.g. `Q.850;cause=17` */
  async refuse(status: number, options: { reasonHeader?: string } = {}): Promise<void> {
    if (!this.ringing) return;
    const headers: Header[] = options.reasonHeader === undefined ? [] : [['Reason', options.reasonHeader]];
    this.#incoming?.respond(status, { tag: this.#localTag, headers });
    this.#finish({ by: 'us', how: 'refused', status, reasons: [] });
  }

  #respond(status: number, body = ''): void {
    if (!this.ringing) return;
    const headers: Header[] = body === '' ? [['Contact', this.#contact]] : this.#sdpHeaders();
    this.#incoming?.respond(status, { tag: this.#localTag, headers, body });
  }

  // ---- an outgoing call ----

  /** For the telephone: sends the INVITE and sees it through. */
  async start(): Promise<void> {
    const media = await this.#media;
    const body = await this.#sdp('sendrecv');
    const answer = await this.#host.ask(
      (extra) => {
        this.#cseq += 1;
        this.#provisional = false;
        this.invite = {
          ...this.invite,
          headers: [
            this.#host.via(),
            ...this.invite.headers.filter(
              ([name]) => !['Via', 'From', 'CSeq', 'Authorization', 'Proxy-Authorization'].includes(name),
            ),
            ['From', this.#localAddress],
            ['CSeq', `${this.#cseq} INVITE`],
            ...extra,
          ],
          body,
        };
        return this.invite;
      },
      this.#peer,
      (response) => this.#progress(response, media),
    );
    if (answer.status >= 300) {
      const how = answer.headers.length === 0 ? 'timeout' : 'refused';
      const by = this.#cancelling ? 'us' : 'them';
      this.#finish({
        by,
        how: this.#cancelling ? 'CANCEL' : how,
        status: answer.status,
        reasons: headerValues(answer, 'reason'),
      });
      return;
    }
    this.#learn(answer);
    this.#connect(answer, media);
    this.#host.transactions.acknowledge(this.invite, this.#request('ACK', this.#cseq), this.#peer);
    this.#answered = true;
    media.send(true);
    this.#log.add({ name: 'answered', message: answer });
    if (this.#cancelling) await this.hangUp(); // the answer crossed our CANCEL
  }

  #progress(response: SipResponse, media: Media): void {
    if (this.end) return;
    if (response.status > 100) this.#learn(response);
    if (!this.#provisional) {
      this.#provisional = true;
      if (this.#cancelling) void this.#sendCancel();
    }
    if (response.body !== '') this.#connect(response, media);
    if (response.status === 100) this.#log.add({ name: 'trying', message: response });
    else if (response.status === 180) this.#log.add({ name: 'ringing', message: response });
    if (response.status > 100 && response.body !== '') this.#log.add({ name: 'early-media', message: response });
  }

  #learn(response: SipResponse): void {
    this.#remoteAddress = header(response, 'to');
    this.#remoteTag = parseAddress(this.#remoteAddress).params.get('tag') ?? '';
    const contact = header(response, 'contact');
    if (contact !== '') this.#remoteTarget = parseAddress(contact).uri;
  }

  /** Gives an outgoing call up before it is answered; the CANCEL goes once the far end has said anything at all. */
  async cancel(): Promise<void> {
    if (this.direction === 'in' || this.#answered || this.end || this.#cancelling) return;
    this.#cancelling = true;
    if (this.#provisional) await this.#sendCancel();
  }

  async #sendCancel(): Promise<void> {
    const { uri } = this.invite;
    const number = cseq(this.invite).number;
    const headers: Header[] = this.invite.headers.filter(([name]) =>
      ['Via', 'From', 'To', 'Call-ID'].includes(name),
    ) as Header[];
    const cancel: SipRequest = {
      kind: 'request',
      method: 'CANCEL',
      uri,
      headers: [...headers, ['Max-Forwards', '70'], ['CSeq', `${number} CANCEL`]],
      body: '',
    };
    await this.#host.transactions.request(cancel, this.#peer);
  }

  // ---- a call that talks ----

  /** Ends the call, whatever its state: BYE, CANCEL, or 603 to one that rings here. */
  async hangUp(): Promise<void> {
    if (this.end) return;
    if (!this.#answered) {
      if (this.direction === 'out') return await this.cancel();
      return await this.refuse(603);
    }
    this.#finish({ by: 'us', how: 'BYE', reasons: [] });
    await this.#ask('BYE');
  }

  /** Puts the far end on hold: re-INVITE with sendonly, and our tone stops. */
  async hold(): Promise<void> {
    await this.#reinvite('sendonly');
    (await this.#media).send(false);
    this.#held = true;
  }

  /** Takes it back: re-INVITE with sendrecv. */
  async retrieve(): Promise<void> {
    await this.#reinvite('sendrecv');
    (await this.#media).send(true);
    this.#held = false;
  }

  /** True while we hold the far end. */
  get holding(): boolean {
    return this.#held;
  }

  async #reinvite(direction: Direction): Promise<void> {
    const media = await this.#media;
    this.#sdpVersion += 1;
    const body = await this.#sdp(direction);
    let sent: SipRequest | undefined;
    const answer = await this.#host.ask((extra) => {
      this.#cseq += 1;
      sent = this.#request('INVITE', this.#cseq, [...this.#sdpHeaders(), ...extra], body);
      return sent;
    }, this.#peer);
    if (answer.status >= 300 || !sent) throw new Error(`re-INVITE (${direction}) was answered ${answer.status}`);
    this.#connect(answer, media);
    this.#host.transactions.acknowledge(sent, this.#request('ACK', cseq(sent).number), this.#peer);
  }

  /** Asks the far end to call somebody else (blind transfer). @returns the status of its answer, 202 if it will try */
  async refer(target: string): Promise<number> {
    const uri = target.includes(':') ? target : `sip:${target}@${this.#peer.host}:${this.#peer.port}`;
    return await this.#refer(`<${uri}>`);
  }

  /** Asks the far end to join another call of ours (attended transfer). @returns the status of its answer */
  async referReplaces(other: PhoneCall): Promise<number> {
    const replaces = `${other.callId};to-tag=${other.#remoteTag};from-tag=${other.#localTag}`;
    return await this.#refer(`<${other.#remoteTarget}?Replaces=${encodeURIComponent(replaces)}>`);
  }

  async #refer(referTo: string): Promise<number> {
    const by = parseAddress(this.#localAddress).uri;
    const answer = await this.#ask('REFER', [
      ['Contact', this.#contact],
      ['Refer-To', referTo],
      ['Referred-By', `<${by}>`],
    ]);
    return answer.status;
  }

  /** Sends digits (RFC 4733). @param digits 0-9 A-D * # @returns when the last is out */
  async sendDtmf(digits: string): Promise<void> {
    await (await this.#media).sendDtmf(digits);
  }

  // ---- what is heard ----

  /** Listens. @param ms how long @returns every tone heard, hertz and amplitude (0 to 1 of full scale) */
  async heard(ms: number): Promise<Map<number, number>> {
    return await (await this.#media).heard(ms);
  }

  /** True as soon as that tone is heard; false if it is not within that time. @param within milliseconds */
  async hears(hz: number, within = 10_000): Promise<boolean> {
    return await (await this.#media).hears(hz, within);
  }

  /** True if that tone is not heard for that long. @param forMs milliseconds */
  async hearsNothingOf(hz: number, forMs = 1000): Promise<boolean> {
    return await (await this.#media).hearsNothingOf(hz, forMs);
  }

  /** From here on our side sends another tone. @param hz 0 is silence */
  async sendTone(hz: number): Promise<void> {
    (await this.#media).tone = hz;
  }

  /** Starts or stops what we send, so that many calls that nobody listens to cost nothing. */
  async speak(on: boolean): Promise<void> {
    (await this.#media).send(on);
  }

  // ---- what the far end sends within the call ----

  /** For the telephone: a request within this call. */
  async take(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    switch (request.method) {
      case 'BYE':
        transaction.respond(200);
        return this.#finish({ by: 'them', how: 'BYE', reasons: headerValues(request, 'reason') });
      case 'CANCEL':
        transaction.respond(200, { tag: this.#localTag });
        if (!this.ringing) return;
        this.#incoming?.respond(487, { tag: this.#localTag });
        return this.#finish({ by: 'them', how: 'CANCEL', reasons: headerValues(request, 'reason') });
      case 'INVITE':
        this.#host.transactions.release(transaction);
        return await this.#takeOffer(transaction);
      case 'UPDATE':
        if (request.body !== '') return await this.#takeOffer(transaction);
        return transaction.respond(200, { headers: [['Contact', this.#contact]] });
      case 'NOTIFY':
        transaction.respond(200);
        return this.#takeNotify(request);
      default:
        return transaction.respond(request.method === 'INFO' || request.method === 'OPTIONS' ? 200 : 501);
    }
  }

  async #takeOffer(transaction: ServerTransaction): Promise<void> {
    const media = await this.#media;
    const { request } = transaction;
    let direction: Direction = 'sendrecv';
    if (request.body !== '') {
      const offer = parseSdp(request.body).direction;
      direction = answerDirection(offer, this.#held ? 'sendonly' : 'sendrecv');
      this.#connect(request, media);
      media.send(direction === 'sendrecv' || direction === 'sendonly');
      const held = offer === 'sendonly' || offer === 'inactive';
      this.#log.add({ name: held ? 'held-by-remote' : 'retrieved-by-remote', message: request });
    }
    this.#sdpVersion += 1;
    transaction.respond(200, { headers: this.#sdpHeaders(), body: await this.#sdp(direction) });
  }

  #takeNotify(request: SipRequest): void {
    const event = header(request, 'event').split(';')[0]?.trim().toLowerCase();
    if (event === 'refer') {
      const status = /^SIP\/2\.0 (\d{3})/.exec(request.body)?.[1] ?? '';
      this.#log.add({ name: 'refer-notify', message: request, detail: status });
    } else if (event === 'talk') this.#log.add({ name: 'talk', message: request });
    else if (event === 'hold') this.#log.add({ name: 'hold-requested', message: request });
  }

  // ---- the parts ----

  async #open(): Promise<Media> {
    const media = await this.#media;
    this.#connect(this.invite, media);
    return media;
  }

  #connect(message: SipMessage, media: Media): void {
    if (message.body === '') return;
    media.connect(parseSdp(message.body));
  }

  async #sdp(direction: Direction): Promise<string> {
    const { port, linear } = await this.#media;
    return buildSdp(this.#host.host, port, direction, this.#sdpVersion, linear);
  }

  #sdpHeaders(): Header[] {
    return [
      ['Contact', this.#contact],
      ['Content-Type', 'application/sdp'],
    ];
  }

  #ask(method: string, headers: readonly Header[] = []): Promise<SipResponse> {
    return this.#host.ask((extra) => {
      this.#cseq += 1;
      return this.#request(method, this.#cseq, [...headers, ...extra]);
    }, this.#peer);
  }

  #request(method: string, number: number, headers: readonly Header[] = [], body = ''): SipRequest {
    return {
      kind: 'request',
      method,
      uri: this.#remoteTarget,
      headers: [
        this.#host.via(),
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

  /** For the telephone: its socket closes. */
  close(): void {
    this.#finish({ by: 'us', how: 'closed', reasons: [] });
  }

  #finish(end: CallEnd): void {
    if (this.end) return;
    this.end = end;
    if (this.#incoming) this.#host.transactions.release(this.#incoming);
    this.#media.then(
      (media) => media.close(),
      () => {}, // it never opened
    );
    this.#settled();
    this.#log.add({ name: 'ended' });
    this.#host.ended(this);
  }
}
