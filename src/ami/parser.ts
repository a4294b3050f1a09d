import { AmiMessage } from './message.ts';

/** Who gets the messages, and how large one may be. */
export interface AmiParserOptions {
  /** Called once, with the first line of the connection (`Asterisk Call Manager/11.0.0`). */
  onGreeting: (line: string) => void;
  onMessage: (message: AmiMessage) => void;
  /** Bytes of one message beyond which the rest of it is thrown away and it is marked truncated. */
  maxMessageBytes: number;
}

const LF = 0x0a;
const END_COMMAND = '--END COMMAND--';
/** What is kept of a line once its message is truncated: enough to see an empty line or `--END COMMAND--`. */
const TAIL_BYTES = 32;
/** Headers that come before the raw output of an old `Response: Follows`. */
const FOLLOWS_HEADERS = new Set(['response', 'privilege', 'actionid', 'message']);

/**
 * Turns the bytes of one connection into messages, a line at a time as the bytes arrive.
 *
 * Each byte is looked at once: a line that is not complete yet is kept as the list of its pieces and joined when its
 * end arrives, so a reply of any length costs linear time, and text is decoded only in whole lines, so a character
 * whose bytes are split over two chunks is never damaged. Memory is bounded by `maxMessageBytes`. A parser belongs to one
 * connection and is thrown away with it.
 *
 * Line ends: Asterisk ends lines with CR LF; the raw output of `Response: Follows` (before Asterisk 14) with LF alone.
 */
export class AmiParser {
  readonly #options: AmiParserOptions;
  #pieces: Buffer[] = [];
  #greeted = false;
  #headers: Array<readonly [string, string]> = [];
  #output: string[] = [];
  #follows = false;
  #raw = false;
  #messageBytes = 0;
  #lineBytes = 0;
  #lineOverflow = false;
  #truncated = false;

  readonly stats = { bytes: 0, lines: 0, messages: 0, malformedLines: 0, truncatedMessages: 0 };

  constructor(options: AmiParserOptions) {
    this.#options = options;
  }

  /** Takes the next bytes; calls back for every message that they complete. */
  push(chunk: Buffer): void {
    this.stats.bytes += chunk.length;
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) {
        this.#keep(chunk.subarray(start));
        return;
      }
      this.#endLine(chunk, start, end);
      start = end + 1;
    }
  }

  /** The bytes that the line in hand may still have; past the bound only the line that ends the message matters. */
  #room(): number {
    const most = this.#truncated ? TAIL_BYTES : this.#options.maxMessageBytes - this.#messageBytes;
    return most - this.#lineBytes;
  }

  #overflow(): void {
    this.#pieces = [];
    this.#truncated = true;
    this.#lineOverflow = true;
  }

  #keep(piece: Buffer): void {
    if (this.#lineOverflow) return;
    if (piece.length > this.#room()) {
      this.#overflow();
      return;
    }
    this.#pieces.push(piece);
    this.#lineBytes += piece.length;
  }

  #endLine(chunk: Buffer, start: number, end: number): void {
    this.stats.lines += 1;
    this.#keep(chunk.subarray(start, end));
    const pieces = this.#pieces;
    const overflowed = this.#lineOverflow;
    this.#messageBytes += this.#lineBytes + 1;
    this.#pieces = [];
    this.#lineBytes = 0;
    this.#lineOverflow = false;
    if (overflowed && this.#greeted) return;
    const [only] = pieces;
    const text = (pieces.length === 1 && only ? only : Buffer.concat(pieces)).toString('utf8');
    this.#line(text.endsWith('\r') ? text.slice(0, -1) : text);
  }

  #line(line: string): void {
    if (!this.#greeted) {
      this.#greeted = true;
      this.#reset();
      this.#options.onGreeting(line);
      return;
    }
    if (this.#follows && this.#followsLine(line)) return;
    if (line === '') {
      this.#endMessage();
      return;
    }
    if (this.#truncated) return;
    const colon = line.indexOf(':');
    if (colon <= 0) {
      this.stats.malformedLines += 1;
      return;
    }
    const name = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'Output') {
      this.#output.push(value);
      return;
    }
    if (this.#headers.length === 0 && name === 'Response' && value === 'Follows') this.#follows = true;
    this.#headers.push([name, value]);
  }

  /** A line of an old-style Command answer, whose output is raw text up to `--END COMMAND--`; true if it was dealt with. */
  #followsLine(line: string): boolean {
    if (line.endsWith(END_COMMAND)) {
      const text = line.slice(0, -END_COMMAND.length);
      if (text !== '' && !this.#truncated) this.#output.push(text);
      this.#follows = false;
      this.#raw = false;
      return true;
    }
    if (!this.#raw) {
      const name = line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase();
      if (line === '' || name === 'output' || FOLLOWS_HEADERS.has(name)) return false;
      this.#raw = true;
    }
    if (!this.#truncated) this.#output.push(line);
    return true;
  }

  #endMessage(): void {
    const message = this.#headers.length > 0 ? new AmiMessage(this.#headers, this.#output, this.#truncated) : undefined;
    if (this.#truncated) this.stats.truncatedMessages += 1;
    this.#reset();
    // Asterisk ends some refusals ("No Contacts found") with one empty line too many: an empty message is none.
    if (message === undefined) return;
    this.stats.messages += 1;
    this.#options.onMessage(message);
  }

  #reset(): void {
    this.#headers = [];
    this.#output = [];
    this.#follows = false;
    this.#raw = false;
    this.#messageBytes = 0;
    this.#truncated = false;
  }
}
