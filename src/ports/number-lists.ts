import type { CompanyId } from '../cti/ids.ts';

/** The lists of an account: numbers that are never called; that may be in testing; that must not be for marketing. */
export type NumberListName = 'black' | 'white' | 'dnd';

/** Which of some numbers are on each list. */
export type OnLists = { readonly [L in NumberListName]: ReadonlySet<string> };

export interface NumberListPage {
  /** Grows with every change; 0: it was never written. */
  readonly version: number;
  /** Numbers on the whole list. */
  readonly total: number;
  readonly numbers: readonly string[];
}

export interface NumberListChanged {
  readonly version: number;
  readonly total: number;
  /** Numbers that were not on it before, and that no longer are. */
  readonly added: number;
  readonly removed: number;
}

/** Why nothing was changed: it is another version, or it would have too many numbers. */
export type NumberListRefusal = 'conflict' | 'full';

/**
 * The lists of accounts that are kept while the service runs, beside those of the configuration. Numbers are in their
 * canonical form, each once. Methods reject (StoreUnavailable) while Redis cannot be reached.
 */
export interface NumberListStore {
  /** One round trip, however many numbers. */
  onLists(companyId: CompanyId, account: string, numbers: readonly string[]): Promise<OnLists>;
  /** Part of a list, in the order of the digits. @param from place of the first, from 0 */
  page(
    companyId: CompanyId,
    account: string,
    list: NumberListName,
    from: number,
    limit: number,
  ): Promise<NumberListPage>;
  /** Adds and removes, all or nothing. @param expected the version that it must have; absent: any */
  change(
    companyId: CompanyId,
    account: string,
    list: NumberListName,
    change: { readonly add: readonly string[]; readonly remove: readonly string[]; readonly expected?: number },
  ): Promise<NumberListChanged | NumberListRefusal>;
  /** Puts other numbers in its place, at once. @param expected the version that it must have; absent: any */
  replace(
    companyId: CompanyId,
    account: string,
    list: NumberListName,
    numbers: readonly string[],
    expected?: number,
  ): Promise<NumberListPage | NumberListRefusal>;
}
