import type { CompanyId } from '../cti/ids.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';
import { RAISE_FENCE } from './commit-script.ts';
import type { Keys } from './keys.ts';
import { type PreparedEvent, pushEvents } from './logged-event.ts';
import { list, whole } from './reply.ts';
import { APPEND_AGAIN, RAISE_TOKEN, RESTORE_CALL, RESTORE_EVENTS, RESTORE_FLOOR } from './restore-scripts.ts';
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
  /** None where they turned out to be another's to tell. */
  events: readonly PreparedEvent[];
  /** Another id once the events had to be appended anew. */
  lastEventID: number;
  /** Not written here but by another process, and heard. */
  readonly heard: boolean;
  /** Undefined also where the call has been stored anew since. */
  call: WrittenCall | undefined;
  readonly floor: WrittenFloor | undefined;
}

/** What had to be written again. */
export interface Restored {
  readonly events: number;
  readonly calls: number;
  readonly floors: number;
  /** More was lost than is remembered here: whoever has live state must store it again. */
  readonly more: boolean;
  /**
   * By company the first eventID under which Redis has another event than was told here: it has gone on with another
   * history. What this process had written in its own and still owns has been appended anew.
   */
  readonly diverged: ReadonlyMap<CompanyId, number>;
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
  readonly #away: () => boolean;
  /** From #first on; what was before has been let go. */
  #written: (Written | undefined)[] = [];
  #first = 0;
  #chars = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Where each remembered call was stored last. */
  readonly #calls = new Map<string, Written>();
  readonly #newest = new Map<CompanyId, number>();
  readonly #fences = new Map<string, { fence: number; companies: Set<CompanyId> }>();

  /**
   * @param maxEvents that a log may hold
   * @param away Redis does not answer: what was written before that is wanted when it is back, however long it takes
   * @param now ms on a clock that nobody sets
   */
  constructor(
    keys: Keys,
    maxEvents: number,
    away: () => boolean = () => false,
    now: () => number = () => performance.now(),
  ) {
    this.#keys = keys;
    this.#maxEvents = maxEvents;
    this.#away = away;
    this.#now = now;
  }

  /** Something has been stored, with the events that were. */
  wrote(
    companyId: CompanyId,
    events: readonly PreparedEvent[],
    lastEventID: number,
    of: { readonly call?: WrittenCall; readonly floor?: WrittenFloor } = {},
  ): void {
    const { call, floor } = of;
    const chars = (call?.json.length ?? 0) + (floor?.agents.reduce((sum, [, json]) => sum + json.length, 0) ?? 0);
    this.#remember({ companyId, events, lastEventID, heard: false, call, floor }, chars);
  }

  /** Events of another process were heard: they are put back too, should that process not live to do so. */
  heard(companyId: CompanyId, events: readonly PreparedEvent[], lastEventID: number): void {
    this.#remember({ companyId, events, lastEventID, heard: true, call: undefined, floor: undefined }, 0);
  }

  #remember(what: Omit<Written, 'at' | 'chars'>, more: number): void {
    if (this.#closed) return;
    const { companyId, events, lastEventID, heard, call, floor } = what;
    const chars = events.reduce((sum, e) => sum + e.json.length, more);
    const at = this.#now();
    // Field by field: an object that is spread into another has a shape of its own in V8, 250 bytes with each commit.
    const written: Written = { at, chars, companyId, events, lastEventID, heard, call, floor };
    this.#written.push(written);
    this.#chars += chars;
    if (call) this.#outdate(call, written);
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

  /** Forgets everything: nothing is written again once the store is closed. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#written = [];
    this.#first = 0;
    this.#chars = 0;
    this.#calls.clear();
    this.#newest.clear();
    this.#fences.clear();
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
      if (!oldest) break;
      if ((this.#away() || now - oldest.at < REMEMBERED_MS) && this.#chars <= REMEMBERED_CHARS) break;
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
    for (const [companyId, first] of events.diverged) await this.#appendAgain(run, written, companyId, first);
    return { events: events.restored, calls, floors, more: tokensLost || events.more, diverged: events.diverged };
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
  ): Promise<{ restored: number; more: boolean; diverged: ReadonlyMap<CompanyId, number> }> {
    let restored = 0;
    let more = false;
    const diverged = new Map<CompanyId, number>();
    for (const companyId of new Set([...this.#newest.keys(), ...heard.keys()])) {
      const newest = Math.max(this.#newest.get(companyId) ?? 0, heard.get(companyId) ?? 0);
      const events = eventsOf(written, companyId);
      const keys = [this.#keys.eventCounter(companyId), this.#keys.events(companyId)];
      for (let i = 0; i === 0 || i < events.length; i += AT_ONCE) {
        const part = events.slice(i, i + AT_ONCE);
        const args = part.flatMap(({ event, id }) => [String(id), event.name, event.callID, event.thisDN, event.json]);
        // Only with the last part may the counter be ahead of what is in the log.
        const high = i + AT_ONCE >= events.length ? newest : (part.at(-1)?.id ?? 0);
        const answer = list(await run(RESTORE_EVENTS, keys, [String(this.#maxEvents), String(high), ...args]));
        const [put = 0, counter = 0, other = 0] = answer.map(whole);
        restored += put;
        if (i === 0) more ||= counter < newest && counter + 1 < (events[0]?.id ?? newest + 1);
        if (other === 0) continue;
        diverged.set(companyId, other);
        // Ids of the history that is given up count no more.
        this.#newest.set(companyId, Math.max(counter, other - 1));
        break;
      }
    }
    return { restored, more, diverged };
  }

  /** What was written here under ids that are other events' now is appended anew, where it is still this process's to tell. */
  async #appendAgain(run: RunScript, written: readonly Written[], companyId: CompanyId, first: number): Promise<void> {
    const keys = this.#keys;
    const given = written.filter((w) => w.companyId === companyId && w.events.length > 0 && w.lastEventID >= first);
    for (const one of given.toSorted((a, b) => a.lastEventID - b.lastEventID)) {
      const { heard, call, floor, events } = one;
      const shard = call?.shard ?? (floor && FLOOR_SHARD);
      const args = [String(this.#maxEvents), String((call ?? floor)?.fence ?? 0)];
      pushEvents(args, events);
      const names = [keys.eventCounter(companyId), keys.events(companyId)];
      if (shard !== undefined) names.push(keys.fence(companyId, shard));
      const last = heard ? 0 : whole(await run(APPEND_AGAIN, names, args));
      // Forgotten where it is another's: it must not come back with the next loss.
      one.lastEventID = last;
      if (last === 0) one.events = [];
      else this.#newest.set(companyId, Math.max(last, this.#newest.get(companyId) ?? 0));
    }
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

/** What is remembered of a company's events, each once and in the order of the log. */
function eventsOf(written: readonly Written[], companyId: CompanyId): { event: PreparedEvent; id: number }[] {
  const byID = new Map<number, PreparedEvent>();
  for (const { companyId: of, events, lastEventID } of written) {
    if (of !== companyId) continue;
    events.forEach((event, i) => void byID.set(lastEventID - events.length + 1 + i, event));
  }
  return [...byID].map(([id, event]) => ({ event, id })).toSorted((a, b) => a.id - b.id);
}
