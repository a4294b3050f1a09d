import { randomUUID } from 'node:crypto';
import type { CompanyId } from '../cti/ids.ts';
import { StoreUnavailable } from './errors.ts';
import type { RunScript } from './journal.ts';
import type { Keys } from './keys.ts';
import { COUNT, HELD, type WriteScript } from './redo-script.ts';
import { list, whole } from './reply.ts';

/** How long a write is remembered while Redis answers, ms; while it is away nothing grows old. */
const REMEMBERED_MS = 10_000;
/** Beyond either of these the oldest go, however young. */
const MOST_WRITES = 100_000;
const MOST_CHARS = 64 * 1024 * 1024;
/** Writes and characters that are under way together while it is made good. */
const AT_ONCE = 200;
const CHARS_AT_ONCE = 8 * 1024 * 1024;
/** That the memory is too small is told once in so long, ms. */
const TELL_AGAIN_MS = 60_000;

/** A script with what it is run on. */
export interface Write {
  readonly script: WriteScript;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** What was made good after Redis had lost something. */
export interface Redone {
  /** Writes that were done again. */
  readonly writes: number;
  /** Documents of live state that were stored anew, because they were older in Redis than in memory. */
  readonly held: number;
  /** More was lost than is remembered here. */
  readonly more: boolean;
}

/** What the redo log tells its owner. */
export interface RedoListener {
  /** A write could not be done again: Redis refused it. */
  onFault(error: Error): void;
  /** Writes younger than ten seconds had to be forgotten for want of room. Once a minute at most. */
  onCrowded(writes: number): void;
}

interface Remembered extends Write {
  at: number;
  readonly chars: number;
  readonly companyId: CompanyId;
  /** Its number among this process's writes in the company, as Redis counted; 0: never to be done again. */
  n: number;
  next?: Remembered;
}

interface Counted {
  /** The last write that is known to have been done. */
  newest: number;
  /** The last one that is not remembered any more. */
  forgotten: number;
}

/** What a part of the process holds in memory, as writes that store it where Redis has an older state of it. */
export type Holder = () => Iterable<Write>;

/**
 * The way in which everything is written that is no call, floor or event: each script is remembered for ten seconds and
 * done again, exactly once and in order, where Redis comes back without it.
 *
 * Redis counts the writes of each process in a company, in the script that writes. It loses whole scripts, and from the end
 * only (a file cut short, a replica that lagged), so its count after the loss tells which are missing: those with a higher
 * number. What other processes write meanwhile is between them and the script: see {@link writing}.
 */
export class RedoLog {
  readonly #redis: { run: RunScript; readonly healthy: boolean };
  readonly #keys: Keys;
  readonly #listener: RedoListener;
  readonly #now: () => number;
  /** Names this process in the names of its counts. */
  readonly #process = randomUUID();
  readonly #counted = new Map<CompanyId, Counted>();
  readonly #holders = new Map<CompanyId, Set<Holder>>();
  #oldest: Remembered | undefined;
  #newest: Remembered | undefined;
  #size = 0;
  #chars = 0;
  #crowded = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param now ms on a clock that nobody sets */
  constructor(
    redis: { run: RunScript; readonly healthy: boolean },
    keys: Keys,
    listener: RedoListener,
    now: () => number = () => performance.now(),
  ) {
    this.#redis = redis;
    this.#keys = keys;
    this.#listener = listener;
    this.#now = now;
  }

  /** Writes remembered. */
  get size(): number {
    return this.#size;
  }

  /**
   * Runs a script that writes.
   *
   * @param again what is done in its place where it is lost: for a script that chooses, one that does what was chosen
   * @returns the script's own answer
   * @throws {StoreUnavailable} nothing is known to have been written; {StoreFault} as with any script
   */
  async write(
    companyId: CompanyId,
    script: WriteScript,
    keys: readonly string[],
    args: readonly string[],
    again?: (answer: unknown) => Write,
  ): Promise<unknown> {
    const reply = await this.#redis.run(script, [...keys, this.#count(companyId)], [...args, '']);
    const [answer, n] = list(reply);
    if (script.wrote(answer)) this.#remember(companyId, whole(n), again?.(answer) ?? { script, keys, args });
    return answer;
  }

  /**
   * Names what a part of the process holds of a company. It is asked whenever Redis has lost anything, before anybody else
   * may use the connection, and must answer at once.
   *
   * @returns to be called when it is held no more
   */
  holding(companyId: CompanyId, holder: Holder): () => void {
    const holders = this.#holders.get(companyId) ?? new Set();
    this.#holders.set(companyId, holders.add(holder));
    return () => void holders.delete(holder);
  }

