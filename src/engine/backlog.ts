import type { CallID } from '../cti/ids.ts';
import type { ShardDeps } from './shard-deps.ts';

/** Inputs of all calls together that may wait while the store is away; for one call CallRunner has its own limit. */
const BACKLOG_LIMIT = 100_000;
/** Between two times that a node is asked to tell anew what it has, ms. */
const RESYNC_MS = 10_000;

/**
 * What a shard's calls are told while the store is away: how much of it there may be, and that what there was no room for
 * is asked of the node afterwards.
 */
export class Backlog {
  readonly #deps: Pick<ShardDeps, 'now' | 'log' | 'switch' | 'backlogLimit'>;
  #storeAway = false;
  /** Inputs taken since the store has been away. */
  #taken = 0;
  #missed = 0;
  /** Facts have been missed, and the node has not been asked since. */
  #gap = false;
  #asked = Number.NEGATIVE_INFINITY;
  /** Asks the node once it may be asked again. */
  #later: NodeJS.Timeout | undefined;

  constructor(deps: Pick<ShardDeps, 'now' | 'log' | 'switch' | 'backlogLimit'>) {
    this.#deps = deps;
  }

  /** True while commits wait for a store that does not answer. */
  get storeAway(): boolean {
    return this.#storeAway;
  }

  /** The store is away, and so much waits for it that nothing more is taken. */
  get full(): boolean {
    return this.#storeAway && this.#taken >= (this.#deps.backlogLimit ?? BACKLOG_LIMIT);
  }

  /** Facts that there was no room for, ever. */
  get missed(): number {
    return this.#missed;
  }

  /** A call has taken an input. */
  took(): void {
    if (this.#storeAway) this.#taken += 1;
  }

  /** There was no room for a fact. */
  miss(callID: CallID): void {
    this.#missed += 1;
    if (this.#gap) return;
    this.#gap = true;
    const error = new Error('more has happened than can be kept: what is missed is asked of Asterisk afterwards');
    this.#deps.log.error('no room', error, callID);
  }

  /** The store did not answer. */
  away(error: unknown): void {
    if (this.#storeAway) return;
    this.#storeAway = true;
    this.#deps.log.storeAway(error);
  }

  /** The store has answered. */
  answered(): void {
    if (this.#storeAway) {
      this.#storeAway = false;
      this.#taken = 0;
      this.#deps.log.storeBack();
    }
    this.#fillGap();
  }

  close(): void {
    clearTimeout(this.#later);
    this.#gap = false;
  }

  /** Something was missed and the store is back: the node is asked what it has, also where no call stores anything more. */
  #fillGap(): void {
    if (!this.#gap) return;
    clearTimeout(this.#later);
    const now = this.#deps.now();
    const wait = this.#asked + RESYNC_MS - now;
    if (wait > 0) {
      this.#later = setTimeout(() => {
        if (!this.#storeAway) this.#fillGap();
      }, wait);
      this.#later.unref();
      return;
    }
    this.#gap = false;
    this.#asked = now;
    this.#deps.switch.resync();
  }
}
