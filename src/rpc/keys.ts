import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CompanyId } from '../cti/ids.ts';
import type { Scope } from '../cti/requests.ts';
import type { Caller } from '../ports.ts';
import { type RpcLimits, TokenBucket } from './limits.ts';

/** An API key as the configuration gives it. */
export interface ApiKeyOptions {
  /** For logs; says nothing about the key itself. */
  readonly name: string;
  /** The secret. */
  readonly key: string;
  readonly companyId: CompanyId;
  readonly scopes: readonly Scope[];
  /** The key's own rate; absent: that of the limits. */
  readonly requestsPerSecond?: number;
  /** The key's own burst; absent: that of the limits. */
  readonly burst?: number;
}

/** Knows the API keys. */
export interface ApiKeys {
  /**
   * Who sends this `Authorization` header. Always the same object for the same key.
   *
   * @returns undefined for a missing, malformed or unknown key
   */
  find(authorization: string | undefined): Caller | undefined;
  /** What the key of a caller is granted of its own. */
  rateOf(caller: Caller): KeyRate;
}

/** A key's own rate, as far as it has one. */
export type KeyRate = Pick<ApiKeyOptions, 'requestsPerSecond' | 'burst'>;

const LONGEST_KEY = 512;

/**
 * Makes the key ring. Keys are held and compared only as HMACs under a secret of this process: neither a memory of the
 * comparison's time nor a look into the table tells a key.
 *
 * @throws {Error} where a key is empty, too long, or given twice: it would not be clear whose it is
 */
export function apiKeys(entries: readonly ApiKeyOptions[]): ApiKeys {
  const secret = randomBytes(32);
  const digestOf = (key: string) => createHmac('sha256', secret).update(key).digest();
  const ring = new Map<string, { readonly digest: Buffer; readonly caller: Caller }>();
  const rates = new WeakMap<Caller, KeyRate>();
  for (const entry of entries) {
    const { name, key, companyId, scopes } = entry;
    if (key === '' || key.length > LONGEST_KEY) {
      throw new Error(`API key ${name} of company ${companyId} must have 1 to ${LONGEST_KEY} characters`);
    }
    const digest = digestOf(key);
    const at = digest.toString('base64');
    if (ring.has(at)) throw new Error(`API key ${name} of company ${companyId} is the same as another one`);
    const caller: Caller = { companyId, keyName: name, scopes: new Set<string>(scopes) };
    ring.set(at, { digest, caller });
    rates.set(caller, entry);
  }
  return {
    find(authorization) {
      const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
      if (key === undefined || key.length > LONGEST_KEY) return undefined;
      const digest = digestOf(key);
      const entry = ring.get(digest.toString('base64'));
      return entry !== undefined && timingSafeEqual(entry.digest, digest) ? entry.caller : undefined;
    },
    rateOf: (caller) => rates.get(caller) ?? {},
  };
}

/** What one key is using at the moment, against its limits. */
export interface KeyUse {
  readonly caller: Caller;
  readonly rate: TokenBucket;
  readonly published: TokenBucket;
  inFlight: number;
  sockets: number;
}

/** Keeps one KeyUse per caller. */
export class KeyUses {
  readonly #uses = new WeakMap<Caller, KeyUse>();

  constructor(
    readonly keys: ApiKeys,
    readonly limits: RpcLimits,
    readonly now: () => number,
  ) {}

  /** The use of the key in an `Authorization` header; undefined if it is no key of ours. */
  find(authorization: string | undefined): KeyUse | undefined {
    const caller = this.keys.find(authorization);
    if (caller === undefined) return undefined;
    let use = this.#uses.get(caller);
    if (use === undefined) {
      const { limits } = this;
      const { requestsPerSecond = limits.requestsPerSecond, burst = limits.burst } = this.keys.rateOf(caller);
      const published = limits.publishedRefusalsPerSecond;
      use = {
        caller,
        rate: new TokenBucket(requestsPerSecond, burst, this.now),
        published: new TokenBucket(published, published, this.now),
        inFlight: 0,
        sockets: 0,
      };
      this.#uses.set(caller, use);
    }
    return use;
  }
}
