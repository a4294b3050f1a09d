import { randomOf } from '../support/random.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';

/** Rounds that are made in one world, since a node's shards are not changed while calls live. */
export interface Part {
  readonly shards: 1 | 2;
  readonly faults: readonly Fault[];
}

/** The faults of a run: every one once before any comes again, in an order of the seed's choosing. */
export function faultsOf(seed: number, rounds: number, from: readonly Fault[] = FAULTS): Fault[] {
  const random = randomOf(seed);
  const faults: Fault[] = [];
  while (faults.length < rounds) faults.push(...random.shuffle(from));
  return faults.slice(0, rounds);
}

/** The same in two worlds, one shard and two, half of the rounds each; a fault that comes twice comes in both. */
export function partsOf(faults: readonly Fault[]): Part[] {
  const seen = new Map<Fault, number>();
  const shardsOf = (fault: Fault, i: number): 1 | 2 => {
    const first = seen.get(fault) ?? i % 2;
    seen.set(fault, first + 1);
    return first % 2 === 0 ? 1 : 2;
  };
  const planned = faults.map((fault, i) => ({ fault, shards: shardsOf(fault, i) }));
  return ([1, 2] as const)
    .map((shards) => ({ shards, faults: planned.filter((p) => p.shards === shards).map((p) => p.fault) }))
    .filter((part) => part.faults.length > 0);
}

/** @throws Error naming those that there are, where a name is none of them */
export function named(names: readonly string[]): readonly Fault[] {
  return names.map((name) => {
    const found = FAULTS.find((f) => f.name === name);
    if (!found) throw new Error(`no fault is called '${name}': ${FAULTS.map((f) => f.name).join('; ')}`);
    return found;
  });
}
