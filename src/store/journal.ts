import type { CompanyId } from '../cti/ids.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';
import { RAISE_FENCE } from './commit-script.ts';
import type { Keys } from './keys.ts';
import type { PreparedEvent } from './logged-event.ts';
import { list, whole } from './reply.ts';
import { RAISE_TOKEN, RESTORE_CALL, RESTORE_EVENTS, RESTORE_FLOOR } from './restore-scripts.ts';
import type { Script } from './script.ts';

/**
 * How long what was written is remembered, ms. Redis at `appendfsync everysec` loses two seconds at most; a fail-over what
 * its replica lags behind.
 */
const REMEMBERED_MS = 10_000;
/** Characters remembered at most; beyond it the oldest go. */
const REMEMBERED_CHARS = 64 * 1024 * 1024;
const AT_ONCE = 200;

/** A call as it was stored last. */
export interface WrittenCall {
  readonly companyId: CompanyId;
  readonly shard: string;
  readonly fence: number;
  readonly callID: string;
  readonly version: number;
  readonly token: string;
  readonly json: string;
  readonly ended: boolean;
  readonly seconds: number;
  readonly lastEventID: number;
  /** Name and due time in turn. */
  readonly timers: readonly string[];
}

/** What one commit changed of a floor. */
export interface WrittenFloor {
  readonly companyId: CompanyId;
  readonly fence: number;
  readonly version: number;
  readonly token: string;
  readonly lastEventID: number;
  /** agentID and JSON, or '' for one forgotten. */
  readonly agents: readonly (readonly [string, string])[];
  /** Member and score, or '' for one who waits no more. */
  readonly waiting: readonly (readonly [string, string])[];
}

interface Written {
  readonly at: number;
  chars: number;
  readonly companyId: CompanyId;
  readonly events: readonly PreparedEvent[];
  readonly lastEventID: number;
  /** Undefined also where the call has been stored anew since. */
  call?: WrittenCall | undefined;
  readonly floor?: WrittenFloor;
}

/** What had to be written again. */
export interface Restored {
  readonly events: number;
  readonly calls: number;
  readonly floors: number;
  /** More was lost than is remembered here: whoever has live state must store it again. */
  readonly more: boolean;
}

/** Runs a script while nobody else may use the connection. */
export type RunScript = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

/**
 * What this process has written last, kept in memory: where Redis comes back without it, it is written again under the same
 * ids before anything else is. So a subscriber never hears an eventID twice, a call that has ended does not live again, and
 * a fencing token is not given out a second time.
 */
export class Journal {
  readonly #keys: Keys;
  readonly #maxEvents: number;
  readonly #now: () => number;
  /** From #first on; what was before has been let go. */
  #written: (Written | undefined)[] = [];
  #first = 0;
  #chars = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Where each remembered call was stored last. */
  readonly #calls = new Map<string, Written>();
  readonly #newest = new Map<CompanyId, number>();
  readonly #fences = new Map<string, { fence: number; companies: Set<CompanyId> }>();

  /** @param maxEvents that a log may hold @param now ms on a clock that nobody sets */
  constructor(keys: Keys, maxEvents: number, now: () => number = () => performance.now()) {
    this.#keys = keys;
    this.#maxEvents = maxEvents;
    this.#now = now;
  }

  /** Something has been stored, with the events that were. */
  wrote(
    companyId: CompanyId,
    events: readonly PreparedEvent[],
    lastEventID: number,
    of: { readonly call?: WrittenCall; readonly floor?: WrittenFloor } = {},
  ): void {
    const chars =
      events.reduce((sum, e) => sum + e.json.length, 0) +
      (of.call?.json.length ?? 0) +
      (of.floor?.agents.reduce((sum, [, json]) => sum + json.length, 0) ?? 0);
    const at = this.#now();
    const written: Written = { at, chars, companyId, events, lastEventID, ...of };
    this.#written.push(written);
    this.#chars += chars;
    if (of.call) this.#outdate(of.call, written);
    if (events.length > 0) this.#newest.set(companyId, Math.max(lastEventID, this.#newest.get(companyId) ?? 0));
    this.#forget(at);
    this.#forgetLater();
  }

  /** A shard was taken: its token, and the companies in which earlier owners are refused. */
  took(shard: string, fence: number, companies: readonly CompanyId[]): void {
    const held = this.#fences.get(shard);
    this.#fences.set(shard, { fence, companies: new Set([...(held?.companies ?? []), ...companies]) });
  }

  /** Calls and changes remembered. */
  get size(): number {
    return this.#written.length - this.#first;
  }

