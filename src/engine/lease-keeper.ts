import type { LeaseState, Leases, Member, Overview } from '../ports.ts';
import { evenOut, fairShare, handAllOver, type Move, wanted } from './share.ts';

/** What a shard needs of whoever runs it. */
export interface ShardHost {
  /** It has an event socket, so that its taking over can be seen. */
  hasSocket(shard: string): boolean;
  /** The shard is to come from another instance: opens its socket, and holds back what comes on it until `begin`. */
  prepare(shard: string): void;
  /**
   * The shard is ours: takes up its calls, opens its socket if need be. Resolves once it serves, or will by itself.
   *
   * @param how `handed-over`: its owner has finished everything that he had begun
   */
  begin(shard: string, fence: number, how: TakenHow): Promise<void>;
  /** Another client has taken over the socket, though the shard is ours: opens it again. */
  reopen(shard: string): void;
  /** The shard is to go: nothing new is taken. @returns whether everything that had come is done; false after a while */
  settle(shard: string): Promise<boolean>;
  /** Lets go of the shard; nothing is sent from here on. */
  close(shard: string): Promise<void>;
}

export interface LeaseLog {
  info(what: string, details: Readonly<Record<string, unknown>>): void;
  warn(what: string, details: Readonly<Record<string, unknown>>): void;
}

export interface LeaseKeeperDeps {
  readonly leases: Leases;
  readonly host: ShardHost;
  /** All shards that there are. */
  readonly shards: readonly string[];
  /** Of this process. */
  readonly id: string;
  /** Where other instances reach this one. */
  readonly url: () => string | undefined;
  /** How long a lease lasts without a sign of life. */
  readonly leaseMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: LeaseLog;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
}

/** How a shard came here. */
export type TakenHow = 'free' | 'taken-over' | 'handed-over';

/** What the keeper counts. */
export interface LeaseStats {
  renewals: number;
  failures: number;
  lost: number;
  readonly taken: Record<TakenHow, number>;
  givenAway: number;
  /** Seconds from a lease being ours to its shard serving, of all take-overs together. */
  takeOverSeconds: number;
}

/** A shard that is ours. */
interface Held {
  readonly fence: number;
  /** Ends when the shard serves. */
  readonly begun: Promise<void>;
  offered?: { readonly to: string; readonly at: number };
  giving?: Promise<void>;
  /** How often its socket has been taken by somebody without a lease, and when last. */
  robbed: { times: number; at: number };
}

/** While a shard is on its way here, its lease is looked at so often, ms. */
const HURRY_MS = 50;
/** After a socket was taken by somebody without a lease: the first wait, and the longest, ms. */
const ROBBED_MS = { first: 250, longest: 30_000 };
/** Wait before a shard that could not be begun is tried again, ms. */
const AGAIN_MS = 250;

/**
 * Keeps the leases of the shards: takes those that are free up to a fair share, renews what it holds with one sign of life
 * a third of the lease's time, lets go of what another has taken, and gives away in order what another is to have.
 *
 * An order of its own for a shard that is given away, so that no event is lost: its new owner opens the socket, and what
 * comes on it waits; that takes the socket from the old owner, who finishes what he has heard before and then gives the
 * lease; the new owner loads the calls, compares them with Asterisk, and goes on with what has waited.
 */
export class LeaseKeeper {
  readonly stats: LeaseStats = {
    renewals: 0,
    failures: 0,
    lost: 0,
    taken: { free: 0, 'taken-over': 0, 'handed-over': 0 },
    givenAway: 0,
    takeOverSeconds: 0,
  };
  readonly #deps: LeaseKeeperDeps;
  readonly #held = new Map<string, Held>();
  readonly #prepared = new Set<string>();
  /** Shards of which another instance was seen to be the owner: taking one of these is a take-over. */
  readonly #others = new Set<string>();
  /** Free shards over the fair share, left to the others for one round. */
  readonly #spared = new Set<string>();
  #overview: Overview = { members: [], leases: [] };
  #timer: NodeJS.Timeout | undefined;
  #alive: NodeJS.Timeout | undefined;
  #aliveAt: number;
  #round: Promise<void> | undefined;
  #unsure: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #leaving = false;
  #closed = false;

