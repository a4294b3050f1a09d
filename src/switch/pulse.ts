import { type DeathAfter, DeathJudge, type Sight } from './death.ts';
import { Looks } from './looks.ts';

/** Between two looks at a node, ms. */
const INTERVAL_MS = 1_000;
/** Within which a knock must be answered, ms. */
export const KNOCK_MS = 2_000;

/** How a node's pulse is felt, and who is told. */
export interface PulseOptions {
  readonly deadAfter: DeathAfter;
  /** Something here depends on the node. */
  readonly concerned: () => boolean;
  /** A connection to it stands, over which something came lately. */
  readonly connected: () => boolean;
  /** Looks whether it is there; never rejects. */
  readonly knock: () => Promise<Sight>;
  /** It is dead: told at each look for as long as it is. `first`: it was not at the look before. */
  readonly onDead: (of: 'refused' | 'silent', first: boolean) => void;
  /** It was taken for dead, and says something. */
  readonly onAlive: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Feels a node's pulse: as long as a connection stands there is one; otherwise it is knocked at, again and again. */
export class Pulse {
  /** Times that it was taken for dead. */
  deaths = 0;
  readonly #options: PulseOptions;
  #judge: DeathJudge;
  #dead = false;
  readonly #looks = new Looks(() => this.#look(), INTERVAL_MS);

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#judge = new DeathJudge(options.deadAfter);
  }

  /** It is taken for dead. */
  get dead(): boolean {
    return this.#dead;
  }

  start(): void {
    this.#looks.start();
  }

  close(): void {
    this.#looks.close();
  }

  /** Looks now; a look that is under way is not doubled. */
  look(): Promise<void> {
    return this.#looks.now();
  }

  async #look(): Promise<void> {
    const { concerned, connected, knock, now, onDead, onAlive, deadAfter } = this.#options;
    if (!concerned()) {
      // Whoever owns something there judges for himself, from what he has seen.
      this.#judge = new DeathJudge(deadAfter);
      this.#dead = false;
      return;
    }
    const seen = connected() ? 'alive' : await knock();
    if (this.#looks.closed) return;
    // A connection that was made meanwhile says more than an unanswered knock.
    const of = this.#judge.saw(connected() ? 'alive' : seen, now());
    const was = this.#dead;
    this.#dead = of !== undefined;
    if (of) {
      if (!was) this.deaths += 1;
      onDead(of, !was);
    } else if (was) {
      onAlive();
    }
  }
}
