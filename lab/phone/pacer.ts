const PERIOD_MS = 20;
/** After a stall of the process, this many packets are made up for; older ones are skipped. */
const CATCH_UP = 5;

/** What is due every 20 ms. */
export interface Paced {
  tick(): void;
}

/**
 * One timer for every media stream of the process. Ticks are counted from the start, so that the lateness of one does
 * not shift the next.
 */
class Pacer {
  readonly #streams = new Set<Paced>();
  #timer: NodeJS.Timeout | undefined;
  #origin = 0;
  #done = 0;

  add(stream: Paced): void {
    this.#streams.add(stream);
    if (this.#timer !== undefined) return;
    this.#origin = performance.now();
    this.#done = 0;
    this.#arm();
  }

  remove(stream: Paced): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0 || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const next = this.#origin + (this.#done + 1) * PERIOD_MS;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, next - performance.now()));
  }

  #run(): void {
    const due = Math.floor((performance.now() - this.#origin) / PERIOD_MS);
    if (due - this.#done > CATCH_UP) this.#done = due - CATCH_UP;
    for (; this.#done < due; this.#done += 1) for (const stream of this.#streams) stream.tick();
    if (this.#timer !== undefined) this.#arm();
  }
}

export const pacer = new Pacer();
