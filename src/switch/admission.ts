import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Admission, NodeLoad } from '../ports.ts';

/** How much one node, trunk or company may carry. */
export interface Limits {
  /** Calls at once. */
  readonly calls?: number;
  readonly callsPerSecond?: number;
}

interface Meter {
  readonly limits: Limits;
  calls: number;
  /** Calls that may begin now; refilled at `callsPerSecond`, never above it. */
  tokens: number;
  refilledAt: number;
}

/** The places of one call. */
interface Held {
  /** Of the call itself: node, company, and the trunk that it was placed over. */
  readonly own: readonly Meter[];
  readonly trunk: string | undefined;
  /** Legs beyond that, by trunk. */
  readonly legs: Map<string, number>;
}

/**
 * Counts calls at once and calls per second, per node, trunk and company. A call that is refused takes no place
 * anywhere.
 */
export class CallAdmission implements Admission {
  readonly #meters = new Map<string, Meter>();
  readonly #held = new Map<CallID, Held>();
  readonly #now: () => number;

  /** @param now Unix ms */
  constructor(
    nodes: ReadonlyMap<string, Limits>,
    trunks: ReadonlyMap<string, Limits>,
    companies: ReadonlyMap<string, Limits>,
    now: () => number,
  ) {
    this.#now = now;
    for (const [kind, all] of Object.entries({ node: nodes, trunk: trunks, company: companies })) {
      for (const [id, limits] of all) {
        this.#meters.set(`${kind}:${id}`, { limits, calls: 0, tokens: limits.callsPerSecond ?? 0, refilledAt: now() });
      }
    }
  }

  admit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): 'channel-limit' | undefined {
    const meters = this.#metersOf(call);
    if (!this.#take(meters)) return 'channel-limit';
    this.#held.set(call.callID, { own: meters, trunk: call.trunk, legs: new Map() });
    return undefined;
  }

  release(callID: CallID): void {
    const held = this.#held.get(callID);
    if (!held) return;
    this.legsOf(callID, []);
    for (const m of held.own) m.calls--;
    this.#held.delete(callID);
  }

  admitLeg(callID: CallID, trunk: string): 'channel-limit' | undefined {
    const held = this.#held.get(callID);
    if (!held) return undefined;
    const meter = this.#meters.get(`trunk:${trunk}`);
    if (meter && !this.#take([meter])) return 'channel-limit';
    held.legs.set(trunk, (held.legs.get(trunk) ?? 0) + 1);
    return undefined;
  }

  legsOf(callID: CallID, trunks: readonly string[]): void {
    const held = this.#held.get(callID);
    if (!held) return;
    for (const trunk of new Set([...held.legs.keys(), ...trunks])) {
      const legs = trunks.filter((t) => t === trunk).length;
      // The first leg on the call's own trunk is in the place that the call was given.
      const wanted = held.trunk === trunk ? Math.max(0, legs - 1) : legs;
      const meter = this.#meters.get(`trunk:${trunk}`);
      if (meter) meter.calls += wanted - (held.legs.get(trunk) ?? 0);
      if (wanted === 0) held.legs.delete(trunk);
      else held.legs.set(trunk, wanted);
    }
  }

  load(node: string): NodeLoad {
    const meter = this.#meters.get(`node:${node}`);
    if (!meter) return { calls: 0, room: true };
    const { calls: limit } = meter.limits;
    return { calls: meter.calls, ...(limit !== undefined && { limit }), room: hasRoom(meter, this.#now()) };
  }

  /** Counts a call that was found alive at a start: it has its place whatever the limits say. */
  readmit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): void {
    const meters = this.#metersOf(call);
    for (const m of meters) m.calls++;
    this.#held.set(call.callID, { own: meters, trunk: call.trunk, legs: new Map() });
  }

  #metersOf(call: { companyId: CompanyId; node: string; trunk?: string }): Meter[] {
    const keys = [`node:${call.node}`, `company:${call.companyId}`];
    if (call.trunk !== undefined) keys.push(`trunk:${call.trunk}`);
    return keys.flatMap((k) => this.#meters.get(k) ?? []);
  }

  /** Takes a place in all of them, or in none. */
  #take(meters: readonly Meter[]): boolean {
    const now = this.#now();
    if (!meters.every((m) => hasRoom(m, now))) return false;
    for (const m of meters) {
      m.calls++;
      m.tokens--;
    }
    return true;
  }

  /** Calls that hold a place. */
  get size(): number {
    return this.#held.size;
  }
}

function hasRoom(meter: Meter, now: number): boolean {
  const { calls, callsPerSecond } = meter.limits;
  if (calls !== undefined && meter.calls >= calls) return false;
  if (callsPerSecond === undefined) return true;
  const refill = ((now - meter.refilledAt) / 1000) * callsPerSecond;
  meter.tokens = Math.min(callsPerSecond, meter.tokens + Math.max(0, refill));
  meter.refilledAt = now;
  return meter.tokens >= 1;
}
