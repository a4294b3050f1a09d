import type { Room, SharedPlaces } from '../ports.ts';

/** What the counting with other instances needs. */
export interface SharedCountDeps {
  readonly places: SharedPlaces;
  /** All shards of calls that there are. */
  readonly shards: readonly string[];
  /** What the calls of a shard take up here now, by limit. */
  readonly countsOf: (shard: string) => ReadonlyMap<string, number>;
  /** Waits. */
  readonly pause: (ms: number) => Promise<void>;
  readonly warn: (what: string, error: unknown) => void;
}

/** What is done with a place. */
export interface Taking {
  /** Takes it here alone. @returns the limit that has no room */
  here(): string | undefined;
  /** It is taken for all instances: from now on it counts here. */
  taken(): void;
}

/** Wait before it is asked again whether all shards are counted, ms, and how often it is asked in all. */
const AGAIN = { everyMs: 50, times: 40 };
/** Calls that may wait so at once. */
const WAITING_LIMIT = 1_000;
/** Wait before the counts are told again after an error, ms. */
const RETRY_MS = 250;

/**
 * Counts places together with the other instances. Who has all shards counts alone, in memory: nobody else can begin a
 * call. As soon as shards are shared, every place is taken in Redis, for the shard that the call lives in; whoever takes
 * the shard over counts it anew from the calls that he finds, and until all shards are counted nobody takes any.
 */
export class SharedCount {
  /** What was asked of the others, by what came of it. */
  readonly asked = { taken: 0, full: 0, uncounted: 0 };
  readonly #deps: SharedCountDeps;
  /** Shards that are ours, with their tokens. */
  readonly #ours = new Map<string, number>();
  /** Changes that are not told yet, by shard and limit. */
  readonly #changes = new Map<string, Map<string, number>>();
  #alone = false;
  /** Asking for places, and waiting for that. */
  #underWay = 0;
  #waiting = 0;
  #quiet: (() => void) | undefined;
  #counting: Promise<void> | undefined;
  #again = false;
  #flushing: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(deps: SharedCountDeps) {
    this.#deps = deps;
  }

  /** Nobody else has shards: what is counted here is all that there is. */
  get alone(): boolean {
    return this.#alone;
  }

  own(shard: string, token: number): void {
    this.#ours.set(shard, token);
    void this.recount();
  }

  disown(shard: string): void {
    this.#changes.delete(shard);
    if (!this.#ours.delete(shard)) return;
    // From here on another one may begin calls.
    this.#alone = false;
    void this.recount();
  }

  /** Takes a place under each limit, or none. Rejects while the store is away. @returns the limit that has no room */
  async take(shard: string, rooms: readonly Room[], taking: Taking): Promise<string | undefined> {
    const none = rooms[0]?.meter ?? '';
    if (this.#waiting >= WAITING_LIMIT) return none;
    this.#waiting += 1;
    try {
      for (let times = 0; times < AGAIN.times; times++) {
        if (this.#counting) await Promise.race([this.#counting, this.#deps.pause(AGAIN.everyMs)]);
        if (this.#counting) continue;
        if (this.#alone) return taking.here();
        const token = this.#ours.get(shard);
        if (token === undefined) return none;
        const answer = await this.#ask(shard, token, rooms, taking);
        if (answer.outcome === 'taken') return undefined;
        if (answer.outcome === 'full') return answer.meter;
        if (answer.outcome === 'not-ours') return none;
        // Another instance is about to count its shards; or they are ours, and Redis has lost what was counted.
        if (times === 0) void this.recount();
        await this.#deps.pause(AGAIN.everyMs);
      }
      return none;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #ask(shard: string, token: number, rooms: readonly Room[], taking: Taking) {
    // What was given back before is free by then.
    this.#flush();
    this.#underWay += 1;
    try {
      const answer = await this.#deps.places.take(shard, token, rooms);
      if (answer.outcome !== 'taken') {
        this.asked[answer.outcome === 'full' ? 'full' : 'uncounted'] += 1;
        return answer;
      }
      // A shard that went meanwhile took the place along, and whoever has it counts it anew.
      if (this.#ours.get(shard) !== token) return { outcome: 'not-ours' as const };
      this.asked.taken += 1;
      taking.taken();
      return answer;
    } catch (error) {
      // Nobody knows whether it was taken.
      void this.recount();
      throw error;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#quiet?.();
    }
  }

  /** What a call takes up has changed by itself. Told to the others at the end of this turn of the loop. */
  changed(shard: string, meter: string, by: number): void {
    if (this.#alone || !this.#ours.has(shard) || this.#closed) return;
    const changes = this.#changes.get(shard) ?? new Map<string, number>();
    changes.set(meter, (changes.get(meter) ?? 0) + by);
    this.#changes.set(shard, changes);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    for (const [shard, changes] of this.#changes) {
      const token = this.#ours.get(shard);
      const by = new Map([...changes].filter(([, n]) => n !== 0));
      if (token === undefined || by.size === 0) continue;
      // What has not arrived is made good by counting anew.
      this.#deps.places.change(shard, token, by).catch(() => void this.recount());
    }
    this.#changes.clear();
  }

  /** Tells how everything stands: after shards came or went, and after Redis was away. */
  recount(): Promise<void> {
    this.#again = true;
    this.#counting ??= this.#countAll().finally(() => {
      this.#counting = undefined;
      // Asked for just as it ended.
      if (this.#again && !this.#closed) void this.recount();
    });
    return this.#counting;
  }

  async #countAll(): Promise<void> {
    let told: string | undefined;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#asking();
        await this.#count();
      } catch (error) {
        if (this.#closed) return;
        // Each reason once.
        if (String(error) !== told) this.#deps.warn('the calls of this instance’s shards could not be counted', error);
        told = String(error);
        this.#again = true;
        await this.#deps.pause(RETRY_MS);
      }
    }
  }

  /** Waits until nobody asks for places any more. */
  async #asking(): Promise<void> {
    // A turn of its own, so that calls that were taken up with a shard are counted with it.
    await Promise.resolve();
    while (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve;
      });
    }
  }

  async #count(): Promise<void> {
    const { places, shards, countsOf } = this.#deps;
    const ours = new Map(this.#ours);
    if (shards.every((s) => ours.has(s)) && (await places.countAlone(ours))) {
      this.#alone = [...ours].every(([shard, token]) => this.#ours.get(shard) === token);
      if (this.#alone) this.#changes.clear();
      else this.#again = true;
      return;
    }
    this.#alone = false;
    // What follows is told on top of these counts.
    this.#changes.clear();
    await Promise.all([...this.#ours].map(([shard, token]) => places.count(shard, token, countsOf(shard))));
  }

  close(): void {
    this.#closed = true;
    clearImmediate(this.#flushing);
  }
}
