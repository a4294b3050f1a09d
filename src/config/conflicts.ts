import { dialDoubts } from './dial-doubts.ts';
import { LEAST_RING } from './dialer-pacing.ts';
import { isAnchored } from './patterns.ts';
import { type Finding, keyOf, type Path } from './problems.ts';
import type { CompanyConfig, Config } from './schema.ts';

interface Named {
  readonly value: string;
  readonly path: Path;
}

/** Finds values that may stand only once; `shown` says whether the value may be told (an API key may not). */
function duplicates(what: string, named: readonly Named[], shown = true): Finding[] {
  const first = new Map<string, Path>();
  const found: Finding[] = [];
  for (const { value, path } of named) {
    const earlier = first.get(value);
    if (earlier === undefined) {
      first.set(value, path);
      continue;
    }
    const text = shown ? `${what} "${value}"` : what;
    found.push({ path, message: `${text} is already at ${keyOf(earlier)}`, fix: 'Give each its own, or remove one' });
  }
  return found;
}

function unknown(path: Path, what: string, value: string, known: readonly string[]): Finding {
  const have =
    known.length === 0 ? `There is no ${what} at all: add it` : `Use one of: ${known.slice(0, 10).join(', ')}`;
  return { path, message: `there is no ${what} "${value}"`, fix: have };
}

function companyConflicts(company: CompanyConfig, at: Path, trunkIds: readonly string[]): Finding[] {
  const queueIds = company.queues.map((queue) => queue.id);
  const found = [
    ...duplicates(
      'the key name',
      company.keys.map((key, i) => ({ value: key.name, path: [...at, 'keys', i, 'name'] })),
    ),
    ...duplicates(
      'the queue',
      company.queues.map((queue, i) => ({ value: queue.id, path: [...at, 'queues', i, 'id'] })),
    ),
  ];
  found.push(
    ...duplicates(
      'the feed',
      (company.contacts?.feeds ?? []).map((feed, i) => ({
        value: feed.id,
        path: [...at, 'contacts', 'feeds', i, 'id'],
      })),
    ),
  );
  if (company.trunk !== undefined && !trunkIds.includes(company.trunk)) {
    found.push(unknown([...at, 'trunk'], 'trunk', company.trunk, trunkIds));
  }
  company.queues.forEach((queue, i) => {
    const to = queue.overflow?.to;
    if (to === undefined || !('queue' in to)) return;
    const path = [...at, 'queues', i, 'overflow', 'to', 'queue'];
    if (to.queue === queue.id) {
      found.push({ path, message: 'a queue cannot overflow to itself', fix: 'Name another queue, or a number' });
    } else if (!queueIds.includes(to.queue)) {
      found.push(unknown(path, 'queue', to.queue, queueIds));
    }
  });
  company.routes.forEach((route, i) => {
    if ('queue' in route.to && !queueIds.includes(route.to.queue)) {
      found.push(unknown([...at, 'routes', i, 'to', 'queue'], 'queue', route.to.queue, queueIds));
    }
  });
  return found;
}

/** The trunks that a company's calls may go out by: its own, and those that the file gives its dialler. */
export function trunksOf(company: CompanyConfig): readonly string[] {
  const flows = company.dialer?.accounts.flatMap((account) => account.flows) ?? [];
  const named = [company.trunk, ...(company.dialer?.trunks ?? []), ...flows.map((f) => f.trunk)];
  return [...new Set(named.filter((id) => id !== undefined))];
}

/**
 * What a flow names that is not there; paths are within the flow.
 *
 * @param trunkIds those that it may name
 */
export function flowConflicts(flow: DialerFlow, company: CompanyConfig, trunkIds: readonly string[]): Finding[] {
  const found: Finding[] = [];
  if (flow.trunk !== undefined && !trunkIds.includes(flow.trunk)) {
    found.push(unknown(['trunk'], 'trunk', flow.trunk, trunkIds));
  }
  const queueIds = company.queues.map((queue) => queue.id);
  if (flow.queue !== undefined && !queueIds.includes(flow.queue)) {
    found.push(unknown(['queue'], 'queue', flow.queue, queueIds));
  }
  flow.agents.forEach((dn, i) => {
    if (company.extensions.pattern.test(dn)) return;
    found.push({
      path: ['agents', i],
      message: `"${dn}" is no phone of the company`,
      fix: 'Use a DN that extensions.pattern matches',
    });
  });
  return found;
}

