/** What one contestant is asked to do in one round. */
export interface RoundPlan {
  readonly calls: number;
  /** Calls at once. */
  readonly concurrency: number;
  /** Makes ids differ from those of every other round. */
  readonly round: string;
}

/** One call, in milliseconds. */
export interface CallTimes {
  /** From the decision to make the call until both parties are known to be in one bridge. */
  readonly setUp: number;
  /** From the first party's answer until then. */
  readonly answerToBridge: number;
}

/** What came of a round. */
export interface RoundResult {
  /** Wall time of the whole round, ms. */
  readonly ms: number;
  /** CPU of the contestant's own process, user and system, ms. */
  readonly cpuMs: number;
  readonly calls: readonly CallTimes[];
  /** Why calls failed; a round with any does not count. */
  readonly failures: readonly string[];
}

/**
 * Makes the calls of a round, always as many at once as planned.
 * @param call makes one call from beginning to end. `slot`: which of the concurrent ones it is, from 0
 */
export async function closedLoop(
  plan: RoundPlan,
  call: (id: string, slot: number) => Promise<CallTimes>,
): Promise<Pick<RoundResult, 'ms' | 'calls' | 'failures'>> {
  const calls: CallTimes[] = [];
  const failures: string[] = [];
  let begun = 0;
  const worker = async (slot: number): Promise<void> => {
    while (begun < plan.calls && failures.length === 0) {
      begun += 1;
      try {
        calls.push(await call(`${plan.round}-${begun}`, slot));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: plan.concurrency }, (_, slot) => worker(slot)));
  return { ms: performance.now() - start, calls, failures };
}

/** CPU that this process has used, ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
