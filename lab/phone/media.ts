import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { SAMPLE_RATE, toneSamples } from '../tones.ts';
import { ALAW_SAMPLES, encodeUlaw, ULAW_SAMPLES } from './g711.ts';
import { type Paced, pacer } from './pacer.ts';
import { LINEAR, PCMA, PCMU, type SessionDescription, TELEPHONE_EVENT } from './sdp.ts';
import { AUDIBLE, BLOCK, toneLevel, tonesIn } from './tone-detector.ts';

const PACKET_SAMPLES = 160;
const DIGITS = '0123456789*#ABCD';
/** 20 ms packets of one digit, and the pause after it. */
const DTMF_PACKETS = 5;
const DTMF_PAUSE = 5;

/** What a telephone speaks: u-law, or 16-bit samples as they are (L16), which Asterisk has to translate for the others. */
export type Codec = 'ulaw' | 'linear';

const BYTES: Readonly<Record<Codec, number>> = { ulaw: 1, linear: 2 };

const tones = new Map<string, Buffer>();
/** A second of a tone: fifty packets. */
function encodedTone(hz: number, codec: Codec): Buffer {
  const key = `${codec} ${hz}`;
  let tone = tones.get(key);
  if (!tone) {
    const samples = toneSamples(hz);
    // The samples of L16 come in network byte order (RFC 3551, 4.5.11).
    tone = codec === 'ulaw' ? Buffer.from(Array.from(samples, encodeUlaw)) : Buffer.from(samples.buffer).swap16();
    tones.set(key, tone);
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
  #linearPayload = LINEAR;
  readonly #codec: Codec;
  #tone: number;
  #sending = false;
  #paced = false;
  #closed = false;
  #sequence = 0;
  #timestamp = 0;
  #packets = 0;
  #received = 0;
  #block = new Int16Array(BLOCK);
  #filled = 0;
  #lastEvent = -1;
  #digits: { digit: number; sent: number; start: number; done: () => void }[] = [];

  private constructor(host: string, tone: number, onDigit: (digit: string) => void, codec: Codec) {
    this.#host = host;
    this.#codec = codec;
    this.#tone = tone;
    this.#onDigit = onDigit;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 256 * 1024 });
    this.#socket.on('message', (packet) => this.#take(packet));
    // A port that is closed at the far end shows up here as refused, when the call is over there already.
    this.#socket.on('error', () => {});
  }

  /** Opens a port for one call. @param tone hertz; 0 sends silence */
  static async open(
    host: string,
    tone: number,
    onDigit: (digit: string) => void,
    codec: Codec = 'ulaw',
  ): Promise<Media> {
    const media = new Media(host, tone, onDigit, codec);
    media.#socket.bind(0, host);
    await once(media.#socket, 'listening');
    media.#port = media.#socket.address().port;
    return media;
  }

  get port(): number {
    return this.#port;
  }

  /** The payload type of what is spoken where it is not u-law: what the far end calls it, once that is known. */
  get linear(): number | undefined {
    return this.#codec === 'linear' ? this.#linearPayload : undefined;
  }

  /** RTP packets that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** From here on, what is sent is another tone. */
  set tone(hz: number) {
    this.#tone = hz;
  }

  connect({ host, port, eventPayload, linearPayload }: SessionDescription): void {
    this.#remote = { host, port };
    this.#eventPayload = eventPayload ?? TELEPHONE_EVENT;
    this.#linearPayload = linearPayload ?? LINEAR;
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
      const bytes = PACKET_SAMPLES * BYTES[this.#codec];
      const at = (this.#packets % (SAMPLE_RATE / PACKET_SAMPLES)) * bytes;
      const audio = encodedTone(this.#tone, this.#codec).subarray(at, at + bytes);
      this.#emit(this.linear ?? PCMU, this.#timestamp, false, audio);
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
    else if (this.#listeners.size > 0) {
      if (type === this.linear) for (let at = 0; at + 1 < payload.length; at += 2) this.#hear(payload.readInt16BE(at));
      else if (type === PCMU) for (const byte of payload) this.#hear(ULAW_SAMPLES[byte] ?? 0);
      else if (type === PCMA) for (const byte of payload) this.#hear(ALAW_SAMPLES[byte] ?? 0);
    }
  }

  #hear(sample: number): void {
    this.#block[this.#filled] = sample;
    this.#filled += 1;
    if (this.#filled < BLOCK) return;
    const full = this.#block;
    this.#block = new Int16Array(BLOCK);
    this.#filled = 0;
    for (const listener of this.#listeners) listener(full);
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
