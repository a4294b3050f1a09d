import { createClient } from 'redis';

/** How long what Redis has told may take to arrive, ms. */
const ARRIVAL_MS = 10_000;
/** Stands in place of a callID in what is written only to see that it is told of. */
const SYNC = '~sync:';

/** A connection that outlives Redis, which is killed on purpose and comes back. Not yet connected. */
export function redisAt(url: string) {
  const client = createClient({ url });
  client.on('error', () => undefined);
  return client;
}

export type RedisClient = ReturnType<typeof redisAt>;

/**
 * Counts what is stored of each call, as Redis itself tells it (keyspace notifications: one for each commit, since each
 * commit writes a call's hash once). A call that has been written n times and has version n has had every version once:
 * none was left out, and none was given twice.
 *
 * Nothing is told of what is written while Redis is away from here, which is so whenever it has been killed, and what it had
 * lost is written a second time once it is back: calls that had begun by then are not judged.
 */
export class Versions {
  /** Calls that were judged, and the commits that were counted of them. */
  judged = 0;
  commits = 0;
  /** Calls that could not be judged: Redis had been away while they lived. */
  unknown = 0;
  readonly #redis: RedisClient;
  readonly #listener: RedisClient;
  readonly #calls: string;
  readonly #eventID: string;
  readonly #written = new Map<string, number>();
  /** Calls whose first event has a higher id have been counted from their beginning; undefined while nothing is told. */
  #since: number | undefined;
  #synced = 0;
  #asked = 0;

  private constructor(redis: RedisClient, listener: RedisClient, prefix: string, companyId: string) {
    this.#redis = redis;
    this.#listener = listener;
    this.#calls = `${prefix}:{${companyId}}:call:`;
    this.#eventID = `${prefix}:{${companyId}}:event-id`;
  }

  /** @param redis whose connection is used for what is asked */
  static async open(redis: RedisClient, prefix: string, companyId: string): Promise<Versions> {
    const listener = redis.duplicate();
    listener.on('error', () => undefined);
    const versions = new Versions(redis, listener, prefix, companyId);
    listener.on('reconnecting', () => {
      versions.#since = undefined;
    });
    await listener.connect();
    const told = '__keyspace@0__:';
    await listener.pSubscribe(`${told}${versions.#calls}*`, (what, channel) => {
      if (what !== 'hset') return;
      const callID = channel.slice(told.length + versions.#calls.length);
      if (callID.startsWith(SYNC)) {
        versions.#synced = Number(callID.slice(SYNC.length));
        return;
      }
      versions.#written.set(callID, (versions.#written.get(callID) ?? 0) + 1);
    });
    await versions.goOn();
    return versions;
  }

  /**
   * Counts again after Redis was away; nothing is to be done where it was not. To be asked for once every instance has
   * written again what Redis had lost: whatever begins from here on is told of from its beginning.
   */
  async goOn(): Promise<void> {
    if (this.#since !== undefined) return;
    await this.#redis.configSet('notify-keyspace-events', 'Kh');
    // That it is told shows that the subscription stands.
    await this.#heardAll();
    this.#since = Number((await this.#redis.get(this.#eventID)) ?? '0');
  }

  /** Waits until what Redis has told so far has arrived. @throws Error if it does not */
  async #heardAll(): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    const until = performance.now() + ARRIVAL_MS;
    while (this.#synced < asked) {
      if (performance.now() > until) throw new Error('what Redis tells of its keys does not arrive');
      // Told on the very way that calls are told on: a channel of its own may stand before that does.
      const key = `${this.#calls}${SYNC}${asked}`;
      await this.#redis.multi().hSet(key, 'v', '0').del(key).exec();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /**
   * Judges calls that have ended.
   *
   * @param ended by id, the id of their first event
   * @returns what is wrong
   */
  async judge(ended: ReadonlyMap<string, number>): Promise<readonly string[]> {
    await this.#heardAll().catch(() => {
      this.#since = undefined;
    });
    const since = this.#since;
    const wrong: string[] = [];
    for (const [callID, firstEvent] of ended) {
      const written = this.#written.get(callID) ?? 0;
      this.#written.delete(callID);
      if (since === undefined || firstEvent <= since) {
        this.unknown += 1;
        continue;
      }
      const version = Number(await this.#redis.hGet(`${this.#calls}${callID}`, 'v'));
      this.judged += 1;
      this.commits += written;
      if (version !== written) wrong.push(`call ${callID} has version ${version} and was written ${written} times`);
    }
    return wrong;
  }

  close(): void {
    this.#listener.destroy();
  }
}
