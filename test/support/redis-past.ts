import { createClient, RESP_TYPES } from 'redis';

/** Every key of a Redis at one moment, as RESTORE takes it. */
export type Past = readonly (readonly [key: Buffer, value: Buffer, msToLive: number])[];

const LOOK = `
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = {key, redis.call('DUMP', key), redis.call('PTTL', key)} end
return all
`;

/**
 * A Redis that can be set back to what it held before: what was written since is lost, as by a crash at
 * `appendfsync everysec` or by a fail-over to a replica that lagged. Everything is written in whole scripts and lost from the
 * end, and whoever is connected is cut off in the same moment.
 */
export class RedisPast {
  readonly #client: ReturnType<typeof newClient>;

  private constructor(client: ReturnType<typeof newClient>) {
    this.#client = client;
  }

  static async open(url: string): Promise<RedisPast> {
    const client = newClient(url);
    await client.connect();
    return new RedisPast(client);
  }

  close(): void {
    this.#client.destroy();
  }

  /** Any command, as from somebody's hand. */
  do(...command: string[]): Promise<unknown> {
    return this.#client.sendCommand(command);
  }

  async now(): Promise<Past> {
    const binary = this.#client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    return (await binary.sendCommand(['EVAL', LOOK, '0'])) as unknown as Past;
  }

  async goBack(past: Past): Promise<void> {
    const all = this.#client.multi().addCommand(['FLUSHDB']);
    for (const [key, value, ms] of past) all.addCommand(['RESTORE', key, String(Math.max(0, ms)), value]);
    await all.addCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']).exec();
  }

  /** What is stored, in an order of its own; of a time to live only whether there is one. */
  async contents(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const key of (await this.#ask('KEYS', '*')).toSorted()) {
      found[key] = [await this.#value(key), Number(await this.#client.sendCommand(['PTTL', key])) > 0];
    }
    return found;
  }

  async #value(key: string): Promise<unknown> {
    switch (await this.#client.type(key)) {
      case 'hash':
        return pairs(await this.#ask('HGETALL', key));
      case 'set':
        return (await this.#ask('SMEMBERS', key)).toSorted();
      case 'zset':
        return pairs(await this.#ask('ZRANGE', key, '0', '-1', 'WITHSCORES'));
      case 'list':
        return this.#ask('LRANGE', key, '0', '-1');
      default:
        return this.#client.get(key);
    }
  }

  async #ask(...command: string[]): Promise<string[]> {
    return (await this.#client.sendCommand(command)) as unknown as string[];
  }
}

const newClient = (url: string) => createClient({ url, RESP: 2 });

const pairs = (flat: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
