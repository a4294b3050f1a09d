import type { CompanyId } from '../cti/ids.ts';
import type { Scope } from '../cti/requests.ts';
import type { Caller } from '../ports.ts';
import { KeyRing } from './key-ring.ts';
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

/**
 * Makes the key ring of the companies.
 *
 * @throws {Error} where a key is empty, too long, or given twice: it would not be clear whose it is
 */
export function apiKeys(entries: readonly ApiKeyOptions[]): ApiKeys {
  const ring = new KeyRing<Caller>();
  const rates = new WeakMap<Caller, KeyRate>();
  for (const entry of entries) {
    const { name, key, companyId, scopes } = entry;
    const caller: Caller = { companyId, keyName: name, scopes: new Set<string>(scopes) };
    ring.add(key, `API key ${name} of company ${companyId}`, caller);
    rates.set(caller, entry);
  }
  return { find: (authorization) => ring.find(authorization), rateOf: (caller) => rates.get(caller) ?? {} };
}

/** Knows the operators' keys. */
export interface Operators {
  /** The name of the key in an `Authorization` header; undefined if it is no operator's. */
  find(authorization: string | undefined): string | undefined;
}

/**
 * Makes the key ring of the operators.
 *
 * @throws {Error} as {@link apiKeys}
 */
export function operatorKeys(entries: readonly { readonly name: string; readonly key: string }[]): Operators {
  const ring = new KeyRing<string>();
  for (const { name, key } of entries) ring.add(key, `the key of operator ${name}`, name);
  return ring;
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
