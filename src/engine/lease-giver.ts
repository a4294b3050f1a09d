import { type HeldShard, HURRY_MS, type LeaseKeeperDeps, type LeaseStats } from './lease-host.ts';
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
 * where there is no socket, once he has had the time to look out for it.
 */
export class LeaseGiver {
  readonly #deps: LeaseGiverDeps;

  constructor(deps: LeaseGiverDeps) {
    this.#deps = deps;
  }

  /** Offers a shard of ours to another instance, or looks what has become of the offer. */
  async offer({ shard, to }: Move): Promise<void> {
    const { leases, host, now, leaseMs, isPassing, log } = this.#deps;
    const held = this.#deps.held.get(shard);
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

  /** The instance to which a shard was offered has taken its socket. @returns false where it was offered to nobody */
  taken(shard: string, held: HeldShard): boolean {
    if (!held.offered) return false;
    held.giving ??= this.#give(shard, held, held.offered.to);
    return true;
  }

  async #give(shard: string, held: HeldShard, to: string): Promise<void> {
    const { leases, host, log, stats } = this.#deps;
    await held.begun;
    const done = await host.settle(shard);
    if (this.#deps.held.get(shard) !== held) return;
    this.#deps.held.delete(shard);
    const closed = host.close(shard);
    this.#deps.given(shard);
    try {
      // What has not been finished the next owner finds out as after a death.
      await leases.give(shard, held.fence, done ? to : undefined);
      stats.givenAway += 1;
      log.info('the shard was handed over', { shard, to });
    } catch (error) {
      // The lease runs out by itself then.
      log.warn('the shard’s lease could not be handed over', { err: error, shard });
    }
    await closed;
  }
}
