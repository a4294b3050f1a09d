import { type CallTimes, closedLoop, cpuMs, type RoundPlan, type RoundResult } from '../round.ts';

/** Where everything is; handed to a contestant's process in its environment. */
export interface Surroundings {
  readonly ari: { readonly url: string; readonly username: string; readonly password: string };
  readonly ami: { readonly host: string; readonly port: number; readonly username: string; readonly secret: string };
  /** Dial strings of the two telephones. */
  readonly first: string;
  readonly second: string;
  /** Configuration for Ringmaster. */
  readonly config: string;
}

/** From the benchmark to a contestant's process. */
export type Order = { readonly do: 'run'; readonly plan: RoundPlan } | { readonly do: 'cpu' } | { readonly do: 'end' };
/** From the contestant's process. */
export type Answer =
  | { readonly is: 'ready' }
  | { readonly is: 'done'; readonly result: RoundResult }
  | { readonly is: 'cpu'; readonly ms: number };

/** A contestant that makes the calls itself. */
export interface Caller {
  call(id: string, slot: number): Promise<CallTimes>;
  close(): Promise<void>;
}

/** @returns what the benchmark gave this process to know */
export function surroundings(): Surroundings {
  return JSON.parse(process.env['BENCH_SURROUNDINGS'] ?? '') as Surroundings;
}

export function answer(message: Answer): void {
  process.send?.(message);
}

/** Carries out the benchmark's orders until it says `end`, or is gone. */
export function serve(caller: Caller): void {
  process.on('message', (order: Order) => {
    if (order.do === 'run') void run(caller, order.plan);
    else if (order.do === 'end') void caller.close().then(() => process.exit(0));
  });
  process.once('disconnect', () => process.exit(1));
  answer({ is: 'ready' });
}

async function run(caller: Caller, plan: RoundPlan): Promise<void> {
  const before = cpuMs();
  const made = await closedLoop(plan, (id, slot) => caller.call(id, slot));
  answer({ is: 'done', result: { ...made, cpuMs: cpuMs() - before } });
}
