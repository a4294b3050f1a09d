import type { CtiEvent } from '../cti/events.ts';
import type { ResultOf } from '../cti/requests.ts';
import type { Caller, CustomerProgress, DialerStore, QueueWatch, Requests } from '../ports.ts';
import type { DialerCompany, Flow } from './book.ts';
import type { DialerCall } from './dialer-call.ts';
import type { Stored } from './documents.ts';
import { readHours } from './flow-ledger.ts';
import { type Averages, answerRate, averagesOf, rang, talked, UNKNOWN } from './measure.ts';
import { type QueueAgent, queueAgentsOf } from './queue-agents.ts';
import { type Measured, type PaceState, predictive, progressive } from './queue-pace.ts';
import { freeFor } from './queue-share.ts';
import { type Counts, Hours, type Tally, WINDOWS } from './tally.ts';

export interface PacerDeps {
  readonly company: DialerCompany;
  readonly queues: QueueWatch;
  readonly requests: Requests;
  readonly caller: Caller;
  /** Unix ms. */
  readonly now: () => number;
  /** Calls of the company that are being placed or live. */
  readonly active: () => readonly Stored[];
}

/** What is known of a flow's calls. */
interface Known {
  readonly hours: Hours;
  averages: Averages;
}

/** A call that a queue has placed and that is not over. */
interface Going {
  readonly flowId: string;
  readonly queue: string;
  /** Undefined where nothing is known of it yet: as good as ringing. */
  readonly progress: CustomerProgress | undefined;
}

