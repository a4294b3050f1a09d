import { checkFlow, type FlowProblem } from '../config.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { FlowChange, FlowStore, StoredFlow } from '../ports.ts';
import type { Account, Book, DialerCompany, Flow } from './book.ts';
import type { DialerLog } from './deps.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What became of an order of the admin API. */
export type FlowAnswer =
  | { readonly flow: Flow }
  | { readonly removed: true }
  | { readonly problems: readonly FlowProblem[] }
  | { readonly refused: 'no-account' | 'no-flow' | 'of-file' | 'exists' | 'other-version' | 'full' };

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The flows that are made while the service runs. They are kept in the store; every instance takes them into its book
 * where their revision is another than the one it knows.
 */
export class MadeFlows {
  readonly #store: FlowStore;
  readonly #book: Book;
  readonly #now: () => number;
  readonly #log: DialerLog;
  readonly #known = new Map<CompanyId, number>();

  constructor(store: FlowStore, book: Book, now: () => number, log: DialerLog) {
    this.#store = store;
    this.#book = book;
    this.#now = now;
    this.#log = log;
  }

  /** Brings a company's flows up to date; one question to the store where they are. */
  async refresh(companyId: CompanyId): Promise<void> {
    const revision = await this.#store.revision(companyId);
    if (revision === (this.#known.get(companyId) ?? 0)) return;
    const company = this.#company(companyId);
    if (!company) return;
    const stored = await this.#store.all(companyId);
    this.#book.setMade(
      companyId,
      stored.flatMap((s) => this.#flowOf(s, company)),
    );
    this.#known.set(companyId, revision);
  }

  /** The flows of an account that take requests. */
  async list(companyId: CompanyId, accountId: string): Promise<readonly Flow[] | undefined> {
    await this.refresh(companyId);
    const account = this.#account(companyId, accountId);
    return account && [...account.flows.values()];
  }

  async create(companyId: CompanyId, accountId: string, given: unknown): Promise<FlowAnswer> {
    await this.refresh(companyId);
    const found = this.#place(companyId, accountId);
    if ('refused' in found) return found;
    const checked = this.#check(given, found.company);
    if ('problems' in checked) return checked;
    const { id } = checked.flow;
    const there = found.company.flow(id);
    if (there && there.made?.removed !== true) return { refused: there.made ? 'exists' : 'of-file' };
    return this.#change(found, { id, json: json(accountId, given), expected: 'new', removed: false });
  }

  /** @param expected the version that the caller has seen; absent: whatever there is is replaced */
  async replace(
    companyId: CompanyId,
    accountId: string,
    id: string,
    given: unknown,
    expected?: number,
  ): Promise<FlowAnswer> {
    const found = await this.#existing(companyId, accountId, id);
    if ('refused' in found) return found;
    if (isFields(given) && given['id'] !== undefined && given['id'] !== id) {
      return { problems: [{ key: 'id', message: 'is not that of the path' }] };
    }
    const whole = isFields(given) ? { ...given, id } : given;
    const checked = this.#check(whole, found.company);
    if ('problems' in checked) return checked;
    return this.#change(found, { id, json: json(accountId, whole), expected: expected ?? 'any', removed: false });
  }

  /** What waits ends with PARTIAL_COMPLETE; live calls go on without another attempt. */
  async remove(companyId: CompanyId, accountId: string, id: string, expected?: number): Promise<FlowAnswer> {
    const found = await this.#existing(companyId, accountId, id);
    if ('refused' in found) return found;
    return this.#change(found, { id, expected: expected ?? 'any', removed: true });
  }

  async #change(place: Place, change: Omit<FlowChange, 'now'>): Promise<FlowAnswer> {
    const { companyId } = place.company;
    const result = await this.#store.change(companyId, { ...change, now: this.#now() });
    await this.refresh(companyId);
    if (result === 'full') return { refused: 'full' };
    if (result === 'missing') return { refused: 'no-flow' };
    if (result === 'conflict') return { refused: change.expected === 'new' ? 'exists' : 'other-version' };
    if (change.removed) return { removed: true };
    const flow = place.company.flow(change.id);
    return flow ? { flow } : { refused: 'no-flow' };
  }

  async #existing(companyId: CompanyId, accountId: string, id: string): Promise<Place | Refused> {
    await this.refresh(companyId);
    const found = this.#place(companyId, accountId);
    if ('refused' in found) return found;
    const flow = found.account.flows.get(id);
    if (!flow) return { refused: 'no-flow' };
    return flow.made ? found : { refused: 'of-file' };
  }

  #place(companyId: CompanyId, accountId: string): Place | Refused {
    const company = this.#company(companyId);
    const account = this.#account(companyId, accountId);
    return company && account ? { company, account } : { refused: 'no-account' };
  }

  #check(given: unknown, company: DialerCompany) {
    return checkFlow(given, company.settings);
  }

  #flowOf({ id, version, removed, json: text }: StoredFlow, company: DialerCompany): Flow[] {
    // Only change() writes flows; the configuration they name their account and agents by may have changed since.
    const { accountId, flow: given } = JSON.parse(text) as { accountId: string; flow: Fields };
    const account = company.accounts.find((a) => a.config.id === accountId);
    const checked = this.#check(given, company);
    if (!account || 'problems' in checked) {
      const problems = 'problems' in checked ? checked.problems : [{ key: 'account', message: 'is not there' }];
      this.#log.warn('a flow that was made by the admin API does not fit the configuration: it is left out', {
        companyId: company.companyId,
        flow: id,
        problems,
      });
      return [];
    }
    return [{ account, config: checked.flow, made: { version, removed, given } }];
  }

  #company(companyId: CompanyId): DialerCompany | undefined {
    return this.#book.companies.find((c) => c.companyId === companyId);
  }

  #account(companyId: CompanyId, accountId: string): Account | undefined {
    return this.#company(companyId)?.accounts.find((a) => a.config.id === accountId);
  }
}

interface Place {
  readonly company: DialerCompany;
  readonly account: Account;
}

type Refused = Extract<FlowAnswer, { readonly refused: unknown }>;

const json = (accountId: string, flow: unknown): string => JSON.stringify({ accountId, flow });
