import type { AriEvent } from '../ari/index.ts';

/** How long an answer and the end of a line wait for each other at most, ms. */
export const MAX_WAIT_MS = 3_000;

interface Transfer {
  /** The phone's other line, which its REFER names. */
  readonly second: string;
  readonly gone: Moment;
  readonly told: Moment;
  /** The second line is being hung up, by us or by its phone. */
  leaving: boolean;
  /** The answer is on its way, or has been given. */
  answering: boolean;
}

/** Something that happens once, or not. */
interface Moment {
  readonly happened: Promise<void>;
  readonly happens: () => void;
}

/**
 * Keeps the answer to an attended transfer (REFER with Replaces) and the end of the phone's second line apart. To tell
 * of an answer, Asterisk 22.10.1 looks at the second line's channel without holding on to it (`ari_notify` in
 * res_pjsip_refer.c): a line that ends at that moment leaves it with freed memory, of which it dies (seen in a
 * backtrace). So the answer waits until a line that is leaving has gone (ChannelDestroyed: the last to hold the channel
 * has let go), and the line is hung up only when an answer on its way has been told (ChannelTransfer with a state).
 * Neither waits longer than {@link MAX_WAIT_MS}.
 */
export class TransferAnswers {
  /** By the channel of the line on which the phone asked; until one of its two lines ends. */
  readonly #transfers = new Map<string, Transfer>();

  /** Transfers whose two lines both live. */
  get size(): number {
    return this.#transfers.size;
  }

  /** What Asterisk tells of the phone's two lines. */
  saw(event: AriEvent): void {
    switch (event.type) {
      case 'ChannelTransfer': {
        const first = event.referred_by.source_channel.id;
        const second = event.refer_to.destination_channel?.id;
        if (event.state !== undefined) this.#transfers.get(first)?.told.happens();
        else if (second !== undefined) this.#asked(first, second);
        return;
      }
      case 'ChannelHangupRequest':
        this.#leaves(event.channel.id);
        return;
      case 'ChannelDestroyed':
        this.#ended(event.channel.id);
    }
  }

  /** Forgets the lines that do not exist any more: their end was missed. */
  retain(existing: ReadonlySet<string>): void {
    for (const [first, { second }] of this.#transfers) {
      if (!existing.has(first)) this.#ended(first);
      else if (!existing.has(second)) this.#ended(second);
    }
  }

  /** Sends the answer to a phone's REFER once it is safe to. */
  async answer(channel: string, send: () => Promise<void>): Promise<void> {
    const transfer = this.#transfers.get(channel);
    if (transfer?.leaving) await within(transfer.gone);
    else if (transfer) transfer.answering = true;
    try {
      await send();
    } catch (error) {
      // Nothing has been answered, and nothing will be told of it.
      transfer?.told.happens();
      throw error;
    }
  }

  /** Hangs a channel up by `hangUp` as soon as it is safe to. */
  async end<T>(channel: string, hangUp: () => Promise<T>): Promise<T> {
    const transfer = this.#naming(channel);
    if (transfer?.answering) await within(transfer.told);
    else this.#leaves(channel);
    return hangUp();
  }

  #asked(first: string, second: string): void {
    this.#transfers.get(first)?.told.happens();
    this.#transfers.set(first, { second, gone: moment(), told: moment(), leaving: false, answering: false });
  }

  #leaves(channel: string): void {
    const transfer = this.#naming(channel);
    if (transfer) transfer.leaving = true;
    // Asterisk answers by itself, with 503, where the line ends on which it was asked.
    const own = this.#transfers.get(channel);
    if (own) own.answering = true;
  }

  #ended(channel: string): void {
    for (const [first, { second, gone, told }] of this.#transfers) {
      if (first !== channel && second !== channel) continue;
      gone.happens();
      told.happens();
      this.#transfers.delete(first);
    }
  }

  #naming(second: string): Transfer | undefined {
    for (const transfer of this.#transfers.values()) if (transfer.second === second) return transfer;
    return undefined;
  }
}

function moment(): Moment {
  let happens = (): void => undefined;
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happened, happens: () => happens() };
}

/** Waits for a moment, but not for ever. */
function within({ happened, happens }: Moment): Promise<void> {
  const timer = setTimeout(happens, MAX_WAIT_MS);
  return happened.finally(() => clearTimeout(timer));
}