/** A security id names one account, a flow id one flow of its company, an agent of a flow is a phone of the company. */
function dialerConflicts(
  companies: readonly { company: CompanyConfig; at: Path }[],
  trunkIds: readonly string[],
): Finding[] {
  const accounts = companies.flatMap(({ company, at }) =>
    (company.dialer?.accounts ?? []).map((account, i) => ({
      account,
      company,
      at: [...at, 'dialer', 'accounts', i] as Path,
    })),
  );
  const found = duplicates(
    'the security id',
    accounts.map(({ account, at }) => ({ value: account.securityId, path: [...at, 'securityId'] })),
    false,
  );
  for (const { company, at } of companies) {
    company.dialer?.trunks.forEach((trunk, i) => {
      if (!trunkIds.includes(trunk)) found.push(unknown([...at, 'dialer', 'trunks', i], 'trunk', trunk, trunkIds));
    });
    const own = accounts.filter((a) => a.company === company);
    found.push(
      ...duplicates(
        'the account',
        own.map(({ account, at }) => ({ value: account.id, path: [...at, 'id'] })),
      ),
      ...duplicates(
        'the flow',
        own.flatMap(({ account, at }) =>
          account.flows.map((f, i) => ({ value: f.id, path: [...at, 'flows', i, 'id'] as Path })),
        ),
      ),
    );
  }
  for (const { company, account, at } of accounts) {
    account.flows.forEach((flow, f) => {
      found.push(
        ...flowConflicts(flow, company, trunkIds).map((c) => ({ ...c, path: [...at, 'flows', f, ...c.path] })),
      );
    });
  }
  return found;
}

/** An instance that listens on all addresses does not know which of them the others can use. */
function peersConflicts({ cluster: { peers } }: Config): Finding[] {
  if (!peers || peers.url !== undefined || !/^(0\.0\.0\.0|::)$/.test(peers.listen.host)) return [];
  return [
    {
      path: ['cluster', 'peers', 'listen'],
      message: 'other instances cannot tell from it where this one is',
      fix: 'Give cluster.peers.url, or listen on one address',
    },
  ];
}

/** A masking number belongs to one flow, and to no route. */
function maskingNumbers(company: CompanyConfig, at: Path): Named[] {
  return (company.dialer?.accounts ?? []).flatMap((account, a) =>
    account.flows.flatMap((flow, f) =>
      flow.maskingNumbers.map((did, i) => ({
        value: did.replace(/^\+/, ''),
        path: [...at, 'dialer', 'accounts', a, 'flows', f, 'maskingNumbers', i],
      })),
    ),
  );
}

/** What a valid configuration says twice, or says about something that is not there. */
export function findConflicts(config: Config): Finding[] {
  const trunkIds = config.trunks.map((trunk) => trunk.id);
  const companies = config.companies.map((company, i) => ({ company, at: ['companies', i] as Path }));
  const operators = config.operators.map((operator, i) => ({ operator, at: ['operators', i] as Path }));
  const keys = [
    ...operators.map(({ operator, at }) => ({ value: operator.key, path: [...at, 'key'] })),
    ...companies.flatMap(({ company, at }) =>
      company.keys.map((key, i) => ({ value: key.key, path: [...at, 'keys', i, 'key'] })),
    ),
  ];
  // The number called decides whose call it is, with or without its plus sign.
  const dids: readonly Named[] = companies.flatMap(({ company, at }) => [
    ...company.routes.map((route, i) => ({ value: route.did.replace(/^\+/, ''), path: [...at, 'routes', i, 'did'] })),
    ...maskingNumbers(company, at),
  ]);
  return [
    ...peersConflicts(config),
    ...duplicates(
      'the sentinel',
      (config.redis.sentinel?.nodes ?? []).map(({ host, port }, i) => ({
        value: `${host}:${port}`,
        path: ['redis', 'sentinel', 'nodes', i],
      })),
    ),
    ...duplicates(
      'the node',
      config.nodes.map((node, i) => ({ value: node.id, path: ['nodes', i, 'id'] })),
    ),
    ...duplicates(
      'the node number',
      config.nodes.map((node, i) => ({ value: String(node.number), path: ['nodes', i, 'number'] })),
    ),
    // Each would take the event socket from the other for ever.
    ...duplicates(
      'the Stasis app of this Asterisk',
      config.nodes.map(({ ari }, i) => ({
        value: `${ari.url.replace(/\/+$/, '')} ${ari.app}`,
        path: ['nodes', i, 'ari'],
      })),
      false,
    ),
    ...duplicates(
      'the trunk',
      config.trunks.map((trunk, i) => ({ value: trunk.id, path: ['trunks', i, 'id'] })),
    ),
    ...duplicates(
      'the company',
      companies.map(({ company, at }) => ({ value: company.companyId, path: [...at, 'companyId'] })),
    ),
    ...duplicates(
      'the operator',
      operators.map(({ operator, at }) => ({ value: operator.name, path: [...at, 'name'] })),
    ),
    ...duplicates('the API key', keys, false),
    ...duplicates('the number', dids),
    ...dialerConflicts(companies, trunkIds),
    ...companies.flatMap(({ company, at }) => companyConflicts(company, at, trunkIds)),
  ];
}

