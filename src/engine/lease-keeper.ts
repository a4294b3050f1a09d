import type { LeaseState, Member, Overview } from '../ports.ts';
import { LeaseGiver } from './lease-giver.ts';
import { type HeldShard, HURRY_MS, type LeaseKeeperDeps, type LeaseStats, type TakenHow } from './lease-host.ts';
import { evenOut, handAllOver, isCutOff, reaches, rescue, turnFor, wanted } from './share.ts';
import { Wakefulness } from './wakefulness.ts';

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
    givenCutOff: 0,
    takeOverSeconds: 0,
  };
  readonly #deps: LeaseKeeperDeps;
  readonly #giver: LeaseGiver;
  readonly #awake: Wakefulness;
  readonly #held = new Map<string, HeldShard>();
  /** Shards that are offered to us, by whom. */
  readonly #prepared = new Map<string, string>();
  /** Shards of ours from one who did not reach their node: what he had sent there may arrive when the network is back. */
  readonly #fromCutOff = new Map<string, string>();
  /** Shards of which another instance was seen to be the owner: taking one of these is a take-over. */
  readonly #others = new Set<string>();
  /** Free shards that are left to the others for a while, and since when. */
  readonly #spared = new Map<string, number>();
  #overview: Overview = { members: [], leases: [], draining: new Map() };
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #leaving = false;
  #closed = false;

  constructor(deps: LeaseKeeperDeps) {
    this.#deps = deps;
    this.#giver = new LeaseGiver({
      ...deps,
      held: this.#held,
      stats: this.stats,
      given: (shard) => this.#others.add(shard),
    });
    this.#awake = new Wakefulness({
      now: deps.now,
      leaseMs: deps.leaseMs,
      concerned: () => !this.#closed && this.#held.size > 0,
      onSlept: (ms) => {
        deps.log.warn('this process stood still for longer than its leases last', { ms: Math.round(ms) });
      },
      onUnsure: () => void this.#tick(),
    });
  }

  /** Begins; resolves after the first round, when what was free is being served. */
  async start(): Promise<void> {
    this.#awake.start();
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

  /** How everything stood when it was last looked at. */
  get overview(): Overview {
    return this.#overview;
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
   * Undefined while the leases are known to be ours. After a sleep of longer than a lease, or where Redis has not been
   * reached for so long, it is not: what is to be done to the calls, and the opening of an event socket, waits until this
   * resolves, or until the shard has been let go.
   */
  unsure(): Promise<void> | undefined {
    return this.#awake.unsure();
  }

  /** A commit was refused because another instance owns the shard. */
  fenced(shard: string): void {
    void this.#lose(shard);
  }

  /** Another client has taken over the event socket of a shard. */
  replaced(shard: string): void {
    const held = this.#held.get(shard);
    if (!held) return;
    if (!this.#giver.taken(shard, held)) void this.#robbed(shard, held);
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
      if (handAllOver(this.#overview, this.#deps.id, this.#nodeOf).length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, HURRY_MS));
    }
    return this.#held.size === 0;
  }

  /** Lets go of everything and gives the leases back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#awake.close();
    await this.#round;
    const { leases, host } = this.#deps;
    const held = [...this.#held];
    this.#held.clear();
    await Promise.all([...held.map(([shard]) => shard), ...this.#prepared.keys()].map((shard) => host.close(shard)));
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
    const givesUp = [...this.#held.values()].some((h) => h.offered?.cutOff);
    if (this.#prepared.size > 0 || givesUp) wait = HURRY_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), wait);
  }

  async #beat(): Promise<void> {
    const { leases, shards, isPassing, log } = this.#deps;
    const asked = new Map([...this.#held].map(([shard, { fence }]) => [shard, fence]));
    const began = this.#deps.now();
    try {
      this.#overview = await leases.beat(this.#says(), asked, shards);
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
    this.#awake.sure(began);
    this.#deps.onBeat?.();
    await this.#share();
  }

  /** What this sign of life tells of us. */
  #says(): Member['says'] {
    const { url, nodes, reach, host } = this.#deps;
    const [where, on, reached] = [url(), nodes?.(), reach?.()];
    const opened = [...this.#prepared.keys()].filter((shard) => host.stands(shard));
    return {
      ...(where !== undefined && { url: where }),
      leaving: this.#leaving,
      ...(on && { nodes: on }),
      ...(reached && { reach: reached }),
      ...(opened.length > 0 && { opened }),
    };
  }

  readonly #nodeOf = (shard: string): string | undefined => this.#deps.host.nodeOf(shard);

  async #share(): Promise<void> {
    const { id } = this.#deps;
    const overview = this.#overview;
    for (const lease of overview.leases) await this.#look(lease);
    this.#compareAgain();
    await this.#giver.follow(overview);
    if (this.#leaving) {
      for (const move of handAllOver(overview, id, this.#nodeOf)) await this.#giver.offer(move);
      return;
    }
    for (const move of rescue(overview, id, this.#nodeOf)) {
      // What was told of the node a moment ago may be over.
      if (!this.#deps.host.stands(move.shard)) await this.#giver.offer(move, true);
    }
    const free = wanted(overview, id).map((l) => l.shard);
    for (const shard of this.#spared.keys()) if (!free.includes(shard)) this.#spared.delete(shard);
    for (const shard of free) {
      if (this.#closed || this.#held.has(shard) || this.#spares(shard)) continue;
      this.#spared.delete(shard);
      await this.#acquire(shard);
    }
    const move = [...this.#held.values()].some((h) => h.offered) ? undefined : evenOut(overview, id, this.#nodeOf);
    if (move) await this.#giver.offer(move);
  }

  /** Once whoever was cut off reaches the node again, what he had sent has arrived or never will. */
  #compareAgain(): void {
    const { host } = this.#deps;
    for (const [shard, id] of this.#fromCutOff) {
      const giver = this.#overview.members.find((m) => m.id === id);
      const back = giver && reaches(giver, host.nodeOf(shard));
      if (giver && !back && this.#held.has(shard)) continue;
      this.#fromCutOff.delete(shard);
      if (back && this.#held.has(shard)) host.compare(shard);
    }
  }

  /** Whether a free shard is left to the others for now; where none of them takes it, it is taken later. */
  #spares(shard: string): boolean {
    const { id, host, now, leaseMs } = this.#deps;
    const mine = [...this.#held.keys()].filter((s) => host.hasSocket(s)).length;
    const turn = turnFor(this.#overview, id, shard, mine, this.#nodeOf);
    const since = this.#spared.get(shard);
    if (since === undefined) this.#spared.set(shard, now());
    if (turn === 'lease') return since === undefined || now() - since < leaseMs;
    return turn === 'next-round' && since === undefined;
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
      this.#prepared.set(shard, owner ?? '');
      host.prepare(shard);
    } else if (owner !== undefined && this.#prepared.delete(shard)) {
      await host.close(shard);
    }
  }

  async #acquire(shard: string): Promise<void> {
    const { leases, host, log, isPassing, now } = this.#deps;
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
    const giver = this.#overview.members.find((m) => m.id === this.#prepared.get(shard));
    if (how === 'taken-over' && giver && isCutOff(giver, host.nodeOf(shard))) this.#fromCutOff.set(shard, giver.id);
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

  /** Whoever has our socket has no lease, or ours has gone: the lease decides. */
  async #robbed(shard: string, held: HeldShard): Promise<void> {
    const { host, log, now } = this.#deps;
    const { robbed } = held;
    if (now() - robbed.at > 2 * ROBBED_MS.longest) robbed.times = 0;
    const wait = Math.min(ROBBED_MS.longest, ROBBED_MS.first * 2 ** robbed.times);
    held.robbed = { times: robbed.times + 1, at: now() };
    // A round that is under way may have asked before; the next one has not.
    await this.#round;
    await this.#tick();
    // Where Redis cannot be asked, whoever has it may be the owner by now.
    await this.unsure();
    if (this.#held.get(shard) !== held || this.#closed) return;
    log.warn('another client took the event socket, though the shard is this instance’s', { shard, againInMs: wait });
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.#held.get(shard) === held && !this.#closed) host.reopen(shard);
  }
}
