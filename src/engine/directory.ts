import type { Destination } from '../calls/input.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { QueueSettings } from '../queues/floor.ts';

/** What the directory must know of a company: its part of the configuration. */
export interface DirectoryCompany {
  readonly companyId: CompanyId;
  readonly extensions: { readonly pattern: RegExp; readonly endpoint: string };
  readonly numbers: { readonly pattern: RegExp };
  /** Absent: internal calls only, unless a call names its trunk. */
  readonly trunk?: string;
  /** By which flows of its dialler call, beside that one. */
  readonly flowTrunks?: readonly string[];
  readonly routes: readonly {
    readonly did: string;
    /** The DN to ring, or the queue to wait in. */
    readonly agent?: string;
    readonly queue?: string;
    readonly ringTimeout?: number;
  }[];
  readonly queues?: readonly Queue[];
  /** Numbers of ours through which two others reach each other. */
  readonly masking?: readonly MaskingNumber[];
}

/** A masking number: digits with the country's code. */
export interface MaskingNumber {
  readonly number: string;
  /** A number as the pairs that it serves have it. */
  readonly canonical: (number: string) => string;
  /** By which the two are called; the company's where absent. */
  readonly trunk?: string;
}

/** A queue as the configuration has it. */
export interface Queue extends QueueSettings {
  /** Seconds that each agent's phone rings. */
  readonly ringTimeout: number;
  /** Seconds of after-call work. */
  readonly wrapUp: number;
  /** Callers that may wait. */
  readonly maxWaiting: number;
}

/** A way out to the network. */
export interface DirectoryTrunk {
  readonly id: string;
  /** Asterisk dial string with `{number}` in it. */
  readonly endpoint: string;
  readonly callerId?: string;
}

/** Where an inbound call belongs. */
export interface Route {
  readonly companyId: CompanyId;
  /** The DN to ring; absent where the number belongs to the company but leads nowhere. */
  readonly agent?: string;
  /** The queue to wait in. */
  readonly queue?: string;
  /** Seconds. */
  readonly ringTimeout?: number;
}

const NO_QUEUES: ReadonlyMap<string, Queue> = new Map();

/** Which DN is a phone of ours, which a number, and how each is dialled. Pure: made once from the configuration. */
export class Directory {
  readonly #companies: ReadonlyMap<CompanyId, DirectoryCompany>;
  readonly #trunks: ReadonlyMap<string, DirectoryTrunk>;
  readonly #routes = new Map<string, Route>();
  readonly #masking = new Map<string, MaskingNumber & { readonly companyId: CompanyId }>();
  readonly #queues = new Map<CompanyId, ReadonlyMap<string, Queue>>();

  constructor(companies: readonly DirectoryCompany[], trunks: readonly DirectoryTrunk[]) {
    this.#companies = new Map(companies.map((c) => [c.companyId, c]));
    this.#trunks = new Map(trunks.map((t) => [t.id, t]));
    for (const { companyId, routes, queues, masking } of companies) {
      for (const { did, ...to } of routes) this.#routes.set(did, { companyId, ...to });
      for (const m of masking ?? []) this.#masking.set(m.number, { ...m, companyId });
      this.#queues.set(companyId, new Map(queues?.map((q) => [q.id, q])));
    }
  }

  get companyIds(): readonly CompanyId[] {
    return [...this.#companies.keys()];
  }

  queuesOf(companyId: CompanyId): ReadonlyMap<string, Queue> {
    return this.#queues.get(companyId) ?? NO_QUEUES;
  }

  /** A queue of the company's, by the DN that names it. */
  queue(companyId: CompanyId, dn: string): Queue | undefined {
    return this.queuesOf(companyId).get(dn);
  }

  /** True if the DN is a phone of the company's own. */
  isExtension(companyId: CompanyId, dn: string): boolean {
    return this.#companies.get(companyId)?.extensions.pattern.test(dn) ?? false;
  }

  /**
   * How a DN of a company is reached.
   *
   * @param callerId the number to show; the trunk's own if absent
   * @param trunkId by which a number is called; the company's if absent
   * @returns a destination; `unreachable: 'invalid-number'` where it is neither an extension nor a valid number
   */
  resolve(companyId: CompanyId, dn: string, callerId?: string, trunkId?: string): Destination {
    const company = this.#companies.get(companyId);
    if (company?.extensions.pattern.test(dn)) {
      const endpoint = company.extensions.endpoint.replaceAll('{dn}', dn);
      return { dn, kind: 'user', endpoint, ...(callerId !== undefined && { callerId }) };
    }
    const trunk = this.#trunks.get(trunkId ?? company?.trunk ?? '');
    if (!company || !trunk) return { dn, kind: 'customer', endpoint: '', unreachable: 'unavailable' };
    if (!company.numbers.pattern.test(dn)) {
      return { dn, kind: 'customer', endpoint: '', trunk: trunk.id, unreachable: 'invalid-number' };
    }
    const shown = callerId ?? trunk.callerId;
    return {
      dn,
      kind: 'customer',
      endpoint: trunk.endpoint.replaceAll('{number}', dn),
      trunk: trunk.id,
      ...(shown !== undefined && { callerId: shown }),
    };
  }

  /** Name of the PJSIP endpoint that a phone of the company is; undefined where its dial string names none alone. */
  endpointOf(companyId: CompanyId, dn: string): string | undefined {
    const company = this.#companies.get(companyId);
    return company && /^PJSIP\/([^/@]+)$/.exec(company.extensions.endpoint.replaceAll('{dn}', dn))?.[1];
  }

  /** The number that a company's calls show on a trunk; on its own if none is named. */
  trunkCallerId(companyId: CompanyId, trunkId?: string): string | undefined {
    const trunk = trunkId ?? this.#companies.get(companyId)?.trunk;
    return trunk === undefined ? undefined : this.#trunks.get(trunk)?.callerId;
  }

  /**
   * Whose an inbound call is, and whom it rings.
   *
   * @param endpoint name of the PJSIP endpoint that it came in on; decides where no route names the number and one
   *   company alone uses that trunk
   */
  routeOf(did: string, endpoint: string): Route | undefined {
    const route = this.#routes.get(did) ?? this.#routes.get(did.replace(/^\+/, ''));
    if (route) return route;
    const owners = [...this.#companies.values()].filter(({ trunk, flowTrunks }) =>
      [trunk, ...(flowTrunks ?? [])].some((t) => this.#carries(t, endpoint)),
    );
    const [owner, another] = owners;
    return owner && !another ? { companyId: owner.companyId } : undefined;
  }

  /** Whose masking number this is; undefined where it is none. */
  maskingOf(did: string): (MaskingNumber & { readonly companyId: CompanyId }) | undefined {
    return this.#masking.get(did.replace(/^\+/, ''));
  }

  /** The company whose phone an endpoint is; undefined where none or more than one claims it. */
  companyOfPhone(dn: string): CompanyId | undefined {
    const owners = [...this.#companies.values()].filter((c) => c.extensions.pattern.test(dn));
    const [owner, another] = owners;
    return owner && !another ? owner.companyId : undefined;
  }

  #carries(trunkId: string | undefined, endpoint: string): boolean {
    const trunk = trunkId === undefined ? undefined : this.#trunks.get(trunkId);
    if (!trunk) return false;
    const named = /@([^/@:]+)$/.exec(trunk.endpoint)?.[1] ?? /^[^/]+\/([^/]+)\//.exec(trunk.endpoint)?.[1];
    return trunkId === endpoint || named === endpoint;
  }
}