type Validation = NonNullable<CompanyConfig['dialer']>['accounts'][number]['flows'][number]['validations'][number];

/** What to do about a validation that no value can pass, if it is one. */
function validationDoubt(v: Validation): string | undefined {
  const wanted: Readonly<Record<string, boolean>> = {
    contains: v.value !== undefined,
    doesNotContain: v.value !== undefined,
    list: v.values !== undefined,
    regex: v.pattern !== undefined,
    length: v.min !== undefined || v.max !== undefined,
    email: true,
    url: true,
  };
  if (!Object.hasOwn(wanted, v.type)) return `Use one of: ${Object.keys(wanted).join(', ')}`;
  if (wanted[v.type]) return undefined;
  return 'Give its criterion: value, values (list), pattern (regex), min or max (length)';
}

type DialerFlow = NonNullable<CompanyConfig['dialer']>['accounts'][number]['flows'][number];

/** Where a flow that calls customers first is allowed what regulators as a rule are not. */
function pacingDoubt({ queue, firstLeg, ringTimeout, pacing }: DialerFlow): Finding | undefined {
  if (pacing.maxAbandoned > 0.03) {
    const message = 'regulators as a rule allow 3 % of the answered calls to be abandoned';
    return { path: ['pacing', 'maxAbandoned'], message, fix: 'Write 0.03 or less' };
  }
  if (queue !== undefined || firstLeg !== 'customer' || ringTimeout >= LEAST_RING) return undefined;
  const message = `regulators as a rule want a customer rung for ${LEAST_RING} s before he is given up`;
  return { path: ['ringTimeout'], message, fix: `Write ${LEAST_RING} or more` };
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** What may be meant so, but is more often a mistake. */
export function findDoubts(config: Config): Finding[] {
  const found: Finding[] = [];
  if (!LOOPBACK.test(config.listen.host)) {
    found.push({
      path: ['listen'],
      message: 'other machines can reach this address, and API keys travel in clear text',
      fix: 'Listen on 127.0.0.1 and put a TLS proxy in front',
    });
  }
  found.push(...dialDoubts(config));
  const { sentinel } = config.redis;
  if (sentinel && sentinel.nodes.length < 3) {
    found.push({
      path: ['redis', 'sentinel', 'nodes'],
      message: 'with fewer than three sentinels there is no fail-over once one is away',
      fix: 'Run three or more, and list all of them',
    });
  }
  const { peers } = config.cluster;
  if (peers && !LOOPBACK.test(peers.listen.host)) {
    found.push({
      path: ['cluster', 'peers', 'listen'],
      message: 'other machines can reach this address, and the secret travels in clear text',
      fix: 'Use a network that only the instances share, or a TLS proxy and cluster.peers.url with https',
    });
  }
  config.companies.forEach((company, i) => {
    for (const part of ['extensions', 'numbers'] as const) {
      if (isAnchored(company[part].pattern.source)) continue;
      found.push({
        path: ['companies', i, part, 'pattern'],
        message: 'it matches anything that contains what is meant',
        fix: 'Begin it with ^ and end it with $, alternatives in brackets',
      });
    }
    company.dialer?.accounts.forEach((account, a) => {
      account.flows.forEach((flow, f) => {
        const doubt = pacingDoubt(flow);
        if (doubt) found.push({ ...doubt, path: ['companies', i, 'dialer', 'accounts', a, 'flows', f, ...doubt.path] });
        flow.validations.forEach((v, n) => {
          const fix = validationDoubt(v);
          if (fix === undefined) return;
          const path = ['companies', i, 'dialer', 'accounts', a, 'flows', f, 'validations', n];
          found.push({ path, message: 'every call of the flow will fail this validation', fix });
        });
      });
    });
    company.contacts?.feeds.forEach((feed, f) => {
      const path = ['companies', i, 'contacts', 'feeds', f];
      const named = [
        ...(feed.queue === undefined ? [] : [{ queue: feed.queue, at: [...path, 'queue'] }]),
        ...feed.scripts.map((s, n) => ({ queue: s.queue, at: [...path, 'scripts', n, 'queue'] })),
      ];
      for (const { queue, at } of named) {
        if (company.queues.some((q) => q.id === queue)) continue;
        const fix = 'Name a queue of this company';
        found.push({ path: at, message: `there is no queue "${queue}": its contacts will be discarded`, fix });
      }
    });
    company.queues.forEach((queue, q) => {
      if (!company.extensions.pattern.test(queue.id)) return;
      found.push({
        path: ['companies', i, 'queues', q, 'id'],
        message: `queue "${queue.id}" also looks like a phone of the company`,
        fix: 'Choose an id that extensions.pattern does not match',
      });
    });
  });
  return found;
}
