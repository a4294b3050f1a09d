import {
  addressList,
  type CompanyConfig,
  type DialerAccountConfig,
  type DialerConfig,
  type DialerFlowConfig,
} from '../config.ts';
import type { CompanyId } from '../cti/ids.ts';
import { type NumberRules, numberRules } from './numbers.ts';

/** An account, with what its lists come to. */
export interface Account {
  readonly companyId: CompanyId;
  readonly config: DialerAccountConfig;
  readonly rules: NumberRules;
  /** What the company's numbers look like. */
  readonly pattern: RegExp;
  /** The company's way out to the telephone network, which is its flows' unless they name another. */
  readonly trunk: string | undefined;
  readonly black: ReadonlySet<string>;
  readonly white: ReadonlySet<string>;
  readonly dnd: ReadonlySet<string>;
  /** Those that take requests. */
  readonly flows: Map<string, Flow>;
  allows(ip: string): boolean;
}

export interface Flow {
  readonly account: Account;
  readonly config: DialerFlowConfig;
  /** Absent: it is in the configuration file. */
  readonly made?: MadeFlow;
}

/** The trunk that a flow's calls go out by; undefined where there is none. */
export const trunkOf = ({ account, config }: Flow): string | undefined => config.trunk ?? account.trunk;

/** What is known of a flow that the admin API has made. */
export interface MadeFlow {
  readonly version: number;
  /** It takes no requests any more; what it had placed is still followed. */
  readonly removed: boolean;
  /** As it was given. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** A company's part of the dialler. */
export interface DialerCompany {
  readonly companyId: CompanyId;
  readonly config: DialerConfig;
  readonly settings: CompanyConfig;
  readonly accounts: readonly Account[];
  /** All flows as they are now, removed ones among them. */
  readonly flows: readonly Flow[];
  /** After-call work of its queues, by id, seconds. */
  readonly wrapUps: ReadonlyMap<string, number>;
  flow(id: string): Flow | undefined;
}

/** All accounts and flows, by what requests name them by: those of the configuration and those made since. */
export class Book {
  readonly companies: readonly DialerCompany[];
  readonly #flows = new Map<CompanyId, FlowList>();
  readonly #accounts: readonly Account[];
  readonly #bySecurityId = new Map<string, Account>();

  constructor(companies: readonly CompanyConfig[]) {
    const made = companies.flatMap((company) => {
      if (!company.dialer) return [];
      const companyId = company.companyId as CompanyId;
      const accounts = company.dialer.accounts.map((a) => accountOf(company, a));
      const list = new FlowList(accounts);
      this.#flows.set(companyId, list);
      const wrapUps = new Map(company.queues.map((q) => [q.id, q.wrapUp]));
      return [{ companyId, config: company.dialer, settings: company, accounts, wrapUps, list }];
    });
    this.companies = made.map(({ list, ...company }) => ({
      ...company,
      get flows() {
        return list.flows;
      },
      flow: (id) => list.get(id),
    }));
    this.#accounts = made.flatMap((m) => m.accounts);
    for (const a of this.#accounts) this.#bySecurityId.set(a.config.securityId, a);
  }

  /** Sets the flows of a company that the admin API has made. One of the file goes before another of the same id. */
  setMade(companyId: CompanyId, flows: readonly Flow[]): void {
    this.#flows.get(companyId)?.setMade(flows);
  }

  account(securityId: string): Account | undefined {
    return this.#bySecurityId.get(securityId);
  }

  /** The accounts that take requests from an address. */
  accountsFor(ip: string): readonly Account[] {
    return this.#accounts.filter((a) => a.allows(ip));
  }

  /** Bytes that a request may have: the most that any account's company allows. */
  get bodyLimit(): number {
    return Math.max(1_024, ...this.companies.map((c) => c.config.bodyLimit));
  }
}

/** The flows of a company, and of each of its accounts. */
class FlowList {
  readonly #accounts: readonly Account[];
  readonly #ofFile: readonly Flow[];
  #flows: ReadonlyMap<string, Flow>;

  constructor(accounts: readonly Account[]) {
    this.#accounts = accounts;
    this.#ofFile = accounts.flatMap((a) => [...a.flows.values()]);
    this.#flows = byId(this.#ofFile);
  }

  get flows(): readonly Flow[] {
    return [...this.#flows.values()];
  }

  get(id: string): Flow | undefined {
    return this.#flows.get(id);
  }

  setMade(made: readonly Flow[]): void {
    this.#flows = byId([...made, ...this.#ofFile]);
    for (const account of this.#accounts) {
      const own = [...this.#flows.values()].filter((f) => f.account === account && f.made?.removed !== true);
      account.flows.clear();
      for (const flow of own) account.flows.set(flow.config.id, flow);
    }
  }
}

const byId = (flows: readonly Flow[]): ReadonlyMap<string, Flow> => new Map(flows.map((f) => [f.config.id, f]));

function accountOf(company: CompanyConfig, config: DialerAccountConfig): Account {
  const rules = numberRules(config.country);
  const set = (numbers: readonly string[]) => new Set(numbers.map((n) => rules.canonical(n)));
  const listed = addressList(config.ips);
  const flows = new Map<string, Flow>();
  const account: Account = {
    companyId: company.companyId as CompanyId,
    config,
    rules,
    pattern: company.numbers.pattern,
    trunk: company.trunk,
    black: set(config.blackList),
    white: set(config.whiteList),
    dnd: set(config.dndList),
    flows,
    allows: (ip) => listed(ip),
  };
  for (const f of config.flows) flows.set(f.id, { account, config: f });
  return account;
}
