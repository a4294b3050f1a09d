import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Admission, AdmittedCall, NodeLoad, NoRoom, Room, Soon, Use } from '../ports.ts';
import type { SharedCount } from './shared-count.ts';

/** How much one node, trunk or company may carry, or how many may wait in one queue. */
export interface Limits {
  /** Calls at once. */
  readonly calls?: number;
  readonly callsPerSecond?: number;
}

/** All limits, by id; those of queues by `<companyId>:<queue>`. */
export interface AllLimits {
  readonly nodes?: ReadonlyMap<string, Limits>;
  readonly trunks?: ReadonlyMap<string, Limits>;
  readonly companies?: ReadonlyMap<string, Limits>;
  readonly queues?: ReadonlyMap<string, Limits>;
}

interface Meter {
  readonly name: string;
  readonly limits: Limits;
  /** The same, for those who count it together. */
  readonly room: Room;
  calls: number;
  /** Calls that may begin now; refilled at `callsPerSecond`, never above it. */
  tokens: number;
  refilledAt: number;
}

/** The places of one call. */
interface Held {
  readonly shard: string;
  readonly companyId: CompanyId;
  /** Of the call itself: node, company, and the trunk that it was placed over. */
  readonly own: readonly Meter[];
  /** What it takes up beyond that. */
  readonly uses: Map<Meter, number>;
  /** What was taken for it, and is not settled yet. */
  readonly asked: Map<Meter, number>;
}

/**
 * Counts calls at once and calls per second, per node, trunk and company, and those who wait in queues. A call that is
 * refused takes no place anywhere. Without others to count with, everything is answered at once.
 */
export class CallAdmission implements Admission {
  readonly #meters = new Map<string, Meter>();
  readonly #held = new Map<CallID, Held>();
  readonly #now: () => number;
  /** Absent: nobody else counts. */
  readonly shared: SharedCount | undefined;

  /**
   * @param now Unix ms
   * @param sharedWith makes the counting with other instances, of what is counted here
   */
  constructor(
    limits: AllLimits,
    now: () => number,
    sharedWith?: (countsOf: (shard: string) => ReadonlyMap<string, number>) => SharedCount,
  ) {
    this.#now = now;
    const { nodes, trunks, companies, queues } = limits;
    this.#addMeters('node', nodes);
    this.#addMeters('trunk', trunks);
    this.#addMeters('company', companies);
    this.#addMeters('queue', queues);
    this.shared = sharedWith?.((shard) => this.#countsOf(shard));
  }

  admit(call: AdmittedCall & { readonly queue?: string }): Soon<NoRoom | undefined> {
    const { callID, companyId, shard, queue } = call;
    if (this.#held.has(callID)) return undefined;
    const own = this.#metersOf(call);
    const waiting = queue === undefined ? undefined : this.#meters.get(`queue:${companyId}:${queue}`);
    return this.#take(shard, waiting ? [...own, waiting] : own, () => {
      const asked = new Map(waiting && [[waiting, 1]]);
      this.#held.set(callID, { shard, companyId, own, uses: new Map(), asked });
    });
  }

  release(callID: CallID): void {
    const held = this.#held.get(callID);
    if (!held) return;
    this.#held.delete(callID);
    for (const [meter, n] of counted(held)) this.#change(held, meter, -n);
  }

