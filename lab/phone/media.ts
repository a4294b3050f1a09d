import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { SAMPLE_RATE, toneSamples } from '../tones.ts';
import { ALAW_SAMPLES, encodeUlaw, ULAW_SAMPLES } from './g711.ts';
import { type Paced, pacer } from './pacer.ts';
import { PCMA, PCMU, TELEPHONE_EVENT } from './sdp.ts';
import { AUDIBLE, BLOCK, toneLevel, tonesIn } from './tone-detector.ts';

const PACKET_SAMPLES = 160;
const DIGITS = '0123456789*#ABCD';
/** 20 ms packets of one digit, and the pause after it. */
const DTMF_PACKETS = 5;
const DTMF_PAUSE = 5;

const tones = new Map<number, Buffer>();
/** A second of a tone in u-law: fifty packets. */
function ulawTone(hz: number): Buffer {
  let tone = tones.get(hz);
  if (!tone) {
    tone = Buffer.from(Array.from(toneSamples(hz), encodeUlaw));
    tones.set(hz, tone);
  }
  return tone;
}

/** The audio of one call: sends a tone and digits, listens for tones and digits. */
export class Media implements Paced {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #ssrc = randomBytes(4).readUInt32BE();
  readonly #listeners = new Set<(block: Int16Array) => void>();
  readonly #onDigit: (digit: string) => void;
  #port = 0;
  #remote: { host: string; port: number } | undefined;
  #eventPayload = TELEPHONE_EVENT;
  #tone: number;
  #sending = false;
  #paced = false;
  #closed = false;
  #sequence = 0;
  #timestamp = 0;
  #packets = 0;
  #received = 0;
  #sent = 0;
  #block = new Int16Array(BLOCK);
  #filled = 0;
  #lastEvent = -1;
  #digits: { digit: number; sent: number; start: number; done: () => void }[] = [];

  private constructor(host: string, tone: number, onDigit: (digit: string) => void) {
    this.#host = host;
    this.#tone = tone;
    this.#onDigit = onDigit;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 256 * 1024 });
    this.#socket.on('message', (packet) => this.#take(packet));
    // A port that is closed at the far end shows up here as refused, when the call is over there already.
    this.#socket.on('error', () => {});
  }

