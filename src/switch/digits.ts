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

/**
 * Sends digits a few at a time, each channel's in order, beside the other commands of the call: a hang-up or a hold does
 * not wait for the last digit. What has not gone out when its channel ends is dropped.
 */
export class DigitSender {
  readonly #send: Send;
  readonly #waiting = new Map<string, string>();

  constructor(send: Send) {
    this.#send = send;
  }

  /** Channels with digits on their way. */
  get busy(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when the last of these digits is out, or was dropped with its channel.
   * @throws Error where Asterisk fails to take them, or too many wait already; none of those that wait is sent then
   */
  async send(channel: string, digits: string): Promise<void> {
    const before = this.#waiting.get(channel);
    if ((before?.length ?? 0) + digits.length > MAX_WAITING) throw new Error('too many digits wait for the channel');
    this.#waiting.set(channel, (before ?? '') + digits);
    if (before === undefined) await this.#sendAll(channel);
  }

  /** The channel ends: its digits are of no use any more. */
  drop(channel: string): void {
    this.#waiting.delete(channel);
  }

  async #sendAll(channel: string): Promise<void> {
    try {
      for (;;) {
        const waiting = this.#waiting.get(channel);
        if (!waiting) return;
        const now = waiting.slice(0, AT_ONCE);
        this.#waiting.set(channel, waiting.slice(now.length));
        await this.#send(channel, now);
        await delay(now.length * DIGIT_MS);
      }
    } finally {
      this.#waiting.delete(channel);
    }
  }
}
