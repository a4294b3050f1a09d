import type { PlacesAnswer, Room, SharedPlaces } from '../../src/ports.ts';
import type { Connection, Ground } from './counting-story.ts';

interface Counted {
  readonly by: number;
  readonly places: Map<string, number>;
}

/** Places as Redis keeps them, in memory. What is sent is run, and answered, when the test says so, in order. */
export class SimulatedPlaces implements Ground {
  readonly #shards: readonly string[];
  readonly #counted = new Map<string, Counted>();
  readonly #last = new Map<string, number>();
  #token = 0;

  constructor(shards: readonly string[]) {
    this.#shards = shards;
  }

  async take(shard: string): Promise<number> {
    this.#token += 1;
    this.#last.set(shard, this.#token);
    return this.#token;
  }

  connect(): Connection {
    const sent: (() => void)[] = [];
    const answers: (() => void)[] = [];
    let cut = false;
    let lost: 'nothing' | 'answer' | 'all' = 'nothing';
    const ask = <T>(run: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        if (cut) return;
        sent.push(() => {
          const fault = lost;
          lost = 'nothing';
          const answer = fault === 'all' ? undefined : run();
          if (fault === 'nothing') answers.push(() => resolve(answer as T));
          else answers.push(() => reject(new Error('the connection was lost')));
        });
      });
    const places: SharedPlaces = {
      take: (shard, token, rooms) => ask(() => this.#take(shard, token, rooms)),
      change: (shard, token, by) => ask(() => this.#change(shard, token, by)),
      count: (shard, token, counts) => ask(() => this.#count(shard, token, counts)),
      countAlone: (tokens) => ask(() => this.#countAlone(tokens)),
    };
    return {
      places,
      run: () => sent.shift()?.(),
      answer: () => answers.shift()?.(),
      fault: () => {
        lost = lost === 'answer' ? 'all' : 'answer';
      },
      cut: () => {
        cut = true;
        sent.length = 0;
        answers.length = 0;
      },
      get quiet() {
        return sent.length === 0 && answers.length === 0;
      },
    };
  }

  #take(shard: string, token: number, rooms: readonly Room[]): PlacesAnswer {
    const all = this.#shards.map((s) => this.#counted.get(s));
    if (all.some((c) => c === undefined)) return { outcome: 'uncounted' };
    const own = this.#counted.get(shard);
    if (own?.by !== token) return { outcome: 'not-ours' };
    for (const { meter, calls } of rooms) {
      const sum = all.reduce((n, c) => n + (c?.places.get(meter) ?? 0), 0);
      if (calls !== undefined && sum >= calls) return { outcome: 'full', meter };
    }
    for (const { meter } of rooms) own.places.set(meter, (own.places.get(meter) ?? 0) + 1);
    return { outcome: 'taken' };
  }

  #change(shard: string, token: number, by: ReadonlyMap<string, number>): void {
    const counted = this.#counted.get(shard);
    if (counted?.by !== token) return;
    for (const [meter, n] of by) counted.places.set(meter, Math.max(0, (counted.places.get(meter) ?? 0) + n));
  }

  #isOurs(shard: string, token: number): boolean {
    return (this.#last.get(shard) ?? token) === token;
  }

  #count(shard: string, token: number, places: ReadonlyMap<string, number>): boolean {
    if (!this.#isOurs(shard, token)) return false;
    this.#counted.set(shard, { by: token, places: new Map(places) });
    return true;
  }

  #countAlone(tokens: ReadonlyMap<string, number>): boolean {
    if (![...tokens].every(([shard, token]) => this.#isOurs(shard, token))) return false;
    for (const shard of tokens.keys()) this.#counted.delete(shard);
    return true;
  }
}
