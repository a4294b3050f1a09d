import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { shardNamesOf } from './node.ts';
import { type Store, StoreUnavailable } from './store/store.ts';
import { CallAdmission } from './switch/admission.ts';
import { SharedCount } from './switch/shared-count.ts';

/** The limits of the configuration, counted together with the other instances. */
export interface OpenAdmission {
  readonly admission: CallAdmission;
  readonly shared: SharedCount;
}

/** Makes the admission of this instance's calls. @param now Unix ms */
export function openAdmission(config: Config, store: Store, now: () => number, logger: Logger): OpenAdmission {
  const shards = config.nodes.flatMap(shardNamesOf);
  const queues = config.companies.flatMap((c) =>
    c.queues.map((q) => [`${c.companyId}:${q.id}`, { calls: q.maxWaiting }] as const),
  );
  const limits = {
    nodes: new Map(config.nodes.map((n) => [n.id, n.limits])),
    trunks: new Map(config.trunks.map((t) => [t.id, t.limits])),
    companies: new Map(config.companies.map((c) => [c.companyId, c.limits])),
    queues: new Map(queues),
  };
  const admission: CallAdmission = new CallAdmission(limits, now, (countsOf) => {
    // That Redis is away is told once, by whoever connects to it.
    const warn = (what: string, err: unknown): void => {
      if (!(err instanceof StoreUnavailable)) logger.warn({ err }, what);
    };
    return new SharedCount({ places: store.places(shards), shards, countsOf, pause, warn });
  });
  const { shared } = admission;
  if (!shared) throw new Error('calls are counted together with others');
  return { admission, shared };
}
