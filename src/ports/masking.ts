import type { CompanyId } from '../cti/ids.ts';

/** Which two numbers reach each other through a number of ours. Numbers are canonical: digits with the country's code. */
export interface MaskStore {
  /**
   * Gives a pair a number of the pool under which neither of the two is in another pair; the one that it has already,
   * with the new validity, if it has one.
   *
   * @param until Unix ms
   * @returns undefined where no number of the pool is free for them
   */
  allocate(
    companyId: CompanyId,
    pool: readonly string[],
    pair: readonly [string, string],
    until: number,
    now: number,
  ): Promise<string | undefined>;
  /** Takes a pair's number back. @returns whether it had it */
  release(companyId: CompanyId, did: string, pair: readonly [string, string]): Promise<boolean>;
  /** Whom a caller reaches through a number of ours now; undefined where nobody. */
  counterpart(companyId: CompanyId, did: string, caller: string, now: number): Promise<string | undefined>;
}
