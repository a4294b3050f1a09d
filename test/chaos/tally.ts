/** What a run has broken, and what came of it. */
export class Tally {
  calls = 0;
  /** Telephones that were hung up on for no reason of theirs. */
  dropped = 0;
  /** Events that the witness could not be given. */
  lost = 0;
  ghosts = 0;
  readonly findings: string[] = [];
  readonly #faults = new Map<string, number>();
  readonly #back: number[] = [];
  #mostLive = 0;

  fault(name: string, live: number): void {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
    this.#mostLive = Math.max(this.#mostLive, live);
  }

  /** @param seconds from the end of the cause until a live call obeyed again */
  back(seconds: number): void {
    this.#back.push(seconds);
  }

  get lastBack(): number | undefined {
    return this.#back.at(-1);
  }

  found(what: string): void {
    this.findings.push(what);
  }

  /** As lines of text. */
  lines(seed: number): string[] {
    const sorted = this.#back.toSorted((a, b) => a - b);
    const p50 = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    const rounds = [...this.#faults.values()].reduce((a, b) => a + b, 0);
    return [
      `seed ${seed}: ${rounds} rounds, ${this.calls} calls ended, at most ${this.#mostLive} live at a fault`,
      ...[...this.#faults].map(([name, times]) => `  ${String(times).padStart(3)} × ${name}`),
      `telephones dropped by us: ${this.dropped}`,
      `events lost: ${this.lost}`,
      `ghosts: ${this.ghosts}`,
      `seconds until control was back: p50 ${p50.toFixed(2)}, max ${(sorted.at(-1) ?? 0).toFixed(2)}`,
      `found wrong: ${this.findings.length}`,
    ];
  }
}
