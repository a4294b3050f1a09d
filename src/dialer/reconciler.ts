import type { CompanyId } from '../cti/ids.ts';
import type { Caller } from '../ports.ts';
import type { Agents } from './agents.ts';
import { readAgents } from './agents-now.ts';
import type { DialerDeps } from './deps.ts';
import type { Stored } from './documents.ts';
import { foundOf } from './facts.ts';
import type { Ledger } from './ledger.ts';
import type { Placer } from './placer.ts';
import type { DialerInput } from './step.ts';

export interface ReconcilerDeps {
  readonly deps: DialerDeps;
  readonly companyId: CompanyId;
  readonly caller: Caller;
  readonly ledger: Ledger;
  readonly agents: Agents;
  readonly placer: Pick<Placer, 'isAsking' | 'placeAgain'>;
  /** One input for one call: steps and stores. */
  readonly step: (stored: Stored, input: DialerInput) => Promise<unknown>;
  readonly isStopped: (stored: Stored) => Promise<boolean>;
  /** One after the other with everything else that changes a call. */
  readonly serially: (work: () => Promise<void>) => Promise<void>;
  /** Again and again while the store is away; undefined where this instance leads no more. */
  readonly persistently: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

/** Nothing is given up before a store that was away has been back for so long: other instances put back what they know, ms. */
const SETTLES_MS = 6_000;

/**
 * Finds out what became of calls of which no event may come any more: by what is stored of them, which was stored with the
 * events that are missed. Only what has left no trace is judged without knowing.
 *
 * | stored of the call | so |
 * |---|---|
 * | it has ended | that end counts, as if its events had been heard |
 * | it lives | after a hole in the log: who has left meanwhile is taken into account, and it is followed on |
 * | nothing, it was being asked for, and the log has no hole | the claim was stored, and whoever made it ended before he had asked: it is asked for |
 * | nothing otherwise | somebody may have been called: the call ends with FAILURE, and nobody is called again |
 */
export class Reconciler {
  readonly #of: ReconcilerDeps;
  #hole = false;
  #agentsKnown = false;
  #timer: NodeJS.Timeout | undefined;
  #agentsTimer: NodeJS.Timeout | undefined;

  constructor(of: ReconcilerDeps) {
    this.#of = of;
  }

  /** The log has lost events, or one could not be taken into account: those of calls, and of who is in one. */
  noteHole(): void {
    this.#hole = true;
    this.#agentsKnown = false;
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#agentsTimer);
  }

  /** Looks at all calls; in the leader's queue. */
  async run(): Promise<void> {
    const { ledger, deps } = this.#of;
    const hole = this.#hole;
    this.#hole = false;
    let again = false;
    await this.#readAgents();
    for (const stored of ledger.calls) {
      if (ledger.closed) return;
      try {
        if ((await this.#look(stored, hole)) === 'later') again = true;
      } catch (err) {
        deps.log.warn('what became of a call of the dialler could not be found out', { err, uuid: stored.call.uuid });
        again = true;
      }
    }
    this.#hole ||= again && hole;
    if (again) this.runIn(SETTLES_MS);
  }

  async #readAgents(): Promise<void> {
    const { ledger, agents, caller, deps, serially } = this.#of;
    try {
      this.#agentsKnown ||= await readAgents(agents, deps.requests, caller);
    } catch (err) {
      deps.log.warn('who is in a call could not be asked', { err });
    }
    clearTimeout(this.#agentsTimer);
    if (this.#agentsKnown || ledger.closed) return;
    this.#agentsTimer = setTimeout(() => void serially(() => this.#readAgents()), SETTLES_MS);
    this.#agentsTimer.unref();
  }

  runIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#of.ledger.closed) return;
    this.#timer = setTimeout(() => void this.#of.serially(() => this.run()), ms);
    this.#timer.unref();
  }

  async #look(stored: Stored, hole: boolean): Promise<'done' | 'later'> {
    const { deps, companyId, placer, step, isStopped, persistently } = this.#of;
    const { placing, phase, uuid } = stored.call;
    // What is just being asked for has its answer to come.
    if (!placing || placer.isAsking(placing.callID)) return 'done';
    const { callID, queue } = placing;
    const trace = await persistently(() => deps.placing.traceOf(companyId, callID));
    if (!trace || (trace.state === 'live' && !hole)) return 'done';
    if (trace.state !== 'unknown') {
      const found = foundOf(trace, queue !== undefined);
      const stopped = await isStopped(stored);
      await step(stored, { kind: 'found', callID, ...found, answered: trace.established, stopped });
      return 'done';
    }
    if (phase === 'placing' && !hole) {
      placer.placeAgain(stored.call);
      return 'done';
    }
    if ((deps.storeBackForMs?.() ?? Number.POSITIVE_INFINITY) < SETTLES_MS) return 'later';
    deps.log.warn('a call of the dialler has left no trace: nobody is called again for it', { uuid, callID });
    await step(stored, { kind: 'lost', callID });
    return 'done';
  }
}
