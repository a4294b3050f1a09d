import { setTimeout as delay } from 'node:timers/promises';

/**
 * Digits that go out in one request. Asterisk does nothing else for the channel while it plays them, hanging up
 * included: sent all at once, 64 digits would keep a phone off hook for eight seconds after the call.
 */
const AT_ONCE = 3;

/**
 * Milliseconds of each digit and of the pause after it: more than every receiver must understand (40 ms each, ITU-T Q.24).
 */
export const DIGIT_TIMES = { duration: 80, between: 50 };
const DIGIT_MS = DIGIT_TIMES.duration + DIGIT_TIMES.between;

/** Digits that may wait for one channel: two minutes of them. */
export const MAX_WAITING = 1_000;

/** Sends some digits to a channel. */
type Send = (channel: string, digits: string) => Promise<void>;

/** What waits for one channel. */
interface Line {
  digits: string;
  /** Settles when all of them are out, or none of them will be any more. */
  sending: Promise<void>;
}

/**
 * Sends digits a few at a time, each channel's in order, beside the other commands of the call: a hang-up or a hold does
 * not wait for the last digit. What has not gone out when its channel ends is dropped.
 */
export class DigitSender {
  readonly #send: Send;
  readonly #lines = new Map<string, Line>();

  constructor(send: Send) {
    this.#send = send;
  }

  /** Channels with digits on their way. */
  get busy(): number {
    return this.#lines.size;
  }

  /**
   * Resolves when the last of these digits, and of those that have been added meanwhile, is out, or was dropped with its
   * channel.
   * @throws Error where Asterisk fails to take them, or too many wait already; none of those that wait is sent then
   */
  async send(channel: string, digits: string): Promise<void> {
    const line = this.#lines.get(channel);
    if ((line?.digits.length ?? 0) + digits.length > MAX_WAITING) {
      throw new Error('too many digits wait for the channel');
    }
    if (line) {
      line.digits += digits;
      return await line.sending;
    }
    const first: Line = { digits, sending: Promise.resolve() };
    this.#lines.set(channel, first);
    first.sending = this.#sendAll(channel, first);
    await first.sending;
  }

  /** The channel ends: its digits are of no use any more. */
  drop(channel: string): void {
    this.#lines.delete(channel);
  }

  async #sendAll(channel: string, line: Line): Promise<void> {
    try {
      while (line.digits !== '' && this.#lines.get(channel) === line) {
        const now = line.digits.slice(0, AT_ONCE);
        line.digits = line.digits.slice(now.length);
        await this.#send(channel, now);
        await delay(now.length * DIGIT_MS);
      }
    } finally {
      if (this.#lines.get(channel) === line) this.#lines.delete(channel);
    }
  }
}
