import type { CompanyId } from '../cti/ids.ts';
import type { RunScript } from './journal.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { whole } from './reply.ts';
import { script } from './script.ts';
import { NEXT_TOKEN } from './shard-lease.ts';

/**
 * Takes the lead of a company's dialler, or keeps it.
 *
 * KEYS  1 lead (hash: owner, token)  2 token counter
 * ARGV  1 owner  2 duration, ms
 * Answers the token, or 0 while another owner leads.
 */
const LEAD = script(`${NEXT_TOKEN}
local lead = redis.call('HMGET', KEYS[1], 'owner', 'token')
if lead[1] and lead[1] ~= ARGV[1] then return 0 end
local token = lead[2]
if not token then
  token = nextToken(KEYS[2])
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return tonumber(token)
`);

/** KEYS 1 lead. ARGV 1 token. Answers 1 given back, 0 it was not held. */
const RESIGN = script(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);

/**
 * Puts a lead back that Redis has lost, or that ran out while it was away, unless somebody has had it since.
 *
 * KEYS  1 lead  2 token counter
 * ARGV  1 owner  2 duration, ms  3 token under which it was held
 * Answers 1 put back, 0 it is there or was another's.
 */
const LEAD_AGAIN = script(`
local token, newest = tonumber(ARGV[3]), tonumber(redis.call('GET', KEYS[2]) or '0')
if newest > token or tonumber(redis.call('HGET', KEYS[1], 'token') or '0') >= token then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

interface Lead {
  readonly owner: string;
  readonly durationMs: number;
  readonly token: number;
}

/** Who leads the diallers of companies, and which of them this process leads as far as it knows. */
export class DialerLead {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #held = new Map<CompanyId, Lead>();

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @returns the token; undefined while another owner leads */
  async take(companyId: CompanyId, owner: string, durationMs: number): Promise<number | undefined> {
    const token = whole(await this.#redis.run(LEAD, this.#keysOf(companyId), [owner, String(durationMs)]));
    if (token === 0) this.#held.delete(companyId);
    else this.#held.set(companyId, { owner, durationMs, token });
    return token === 0 ? undefined : token;
  }

  async resign(companyId: CompanyId, token: number): Promise<void> {
    if (this.#held.get(companyId)?.token === token) this.#held.delete(companyId);
    await this.#redis.run(RESIGN, this.#keysOf(companyId).slice(0, 1), [String(token)]);
  }

  /** Goes on with what was led, under the same tokens. @param run while nobody else may use the connection */
  async restore(run: RunScript): Promise<void> {
    for (const [companyId, { owner, durationMs, token }] of this.#held) {
      await run(LEAD_AGAIN, this.#keysOf(companyId), [owner, String(durationMs), String(token)]);
    }
  }

  #keysOf(companyId: CompanyId): string[] {
    return [this.#keys.dialer(companyId, 'lead'), this.#keys.dialer(companyId, 'token')];
  }
}
