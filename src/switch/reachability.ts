import { AriClient, AriError } from '../ari/index.ts';
import type { NodeReach } from '../ports.ts';
import type { AriAccess } from './asterisk-switch.ts';
import { GAP_MS } from './death.ts';
import { Looks } from './looks.ts';

/** Looks of one kind at least before anything follows from them, however short a lease is. */
const FEWEST = 3;
/** Leases for which a node must be reached after it had been lost before it is so for good: what goes to and fro stays away. */
const STEADY_LEASES = 5;
/** Between two looks at most, ms. */
const INTERVAL_MS = 1_000;
/** Within which the node must answer, ms: before the next look is due. */
const ANSWER_MS = 750;
/** After credentials that were refused it is not asked again for so long, ms: that reads as an attack. */
const REFUSED_MS = 10_000;

/** Looks with the same result, without a gap. */
interface Run {
  readonly reached: boolean;
  readonly since: number;
  last: number;
  looks: number;
}

/**
 * Judges whether an instance reaches a node, from looks again and again: a process that did not look has seen nothing. Pure
 * but for what it remembers.
 */
export class ReachJudge {
  readonly #leaseMs: number;
  #run: Run | undefined;
  /** What was certain last; undefined before anything was. */
  #certain: Exclude<NodeReach, 'unsure'> | undefined;

  /** @param leaseMs how long a lease lasts: what is shorter moves no shard */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /**
   * Takes one look.
   *
   * @param at when it was over, ms of a clock that never goes back
   * @param began when it began, by the same clock
   */
  saw(reached: boolean, at: number, began = at): NodeReach {
    const before = this.#run;
    const goesOn = before?.reached === reached && at - before.last <= GAP_MS;
    const run = goesOn ? before : { reached, since: began, last: at, looks: 0 };
    run.last = at;
    run.looks += 1;
    this.#run = run;
    const lasts = (ms: number): boolean => run.looks >= FEWEST && at - run.since >= ms;
    if (!reached) {
      if (!lasts(this.#leaseMs)) return 'unsure';
      this.#certain = 'cut';
      return 'cut';
    }
    if (this.#certain === undefined) this.#certain = 'steady';
    if (this.#certain === 'cut' && lasts(this.#leaseMs)) this.#certain = 'back';
    if (this.#certain === 'back' && lasts(STEADY_LEASES * this.#leaseMs)) this.#certain = 'steady';
    return this.#certain === 'cut' ? 'unsure' : this.#certain;
  }
}

/** What is to be known of the node, and who is told. */
export interface ReachabilityOptions {
  readonly leaseMs: number;
  /** An event socket to the node stands here. */
  readonly stands: () => boolean;
  /** Asks the node for a sign of life; never rejects. */
  readonly ask: () => Promise<boolean>;
  /** It has come to be reached or not. */
  readonly onChange: (reach: NodeReach) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Knows whether this instance reaches a node: where no event socket stands it is asked, again and again. */
export class Reachability {
  readonly #options: ReachabilityOptions;
  readonly #judge: ReachJudge;
  #reach: NodeReach | undefined;
  #told: NodeReach | undefined;
  readonly #looks: Looks;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
    this.#judge = new ReachJudge(options.leaseMs);
    this.#looks = new Looks(() => this.#look(), Math.min(INTERVAL_MS, options.leaseMs / 3));
  }

  /** Undefined before the first look. */
  get reach(): NodeReach | undefined {
    return this.#reach;
  }

  start(): void {
    this.#looks.start();
    void this.look();
  }

  close(): void {
    this.#looks.close();
  }

  /** Looks now; a look that is under way is not doubled. */
  look(): Promise<void> {
    return this.#looks.now();
  }

  async #look(): Promise<void> {
    const { stands, ask, now, onChange } = this.#options;
    const began = now();
    // A socket that was opened meanwhile says more than a question that was not answered.
    const reached = stands() || (await ask()) || stands();
    if (this.#looks.closed) return;
    this.#reach = this.#judge.saw(reached, now(), began);
    if (this.#reach === 'unsure' || this.#reach === this.#told) return;
    const first = this.#told === undefined && this.#reach === 'steady';
    this.#told = this.#reach;
    if (!first) onChange(this.#reach);
  }
}

/** Asks a node's ARI for a sign of life, with this instance's credentials and without an event socket. */
export class NodeDoor {
  readonly #ari: AriClient;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor(node: string, ari: AriAccess) {
    this.#ari = new AriClient({ node, ...ari, onEvent: () => undefined, requestTimeoutMs: ANSWER_MS });
  }

  /** Whether it answers as it should; never rejects. */
  async answers(): Promise<boolean> {
    if (performance.now() - this.#refusedAt < REFUSED_MS) return false;
    try {
      await this.#ari.asterisk.ping();
      return true;
    } catch (error) {
      const refused = error instanceof AriError && (error.status === 401 || error.status === 403);
      if (refused) this.#refusedAt = performance.now();
      return false;
    }
  }

  close(): Promise<void> {
    return this.#ari.close();
  }
}
