import { parseArgs } from 'node:util';

/** What a run of the benchmark does. */
export interface BenchOptions {
  /** Calls of one round. */
  readonly calls: number;
  /** Calls at once within a round. */
  readonly concurrency: number;
  /** Counted rounds of each contestant; medians are taken over them. */
  readonly rounds: number;
  /** Calls of a contestant before the first counted round. */
  readonly warmUp: number;
  /** Calls of one round that measures the way from Asterisk's event to the subscriber. */
  readonly eventCalls: number;
  /** Calls that begin each second in such a round. */
  readonly rate: number;
  /** Offset of the lab's ports; undefined: the first of a few that is free. */
  readonly offset: number | undefined;
  readonly only: readonly string[] | undefined;
  /** Another checkout of this repository: its Ringmaster runs as one more contestant. */
  readonly baseline: string | undefined;
  /** Folder for a CPU profile of Ringmaster. */
  readonly profile: string | undefined;
}

export const USAGE = `bench [--calls N] [--concurrency N] [--rounds N] [--rate N] [--quick] [--only a,b] [--profile FOLDER]
      [--baseline FOLDER] [--offset N]
  --calls        two-leg calls per round and contestant, 10 to 5000 (400)
  --concurrency  of them at once, 1 to 100 (8)
  --rounds       counted rounds, 5 to 50 (5)
  --rate         calls begun each second while the way of an event is measured, 1 to 100 (40)
  --quick        100 calls a round, and shorter measurements of the rest
  --only         contestants to run: ringmaster, ari-client, undici-ws, ami (all)
  --profile      write a CPU profile of Ringmaster into this folder
  --baseline     another checkout: its Ringmaster is measured too, to see what a change does
  --offset       of the lab's ports (the first that is free of 500, 600, 800, 900)`;

/** The command line said something that it cannot mean. */
export class UsageError extends Error {}

/** @returns undefined where only help was asked for @throws UsageError */
export function benchOptions(args: readonly string[]): BenchOptions | undefined {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        calls: { type: 'string' },
        concurrency: { type: 'string' },
        rounds: { type: 'string' },
        rate: { type: 'string' },
        quick: { type: 'boolean' },
        only: { type: 'string' },
        profile: { type: 'string' },
        baseline: { type: 'string' },
        offset: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  if (values['help']) return undefined;
  const quick = values['quick'] === true;
  const number = (name: string, least: number, most: number, otherwise: number): number => {
    const given = values[name];
    if (given === undefined) return otherwise;
    const value = Number(given);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new UsageError(`--${name} is a whole number from ${least} to ${most}`);
    }
    return value;
  };
  const text = (name: string): string | undefined => {
    const given = values[name];
    return typeof given === 'string' ? given : undefined;
  };
  const calls = number('calls', 10, 5000, quick ? 100 : 400);
  return {
    calls,
    concurrency: number('concurrency', 1, 100, 8),
    rounds: number('rounds', 5, 50, 5),
    warmUp: quick ? 100 : 1600,
    eventCalls: quick ? 40 : 100,
    rate: number('rate', 1, 100, 40),
    offset: values['offset'] === undefined ? undefined : number('offset', 0, 1900, 0),
    only: text('only')?.split(','),
    profile: text('profile'),
    baseline: text('baseline'),
  };
}
