import type { Finding } from './problems.ts';
import type { CompanyConfig, Config } from './schema.ts';

/** What a configuration says of phones and numbers that is allowed, and is more often a mistake. */
export function dialDoubts(config: Config): Finding[] {
  return [
    ...config.trunks.flatMap((trunk, i) => withoutPlaceholder(['trunks', i, 'endpoint'], trunk.endpoint, 'number')),
    ...config.companies.flatMap((company, i) => [
      ...withoutPlaceholder(['companies', i, 'extensions', 'endpoint'], company.extensions.endpoint, 'dn'),
      ...samePhones(config.companies, i),
      ...deadEnds(company, i),
    ]),
  ];
}

function withoutPlaceholder(path: Finding['path'], endpoint: string, placeholder: string): Finding[] {
  const text = `{${placeholder}}`;
  if (endpoint.includes(text)) return [];
  return [{ path, message: `whatever is dialled, it rings the same`, fix: `Write ${text} where it belongs in it` }];
}

/** Phones of two companies at once ring for both, and belong to neither when they dial themselves. */
function samePhones(companies: readonly CompanyConfig[], i: number): Finding[] {
  const same = (a: CompanyConfig, b: CompanyConfig) =>
    a.extensions.endpoint === b.extensions.endpoint && a.extensions.pattern.source === b.extensions.pattern.source;
  const earlier = companies.findIndex((c, at) => at < i && same(c, companies[i] ?? c));
  if (earlier < 0) return [];
  const path = ['companies', i, 'extensions', 'endpoint'];
  const message = `its phones are those of companies[${earlier}] too: each can ring and hear the other’s`;
  return [{ path, message, fix: 'Give each its own phones, such as PJSIP/acme-{dn}' }];
}

/** A destination that is neither a phone nor a queue of the company, and no number either: nobody ever comes. */
function deadEnds(company: CompanyConfig, i: number): Finding[] {
  const named: { readonly dn: string; readonly path: Finding['path'] }[] = [];
  company.routes.forEach(({ to }, r) => {
    if ('agent' in to) named.push({ dn: to.agent, path: ['companies', i, 'routes', r, 'to', 'agent'] });
  });
  company.queues.forEach(({ overflow }, q) => {
    if (overflow === undefined || !('number' in overflow.to)) return;
    named.push({ dn: overflow.to.number, path: ['companies', i, 'queues', q, 'overflow', 'to', 'number'] });
  });
  const leads = (dn: string): boolean =>
    company.extensions.pattern.test(dn) ||
    company.queues.some((queue) => queue.id === dn) ||
    (company.trunk !== undefined && company.numbers.pattern.test(dn));
  return named
    .filter(({ dn }) => !leads(dn))
    .map(({ path }) => ({
      path,
      message: 'is no phone of the company, and no number that it can dial: nobody will answer there',
      fix: 'Use a DN that extensions.pattern matches, or a number that numbers.pattern matches',
    }));
}
