/** What a message is: the answer to an action, an event, or something this protocol does not know. */
export type AmiMessageKind = 'response' | 'event' | 'unknown';

/**
 * One message of Asterisk: headers in which a name may repeat, and the `Output:` lines of a Command.
 * Header names compare without regard to case, as Asterisk itself compares them.
 */
export class AmiMessage {
  readonly kind: AmiMessageKind;
  /** The event's name, or the answer's word (`Success`, `Error`, `Goodbye`, `Follows`); empty if unknown. */
  readonly name: string;
  /** The lines of a Command's output, in order, without line ends. */
  readonly output: readonly string[];
  /** True if the message passed the parser's bound and what went beyond it is gone. */
  readonly truncated: boolean;
  readonly #headers: ReadonlyArray<readonly [name: string, value: string]>;
  #index: Map<string, string> | undefined;

  constructor(
    headers: ReadonlyArray<readonly [name: string, value: string]>,
    output: readonly string[] = [],
    truncated = false,
  ) {
    this.#headers = headers;
    this.output = output;
    this.truncated = truncated;
    const first = headers[0];
    const kind = first?.[0].toLowerCase();
    this.kind = kind === 'response' || kind === 'event' ? kind : 'unknown';
    this.name = this.kind === 'unknown' ? '' : (first?.[1] ?? '');
  }

  /** The first value of a header, or undefined. */
  get(name: string): string | undefined {
    if (this.#index === undefined) {
      this.#index = new Map();
      for (const [key, value] of this.#headers) {
        const lower = key.toLowerCase();
        if (!this.#index.has(lower)) this.#index.set(lower, value);
      }
    }
    return this.#index.get(name.toLowerCase());
  }

  /** All values of a header that may repeat (`Variable`, `ChanVariable`), in order. */
  all(name: string): string[] {
    const lower = name.toLowerCase();
    return this.#headers.filter(([key]) => key.toLowerCase() === lower).map(([, value]) => value);
  }

  /** The headers as they came, in order. */
  get headers(): ReadonlyArray<readonly [name: string, value: string]> {
    return this.#headers;
  }

  /** True for `Response: Success` and what counts as it (`Follows`, `Goodbye`). */
  get ok(): boolean {
    return this.kind === 'response' && this.name !== 'Error';
  }
}
