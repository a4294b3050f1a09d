import type { Refusal } from '../../src/cti/errors.ts';
import type { CtiEventName } from '../../src/cti/events.ts';
import { CompanyId } from '../../src/cti/ids.ts';
import type { Caller, EventLog, LoggedEvent, Requests } from '../../src/ports.ts';

/** Doubles of the ports that the RPC serves: they keep everything in memory and do what the test scripts. */

export const ACME = CompanyId.parse('30f80aa47cde4b10bd89484aeab63691');
export const OTHER = CompanyId.parse('11111111111111111111111111111111');

type Outcome = { result: unknown } | { refusal: Refusal };

/** Answers every request with `{}` unless scripted, and remembers who asked what. */
export class ScriptedRequests implements Requests {
  readonly seen: { caller: Caller; method: string; params: unknown }[] = [];
  readonly #scripts = new Map<string, (caller: Caller, params: unknown) => Outcome | Promise<Outcome>>();

  on(method: string, script: (caller: Caller, params: unknown) => Outcome | Promise<Outcome>): void {
    this.#scripts.set(method, script);
  }

  async request(caller: Caller, method: string, params: unknown): Promise<Outcome> {
    this.seen.push({ caller, method, params });
    return (await this.#scripts.get(method)?.(caller, params)) ?? { result: {} };
  }
}

/** An event of the double; `filler` makes it as long as a test needs it. */
export interface GivenEvent {
  readonly messageID?: CtiEventName;
  readonly callID?: string;
  readonly thisDN?: string;
  readonly filler?: string;
}

/**
 * A log per company, numbered from 1. Its tail runs behind the log by `lag` turns of the event loop, and `beforeRead`
 * and `afterRead` let a test write while somebody reads.
 */
export class MemoryEventLog implements EventLog {
  lag = 1;
  /** Turns of the event loop that a read’s answer takes to arrive. */
  delay = 1;
  failing: Error | undefined;
  beforeRead: (() => void) | undefined;
  afterRead: (() => void) | undefined;
  reads = 0;
  tails = 0;
  readonly #companies = new Map<string, { events: LoggedEvent[]; trimmed: number; tails: Set<MemoryTail> }>();

  append(companyId: CompanyId, given: readonly GivenEvent[]): void {
    const company = this.#company(companyId);
    for (const { messageID = 'EventDialing', filler, ...rest } of given) {
      const eventID = company.trimmed + company.events.length + 1;
      const json = JSON.stringify({ messageID, eventID, companyId, ...rest, filler });
      company.events.push({ eventID, messageID, ...rest, json });
    }
    for (const tail of company.tails) this.#wake(companyId, tail);
  }

  /** Forgets the events up to and including one. */
  trim(companyId: CompanyId, upTo: number): void {
    const company = this.#company(companyId);
    company.events.splice(0, upTo - company.trimmed);
    company.trimmed = upTo;
  }

  async lastEventID(companyId: CompanyId): Promise<number> {
    await turns(1);
    if (this.failing !== undefined) throw this.failing;
    return this.#last(companyId);
  }

  async read(companyId: CompanyId, after: number, limit: number): Promise<readonly LoggedEvent[] | 'expired'> {
    this.reads += 1;
    this.beforeRead?.();
    if (this.failing !== undefined) throw this.failing;
    const company = this.#company(companyId);
    const from = after - company.trimmed;
    const found = from < 0 ? 'expired' : company.events.slice(from, from + limit);
    this.afterRead?.();
    await turns(this.delay);
    return found;
  }

  /** Tells the tails of a company that they have missed events. */
  lose(companyId: CompanyId): void {
    for (const tail of [...this.#company(companyId).tails]) tail.lost?.();
  }

  tail(companyId: CompanyId, listener: (events: readonly LoggedEvent[]) => void, lost?: () => void): () => void {
    const tail: MemoryTail = { listener, lost, position: this.#last(companyId), waking: false };
    const { tails } = this.#company(companyId);
    tails.add(tail);
    this.tails += 1;
    return () => {
      if (tails.delete(tail)) this.tails -= 1;
    };
  }

  #wake(companyId: CompanyId, tail: MemoryTail): void {
    if (tail.waking) return;
    tail.waking = true;
    void turns(this.lag).then(() => {
      tail.waking = false;
      const company = this.#company(companyId);
      if (!company.tails.has(tail)) return;
      const events = company.events.slice(tail.position - company.trimmed);
      tail.position = this.#last(companyId);
      tail.listener(events);
    });
  }

  #last(companyId: CompanyId): number {
    const { events, trimmed } = this.#company(companyId);
    return trimmed + events.length;
  }

  #company(companyId: CompanyId) {
    let company = this.#companies.get(companyId);
    if (company === undefined) {
      company = { events: [], trimmed: 0, tails: new Set() };
      this.#companies.set(companyId, company);
    }
    return company;
  }
}

interface MemoryTail {
  readonly listener: (events: readonly LoggedEvent[]) => void;
  readonly lost: (() => void) | undefined;
  position: number;
  waking: boolean;
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
