import { BlockList, isIP } from 'node:net';
import type { CompanyConfig, DialerAccountConfig, DialerConfig, DialerFlowConfig } from '../config.ts';
import type { CompanyId } from '../cti/ids.ts';
import { type NumberRules, numberRules } from './numbers.ts';

/** An account, with what its lists come to. */
export interface Account {
  readonly companyId: CompanyId;
  readonly config: DialerAccountConfig;
  readonly rules: NumberRules;
  /** What the company's numbers look like. */
  readonly pattern: RegExp;
  /** The company has a way out to the telephone network, by this name. */
  readonly trunk: string | undefined;
  readonly black: ReadonlySet<string>;
  readonly white: ReadonlySet<string>;
  readonly dnd: ReadonlySet<string>;
  readonly flows: ReadonlyMap<string, Flow>;
  allows(ip: string): boolean;
}

export interface Flow {
  readonly account: Account;
  readonly config: DialerFlowConfig;
}

/** A company's part of the dialler. */
export interface DialerCompany {
  readonly companyId: CompanyId;
  readonly config: DialerConfig;
  readonly flows: readonly Flow[];
  /** After-call work of its queues, by id, seconds. */
  readonly wrapUps: ReadonlyMap<string, number>;
}

/** All accounts and flows of the configuration, by what requests name them by. */
export class Book {
  readonly companies: readonly DialerCompany[];
  readonly #accounts: readonly Account[];
  readonly #bySecurityId = new Map<string, Account>();

  constructor(companies: readonly CompanyConfig[]) {
    const made = companies.flatMap((company) => {
      if (!company.dialer) return [];
      const accounts = company.dialer.accounts.map((a) => accountOf(company, a));
      const wrapUps = new Map(company.queues.map((q) => [q.id, q.wrapUp]));
      return [{ companyId: company.companyId as CompanyId, config: company.dialer, accounts, wrapUps }];
    });
    this.companies = made.map(({ companyId, config, accounts, wrapUps }) => ({
      companyId,
      config,
      wrapUps,
      flows: accounts.flatMap((a) => [...a.flows.values()]),
    }));
    this.#accounts = made.flatMap((m) => m.accounts);
    for (const a of this.#accounts) this.#bySecurityId.set(a.config.securityId, a);
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

/** Tells whether an address is one of these, or in one of these networks. IPv4 written as IPv6 counts as IPv4. */
export function addressList(entries: readonly string[]): (ip: string) => boolean {
  const list = new BlockList();
  const family = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4');
  for (const entry of entries) {
    const [ip = '', bits] = entry.split('/');
    if (bits === undefined) list.addAddress(ip, family(ip));
    else list.addSubnet(ip, Number(bits), family(ip));
  }
  return (given) => {
    const ip = given.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
    return isIP(ip) !== 0 && list.check(ip, family(ip));
  };
}

/**
 * Whom a request comes from: the socket's address, or, where that is a proxy of ours, the last address in
 * X-Forwarded-For that is none.
 */
export function clientAddress(socket: string, forwarded: string | undefined, isProxy: (ip: string) => boolean): string {
  const hops = (forwarded ?? '')
    .split(',')
    .map((h) => h.trim())
    .filter((h) => h !== '');
  let ip = socket;
  while (isProxy(ip) && hops.length > 0) ip = hops.pop() ?? ip;
  return ip;
}
