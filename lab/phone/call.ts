import { Dialog, type Sender } from './dialog.ts';
import { type CallEnd, type CallEvent, type CallEventName, CallLog } from './events.ts';
import { Invitation } from './invitation.ts';
import type { Media } from './media.ts';
import {
  type Header,
  header,
  headerValues,
  parseAddress,
  parseUri,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { answerDirection, type Direction, parseSdp } from './sdp.ts';
import { Sound } from './sound.ts';
import type { Peer, ServerTransaction } from './transactions.ts';

/** What a call needs of the telephone that it is on. */
export interface CallHost extends Sender {
  ended(call: PhoneCall): void;
}

/** One call on a telephone, incoming or outgoing. */
export class PhoneCall {
  readonly direction: 'in' | 'out';
  /** How it ended, once it has. */
  end: CallEnd | undefined;
  readonly #host: CallHost;
  readonly #dialog: Dialog;
  /** The INVITE that began it: one that came in, or one of ours. */
  readonly #incoming: ServerTransaction | undefined;
  readonly #outgoing: Invitation | undefined;
  readonly #log = new CallLog();
  readonly #sound: Sound;
  #answered = false;
  #held = false;
  #digits = '';
  #settled: () => void = () => {};

  /**
   * @param start the INVITE's transaction where it came in; the INVITE itself where it is ours to send
   * @param media opened on its own port; carries nothing where the telephone has no media
   */
  constructor(host: CallHost, start: ServerTransaction | { invite: SipRequest; peer: Peer }, media: Promise<Media>) {
    this.#host = host;
    this.#sound = new Sound(host.host, media);
    if ('invite' in start) {
      this.direction = 'out';
      this.#dialog = Dialog.calling(host, start.invite, start.peer);
      this.#outgoing = new Invitation(host, this.#dialog, start.invite);
    } else {
      this.direction = 'in';
      this.#dialog = Dialog.called(host, start);
      this.#incoming = start;
    }
  }

  /** The INVITE that began it. */
  get invite(): SipRequest {
    const invite = this.#outgoing?.invite ?? this.#incoming?.request;
    if (!invite) throw new Error('a call without an INVITE');
    return invite;
  }

  get callId(): string {
    return this.#dialog.callId;
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
    this.#respond(status, await this.#sound.describe('sendrecv'));
    media.send(true);
  }

  /** 200; resolves when the ACK is here. */
  async answer(): Promise<void> {
    const media = await this.#open();
    const incoming = this.#incoming;
    if (!this.ringing || !incoming) return;
    const body = await this.#sound.describe('sendrecv');
    this.#answered = true;
    await new Promise<void>((resolve) => {
      // An ACK that never comes must not keep anyone waiting beyond the end of the call.
      this.#settled = resolve;
      incoming.respond(200, { tag: this.#dialog.localTag, headers: this.#sdpHeaders(), body, onAck: () => resolve() });
      media.send(true);
      this.#log.add({ name: 'answered' });
    });
  }

  /** A final refusal. @param status 300 to 699 @param options.reasonHeader e.g. `Q.850;cause=17` */
  async refuse(status: number, options: { reasonHeader?: string } = {}): Promise<void> {
    if (!this.ringing) return;
    const headers: Header[] = options.reasonHeader === undefined ? [] : [['Reason', options.reasonHeader]];
    this.#incoming?.respond(status, { tag: this.#dialog.localTag, headers });
    this.#finish({ by: 'us', how: 'refused', status, reasons: [] });
  }

  #respond(status: number, body = ''): void {
    if (!this.ringing) return;
    const headers: Header[] = body === '' ? [['Contact', this.#dialog.contact]] : this.#sdpHeaders();
    this.#incoming?.respond(status, { tag: this.#dialog.localTag, headers, body });
  }

  // ---- an outgoing call ----

  /** For the telephone: sends the INVITE and sees it through. */
  async start(): Promise<void> {
    const media = await this.#sound.media;
    const outgoing = this.#outgoing;
    if (!outgoing) return;
    const answer = await outgoing.send(await this.#sound.describe('sendrecv'), (response) => this.#progress(response));
    if (answer.status >= 300) {
      const how = answer.headers.length === 0 ? 'timeout' : 'refused';
      this.#finish({
        by: outgoing.cancelled ? 'us' : 'them',
        how: outgoing.cancelled ? 'CANCEL' : how,
        status: answer.status,
        reasons: headerValues(answer, 'reason'),
      });
      return;
    }
    this.#sound.connect(answer);
    outgoing.acknowledge(answer);
    this.#answered = true;
    media.send(true);
    this.#log.add({ name: 'answered', message: answer });
    if (outgoing.cancelled) await this.hangUp(); // the answer crossed our CANCEL
  }

  #progress(response: SipResponse): void {
    if (this.end) return;
    this.#sound.connect(response);
    if (response.status === 100) this.#log.add({ name: 'trying', message: response });
    else if (response.status === 180) this.#log.add({ name: 'ringing', message: response });
    if (response.status > 100 && response.body !== '') this.#log.add({ name: 'early-media', message: response });
  }

  /** Gives an outgoing call up before it is answered; the CANCEL goes once the far end has said anything at all. */
  async cancel(): Promise<void> {
    if (!this.#answered && !this.end) await this.#outgoing?.cancel();
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
    await this.#dialog.ask('BYE');
  }

  /** Puts the far end on hold: re-INVITE with sendonly, and our tone stops. */
  async hold(): Promise<void> {
    await this.#reinvite('sendonly');
    (await this.#sound.media).send(false);
    this.#held = true;
  }

  /** Takes it back: re-INVITE with sendrecv. */
  async retrieve(): Promise<void> {
    await this.#reinvite('sendrecv');
    (await this.#sound.media).send(true);
    this.#held = false;
  }

  /** True while we hold the far end. */
  get holding(): boolean {
    return this.#held;
  }

  async #reinvite(direction: Direction): Promise<void> {
    const answer = await this.#dialog.reinvite(this.#sdpHeaders(), await this.#sound.describeAnew(direction));
    if (answer.status >= 300) throw new Error(`re-INVITE (${direction}) was answered ${answer.status}`);
    this.#sound.connect(answer);
  }

  /** Asks the far end to call somebody else (blind transfer). @returns the status of its answer, 202 if it will try */
  async refer(target: string): Promise<number> {
    const { host, port } = this.#dialog.peer;
    const uri = target.includes(':') ? target : `sip:${target}@${host}:${port}`;
    return await this.#refer(`<${uri}>`);
  }

  /** Asks the far end to join another call of ours (attended transfer). @returns the status of its answer */
  async referReplaces(other: PhoneCall): Promise<number> {
    return await this.#refer(other.#dialog.replaced);
  }

  async #refer(referTo: string): Promise<number> {
    const answer = await this.#dialog.ask('REFER', [
      ['Contact', this.#dialog.contact],
      ['Refer-To', referTo],
      ['Referred-By', `<${this.#dialog.localUri}>`],
    ]);
    return answer.status;
  }

  /** Sends digits (RFC 4733). @param digits 0-9 A-D * # @returns when the last is out */
  async sendDtmf(digits: string): Promise<void> {
    await (await this.#sound.media).sendDtmf(digits);
  }

  // ---- what is heard ----

  /** Listens. @param ms how long @returns every tone heard, hertz and amplitude (0 to 1 of full scale) */
  async heard(ms: number): Promise<Map<number, number>> {
    return await (await this.#sound.media).heard(ms);
  }

  /** True as soon as that tone is heard; false if it is not within that time. @param within milliseconds */
  async hears(hz: number, within = 10_000): Promise<boolean> {
    return await (await this.#sound.media).hears(hz, within);
  }

  /** True if that tone is not heard for that long. @param forMs milliseconds */
  async hearsNothingOf(hz: number, forMs = 1000): Promise<boolean> {
    return await (await this.#sound.media).hearsNothingOf(hz, forMs);
  }

  /** From here on our side sends another tone. @param hz 0 is silence */
  async sendTone(hz: number): Promise<void> {
    (await this.#sound.media).tone = hz;
  }

  /** Milliseconds of sound that we have sent so far: less than the time that went by, where this process was held up. */
  get sentMs(): number {
    return this.#sound.sentMs;
  }

  /** Starts or stops what we send, so that many calls that nobody listens to cost nothing. */
  async speak(on: boolean): Promise<void> {
    (await this.#sound.media).send(on);
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
        transaction.respond(200, { tag: this.#dialog.localTag });
        if (!this.ringing) return;
        this.#incoming?.respond(487, { tag: this.#dialog.localTag });
        return this.#finish({ by: 'them', how: 'CANCEL', reasons: headerValues(request, 'reason') });
      case 'INVITE':
        this.#host.transactions.release(transaction);
        return await this.#takeOffer(transaction);
      case 'UPDATE':
        if (request.body !== '') return await this.#takeOffer(transaction);
        return transaction.respond(200, { headers: [['Contact', this.#dialog.contact]] });
      case 'NOTIFY':
        transaction.respond(200);
        return this.#takeNotify(request);
      default:
        return transaction.respond(request.method === 'INFO' || request.method === 'OPTIONS' ? 200 : 501);
    }
  }

  async #takeOffer(transaction: ServerTransaction): Promise<void> {
    const media = await this.#sound.media;
    const { request } = transaction;
    let direction: Direction = 'sendrecv';
    if (request.body !== '') {
      const offer = parseSdp(request.body).direction;
      direction = answerDirection(offer, this.#held ? 'sendonly' : 'sendrecv');
      this.#sound.connect(request);
      media.send(direction === 'sendrecv' || direction === 'sendonly');
      const held = offer === 'sendonly' || offer === 'inactive';
      this.#log.add({ name: held ? 'held-by-remote' : 'retrieved-by-remote', message: request });
    }
    transaction.respond(200, { headers: this.#sdpHeaders(), body: await this.#sound.describeAnew(direction) });
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
    const media = await this.#sound.media;
    this.#sound.connect(this.invite);
    return media;
  }

  #sdpHeaders(): Header[] {
    return [
      ['Contact', this.#dialog.contact],
      ['Content-Type', 'application/sdp'],
    ];
  }

  /** For the telephone: its socket closes. */
  close(): void {
    this.#finish({ by: 'us', how: 'closed', reasons: [] });
  }

  #finish(end: CallEnd): void {
    if (this.end) return;
    this.end = end;
    if (this.#incoming) this.#host.transactions.release(this.#incoming);
    this.#sound.close();
    this.#settled();
    this.#log.add({ name: 'ended' });
    this.#host.ended(this);
  }
}
