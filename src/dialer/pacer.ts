import type { DialerStore, QueueWatch } from '../ports.ts';
import type { DialerCompany, Flow } from './book.ts';
import type { Stored } from './documents.ts';
import { readHours } from './flow-ledger.ts';
import { type PaceState, progressive } from './queue-pace.ts';
import { freeFor } from './queue-share.ts';
import { Hours, type Tally, WINDOWS } from './tally.ts';

export interface PacerDeps {
  readonly company: DialerCompany;
  readonly queues: QueueWatch;
  /** Unix ms. */
  readonly now: () => number;
  /** Calls of the company that are being placed or live. */
  readonly active: () => readonly Stored[];
}

/** Says how many calls a flow with a queue may place: reads what goes on at the queues, and asks the pace. */
export class Pacer {
  readonly #deps: PacerDeps;
  readonly #hours = new Map<string, Hours>();

  constructor(deps: PacerDeps) {
    this.#deps = deps;
  }

  /** Takes up what was counted before. */
  async load(store: DialerStore): Promise<void> {
    const { company, now } = this.#deps;
    await Promise.all(
      company.flows
        .filter((flow) => flow.config.queue !== undefined)
        .map(async ({ config: { id } }) => {
          const known = await readHours(store, company.companyId, id, now(), WINDOWS.day);
          this.#hours.set(id, new Hours(known));
        }),
    );
  }

  /** A call of a flow is over. */
  count(flowId: string, tally: Tally): void {
    this.#hours.get(flowId)?.add(tally);
  }

  /** Calls that the flow may place now, as far as its queue's agents go; a flow without a queue has no such limit. */
  room({ config }: Flow): number {
    return config.queue === undefined ? Number.POSITIVE_INFINITY : progressive(this.#state(config.queue));
  }

  #state(queue: string): PaceState {
    const { company, queues, active } = this.#deps;
    const { companyId } = company;
    const pending = new Map<string, number>();
    let ringing = 0;
    let waiting = 0;
    for (const { call } of active()) {
      const { placing } = call;
      if (placing?.queue === undefined) continue;
      // A call that is not known here is just being asked for, or lives where nobody tells how far it is.
      const state = queues.customerProgress(companyId, placing.callID)?.state ?? 'ringing';
      if (state !== 'ringing' && state !== 'waiting') continue;
      pending.set(placing.queue, (pending.get(placing.queue) ?? 0) + 1);
      if (placing.queue !== queue) continue;
      if (state === 'ringing') ringing++;
      else waiting++;
    }
    return { free: freeFor(queue, queues.queueAgents(companyId), pending), ringing, waiting };
  }
}
