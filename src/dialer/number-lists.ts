import { z } from 'zod';
import type { CompanyId } from '../cti/ids.ts';
import type { NumberListName, NumberListPage, NumberListStore } from '../ports.ts';
import type { Account, Book } from './book.ts';
import { canonicalOf } from './number-check.ts';

/** Numbers of one request that adds and removes. */
export const MAX_CHANGED = 10_000;
/** Numbers of one request that replaces a list. */
export const MAX_REPLACED = 100_000;
/** Numbers of one page. */
export const MAX_PAGE = 10_000;
/** Wrong numbers of a request that are told. */
const MAX_PROBLEMS = 100;

const numbers = z.array(z.string().max(64));

/** The body that adds and removes. */
export const NumberListChange = z.strictObject({
  add: numbers.default([]).describe('Numbers that are to be on the list.'),
  remove: numbers.default([]).describe('Numbers that are not to be on it.'),
});

/** The body that replaces a list. */
export const NumberListBody = z.strictObject({ numbers: numbers.describe('All that are to be on the list.') });

/** The query of a page. */
export const NumberListQuery = z.object({
  page_size: z.coerce.number().int().min(1).max(MAX_PAGE).default(1_000),
  page_token: z
    .string()
    .regex(/^\d{1,15}-\d{1,9}$/)
    .optional()
    .describe('next_page_token of the page before.'),
});

/** Something wrong in a body; no number is repeated. */
export interface NumberProblem {
  /** `add[3]` */
  readonly key: string;
  readonly message: string;
}

/** A list as it is told: what the API keeps, and how many the configuration has beside. */
export interface NumberListAnswer {
  readonly version: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Refused =
  | { readonly refused: 'no-account' | 'other-version' | 'changed' | 'full' }
  | { readonly problems: readonly NumberProblem[] };

const WRITTEN = /^\+?\d{1,20}$/;

/** What the admin API does with the lists of accounts. What it changes holds at every instance from the answer on. */
export class NumberLists {
  readonly #store: NumberListStore;
  readonly #book: Book;

  constructor(store: NumberListStore, book: Book) {
    this.#store = store;
    this.#book = book;
  }

  /** One page, in the order of the digits. Where the list has changed since the page before, it must be begun anew. */
  async page(
    companyId: CompanyId,
    accountId: string,
    list: NumberListName,
    query: z.infer<typeof NumberListQuery>,
  ): Promise<NumberListAnswer | Refused> {
    const account = this.#account(companyId, accountId);
    if (!account) return { refused: 'no-account' };
    const [seen, from = 0] = query.page_token?.split('-').map(Number) ?? [];
    const page = await this.#store.page(companyId, accountId, list, from, query.page_size);
    if (seen !== undefined && seen !== page.version) return { refused: 'changed' };
    const next = from + page.numbers.length;
    const more = page.numbers.length > 0 && next < page.total;
    return {
      version: page.version,
      body: {
        numbers: page.numbers,
        ...counted(account, list, page),
        next_page_token: more ? `${page.version}-${next}` : '',
      },
    };
  }

  /** @param expected the version that the caller has seen; absent: whatever there is is changed */
  async change(
    companyId: CompanyId,
    accountId: string,
    list: NumberListName,
    given: unknown,
    expected?: number,
  ): Promise<NumberListAnswer | Refused> {
    const account = this.#account(companyId, accountId);
    if (!account) return { refused: 'no-account' };
    const read = NumberListChange.safeParse(given);
    if (!read.success) return { problems: problemsOf(read.error) };
    const { add, remove } = read.data;
    const problems = faults(
      [
        ['add', add],
        ['remove', remove],
      ],
      MAX_CHANGED,
    );
    if (problems.length > 0) return { problems };
    const [adding, removing] = [await unique(add, account), await unique(remove, account)];
    const both = new Set(adding);
    if (removing.some((n) => both.has(n))) {
      return { problems: [{ key: 'remove', message: 'has a number that is to be added as well' }] };
    }
    const change = { add: adding, remove: removing, ...(expected !== undefined && { expected }) };
    const result = await this.#store.change(companyId, accountId, list, change);
    if (result === 'conflict') return { refused: 'other-version' };
    if (result === 'full') return { refused: 'full' };
    const { version, added, removed } = result;
    return { version, body: { added, removed, ...counted(account, list, result) } };
  }

  /** @param expected the version that the caller has seen; absent: whatever there is is replaced */
  async replace(
    companyId: CompanyId,
    accountId: string,
    list: NumberListName,
    given: unknown,
    expected?: number,
  ): Promise<NumberListAnswer | Refused> {
    const account = this.#account(companyId, accountId);
    if (!account) return { refused: 'no-account' };
    const read = NumberListBody.safeParse(given);
    if (!read.success) return { problems: problemsOf(read.error) };
    const { numbers } = read.data;
    const problems = faults([['numbers', numbers]], MAX_REPLACED);
    if (problems.length > 0) return { problems };
    const result = await this.#store.replace(companyId, accountId, list, await unique(numbers, account), expected);
    if (result === 'conflict') return { refused: 'other-version' };
    if (result === 'full') return { refused: 'full' };
    return { version: result.version, body: counted(account, list, result) };
  }

  #account(companyId: CompanyId, accountId: string): Account | undefined {
    const company = this.#book.companies.find((c) => c.companyId === companyId);
    return company?.accounts.find((a) => a.config.id === accountId);
  }
}

/** `total` of what the API keeps; `file`: how many the configuration has, which count as well. */
const counted = (account: Account, list: NumberListName, { total }: Pick<NumberListPage, 'total'>) => ({
  total,
  file: account[list].size,
});

const unique = async (numbers: readonly string[], account: Account): Promise<string[]> => [
  ...new Set(await canonicalOf(numbers, { account })),
];

/** What is wrong with numbers that are given under these names, all of them together at most so many. */
function faults(given: readonly (readonly [key: string, numbers: readonly string[]])[], most: number): NumberProblem[] {
  const count = given.reduce((sum, [, numbers]) => sum + numbers.length, 0);
  const [first] = given;
  const tooMany = count > most && first ? [{ key: first[0], message: `has more than ${most} numbers` }] : [];
  const wrong = given.flatMap(([key, numbers]) =>
    numbers.flatMap((n, i) => (WRITTEN.test(n) ? [] : [{ key: `${key}[${i}]`, message: 'is not a number' }])),
  );
  return [...tooMany, ...wrong].slice(0, MAX_PROBLEMS);
}

const problemsOf = (error: z.ZodError): NumberProblem[] =>
  error.issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => ({
    key: path
      .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
      .join(''),
    message,
  }));
