import type { Refusal } from '../cti/errors.ts';
import type { CompanyId } from '../cti/ids.ts';

/** Who asks: from the API key. */
export interface Caller {
  readonly companyId: CompanyId;
  readonly keyName: string;
  readonly scopes: ReadonlySet<string>;
}

/** What the RPC serves: one function for all methods of the table; parameters have passed their schema. */
export interface Requests {
  /** @returns the method's result, or the refusal; never throws for a client's mistake */
  request(caller: Caller, method: string, params: unknown): Promise<RequestOutcome>;
}

/** Who may use the HTTP endpoints beside the RPC: its keys, with their scopes and rates. */
export interface ApiAccess {
  /**
   * Takes one request off the rate of the key in an `Authorization` header.
   *
   * @returns whose it is; or why not: no key of ours, or one over its rate
   */
  admit(authorization: string | undefined): Caller | 'unauthorized' | 'too-fast';
}
/** A request's result, or why it was refused. */
export type RequestOutcome = { readonly result: unknown } | { readonly refusal: Refusal };

/** What /readyz tells. */
export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly redis: boolean;
  readonly nodes: Readonly<Record<string, string>>;
}
