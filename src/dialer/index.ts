import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { addressList, type CompanyConfig } from '../config.ts';
import type { ApiAccess } from '../ports.ts';
import { FLOW_ADMIN_ENDPOINTS } from './admin-endpoints.ts';
import { flowAdminRoutes } from './admin-routes.ts';
import type { AdminAccess } from './admin-scope.ts';
import { Book, type DialerCompany } from './book.ts';
import { campaigncallRoutes } from './campaigncall-routes.ts';
import { Campaigncalls } from './campaigncalls.ts';
import type { DialerDeps } from './deps.ts';
import { Leader } from './leader.ts';
import { watchLedgers } from './ledger-metrics.ts';
import { MadeFlows } from './made-flows.ts';
import { MakeCalls } from './make-calls.ts';
import { Masking } from './masking.ts';
import { watchDialer } from './metrics.ts';
import { NUMBER_LIST_ENDPOINTS } from './number-list-endpoints.ts';
import { numberListRoutes } from './number-list-routes.ts';
import { NumberLists } from './number-lists.ts';
import { dialerRoutes } from './routes.ts';

export { CAMPAIGNCALL_ENDPOINTS } from './campaigncall-endpoints.ts';
export type { DialerDeps } from './deps.ts';
export { DIALER_ENDPOINTS } from './endpoints.ts';
export { numberRules } from './numbers.ts';
export { FLOW_ADMIN_ENDPOINTS, NUMBER_LIST_ENDPOINTS };

/** The lead of a company's dialler is kept for so long without a sign of life, and renewed three times in it, ms. */
const LEAD_MS = 6_000;

/** After a return of the store other instances may put back what they had written there for so long, ms. */
const RESTORED_WITHIN_MS = 30_000;

/** The dialler of this instance: takes requests, and leads the companies that no other instance leads. */
export class Dialer {
  readonly #deps: DialerDeps;
  readonly #book: Book;
  readonly #leaders = new Map<string, Leader>();
  readonly #calls: MakeCalls;
  readonly #made: MadeFlows;
  readonly #campaigncalls: Campaigncalls;
  #timer: NodeJS.Timeout | undefined;
  #electing: Promise<void> | undefined;
  #closed = false;
  readonly #leadMs: number;

  /** @param leadMs how long the lead of a company lasts without a sign of life */
  constructor(deps: DialerDeps, companies: readonly CompanyConfig[], leadMs = LEAD_MS) {
    this.#deps = deps;
    this.#leadMs = leadMs;
    this.#book = new Book(companies);
    this.#made = new MadeFlows(deps.flows, this.#book, deps.now, deps.log);
    const accepted = (companyId: string): void => {
      this.#leaders.get(companyId)?.wake();
      this.#leaders.get(companyId)?.wakeDeliverer();
    };
    this.#calls = new MakeCalls(deps, this.#book, accepted);
    this.#campaigncalls = new Campaigncalls(deps, this.#book, accepted, (companyId) => this.#made.refresh(companyId));
  }