  constructor(deps: LeaseKeeperDeps) {
    this.#deps = deps;
    this.#aliveAt = deps.now();
  }

  /** Begins; resolves after the first round, when what was free is being served. */
  async start(): Promise<void> {
    const { leaseMs } = this.#deps;
    this.#aliveAt = this.#deps.now();
    this.#alive = setInterval(() => this.#isAwake(), leaseMs / 6);
    await this.#tick();
    await Promise.all([...this.#held.values()].map((h) => h.begun));
  }

  /** All shards that there are. */
  get shards(): readonly string[] {
    return this.#deps.shards;
  }

  /** Shards that are ours. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  holds(shard: string): boolean {
    return this.#held.has(shard);
  }

  /** All instances that give signs of life, this one included. */
  get members(): readonly Member[] {
    return this.#overview.members;
  }

  /** Who holds a shard, as far as the last sign of life told. */
  ownerOf(shard: string): Member | undefined {
    const owner = this.#overview.leases.find((l) => l.shard === shard)?.owner;
    return this.#overview.members.find((m) => m.id === owner);
  }

  /** Looks now how everything stands. */
  refresh(): Promise<void> {
    return this.#tick();
  }

  /**
   * Undefined while the leases are known to be ours. After a sleep of longer than a lease it is not: what is to be done to
   * the calls waits until this resolves, or until the shard has been let go.
   */
  unsure(): Promise<void> | undefined {
    this.#isAwake();
    return this.#unsure?.promise;
  }

  /** A commit was refused because another instance owns the shard. */
  fenced(shard: string): void {
    void this.#lose(shard);
  }

  /** Another client has taken over the event socket of a shard. */
  replaced(shard: string): void {
    const held = this.#held.get(shard);
    if (!held) return;
    if (held.offered) {
      held.giving ??= this.#give(shard, held, held.offered.to);
      return;
    }
    void this.#robbed(shard, held);
  }

  /**
   * Gives everything away to those who stay. Live calls go on there.
   *
   * @param deadlineMs after so long it is given up
   * @returns whether nothing is left here; false where nobody was there to take it
   */
  async handOver(deadlineMs: number): Promise<boolean> {
    this.#leaving = true;
    const until = this.#deps.now() + deadlineMs;
    while (this.#held.size > 0 && this.#deps.now() < until && !this.#closed) {
      await this.#tick();
      if (handAllOver(this.#overview, this.#deps.id).length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, HURRY_MS));
    }
    return this.#held.size === 0;
  }

  /** Lets go of everything and gives the leases back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#alive);
    this.#unsure?.resolve();
    await this.#round;
    const { leases, host } = this.#deps;
    const held = [...this.#held];
    this.#held.clear();
    await Promise.all([...held.map(([shard]) => shard), ...this.#prepared].map((shard) => host.close(shard)));
    this.#prepared.clear();
    const given = [...held.map(([shard, { fence }]) => leases.give(shard, fence)), leases.leave()];
    // While Redis is away the leases run out by themselves.
    await Promise.allSettled(given);
  }

  // ── rounds ────────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): Promise<void> {
    this.#round ??= this.#beat().finally(() => {
      this.#round = undefined;
      this.#next();
    });
    return this.#round;
  }

  #next(): void {
    if (this.#closed) return;
    const { leaseMs, id } = this.#deps;
    let wait = leaseMs / 3;
    // A lease that runs out is taken at once.
    for (const l of this.#overview.leases) if (l.owner !== id && l.freeInMs > 0) wait = Math.min(wait, l.freeInMs + 5);
    if (this.#prepared.size > 0) wait = HURRY_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), wait);
  }

  async #beat(): Promise<void> {
    const { leases, shards, url, isPassing, log } = this.#deps;
    const asked = new Map([...this.#held].map(([shard, { fence }]) => [shard, fence]));
    const where = url();
    try {
      this.#overview = await leases.beat(
        { ...(where !== undefined && { url: where }), leaving: this.#leaving },
        asked,
        shards,
      );
    } catch (error) {
      this.stats.failures += asked.size;
      // Redis is away: nobody else can take a lease either. What is ours stays ours until somebody has.
      if (!isPassing(error)) log.warn('the leases could not be renewed', { err: error });
      return;
    }
    if (this.#closed) return;
    for (const { shard, kept } of this.#overview.leases) {
      const fence = asked.get(shard);
      if (fence === undefined || this.#held.get(shard)?.fence !== fence) continue;
      if (kept) this.stats.renewals += 1;
      else void this.#lose(shard);
    }
    this.#unsure?.resolve();
    this.#unsure = undefined;
    await this.#share();
  }

  async #share(): Promise<void> {
    const { id } = this.#deps;
    const overview = this.#overview;
    const fair = fairShare(overview);
    const mine = () => [...this.#held.keys()].filter((s) => this.#deps.host.hasSocket(s)).length;
    for (const lease of overview.leases) await this.#look(lease);
    for (const [shard, { offered }] of [...this.#held]) if (offered) await this.#offer({ shard, to: offered.to });
    if (this.#leaving) {
      for (const move of handAllOver(overview, id)) await this.#offer(move);
      return;
    }
    for (const { shard } of wanted(overview, id)) {
      if (this.#closed || this.#held.has(shard)) continue;
      // What is over the fair share is left to the others; where none of them takes it, it is taken in the next round.
      const over = this.#deps.host.hasSocket(shard) && mine() >= fair && !this.#spared.delete(shard);
      if (over) this.#spared.add(shard);
      else await this.#acquire(shard);
    }
    const move = [...this.#held.values()].some((h) => h.offered) ? undefined : evenOut(overview, id);
    if (move) await this.#offer(move);
  }

  /** What one lease tells: that it is on its way here, or is no more. */
  async #look({ shard, owner, to }: LeaseState): Promise<void> {
    const { id, host } = this.#deps;
    if (owner !== undefined && owner !== id) this.#others.add(shard);
    if (this.#held.has(shard)) return;
    if (owner === id) {
      await this.#acquire(shard);
    } else if (to === id && !this.#leaving) {
      if (this.#prepared.has(shard)) return;
      this.#prepared.add(shard);
      host.prepare(shard);
    } else if (owner !== undefined && this.#prepared.delete(shard)) {
      await host.close(shard);
    }
  }

  async #acquire(shard: string): Promise<void> {
    const { leases, log, isPassing, now } = this.#deps;
    const given = this.#overview.leases.find((l) => l.shard === shard)?.owner !== undefined;
    const how: TakenHow = given ? 'handed-over' : this.#others.has(shard) ? 'taken-over' : 'free';
    let fence: number;
    try {
      const answer = await leases.acquire(shard);
      if (answer.outcome === 'taken') return;
      fence = answer.fence;
    } catch (error) {
      if (!isPassing(error)) log.warn('a lease could not be taken', { err: error, shard });
      return;
    }
    if (this.#closed) {
      await leases.give(shard, fence).catch(() => false);
      return;
    }
    const at = now();
    this.#others.delete(shard);
    this.#prepared.delete(shard);
    log.info('this instance owns the shard', { shard, how });
    const begun = this.#begin(shard, fence, how).then(() => {
      if (this.#held.get(shard)?.fence !== fence) return;
      const seconds = (now() - at) / 1000;
      this.stats.taken[how] += 1;
      this.stats.takeOverSeconds += seconds;
      log.info('the shard is served', { shard, how, seconds });
    });
    this.#held.set(shard, { fence, begun, robbed: { times: 0, at: 0 } });
  }

  async #begin(shard: string, fence: number, how: TakenHow): Promise<void> {
    const { host, log, isPassing } = this.#deps;
    // The lease is noted before anything else happens.
    await Promise.resolve();
    while (this.#held.get(shard)?.fence === fence && !this.#closed) {
      try {
        await host.begin(shard, fence, how);
        return;
      } catch (error) {
        if (!isPassing(error)) log.warn('the shard could not be taken up', { err: error, shard });
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  // ── letting go ────────────────────────────────────────────────────────────────────────────────────────────────

  async #lose(shard: string): Promise<void> {
    const { host, log } = this.#deps;
    if (!this.#held.delete(shard)) return;
    this.stats.lost += 1;
    log.warn('another instance owns the shard: letting go', { shard });
    await host.close(shard);
  }

  async #offer({ shard, to }: Move): Promise<void> {
    const { leases, host, now, leaseMs, isPassing, log } = this.#deps;
    const held = this.#held.get(shard);
    if (!held || held.giving) return;
    try {
      if (!held.offered) {
        if (await leases.offer(shard, held.fence, to)) held.offered = { to, at: now() };
        return;
      }
      const waited = now() - held.offered.at;
      // Where there is no socket to be taken over, the other one has had the time to look out for it.
      if (!host.hasSocket(shard) && waited > leaseMs / 3 + HURRY_MS) {
        held.giving = this.#give(shard, held, held.offered.to);
      } else if (waited > 3 * leaseMs) {
        await leases.offer(shard, held.fence, undefined);
        delete held.offered;
        log.warn('the instance that was to have the shard did not take it', { shard, to });
      }
    } catch (error) {
      if (!isPassing(error)) log.warn('the shard could not be offered', { err: error, shard });
    }
  }

  async #give(shard: string, held: Held, to: string): Promise<void> {
    const { leases, host, log } = this.#deps;
    await held.begun;
    const done = await host.settle(shard);
    if (this.#held.get(shard) !== held) return;
    this.#held.delete(shard);
    const closed = host.close(shard);
    this.#others.add(shard);
    try {
      // What has not been finished the next owner finds out as after a death.
      await leases.give(shard, held.fence, done ? to : undefined);
      this.stats.givenAway += 1;
      log.info('the shard was handed over', { shard, to });
    } catch (error) {
      // The lease runs out by itself then.
      log.warn('the shard’s lease could not be handed over', { err: error, shard });
    }
    await closed;
  }

  /** Whoever has our socket has no lease, or ours has gone: the lease decides. */
  async #robbed(shard: string, held: Held): Promise<void> {
    const { host, log, now } = this.#deps;
    const { robbed } = held;
    if (now() - robbed.at > 2 * ROBBED_MS.longest) robbed.times = 0;
    const wait = Math.min(ROBBED_MS.longest, ROBBED_MS.first * 2 ** robbed.times);
    held.robbed = { times: robbed.times + 1, at: now() };
    // A round that is under way may have asked before; the next one has not.
    await this.#round;
    await this.#tick();
    if (this.#held.get(shard) !== held) return;
    log.warn('another client took the event socket, though the shard is this instance’s', { shard, againInMs: wait });
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.#held.get(shard) === held && !this.#closed) host.reopen(shard);
  }

  /** A process that was stopped, or held up, for longer than a lease cannot know what it still owns. */
  #isAwake(): void {
    const now = this.#deps.now();
    const slept = now - this.#aliveAt;
    this.#aliveAt = now;
    if (slept < this.#deps.leaseMs || this.#unsure || this.#closed || this.#held.size === 0) return;
    this.#deps.log.warn('this process stood still for longer than its leases last', { ms: Math.round(slept) });
    let resolve = (): void => undefined;
    const promise = new Promise<void>((r) => {
      resolve = r;
    });
    this.#unsure = { promise, resolve };
    void this.#tick();
  }
}