  /** Forgets everything: nothing is done again once the store is closed. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#size = 0;
    this.#chars = 0;
    this.#counted.clear();
    this.#holders.clear();
  }

  /** Does again what Redis has lost. @param run while nobody else may use the connection */
  async restore(run: RunScript): Promise<Redone> {
    const done = { writes: 0, held: 0, more: false };
    const now = this.#now();
    const remembered = this.#all();
    for (const [companyId, counted] of this.#counted) {
      const has = whole(await run(COUNT, [this.#count(companyId)], ['0']));
      if (has >= counted.newest) continue;
      done.more ||= has < counted.forgotten;
      const lost = remembered.filter((r) => r.companyId === companyId && r.n > has).toSorted((a, b) => a.n - b.n);
      done.writes += await this.#inOrder(
        run,
        lost.map(({ n, ...write }) => ({ ...write, place: String(n), companyId })),
      );
      const holders = [...(this.#holders.get(companyId) ?? [])];
      const held = holders.flatMap((holder) => [...holder()]);
      done.held += await this.#inOrder(
        run,
        held.map((write) => ({ ...write, place: HELD, companyId })),
      );
      await run(COUNT, [this.#count(companyId)], [String(counted.newest)]);
    }
    // What was done again may be lost again.
    for (const r of remembered) r.at = now;
    return done;
  }

  /** @returns how many of them have written something */
  async #inOrder(
    run: RunScript,
    writes: readonly (Write & { readonly companyId: CompanyId; readonly place: string })[],
  ): Promise<number> {
    let wrote = 0;
    for (const part of parts(writes)) {
      const answers = await Promise.allSettled(
        part.map((w) => run(w.script, [...w.keys, this.#count(w.companyId)], [...w.args, w.place])),
      );
      answers.forEach((answer, k) => {
        if (answer.status === 'rejected') this.#failed(answer.reason);
        else if (part[k]?.script.wrote(list(answer.value)[0])) wrote++;
      });
    }
    return wrote;
  }

  /** What is no outage concerns one write, and keeps the others from nothing. */
  #failed(error: unknown): void {
    if (error instanceof StoreUnavailable) throw error;
    this.#listener.onFault(error instanceof Error ? error : new Error(String(error)));
  }

  #remember(companyId: CompanyId, n: number, write: Write): void {
    if (this.#closed) return;
    this.#forget();
    const counted = this.#counted.get(companyId) ?? { newest: 0, forgotten: 0 };
    this.#counted.set(companyId, counted);
    if (n <= counted.forgotten) {
      // The count has begun anew, after a day without a write.
      counted.forgotten = 0;
      counted.newest = 0;
      for (const r of this.#all()) if (r.companyId === companyId) r.n = 0;
    }
    counted.newest = Math.max(counted.newest, n);
    const remembered: Remembered = { ...write, companyId, n, at: this.#now(), chars: charsOf(write) };
    if (this.#newest) this.#newest.next = remembered;
    else this.#oldest = remembered;
    this.#newest = remembered;
    this.#size++;
    this.#chars += remembered.chars;
    this.#forget();
    this.#forgetLater();
  }

  #forget(): void {
    const now = this.#now();
    for (let oldest = this.#oldest; oldest; oldest = this.#oldest) {
      const old = this.#redis.healthy && now - oldest.at >= REMEMBERED_MS;
      const full = this.#size > MOST_WRITES || this.#chars > MOST_CHARS;
      if (!old && !full) break;
      if (!old) this.#crowded++;
      const counted = this.#counted.get(oldest.companyId);
      if (counted) counted.forgotten = Math.max(counted.forgotten, oldest.n);
      this.#oldest = oldest.next;
      if (!oldest.next) this.#newest = undefined;
      this.#size--;
      this.#chars -= oldest.chars;
    }
    if (this.#crowded === 0 || now - this.#toldAt < TELL_AGAIN_MS) return;
    this.#listener.onCrowded(this.#crowded);
    this.#toldAt = now;
    this.#crowded = 0;
  }

  /** Where nothing more is written, what is remembered goes all the same. */
  #forgetLater(): void {
    if (this.#timer || this.#size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#forget();
      this.#forgetLater();
    }, REMEMBERED_MS / 4);
    this.#timer.unref();
  }

  #all(): Remembered[] {
    const all: Remembered[] = [];
    for (let r = this.#oldest; r; r = r.next) all.push(r);
    return all;
  }

  #count(companyId: CompanyId): string {
    return this.#keys.writes(companyId, this.#process);
  }
}

/**
 * Groups of what can be under way together. The first of each script goes alone: a Redis that does not know it yet asks for
 * it whole, and it would come after those that were sent behind it.
 */
function* parts<W extends Write>(writes: readonly W[]): Generator<readonly W[]> {
  const known = new Set<WriteScript>();
  let part: W[] = [];
  let chars = 0;
  for (const write of writes) {
    const first = !known.has(write.script);
    if (part.length > 0 && (first || part.length >= AT_ONCE || chars >= CHARS_AT_ONCE)) {
      yield part;
      part = [];
      chars = 0;
    }
    part.push(write);
    chars += charsOf(write);
    if (!first) continue;
    known.add(write.script);
    yield part;
    part = [];
    chars = 0;
  }
  if (part.length > 0) yield part;
}

function charsOf({ keys, args }: Write): number {
  let chars = 0;
  for (const key of keys) chars += key.length;
  for (const arg of args) chars += arg.length;
  return chars;
}
