import type { Agents } from './agents.ts';
import type { DialerCompany, Flow } from './book.ts';
import type { DialerDeps } from './deps.ts';
import { flowStateOf, read, type Stored } from './documents.ts';
import { Pace } from './pace.ts';
import type { Pacer } from './pacer.ts';
import type { CalledBy } from './step.ts';

export interface PumpDeps {
  readonly deps: DialerDeps;
  readonly company: DialerCompany;
  readonly agents: Agents;
  readonly activeOf: (flowId: string) => number;
  readonly pacer: Pacer;
  readonly claim: (stored: Stored, flow: Flow, by: CalledBy) => Promise<'claimed' | 'settled' | 'no-node'>;
  /** @returns whether it was stopped */
  readonly stop: (stored: Stored) => Promise<boolean>;
}

/** Calls of one flow that are looked at in one round. */
const LOOK_AT = 50;
/** Without news the queues are looked at again so often, ms: another instance may have taken requests. */
const LOOK_MS = 1_000;
/** After a call that found no room, ms. */
const HOLD_BACK_MS = 250;

interface Candidates {
  readonly flow: Flow;
  readonly calls: Stored[];
}

/**
 * Takes calls out of the queues as fast as flows, agents and nodes allow, one flow after the other in turn: a flow with a
 * long queue does not make another one wait.
 */
export class Pump {
  readonly #deps: PumpDeps;
  readonly #paces = new Map<string, Pace>();
  #first = 0;
  /** By a clock that nobody can set. */
  #heldBackUntil = 0;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: PumpDeps) {
    this.#deps = deps;
  }

  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** There is no room anywhere: a pause, so that the same call is not claimed over and over. */
  holdBack(): void {
    this.#heldBackUntil = performance.now() + HOLD_BACK_MS;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { now, log } = this.#deps.deps;
    let next = 0;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        next = await this.#round();
      }
    } catch (err) {
      log.warn('the queues of the dialler cannot be looked at', { err });
    }
    this.#running = undefined;
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.min(LOOK_MS, Math.max(5, next - now())));
    this.#timer.unref();
  }

  /** @returns when to look again, Unix ms */
  async #round(): Promise<number> {
    const { deps, company, pacer } = this.#deps;
    const now = deps.now();
    const states = await deps.store.flowStates(company.companyId);
    await pacer.refresh();
    let next = now + LOOK_MS;
    const candidates: Candidates[] = [];
    for (const flow of company.flows) {
      const removed = flow.made?.removed === true;
      const state = removed ? 'stopped' : flowStateOf(states, flow.config.id).state;
      if (state === 'stopped') await this.#stopAll(flow);
      if (state !== 'running') continue;
      const heldBackFor = this.#heldBackUntil - performance.now();
      if (heldBackFor > 0) {
        next = Math.min(next, now + heldBackFor);
        continue;
      }
      const look = await this.#look(flow, now);
      next = Math.min(next, look.next);
      if (look.calls.length > 0) candidates.push({ flow, calls: look.calls });
    }
    return Math.min(next, await this.#inTurn(candidates));
  }

  async #look(flow: Flow, now: number): Promise<{ calls: Stored[]; next: number }> {
    const { deps, company, activeOf } = this.#deps;
    const { id, limits } = flow.config;
    const atOnce = limits.calls - activeOf(id);
    // Room at once comes with the end of a call or with an agent who becomes free; both wake the pump.
    if (atOnce <= 0 || !this.#hasAgent(flow)) return { calls: [], next: now + LOOK_MS };
    const pace = this.#pace(flow, now);
    if (pace.room(now) <= 0) return { calls: [], next: pace.nextAt(now) };
    const due = await deps.store.due(company.companyId, id, now, LOOK_AT);
    return { calls: due.calls.map(read), next: due.next ?? now + LOOK_MS };
  }

  /** One call of each flow after the other, beginning with another flow each time. */
  async #inTurn(candidates: readonly Candidates[]): Promise<number> {
    const { deps } = this.#deps;
    let next = deps.now() + LOOK_MS;
    this.#first++;
    const left = candidates.map((_c, i) => candidates[(i + this.#first) % candidates.length]);
    while (left.length > 0) {
      const one = left.shift();
      if (!one || this.#closed) continue;
      const placed = await this.#one(one);
      if (placed === 'no-node') {
        this.holdBack();
        return deps.now() + HOLD_BACK_MS;
      }
      if (placed === 'again') left.push(one);
      else if (typeof placed === 'number') next = Math.min(next, placed);
      else if (one.calls.length === 0 && placed === 'done') this.#again = true;
    }
    return next;
  }

  /** Places the first call of these that has an agent. @returns when there is room again, if there is none now */
  async #one({ flow, calls }: Candidates): Promise<'again' | 'done' | 'none' | 'no-node' | number> {
    const { deps, activeOf, claim } = this.#deps;
    const now = deps.now();
    const pace = this.#pace(flow, now);
    if (activeOf(flow.config.id) >= flow.config.limits.calls) return 'none';
    if (pace.room(now) <= 0) return pace.nextAt(now);
    for (const [i, stored] of calls.entries()) {
      if (stored.call.phase !== 'waiting') continue;
      const by = this.#callerOf(stored, flow);
      if (by === undefined) continue;
      calls.splice(i, 1);
      const outcome = await claim(stored, flow, by);
      if (outcome === 'no-node') return 'no-node';
      if (outcome === 'claimed') pace.take();
      return calls.length > 0 ? 'again' : 'done';
    }
    return 'none';
  }

  #hasAgent(flow: Flow): boolean {
    const { agents, pacer } = this.#deps;
    return flow.config.queue === undefined ? agents.free(flow.config.agents) !== undefined : pacer.room(flow) > 0;
  }

  /** Who calls the customer: a free agent, the one whom the call names, or the queue. */
  #callerOf({ call }: Stored, flow: Flow): CalledBy | undefined {
    const { agents, agentKey, queue } = flow.config;
    if (queue !== undefined) return this.#deps.pacer.room(flow) > 0 ? { queue } : undefined;
    const named = agentKey === undefined ? undefined : call.variables[agentKey];
    const agent = this.#deps.agents.free(agents, named === undefined ? undefined : String(named));
    return agent === undefined ? undefined : { agent };
  }

  async #stopAll(flow: Flow): Promise<void> {
    const { deps, company, stop } = this.#deps;
    for (;;) {
      const { calls } = await deps.store.due(company.companyId, flow.config.id, Number.MAX_SAFE_INTEGER - 1, LOOK_AT);
      let stopped = 0;
      for (const document of calls) if (!this.#closed && (await stop(read(document)))) stopped++;
      // Those that could not be stopped are looked at again with the next round.
      if (stopped === 0) return;
    }
  }

  #pace(flow: Flow, now: number): Pace {
    const { id, limits } = flow.config;
    let pace = this.#paces.get(id);
    if (!pace || pace.perSecond !== limits.callsPerSecond) {
      pace = new Pace(limits.callsPerSecond, now);
      this.#paces.set(id, pace);
    }
    return pace;
  }
}
