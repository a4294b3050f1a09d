import type { Call } from '../calls/call.ts';
import type { AgentStatusChange } from '../calls/output.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CallStore, CommitResult, FloorCommit, FloorStore } from '../ports.ts';
import { FLOOR_SHARD, type FloorEffect, type Queues } from '../queues/floor.ts';
import type { CallNote } from '../queues/note.ts';
import { noteOf } from './call-note.ts';
import { type FloorHost, FloorRunner } from './floor-runner.ts';

/** Wait between two tries of a commit while the store is away, ms. */
const RETRY_MS = 250;

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
  readonly effect: (companyId: CompanyId, effect: FloorEffect) => void;
  readonly onFenced: (shard: string) => void;
}

/** The floors of all companies: one runner each, beside the runners of the calls. */
export class Floors implements FloorHost {
  readonly #deps: FloorsDeps;
  readonly #runners = new Map<CompanyId, FloorRunner>();
  #fence = 0;
  #closed = false;

  constructor(deps: FloorsDeps) {
    this.#deps = deps;
  }

  /** Takes the floors over and brings them up to date with the calls that live. Until then notes are not needed. */
  async open(): Promise<void> {
    const { store, companyIds } = this.#deps;
    this.#fence = await store.takeShard(FLOOR_SHARD, companyIds);
    await Promise.all(companyIds.map((companyId) => this.#load(companyId)));
  }

  of(companyId: CompanyId): FloorRunner | undefined {
    return this.#runners.get(companyId);
  }

  /** A call has changed, as it is stored now. */
  note(call: Call, statuses: readonly AgentStatusChange[]): void {
    this.#runners.get(call.companyId)?.note(noteOf(call), statuses);
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
    this.#closed = true;
    for (const r of this.#runners.values()) r.stop();
    this.#runners.clear();
  }

  async #load(companyId: CompanyId): Promise<void> {
    const { store, floors, queuesOf, calls, others } = this.#deps;
    const stored = await floors.loadFloor(companyId);
    const live = [...calls(companyId)].filter((c) => !c.deleted);
    const wanted = new Set(stored.agents.flatMap((a) => [...a.calls, ...(a.acquired ? [a.acquired.callID] : [])]));
    for (const call of live) wanted.delete(call.callID);
    // A call that ended while nobody listened, or just before we went: how it ended decides what its agents do now.
    const ended = await Promise.all([...wanted].map((callID) => store.load(companyId, callID)));
    if (this.#closed) return;
    const runner = new FloorRunner(this, companyId, queuesOf(companyId), stored);
    this.#runners.set(companyId, runner);
    const over = ended.flatMap((found) => (found?.call.deleted ? [noteOf(found.call)] : []));
    // A call that has come of what waited speaks for itself.
    const spoken = new Set([...live, ...over].map((c) => c.callID));
    const rest = others(companyId).filter((note) => !spoken.has(note.callID));
    runner.push({ kind: 'recover', live: [...live.map(noteOf), ...rest], over });
  }

  // ── FloorHost ─────────────────────────────────────────────────────────────────────────────────────────────────

  get now(): () => number {
    return this.#deps.now;
  }

  async commitFloor(commit: Omit<FloorCommit, 'fence'>): Promise<CommitResult> {
    const fenced = { ...commit, fence: this.#fence };
    for (;;) {
      if (this.#closed) return { outcome: 'fenced' };
      try {
        return await this.#deps.floors.commitFloor(fenced);
      } catch (error) {
        if (!this.#deps.isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
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
    this.#load(runner.companyId).catch((error) => this.#deps.log.error('agents could not be read back', error));
  }

  floorFailed(_companyId: CompanyId, error: unknown): void {
    this.#deps.log.error('a step of the agents failed', error);
  }
}