/** Says how many calls a flow with a queue may place: reads what goes on at the queues, and asks the pace. */
export class Pacer {
  readonly #deps: PacerDeps;
  readonly #known = new Map<string, Known>();
  /** Calls whose answer has been measured. */
  readonly #answered = new Set<string>();
  /** What the event log tells of calls that live at another instance. */
  readonly #heard = new Map<string, CustomerProgress>();
  /** Agents, and how far calls are, at one moment. A call that is not in it has been placed since. */
  #agents: readonly QueueAgent[] = [];
  #progress: ReadonlyMap<string, CustomerProgress> = new Map();

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
          const hours = new Hours(await readHours(store, company.companyId, id, now(), WINDOWS.day));
          this.#known.set(id, { hours, averages: averagesOf(hours.day(now())) });
        }),
    );
  }

  /** A call that was placed is over, and its tally stored, if it counts. */
  over(flowId: string, callID: string, tally: Tally | undefined): void {
    const measured = this.#answered.delete(callID);
    this.#heard.delete(callID);
    if (!tally) return;
    const known = this.#knownOf(flowId);
    const { answered, connected, ringMs, talkMs } = tally.counts;
    known.hours.add(tally);
    if (!measured) known.averages = rang(known.averages, answered === 0 ? undefined : ringMs);
    if (connected > 0) known.averages = talked(known.averages, talkMs);
  }

  /** An event of a call that a queue has placed. */
  hear(event: CtiEvent): void {
    if (event.messageID === 'EventEstablished') {
      if (event.partyID !== `${event.callID}-1`) return;
      this.#heard.set(event.callID, { state: 'served', bridgedAt: event.creationTime });
      return;
    }
    if (event.messageID !== 'EventRinging' && event.messageID !== 'EventReleased') return;
    const { callID, thisQueue } = event;
    if (thisQueue === undefined || event.partyID === `${callID}-1`) return;
    if (this.#heard.get(callID)?.state === 'served') return;
    if (event.messageID === 'EventRinging') this.#heard.set(callID, { state: 'offered' });
    else this.#heard.delete(callID);
  }

  /** Looks at agents and calls anew; without it `room` reckons with what was seen before. */
  async refresh(): Promise<void> {
    const { company, queues, requests, caller, active } = this.#deps;
    if (!company.flows.some((flow) => flow.config.queue !== undefined)) return;
    const listed = await requests.request(caller, 'RequestListAgents', {});
    // The engine answers with the result of the method's own schema.
    this.#agents = 'result' in listed ? queueAgentsOf(listed.result as ResultOf<'RequestListAgents'>) : [];
    const progress = new Map<string, CustomerProgress>();
    for (const { call } of active()) {
      if (call.placing?.queue === undefined) continue;
      const { callID } = call.placing;
      const found = queues.customerProgress(company.companyId, callID) ?? this.#heard.get(callID);
      if (found) progress.set(callID, found);
      this.#measureAnswer(call, found);
    }
    this.#progress = progress;
  }

  /** An answer is measured when it is first seen, not at the end of the talk. */
  #measureAnswer({ flowId, placing }: DialerCall, progress: CustomerProgress | undefined): void {
    if (!placing || progress?.answeredAt === undefined || this.#answered.has(placing.callID)) return;
    this.#answered.add(placing.callID);
    const known = this.#knownOf(flowId);
    known.averages = rang(known.averages, Math.max(0, progress.answeredAt - placing.claimedAt));
  }

  /** Calls that the flow may place now, as far as its queue's agents go; a flow without a queue has no such limit. */
  room({ config }: Flow): number {
    if (config.queue === undefined) return Number.POSITIVE_INFINITY;
    const going = this.#going();
    const state = this.#state(config.queue, going);
    const { mode, maxAbandoned, connectWithin } = config.pacing;
    if (mode === 'progressive') return progressive(state);
    return predictive(state, this.#measured(config.id, connectWithin * 1000, going), maxAbandoned);
  }

  /** The calls of all queues that are not over. */
  #going(): readonly Going[] {
    return this.#deps.active().flatMap(({ call: { flowId, placing } }) => {
      if (placing?.queue === undefined) return [];
      return [{ flowId, queue: placing.queue, progress: this.#progress.get(placing.callID) }];
    });
  }

  #state(queue: string, going: readonly Going[]): PaceState {
    const { company, now } = this.#deps;
    const pending = new Map<string, number>();
    let ringing = 0;
    let waiting = 0;
    for (const { queue: of, progress } of going) {
      const state = progress?.state ?? 'ringing';
      if (state !== 'ringing' && state !== 'waiting') continue;
      pending.set(of, (pending.get(of) ?? 0) + 1);
      if (of !== queue) continue;
      if (state === 'ringing') ringing++;
      else waiting++;
    }
    const dialled = new Set(company.flows.flatMap((f) => f.config.queue ?? []));
    const agents = this.#agents;
    // Who serves several of the queues that are called for is counted on only once he is free.
    const own = agents.filter((a) => a.queues.includes(queue) && a.queues.every((q) => q === queue || !dialled.has(q)));
    return {
      free: freeFor(queue, agents, pending),
      busy: own.filter((a) => a.state === 'busy').length,
      wrapUpMs: (company.wrapUps.get(queue) ?? 0) * 1000,
      freeIn: own.flatMap((a) => (a.freeAt === undefined ? [] : [a.freeAt - now()])),
      ringing,
      waiting,
    };
  }

  /** What was counted, with what is already certain of the calls that go on. */
  #measured(flowId: string, connectWithinMs: number, going: readonly Going[]): Measured {
    const { now } = this.#deps;
    const { hours, averages } = this.#knownOf(flowId);
    let { answered, abandoned }: Counts = hours.day(now());
    for (const { flowId: of, progress } of going) {
      if (of !== flowId || progress?.answeredAt === undefined) continue;
      const late = (progress.bridgedAt ?? now()) - progress.answeredAt > connectWithinMs;
      if (late || progress.bridgedAt !== undefined) answered++;
      if (late) abandoned++;
    }
    const { ringMs, talkMs } = averages;
    return { answerRate: answerRate(averages), ringMs, talkMs, answered, abandoned };
  }

  #knownOf(flowId: string): Known {
    let known = this.#known.get(flowId);
    if (!known) {
      known = { hours: new Hours(), averages: UNKNOWN };
      this.#known.set(flowId, known);
    }
    return known;
  }
}