  admitUse(callID: CallID, use: Use): Soon<NoRoom | undefined> {
    const held = this.#held.get(callID);
    const meter = held && this.#meterOf(held, use);
    if (!meter) return undefined;
    return this.#take(held.shard, [meter], () => {
      if (this.#held.get(callID) === held) held.asked.set(meter, (held.asked.get(meter) ?? 0) + 1);
      // The call has ended meanwhile.
      else this.#change(held, meter, -1);
    });
  }

  settled(callID: CallID, use: Use): void {
    const held = this.#held.get(callID);
    const meter = held && this.#meterOf(held, use);
    const asked = meter && held.asked.get(meter);
    if (!held || !meter || asked === undefined) return;
    if (asked === 1) held.asked.delete(meter);
    else held.asked.set(meter, asked - 1);
    this.#change(held, meter, -1);
  }

  usesOf(callID: CallID, uses: readonly Use[]): void {
    const held = this.#held.get(callID);
    if (!held || (held.uses.size === 0 && this.#areOwn(held, uses))) return;
    const now = new Map<Meter, number>();
    for (const use of uses) {
      const meter = this.#meterOf(held, use);
      if (meter) now.set(meter, (now.get(meter) ?? 0) + 1);
    }
    for (const meter of new Set([...held.uses.keys(), ...now.keys()])) {
      const n = now.get(meter) ?? 0;
      // The first leg on the call's own trunk is in the place that the call was given.
      const wanted = held.own.includes(meter) ? Math.max(0, n - 1) : n;
      const by = wanted - (held.uses.get(meter) ?? 0);
      if (wanted === 0) held.uses.delete(meter);
      else held.uses.set(meter, wanted);
      if (by !== 0) this.#change(held, meter, by);
    }
  }

  load(node: string): NodeLoad {
    const meter = this.#meters.get(`node:${node}`);
    if (!meter) return { calls: 0, room: true };
    const { calls: limit } = meter.limits;
    return { calls: meter.calls, ...(limit !== undefined && { limit }), room: hasRoom(meter, this.#now()) };
  }

  readmit(call: AdmittedCall): void {
    const { callID, companyId, shard } = call;
    this.release(callID);
    const held: Held = { shard, companyId, own: this.#metersOf(call), uses: new Map(), asked: new Map() };
    this.#held.set(callID, held);
    for (const meter of held.own) this.#change(held, meter, 1);
  }

  own(shard: string, fence: number): void {
    this.shared?.own(shard, fence);
  }

  disown(shard: string): void {
    this.shared?.disown(shard);
    for (const [callID, held] of this.#held) if (held.shard === shard) this.release(callID);
  }

  /** Calls that hold a place. */
  get size(): number {
    return this.#held.size;
  }

  #addMeters(kind: string, all: ReadonlyMap<string, Limits> | undefined): void {
    for (const [id, limits] of all ?? []) {
      const { calls, callsPerSecond } = limits;
      const name = `${kind}:${id}`;
      const room: Room = {
        meter: name,
        ...(calls !== undefined && { calls }),
        ...(callsPerSecond !== undefined && { perSecond: callsPerSecond }),
      };
      this.#meters.set(name, {
        name,
        limits,
        room,
        calls: 0,
        tokens: callsPerSecond ?? 0,
        refilledAt: this.#now(),
      });
    }
  }

  #metersOf(call: AdmittedCall): Meter[] {
    const names = [`node:${call.node}`, `company:${call.companyId}`];
    if (call.trunk !== undefined) names.push(`trunk:${call.trunk}`);
    return names.flatMap((name) => this.#meters.get(name) ?? []);
  }

  #meterOf({ companyId }: Held, use: Use): Meter | undefined {
    return this.#meters.get('trunk' in use ? `trunk:${use.trunk}` : `queue:${companyId}:${use.queue}`);
  }

  /** Nothing beyond the one leg on the trunk for which the call has its place: as it is with most calls. */
  #areOwn(held: Held, [first, second]: readonly Use[]): boolean {
    if (first === undefined) return true;
    const meter = this.#meterOf(held, first);
    return second === undefined && (meter === undefined || held.own.includes(meter));
  }

  /** Takes a place under all of them, or under none. @param held notes who has it, in the same turn */
  #take(shard: string, meters: readonly Meter[], held: () => void): Soon<NoRoom | undefined> {
    const here = (): Meter | undefined => {
      const now = this.#now();
      const full = meters.find((m) => !hasRoom(m, now));
      if (full) return full;
      for (const m of meters) {
        m.calls++;
        m.tokens--;
      }
      held();
      return undefined;
    };
    const shared = this.shared;
    if (!shared || shared.alone || meters.length === 0) return noRoom(here()?.name);
    return shared
      .take(
        shard,
        meters.map((m) => m.room),
        {
          here: () => here()?.name,
          taken: () => {
            for (const m of meters) m.calls++;
            held();
          },
        },
      )
      .then(noRoom);
  }

  #change({ shard }: Held, meter: Meter, by: number): void {
    meter.calls += by;
    this.shared?.changed(shard, meter.name, by);
  }

  #countsOf(shard: string): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const held of this.#held.values()) {
      if (held.shard !== shard) continue;
      for (const [{ name }, n] of counted(held)) counts.set(name, (counts.get(name) ?? 0) + n);
    }
    return counts;
  }
}

/** Everything that a call takes up. */
function* counted({ own, uses, asked }: Held): Iterable<readonly [Meter, number]> {
  for (const meter of own) yield [meter, 1];
  yield* uses;
  yield* asked;
}

const noRoom = (full: string | undefined): NoRoom | undefined =>
  full === undefined ? undefined : full.startsWith('queue:') ? 'queue-full' : 'channel-limit';

function hasRoom(meter: Meter, now: number): boolean {
  const { calls, callsPerSecond } = meter.limits;
  if (calls !== undefined && meter.calls >= calls) return false;
  if (callsPerSecond === undefined) return true;
  const refill = ((now - meter.refilledAt) / 1000) * callsPerSecond;
  meter.tokens = Math.min(callsPerSecond, meter.tokens + Math.max(0, refill));
  meter.refilledAt = now;
  return meter.tokens >= 1;
}
