import type { CompanyId } from '../cti/ids.ts';

/**
 * The names of all keys; docs/redis-keys.md describes what is in them. The company in braces is the hash tag, so
 * that everything one script touches lies in one slot of a Redis Cluster.
 */
export class Keys {
  readonly #prefix: string;

  /** @param prefix what every key begins with; keeps several installations apart in one Redis */
  constructor(prefix: string) {
    if (!/^[0-9A-Za-z_.-]{1,32}$/.test(prefix)) throw new RangeError('a key prefix has 1 to 32 of 0-9 A-Z a-z _ . -');
    this.#prefix = prefix;
  }

  call(company: CompanyId, callID: string): string {
    return `${this.#prefix}:{${company}}:call:${callID}`;
  }

  live(company: CompanyId, shard: string): string {
    return `${this.#prefix}:{${company}}:live:${shard}`;
  }

  timers(company: CompanyId, shard: string): string {
    return `${this.#prefix}:{${company}}:timers:${shard}`;
  }

  fence(company: CompanyId, shard: string): string {
    return `${this.#prefix}:{${company}}:fence:${shard}`;
  }

  events(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:events`;
  }

  eventCounter(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:event-id`;
  }

  eventAges(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:event-ages`;
  }

  floor(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:floor`;
  }

  agents(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:agents`;
  }

  waiting(company: CompanyId): string {
    return `${this.#prefix}:{${company}}:waiting`;
  }

  /**
   * What the dialler keeps of a company: `lead`, `token`, `seen`, `active`, `flows`, `hooks`, `call:<uuid>`,
   * `request:<id>`, `queue:<flow>`, `sum:<flow>:<sha>`, `balance:<account>`, `hooks:<uuid>`, `dead:<flow>`,
   * `campaigncalls:<flow>`, `campaigncall-order:<flow>`, `campaigncall-place`, `tally:<flow>:<day>`,
   * `list:<account>:<name>`, `list-versions:<account>`.
   */
  dialer(company: CompanyId, part: string): string {
    return `${this.#prefix}:{${company}}:dialer:${part}`;
  }

  /** How many writes of a process in a company there have been, of those that it does again where they are lost. */
  writes(company: CompanyId, process: string): string {
    return `${this.#prefix}:{${company}}:writes:${process}`;
  }

  /** The contacts of a company: `documents`, `live`, `ended`. */
  contacts(company: CompanyId, part: string): string {
    return `${this.#prefix}:{${company}}:contacts:${part}`;
  }

  /** Who reaches whom through a masking number. */
  mask(company: CompanyId, did: string): string {
    return `${this.#prefix}:{${company}}:mask:${did}`;
  }

  /** `~` cannot be in a companyId, so this slot is no company's. */
  shardToken(): string {
    return `${this.#prefix}:{~shards}:token`;
  }

  shardLease(shard: string): string {
    return `${this.#prefix}:{~shards}:lease:${shard}`;
  }

  /** The newest token of one shard. */
  shardLast(shard: string): string {
    return `${this.#prefix}:{~shards}:last:${shard}`;
  }

  /** Which instances there are, and until when without a sign of life. */
  instances(): string {
    return `${this.#prefix}:{~shards}:instances`;
  }

  /** What they say of themselves. */
  instanceFacts(): string {
    return `${this.#prefix}:{~shards}:instance-facts`;
  }

  /** The places of a shard's calls under the limits that all instances keep together. */
  shardPlaces(shard: string): string {
    return `${this.#prefix}:{~shards}:places:${shard}`;
  }

  /** How many calls may begin now, under limits of calls per second. */
  rates(): string {
    return `${this.#prefix}:{~shards}:rates`;
  }

  /** Which nodes take no new calls, and why. */
  drainingNodes(): string {
    return `${this.#prefix}:{~shards}:draining-nodes`;
  }
}