  /** Only the newest state of a call would be written again: what it was before need not be kept until its time is up. */
  #outdate(call: WrittenCall, written: Written): void {
    const before = this.#calls.get(call.callID);
    if (before?.call) {
      if (before.call.version > call.version) return;
      const chars = before.call.json.length;
      before.chars -= chars;
      this.#chars -= chars;
      before.call = undefined;
    }
    this.#calls.set(call.callID, written);
  }

  #forget(now: number): void {
    for (;;) {
      const oldest = this.#written[this.#first];
      if (!oldest || (now - oldest.at < REMEMBERED_MS && this.#chars <= REMEMBERED_CHARS)) break;
      this.#chars -= oldest.chars;
      if (oldest.call && this.#calls.get(oldest.call.callID) === oldest) this.#calls.delete(oldest.call.callID);
      this.#written[this.#first] = undefined;
      this.#first += 1;
    }
    // Not with each one that goes, so that nothing is moved again and again.
    if (this.#first > 1_000 && this.#first * 2 > this.#written.length) {
      this.#written = this.#written.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Where nothing more is written, what is remembered goes all the same. */
  #forgetLater(): void {
    if (this.#timer || this.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#forget(this.#now());
      this.#forgetLater();
    }, REMEMBERED_MS / 4);
    this.#timer.unref();
  }

  /**
   * Writes again what Redis does not have any more.
   *
   * @param heard newest eventID that anybody here was told, by company
   */
  async restore(run: RunScript, heard: ReadonlyMap<CompanyId, number>): Promise<Restored> {
    const written = this.#written.slice(this.#first).filter((w) => w !== undefined);
    const tokensLost = await this.#restoreFences(run);
    const events = await this.#restoreEvents(run, written, heard);
    const calls = await this.#restoreCalls(run, written);
    const floors = await this.#restoreFloors(run, written);
    return { events: events.restored, calls, floors, more: tokensLost || events.more };
  }

  async #restoreFences(run: RunScript): Promise<boolean> {
    let lost = false;
    for (const [shard, { fence, companies }] of this.#fences) {
      for (const companyId of companies) await run(RAISE_FENCE, [this.#keys.fence(companyId, shard)], [String(fence)]);
      lost ||= whole(await run(RAISE_TOKEN, [this.#keys.shardToken()], [String(fence)])) < fence;
    }
    return lost;
  }

  async #restoreEvents(
    run: RunScript,
    written: readonly Written[],
    heard: ReadonlyMap<CompanyId, number>,
  ): Promise<{ restored: number; more: boolean }> {
    let restored = 0;
    let more = false;
    for (const companyId of new Set([...this.#newest.keys(), ...heard.keys()])) {
      const newest = Math.max(this.#newest.get(companyId) ?? 0, heard.get(companyId) ?? 0);
      const events = written
        .filter((w) => w.companyId === companyId)
        .flatMap((w) => w.events.map((event, i) => ({ event, id: w.lastEventID - w.events.length + 1 + i })))
        .toSorted((a, b) => a.id - b.id);
      const keys = [this.#keys.eventCounter(companyId), this.#keys.events(companyId)];
      for (let i = 0; i === 0 || i < events.length; i += AT_ONCE) {
        const part = events.slice(i, i + AT_ONCE);
        const args = part.flatMap(({ event, id }) => [String(id), event.name, event.callID, event.thisDN, event.json]);
        // Only with the last part may the counter be ahead of what is in the log.
        const high = i + AT_ONCE >= events.length ? newest : (part.at(-1)?.id ?? 0);
        const [put, counter] = list(await run(RESTORE_EVENTS, keys, [String(this.#maxEvents), String(high), ...args]));
        restored += whole(put);
        if (i === 0) more ||= whole(counter) < newest && whole(counter) + 1 < (events[0]?.id ?? newest + 1);
      }
    }
    return { restored, more };
  }

  async #restoreCalls(run: RunScript, written: readonly Written[]): Promise<number> {
    const newest = new Map<string, WrittenCall>();
    for (const { call } of written) {
      if (call && call.version >= (newest.get(call.callID)?.version ?? 0)) newest.set(call.callID, call);
    }
    return await this.#each([...newest.values()], (call) => {
      const { companyId, shard, callID } = call;
      const keys = this.#keys;
      return run(
        RESTORE_CALL,
        [
          keys.call(companyId, callID),
          keys.live(companyId, shard),
          keys.timers(companyId, shard),
          keys.fence(companyId, shard),
        ],
        [
          String(call.fence),
          String(call.version),
          call.token,
          call.json,
          call.ended ? '1' : '0',
          String(call.seconds),
          callID,
          String(call.lastEventID),
          ...call.timers,
        ],
      );
    });
  }

  async #restoreFloors(run: RunScript, written: readonly Written[]): Promise<number> {
    const newest = new Map<
      CompanyId,
      { last: WrittenFloor; agents: Map<string, string>; waiting: Map<string, string> }
    >();
    for (const { floor } of written) {
      if (!floor) continue;
      const so = newest.get(floor.companyId) ?? { last: floor, agents: new Map(), waiting: new Map() };
      so.last = floor;
      for (const [agentID, json] of floor.agents) so.agents.set(agentID, json);
      for (const [member, score] of floor.waiting) so.waiting.set(member, score);
      newest.set(floor.companyId, so);
    }
    return await this.#each([...newest.values()], ({ last, agents, waiting }) => {
      const { companyId } = last;
      const keys = this.#keys;
      return run(
        RESTORE_FLOOR,
        [keys.floor(companyId), keys.agents(companyId), keys.waiting(companyId), keys.fence(companyId, FLOOR_SHARD)],
        [
          String(last.fence),
          String(last.version),
          last.token,
          String(last.lastEventID),
          String(agents.size),
          ...[...agents].flat(),
          ...[...waiting].flat(),
        ],
      );
    });
  }

  /** @returns how many were missing */
  async #each<T>(items: readonly T[], write: (item: T) => Promise<unknown>): Promise<number> {
    let missing = 0;
    for (let i = 0; i < items.length; i += AT_ONCE) {
      const answers = await Promise.all(items.slice(i, i + AT_ONCE).map(write));
      for (const answer of answers) missing += whole(answer);
    }
    return missing;
  }
}
