import type { SipMessage } from './message.ts';

/** What can happen to a call, as its telephone sees it. */
export type CallEventName =
  | 'trying'
  | 'ringing'
  | 'early-media'
  | 'answered'
  | 'held-by-remote'
  | 'retrieved-by-remote'
  | 'talk'
  | 'hold-requested'
  | 'refer-notify'
  | 'dtmf'
  | 'ended';

/** One happening. */
export interface CallEvent {
  readonly name: CallEventName;
  /** The message that brought it, where one did. */
  readonly message?: SipMessage;
  /** `dtmf`: the digit; `refer-notify`: the SIP status of the fragment, e.g. `200`. */
  readonly detail?: string;
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

/** These happen once and stay true; of the others, each occurrence is handed out once. */
const LASTING = new Set<CallEventName>(['trying', 'ringing', 'early-media', 'answered', 'ended']);
/** Happenings that are kept for someone to ask for. */
const LIMIT = 1000;

interface Waiter {
  readonly name: CallEventName;
  readonly resolve: (event: CallEvent) => void;
  readonly reject: (error: Error) => void;
}

/** What has happened to a call, and who waits for what is to come. */
export class CallLog {
  readonly #history: CallEvent[] = [];
  readonly #unread: CallEvent[] = [];
  readonly #waiters = new Set<Waiter>();

  /** Names of everything that happened, in order. */
  get names(): CallEventName[] {
    return this.#history.map((event) => event.name);
  }

  add(event: CallEvent): void {
    if (LASTING.has(event.name) && this.#history.some((one) => one.name === event.name)) return;
    if (this.#history.length < LIMIT) this.#history.push(event);
    const waiting = [...this.#waiters].filter((waiter) => waiter.name === event.name);
    if (LASTING.has(event.name)) {
      for (const waiter of waiting) waiter.resolve(event);
    } else if (waiting[0]) waiting[0].resolve(event);
    else if (this.#unread.length < LIMIT) this.#unread.push(event);
    if (event.name !== 'ended') return;
    for (const waiter of this.#waiters) waiter.reject(new Error(this.#missing(waiter.name, 'the call ended')));
  }

  /**
   * The happening of this name: one that nobody was given yet, or the next.
   * @param within milliseconds
   * @throws Error naming what did happen, if the call ends before it or the time is over
   */
  waitFor(name: CallEventName, within: number): Promise<CallEvent> {
    if (LASTING.has(name)) {
      const past = this.#history.find((event) => event.name === name);
      if (past) return Promise.resolve(past);
    }
    const unread = this.#unread.findIndex((event) => event.name === name);
    if (unread >= 0) {
      const [event] = this.#unread.splice(unread, 1);
      if (event) return Promise.resolve(event);
    }
    if (this.names.includes('ended')) return Promise.reject(new Error(this.#missing(name, 'the call has ended')));
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const timer = setTimeout(() => waiter.reject(new Error(this.#missing(name, `${within} ms went by`))), within);
      const waiter: Waiter = {
        name,
        resolve: (event) => {
          finish();
          resolve(event);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #missing(name: CallEventName, why: string): string {
    return `no '${name}': ${why}; what happened: ${this.names.join(', ') || 'nothing'}`;
  }
}
