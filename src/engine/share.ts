import type { LeaseState, Member, Overview } from '../ports.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';

/** How the shards are shared among the instances. Pure: from what one sign of life has told. */

/** A shard that is to go to another instance. */
export interface Move {
  readonly shard: string;
  readonly to: string;
}

/** Shards of calls, which are what is shared evenly; the agents' one goes with whoever has it. */
const counted = (leases: readonly LeaseState[]): LeaseState[] => leases.filter((l) => l.shard !== FLOOR_SHARD);

const heldBy = (leases: readonly LeaseState[], id: string): number =>
  counted(leases).filter((l) => l.owner === id).length;

const staying = (members: readonly Member[]): Member[] => members.filter((m) => !m.says.leaving);

/** What each of those who stay should hold at most. */
export function fairShare({ members, leases }: Overview): number {
  return Math.ceil(counted(leases).length / Math.max(1, staying(members).length));
}

/**
 * Free shards in the order in which this instance should ask for them: each instance begins at a place of its own, so that
 * several that start together do not all ask for the same one.
 *
 * @param me id of this instance
 */
export function wanted(overview: Overview, me: string): LeaseState[] {
  const { members, leases } = overview;
  const ids = staying(members)
    .map((m) => m.id)
    .sort();
  const place = Math.max(0, ids.indexOf(me));
  const from = Math.floor((place * leases.length) / Math.max(1, ids.length));
  return [...leases.slice(from), ...leases.slice(0, from)].filter((l) => l.owner === undefined);
}

/** One shard that this instance should give away so that all have the same; undefined while the shares are even. */
export function evenOut(overview: Overview, me: string): Move | undefined {
  const { members, leases } = overview;
  const mine = counted(leases).filter((l) => l.owner === me);
  const [poorest] = staying(members)
    .filter((m) => m.id !== me)
    .sort((a, b) => heldBy(leases, a.id) - heldBy(leases, b.id));
  const [shard] = mine;
  // A difference of one stays: moving it would only turn it round.
  if (!poorest || !shard || mine.length - heldBy(leases, poorest.id) < 2) return undefined;
  return { shard: shard.shard, to: poorest.id };
}

/** Where everything goes that an instance holds that is about to end; empty where nobody is there to take it. */
export function handAllOver(overview: Overview, me: string): Move[] {
  const { members, leases } = overview;
  const load = new Map(
    staying(members)
      .filter((m) => m.id !== me)
      .map((m) => [m.id, heldBy(leases, m.id)]),
  );
  if (load.size === 0) return [];
  return leases
    .filter((l) => l.owner === me)
    .map(({ shard }) => {
      const [to = '', held = 0] = [...load].sort((a, b) => a[1] - b[1])[0] ?? [];
      load.set(to, held + 1);
      return { shard, to };
    });
}