  /** Opens a port for one call. @param tone hertz; 0 sends silence */
  static async open(host: string, tone: number, onDigit: (digit: string) => void): Promise<Media> {
    const media = new Media(host, tone, onDigit);
    media.#socket.bind(0, host);
    await once(media.#socket, 'listening');
    media.#port = media.#socket.address().port;
    return media;
  }

  get port(): number {
    return this.#port;
  }

  /** RTP packets that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** RTP packets of sound that have been sent, each of 20 ms. */
  get sent(): number {
    return this.#sent;
  }

  /** From here on, what is sent is another tone. */
  set tone(hz: number) {
    this.#tone = hz;
  }

  connect(host: string, port: number, eventPayload: number | undefined): void {
    this.#remote = { host, port };
    this.#eventPayload = eventPayload ?? TELEPHONE_EVENT;
  }

  /** Starts or stops the tone. */
  send(on: boolean): void {
    this.#sending = on;
    this.#pace();
  }

  /** Sends digits as telephone events (RFC 4733), one after another. @returns when the last is out */
  async sendDtmf(digits: string): Promise<void> {
    const codes = [...digits.toUpperCase()].map((digit) => DIGITS.indexOf(digit));
    if (codes.includes(-1)) throw new RangeError('a digit is one of 0-9 A-D * #');
    await Promise.all(
      codes.map(
        (digit) =>
          new Promise<void>((done) => {
            this.#digits.push({ digit, sent: 0, start: 0, done });
            this.#pace();
          }),
      ),
    );
  }

  #pace(): void {
    const wanted = !this.#closed && (this.#sending || this.#digits.length > 0);
    if (wanted === this.#paced) return;
    this.#paced = wanted;
    if (wanted) pacer.add(this);
    else pacer.remove(this);
  }

  tick(): void {
    this.#timestamp = (this.#timestamp + PACKET_SAMPLES) >>> 0;
    const event = this.#digits[0];
    if (event) this.#sendEvent(event);
    else if (this.#sending) {
      const at = (this.#packets % (SAMPLE_RATE / PACKET_SAMPLES)) * PACKET_SAMPLES;
      this.#emit(PCMU, this.#timestamp, false, ulawTone(this.#tone).subarray(at, at + PACKET_SAMPLES));
      this.#sent += 1;
    }
    this.#packets += 1;
  }

  #sendEvent(event: { digit: number; sent: number; start: number; done: () => void }): void {
    if (event.sent === 0) event.start = this.#timestamp;
    event.sent += 1;
    if (event.sent <= DTMF_PACKETS) {
      const last = event.sent === DTMF_PACKETS;
      const payload = Buffer.from([event.digit, (last ? 0x80 : 0) | 10, 0, 0]);
      payload.writeUInt16BE(event.sent * PACKET_SAMPLES, 2);
      // The end is said three times, since it is what counts and packets get lost.
      for (let i = 0; i < (last ? 3 : 1); i += 1)
        this.#emit(this.#eventPayload, event.start, event.sent === 1, payload);
    } else if (event.sent >= DTMF_PACKETS + DTMF_PAUSE) {
      this.#digits.shift();
      event.done();
      this.#pace();
    }
  }

  #emit(type: number, timestamp: number, marker: boolean, payload: Buffer): void {
    if (!this.#remote || this.#remote.port === 0 || this.#closed) return;
    const packet = Buffer.allocUnsafe(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = (marker ? 0x80 : 0) | type;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(timestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    payload.copy(packet, 12);
    this.#socket.send(packet, this.#remote.port, this.#remote.host);
  }

  #take(packet: Buffer): void {
    if (packet.length < 12 || (packet[0] ?? 0) >> 6 !== 2) return;
    this.#received += 1;
    const type = (packet[1] ?? 0) & 0x7f;
    const payload = packet.subarray(12 + ((packet[0] ?? 0) & 0x0f) * 4);
    if (type === this.#eventPayload) this.#takeEvent(packet.readUInt32BE(4), payload);
    else if (this.#listeners.size > 0 && (type === PCMU || type === PCMA)) {
      const decode = type === PCMU ? ULAW_SAMPLES : ALAW_SAMPLES;
      for (const byte of payload) {
        this.#block[this.#filled] = decode[byte] ?? 0;
        this.#filled += 1;
        if (this.#filled < BLOCK) continue;
        const full = this.#block;
        this.#block = new Int16Array(BLOCK);
        this.#filled = 0;
        for (const listener of this.#listeners) listener(full);
      }
    }
  }

  /** Packets of one event share their timestamp; the digit counts once, when its end arrives. */
  #takeEvent(timestamp: number, payload: Buffer): void {
    const ended = ((payload[1] ?? 0) & 0x80) !== 0;
    if (!ended || timestamp === this.#lastEvent) return;
    this.#lastEvent = timestamp;
    const digit = DIGITS[payload[0] ?? 255];
    if (digit !== undefined) this.#onDigit(digit);
  }

  /** Hands over each 100 ms of audio that arrives, until the returned function is called. */
  listen(listener: (block: Int16Array) => void): () => void {
    if (this.#listeners.size === 0) this.#filled = 0;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Listens for a while.
   * @param ms how long
   * @returns every tone heard: hertz, and the loudest amplitude that it had (0 to 1)
   */
  async heard(ms: number): Promise<Map<number, number>> {
    const loudest = new Map<number, number>();
    let before = new Map<number, number>();
    // What counts is there for two blocks running: where a tone begins or ends, it borrows from its neighbours.
    const stop = this.listen((block) => {
      const now = tonesIn(block);
      for (const [hz, level] of now) {
        const steady = Math.min(level, before.get(hz) ?? 0);
        if (steady > (loudest.get(hz) ?? 0)) loudest.set(hz, steady);
      }
      before = now;
    });
    await delay(ms);
    stop();
    return loudest;
  }

  /** Waits for a tone. @returns false if it was not heard within that time, milliseconds */
  hears(hz: number, within: number): Promise<boolean> {
    return new Promise((resolve) => {
      let blocks = 0;
      const finish = (result: boolean): void => {
        clearTimeout(timer);
        stop();
        resolve(result);
      };
      const timer = setTimeout(() => finish(false), within);
      // Twice running: a click holds every frequency, but for one block only.
      const stop = this.listen((block) => {
        blocks = toneLevel(block, hz) >= AUDIBLE ? blocks + 1 : 0;
        if (blocks >= 2) finish(true);
      });
    });
  }

  /** Listens for that long. @returns true if the tone was never there for 200 ms together */
  async hearsNothingOf(hz: number, forMs: number): Promise<boolean> {
    return !(await this.hears(hz, forMs));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sending = false;
    for (const { done } of this.#digits.splice(0)) done();
    this.#pace();
    this.#socket.close();
  }
}