  /** Registers its endpoints, where any company has a dialler at all; before the server listens. */
  routes(http: FastifyInstance, trustedProxies: readonly string[]): void {
    if (this.#book.companies.length === 0) return;
    dialerRoutes(http, {
      book: this.#book,
      calls: this.#calls,
      refresh: (companyId) => this.#made.refresh(companyId),
      masking: new Masking(this.#deps.masks, this.#deps.lists, this.#book, this.#deps.now),
      isProxy: addressList(trustedProxies),
      log: this.#deps.log,
    });
  }

  /** Registers the admin API of its flows and lists, where any company has a dialler at all; before the server listens. */
  adminRoutes(http: FastifyInstance, callerOf: AdminAccess['callerOf']): void {
    if (this.#book.companies.length === 0) return;
    const { isPassing, log } = this.#deps;
    flowAdminRoutes(http, { flows: this.#made, callerOf, isPassing, log });
    const lists = new NumberLists(this.#deps.lists, this.#book);
    numberListRoutes(http, { lists, callerOf, isPassing, log });
  }

  /** Registers the endpoints of the campaigncalls, where any company has a dialler at all; before the server listens. */
  campaigncallRoutes(http: FastifyInstance, access: ApiAccess): void {
    if (this.#book.companies.length === 0) return;
    campaigncallRoutes(http, { campaigncalls: this.#campaigncalls, access, isPassing: this.#deps.isPassing });
  }

  /** Registers its metrics, where any company has a dialler at all. */
  watch(registry: Registry): void {
    if (this.#book.companies.length === 0) return;
    watchDialer(registry, this.#book, this.#deps.store, () => this.activeCalls);
    watchLedgers(registry, this.#book, this.#deps.store, this.#deps.now);
  }

  /** Calls that are being placed or live, at the companies that this instance leads. */
  get activeCalls(): number {
    return [...this.#leaders.values()].reduce((n, l) => n + l.activeCalls, 0);
  }

  /** Begins to lead where nobody does. */
  start(): void {
    if (this.#book.companies.length === 0) return;
    this.#elect();
    this.#timer = setInterval(() => this.#elect(), this.#leadMs / 3);
    this.#timer.unref();
  }

  /** Ends: calls that are placed go on, and whoever leads next follows them. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#electing;
    await Promise.all([...this.#leaders].map(([companyId, leader]) => this.#endLeading(companyId, leader)));
  }

  #elect(): void {
    if (this.#electing || this.#closed) return;
    this.#electing = Promise.all(this.#book.companies.map((c) => this.#lead(c))).then(() => {
      this.#electing = undefined;
    });
  }

  async #lead(company: DialerCompany): Promise<void> {
    const { store, owner, log, isPassing } = this.#deps;
    const { companyId } = company;
    if (this.#deps.mayLead?.() === false) {
      const leads = this.#leaders.get(companyId);
      if (leads) await this.#endLeading(companyId, leads);
      return;
    }
    // A store that was away may have lost who leads and what he has claimed: he has the time to put it back.
    const backForMs = this.#deps.storeBackForMs?.() ?? Number.POSITIVE_INFINITY;
    if (!this.#leaders.has(companyId) && backForMs < this.#leadMs) return;
    try {
      await this.#made.refresh(companyId);
      const token = await store.lead(companyId, owner, this.#leadMs);
      const leader = this.#leaders.get(companyId);
      if (leader && leader.token === token && leader.leading) {
        await leader.noteSeen();
        // Not waited for either; the leader tells itself where it fails.
        if (backForMs < RESTORED_WITHIN_MS) void leader.takeUpMore().catch(() => undefined);
        return;
      }
      if (leader) {
        this.#leaders.delete(companyId);
        await leader.close();
        log.info('another instance leads the dialler', { companyId });
      }
      if (token === undefined || this.#closed) return;
      const next = new Leader(this.#deps, company, token);
      this.#leaders.set(companyId, next);
      // Not waited for: much may have happened meanwhile, and this and other companies' leads are renewed all the same.
      void this.#begin(companyId, next);
    } catch (err) {
      // While Redis is away the store tells so itself; the next election is soon.
      if (!isPassing(err)) log.warn('the dialler’s lead could not be taken', { err, companyId });
    }
  }

  async #begin(companyId: string, leader: Leader): Promise<void> {
    const { log, isPassing } = this.#deps;
    try {
      await leader.begin();
      if (leader.leading) log.info('leading the dialler', { companyId });
    } catch (err) {
      if (!isPassing(err) && leader.leading) log.warn('the dialler’s lead could not be taken', { err, companyId });
      if (this.#leaders.get(companyId) === leader) this.#leaders.delete(companyId);
      await leader.close();
    }
  }

  async #endLeading(companyId: string, leader: Leader): Promise<void> {
    const { store, log, isPassing } = this.#deps;
    await leader.close();
    this.#leaders.delete(companyId);
    const company = this.#book.companies.find((c) => c.companyId === companyId);
    try {
      if (company) await store.resign(company.companyId, leader.token);
    } catch (err) {
      if (!isPassing(err)) log.warn('the dialler’s lead could not be given back', { err, companyId });
    }
  }
}
