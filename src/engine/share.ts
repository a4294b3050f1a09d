import type { LeaseState, Member, Overview } from '../ports.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';

/** How the shards are shared among the instances. Pure: from what one sign of life has told. */

/** A shard that is to go to another instance. */
export interface Move {
  readonly shard: string;
  readonly to: string;
}

/** The node of a shard; undefined for the agents' one, which has none. */
export type NodeOf = (shard: string) => string | undefined;

/**
 * When this instance should ask for a free shard: `now`; in the `next-round`, where nobody else has taken it by then; or
 * after the time of a `lease`.
 */
export type Turn = 'now' | 'next-round' | 'lease';

/** Shards of calls, which are what is shared evenly; the agents' one goes with whoever has it. */
const counted = (leases: readonly LeaseState[]): LeaseState[] => leases.filter((l) => l.shard !== FLOOR_SHARD);

const heldBy = (leases: readonly LeaseState[], id: string): number =>
  counted(leases).filter((l) => l.owner === id).length;

const staying = (members: readonly Member[]): Member[] => members.filter((m) => !m.says.leaving);

const reachOf = ({ says }: Member, node: string | undefined) => (node === undefined ? undefined : says.reach?.[node]);

/** It says that it reaches the node. */
export const reaches = (member: Member, node: string | undefined): boolean => {
  const reach = reachOf(member, node);
  return reach === 'steady' || reach === 'back';
};

/** It says that it does not, and has not for the time of a lease. */
export const isCutOff = (member: Member, node: string | undefined): boolean => reachOf(member, node) === 'cut';

/** It says that it does not reach the node, or not yet; one that says nothing is taken at its best. */
const misses = (member: Member, node: string | undefined): boolean => {
  const reach = reachOf(member, node);
  return reach === 'cut' || reach === 'unsure';
};

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

/**
 * When this instance should ask for a free shard. One that does not reach the shard's node leaves it to those who do; what
 * is over the fair share of those who may have it is left to the others.
 *
 * @param me id of this instance
 * @param held shards of calls that it holds by now
 */
export function turnFor({ members, leases }: Overview, me: string, shard: string, held: number, nodeOf: NodeOf): Turn {
  if (shard === FLOOR_SHARD) return 'now';
  const node = nodeOf(shard);
  const here = members.find((m) => m.id === me);
  const others = staying(members).filter((m) => m.id !== me);
  if (here && misses(here, node) && others.some((m) => reaches(m, node))) return 'lease';
  const able = 1 + others.filter((m) => !misses(m, node)).length;
  return held >= Math.ceil(counted(leases).length / able) ? 'next-round' : 'now';
}

/**
 * Shards of this instance whose node it has not reached for the time of a lease, while another one does: where each should
 * go. Empty where nobody reaches the node.
 *
 * @param me id of this instance
 */
export function rescue({ members, leases }: Overview, me: string, nodeOf: NodeOf): Move[] {
  const here = members.find((m) => m.id === me);
  const load = loadOfOthers({ members, leases }, me);
  const moves: Move[] = [];
  for (const { shard, owner } of counted(leases)) {
    const node = nodeOf(shard);
    if (owner !== me || !here || !isCutOff(here, node)) continue;
    const [heir] = load.filter(({ member }) => reaches(member, node)).sort((a, b) => a.held - b.held);
    if (!heir) continue;
    heir.held += 1;
    moves.push({ shard, to: heir.member.id });
  }
  return moves;
}

/**
 * One shard that this instance should give away so that all have the same; undefined while the shares are as even as they
 * can be. One that has just lost a shard's node, or has not had it back for long, is not given it.
 */
export function evenOut({ members, leases }: Overview, me: string, nodeOf: NodeOf): Move | undefined {
  const mine = counted(leases).filter((l) => l.owner === me);
  const poorestFirst = loadOfOthers({ members, leases }, me).sort((a, b) => a.held - b.held);
  for (const { member, held } of poorestFirst) {
    // A difference of one stays: moving it would only turn it round.
    if (mine.length - held < 2) return undefined;
    const may = ({ shard }: LeaseState): boolean => (reachOf(member, nodeOf(shard)) ?? 'steady') === 'steady';
    const fit = mine.find(may);
    if (fit) return { shard: fit.shard, to: member.id };
  }
  return undefined;
}

/**
 * Where everything goes that an instance holds that is about to end; empty where nobody is there to take it. Those who do
 * not reach a shard's node have it last.
 */
export function handAllOver(overview: Overview, me: string, nodeOf: NodeOf): Move[] {
  const load = loadOfOthers(overview, me);
  return overview.leases
    .filter((l) => l.owner === me)
    .flatMap(({ shard }) => {
      const last = ({ member }: Load): number => Number(misses(member, nodeOf(shard)));
      const [heir] = [...load].sort((a, b) => last(a) - last(b) || a.held - b.held);
      if (!heir) return [];
      heir.held += 1;
      return { shard, to: heir.member.id };
    });
}

interface Load {
  readonly member: Member;
  held: number;
}

/** The others who stay, with how many shards of calls each holds. */
const loadOfOthers = ({ members, leases }: Pick<Overview, 'members' | 'leases'>, me: string): Load[] =>
  staying(members)
    .filter((m) => m.id !== me)
    .map((member) => ({ member, held: heldBy(leases, member.id) }));
