import type { Media } from './media.ts';
import type { SipMessage } from './message.ts';
import { buildSdp, type Direction, parseSdp } from './sdp.ts';

/** The sound of a call: how we describe it to the far end, and the media that carry it. */
export class Sound {
  /** Opened on a port of their own; rejects where there is none. */
  readonly media: Promise<Media>;
  readonly #host: string;
  #opened: Media | undefined;
  #version = 1;

  constructor(host: string, media: Promise<Media>) {
    this.#host = host;
    this.media = media;
    media.then(
      (opened) => {
        this.#opened = opened;
      },
      () => {}, // whoever uses the media sees why it could not be opened; a call that never does need not
    );
  }

  /** Milliseconds of sound that we have sent so far. */
  get sentMs(): number {
    return (this.#opened?.sent ?? 0) * 20;
  }

  /** Sends from now on where that message says, if it says so; the media are open. */
  connect(message: SipMessage): void {
    if (message.body !== '') this.#opened?.connect(parseSdp(message.body));
  }

  /** What we offer or answer. */
  async describe(direction: Direction): Promise<string> {
    const { port, linear } = await this.media;
    return buildSdp(this.#host, port, direction, this.#version, linear);
  }

  /** The same, as a change of what was described before. */
  async describeAnew(direction: Direction): Promise<string> {
    this.#version += 1;
    return await this.describe(direction);
  }

  close(): void {
    this.media.then(
      (media) => media.close(),
      () => {}, // it never opened
    );
  }
}
