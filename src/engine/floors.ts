import type { Call } from '../calls/call.ts';
import type { AgentStatusChange } from '../calls/output.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CallStore, CommitResult, FloorCommit, FloorStore } from '../ports.ts';
import { FLOOR_SHARD, type FloorEffect, type Queues } from '../queues/floor.ts';
import type { CallNote, NotedStatus } from '../queues/note.ts';
import { noteOf } from './call-note.ts';
import { type FloorHost, FloorRunner } from './floor-runner.ts';
import { untilAnswered, untilStored } from './until-stored.ts';

/** What the floors need of the engine and the store. */
export interface FloorsDeps {
  readonly store: CallStore;
  readonly floors: FloorStore;
  readonly queuesOf: (companyId: CompanyId) => Queues;
  readonly companyIds: readonly CompanyId[];
  readonly now: () => number;
  readonly isPassing: (error: unknown) => boolean;
  readonly log: { error(what: string, error: unknown): void };
  /** Calls of a company that live here. */
  readonly calls: (companyId: CompanyId) => Iterable<Call>;
  /** What waits or has an agent without being a call. */
  readonly others: (companyId: CompanyId) => readonly CallNote[];
  /** Shards whose calls do not live here. */
  readonly elsewhere: () => readonly string[];
  readonly effect: (companyId: CompanyId, effect: FloorEffect) => void;
  readonly onFenced: (shard: string) => void;
}

/** What a call tells the agents and queues of its company. */
export interface ToldNote {
  readonly companyId: CompanyId;
  readonly note: CallNote;
  readonly statuses: readonly NotedStatus[];
}

/** The floors of all companies: one runner each, beside the runners of the calls. One instance has them. */
export class Floors implements FloorHost {
  readonly #deps: FloorsDeps;
  readonly #runners = new Map<CompanyId, FloorRunner>();
  /** What calls have told while their floor was being read. */
  readonly #early = new Map<CompanyId, ToldNote[]>();
  #fence = 0;
  #closed = true;
  /** Counts each time that the floors are taken and let go: what was begun before has nothing to say any more. */
  #turn = 0;

  constructor(deps: FloorsDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the floors over and brings them up to date with the calls that live, here and elsewhere.
   *
   * @param leased the fence of a lease that is held already
   */
  async open(leased?: number): Promise<void> {
    const { store, companyIds } = this.#deps;
    // What an attempt that failed half-way has opened would write beside what is read now.
    this.close();
    const turn = this.#turn;
    const fence = await store.takeShard(FLOOR_SHARD, companyIds, leased);
    // Let go of, or taken anew, meanwhile.
    if (turn !== this.#turn) return;
    this.#fence = fence;
    this.#closed = false;
    await Promise.all(companyIds.map((companyId) => this.#load(companyId)));
  }

  /** They are here. */
  get opened(): boolean {
    return !this.#closed;
  }

  /** All that has come is stored. */
  get idle(): boolean {
    return [...this.#runners.values()].every((r) => r.idle);
  }

  of(companyId: CompanyId): FloorRunner | undefined {
    return this.#runners.get(companyId);
  }

  /** A call has changed, as it is stored now. @returns false where the floors are not here */
  note(call: Call, statuses: readonly AgentStatusChange[]): boolean {
    return this.take({ companyId: call.companyId, note: noteOf(call), statuses });
  }

  /** What a call has told, here or elsewhere. @returns false where the floors are not here */
  take(told: ToldNote): boolean {
    const { companyId, note, statuses } = told;
    const early = this.#early.get(companyId);
    const runner = this.#runners.get(companyId);
    if (early) early.push(told);
    else runner?.note(note, statuses);
    return early !== undefined || runner !== undefined;
  }

  /** Inputs that wait to be stored. */
  get waiting(): number {
    let n = 0;
    for (const r of this.#runners.values()) n += r.waiting;
    return n;
  }

  *runners(): Iterable<FloorRunner> {
    yield* this.#runners.values();
  }

  /** Lets go of all floors; they stay as they are stored. */
  close(): void {
    this.#turn += 1;
    this.#closed = true;
    for (const r of this.#runners.values()) r.stop();
    this.#runners.clear();
    this.#early.clear();
  }

  async #load(companyId: CompanyId): Promise<void> {
    const { store, floors, queuesOf, calls, others: tickets, elsewhere } = this.#deps;
    const turn = this.#turn;
    if (!this.#early.has(companyId)) this.#early.set(companyId, []);
    const stored = await floors.loadFloor(companyId);
    const others = await Promise.all(elsewhere().map((shard) => store.loadLive([companyId], shard)));
    const here = [...calls(companyId)].filter((c) => !c.deleted);
    const known = new Set(here.map((c) => c.callID));
    const live = [...here, ...others.flat().flatMap(({ call }) => (known.has(call.callID) ? [] : call))];
    const wanted = new Set(stored.agents.flatMap((a) => [...a.calls, ...(a.acquired ? [a.acquired.callID] : [])]));
    for (const call of live) wanted.delete(call.callID);
    // A call that ended while nobody listened, or just before we went: how it ended decides what its agents do now.
    const ended = await Promise.all([...wanted].map((callID) => store.load(companyId, callID)));
    if (turn !== this.#turn) return;
    const runner = new FloorRunner(this, companyId, queuesOf(companyId), stored);
    const early = this.#early.get(companyId) ?? [];
    this.#early.delete(companyId);
    this.#runners.set(companyId, runner);
    const over = ended.flatMap((found) => (found?.call.deleted ? [noteOf(found.call)] : []));
    // A call that has come of what waited speaks for itself.
    const spoken = new Set([...live, ...over].map((c) => c.callID));
    const rest = tickets(companyId).filter((note) => !spoken.has(note.callID));
    runner.push({ kind: 'recover', live: [...live.map(noteOf), ...rest], over });
    for (const { note, statuses } of early) runner.note(note, statuses);
  }

  // ── FloorHost ─────────────────────────────────────────────────────────────────────────────────────────────────

  get now(): () => number {
    return this.#deps.now;
  }

  async commitFloor(commit: Omit<FloorCommit, 'fence'>): Promise<CommitResult> {
    const { floors, isPassing } = this.#deps;
    const fenced = { ...commit, fence: this.#fence };
    return await untilStored(() => floors.commitFloor(fenced), { gone: () => this.#closed, isPassing });
  }

  effect(companyId: CompanyId, effect: FloorEffect): void {
    this.#deps.effect(companyId, effect);
  }

  floorLost(runner: FloorRunner, result: CommitResult): void {
    if (this.#closed) return;
    if (result.outcome === 'fenced') {
      this.close();
      this.#deps.onFenced(FLOOR_SHARD);
      return;
    }
    this.#deps.log.error('another instance wrote the agents of this company: read anew', result);
    this.#runners.delete(runner.companyId);
    void this.#reload(runner.companyId);
  }

  async #reload(companyId: CompanyId): Promise<void> {
    const { isPassing, log } = this.#deps;
    const turn = this.#turn;
    try {
      await untilAnswered(() => this.#load(companyId), { gone: () => turn !== this.#turn, isPassing });
    } catch (error) {
      log.error('agents could not be read back', error);
    }
  }

  floorFailed(_companyId: CompanyId, error: unknown): void {
    this.#deps.log.error('a step of the agents failed', error);
  }
}
