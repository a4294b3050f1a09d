import type { RecordingPlan, RecordingTarget } from '../calls/call.ts';
import type { CompanyId } from '../cti/ids.ts';

/** What a company wants of its recordings: its part of the configuration. */
export interface RecordingPolicy {
  /** `all`: every call; `onRequest`: those that ask for it. */
  readonly mode: 'onRequest' | 'all';
  /** Recordings that begin by themselves begin with the early media of the customer's network. */
  readonly earlyMedia: boolean;
}

/** Decides which calls are recorded and where their recordings can be fetched. */
export class Recordings {
  readonly #policies: ReadonlyMap<CompanyId, RecordingPolicy>;
  readonly #randomHex: () => string;
  readonly #base: () => string;

  /**
   * @param randomHex 32 lower-case hex digits of randomness
   * @param base address under which this service is reached, such as `https://calls.example.org`
   */
  constructor(policies: ReadonlyMap<CompanyId, RecordingPolicy>, randomHex: () => string, base: () => string) {
    this.#policies = policies;
    this.#randomHex = randomHex;
    this.#base = base;
  }

  /** Where a recording that begins now goes. */
  target(): RecordingTarget {
    const uuid = this.#randomHex();
    return { uuid, url: `${this.#base()}/recordings/${uuid}` };
  }

  /** How a new call is recorded; undefined if it is not, unless somebody asks for it later. */
  plan(companyId: CompanyId, asked = false): RecordingPlan | undefined {
    const policy = this.#policies.get(companyId);
    if (!asked && policy?.mode !== 'all') return undefined;
    return { ...this.target(), begins: policy?.earlyMedia ? 'early' : 'talk' };
  }
}
