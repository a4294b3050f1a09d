import type { Overview } from '../ports.ts';
import { type HeldShard, HURRY_MS, type LeaseKeeperDeps, type LeaseStats, type Offer } from './lease-host.ts';
import type { Move } from './share.ts';

/** What giving away needs besides what keeping needs. */
export interface LeaseGiverDeps
  extends Pick<LeaseKeeperDeps, 'leases' | 'host' | 'now' | 'leaseMs' | 'isPassing' | 'log'> {
  /** The shards that are ours. */
  readonly held: Map<string, HeldShard>;
  readonly stats: LeaseStats;
  /** A shard that goes is another instance's from now on. */
  readonly given: (shard: string) => void;
}

/**
 * Gives shards away in order: offered first, so that the next owner can open the socket; given once he has taken it, or,
 * where there is no socket, once he has had the time to look out for it. An owner who does not reach the node cannot hear
 * that his socket was taken: the next owner tells so in his signs of life.
 */
export class LeaseGiver {
  readonly #deps: LeaseGiverDeps;

  constructor(deps: LeaseGiverDeps) {
    this.#deps = deps;
  }

  /** Offers a shard of ours to another instance. @param cutOff because its node is not reached from here */
  async offer({ shard, to }: Move, cutOff = false): Promise<void> {
    const { leases, now, log } = this.#deps;
    const held = this.#deps.held.get(shard);
    if (!held || held.giving || held.offered) return;
    await this.#passing(shard, async () => {
      if (!(await leases.offer(shard, held.fence, to))) return;
      held.offered = { to, at: now(), cutOff };
      if (cutOff)
        log.warn('the node is not reached from here: its shard is offered to one who reaches it', { shard, to });
    });
  }

  /** Looks what has become of the offers. */
  async follow(overview: Overview): Promise<void> {
    for (const [shard, held] of [...this.#deps.held]) {
      const { offered } = held;
      if (offered && !held.giving) await this.#passing(shard, () => this.#follow(shard, held, offered, overview));
    }
  }

  async #follow(shard: string, held: HeldShard, { to, at, cutOff }: Offer, overview: Overview): Promise<void> {
    const { host, now, leaseMs, log } = this.#deps;
    const waited = now() - at;
    const deaf = host.hasSocket(shard) && !host.stands(shard);
    const heir = overview.members.find((m) => m.id === to);
    // Where there is no socket to be taken over, the other one has had the time to look out for it.
    if (!host.hasSocket(shard) && waited > leaseMs / 3 + HURRY_MS) {
      held.giving = this.#give(shard, held, to);
    } else if (deaf && heir?.says.opened?.includes(shard)) {
      held.giving = this.#giveUp(shard, held, to);
    } else if (cutOff && !deaf) {
      await this.#withdraw(shard, held);
      log.info('the node is reached again before its shard was given away', { shard, to });
    } else if (waited > 3 * leaseMs || (cutOff && !heir)) {
      await this.#withdraw(shard, held);
      log.warn('the instance that was to have the shard did not take it', { shard, to });
    }
  }

  async #withdraw(shard: string, held: HeldShard): Promise<void> {
    await this.#deps.leases.offer(shard, held.fence, undefined);
    delete held.offered;
  }

  async #passing(shard: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#deps.isPassing(error)) this.#deps.log.warn('the shard could not be offered', { err: error, shard });
    }
  }

  /** The instance to which a shard was offered has taken its socket. @returns false where it was offered to nobody */
  taken(shard: string, held: HeldShard): boolean {
    if (!held.offered) return false;
    held.giving ??= this.#give(shard, held, held.offered.to);
    return true;
  }

  async #give(shard: string, held: HeldShard, to: string): Promise<void> {
    await held.begun;
    const done = await this.#deps.host.settle(shard, false);
    // What has not been finished the next owner finds out as after a death.
    await this.#letGo(shard, held, to, done);
  }

  /** The node is out of reach, and with it what was asked of it: nobody here knows what has become of that. */
  async #giveUp(shard: string, held: HeldShard, to: string): Promise<void> {
    await this.#deps.host.settle(shard, true);
    if (await this.#letGo(shard, held, to, false)) this.#deps.stats.givenCutOff += 1;
  }

  /** @param done everything that was begun here is finished. @returns whether it was given */
  async #letGo(shard: string, held: HeldShard, to: string, done: boolean): Promise<boolean> {
    const { leases, host, log, stats } = this.#deps;
    if (this.#deps.held.get(shard) !== held) return false;
    this.#deps.held.delete(shard);
    const closed = host.close(shard);
    this.#deps.given(shard);
    let given = false;
    try {
      given = await leases.give(shard, held.fence, done ? to : undefined);
      stats.givenAway += 1;
      log.info('the shard was handed over', { shard, to });
    } catch (error) {
      // The lease runs out by itself then.
      log.warn('the shard’s lease could not be handed over', { err: error, shard });
    }
    await closed;
    return given;
  }
}
