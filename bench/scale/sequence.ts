import { SimulatedNode } from '../../lab/simulated-node.ts';
import { answerOf, Controller } from './world.ts';

/** Many calls one after the other. */
export interface Sequence {
  readonly calls: number;
  readonly seconds: number;
  /** Heap in use after each part of the calls, once garbage has been collected, bytes. */
  readonly heap: readonly number[];
  readonly left: {
    readonly calls: number;
    readonly channels: number;
    readonly bridges: number;
    readonly timers: number;
  };
  readonly faults: readonly string[];
}

/** Calls under way at a time. */
const AT_ONCE = 100;

/**
 * Runs `calls` calls through one controller, some at a time: rung, answered, talked, hung up by the customer.
 *
 * @param collect collects garbage, so that what is in use can be told
 * @param looks how often that is looked at
 */
export async function sequence(
  redisUrl: string,
  prefix: string,
  calls: number,
  collect: () => void,
  progress: (line: string) => void,
  looks = 10,
): Promise<Sequence> {
  // What has ended is forgotten soon, so that Redis holds no more at the end than at the beginning.
  const at = new SimulatedNode('sim-1', answerOf);
  const one = await Controller.start(at, { redisUrl, prefix, endedCallTtl: 5 });
  const faults: string[] = [];
  const heap: number[] = [];
  const began = performance.now();
  let waited = 0;
  for (let look = 1, done = 0; look <= looks; look += 1) {
    for (const until = Math.floor((calls * look) / looks); done < until; ) {
      const some = Math.min(AT_ONCE, until - done);
      const ids = await Promise.all(
        Array.from({ length: some }, (_, i) => one.call(String(10_000 + i), String(911_140_000_000 + i))),
      );
      const talk = (): boolean => ids.every((id) => at.channels.get(`${id}-2`)?.state === 'Up') && at.idle;
      await one.until('calls to talk', talk, () => at.commands);
      for (const callID of ids) at.hangUp(`${callID}-2`);
      const over = (): boolean => one.engine.liveCalls === 0 && at.idle;
      await one.until('calls to end', over, () => at.commands);
      done += some;
    }
    const working = (performance.now() - began - waited) / 1000;
    // What was written last is remembered for some seconds, in case Redis loses it.
    const idle = performance.now();
    while (one.store.remembered > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    waited += performance.now() - idle;
    collect();
    heap.push(process.memoryUsage().heapUsed);
    const mib = ((heap.at(-1) ?? 0) / 2 ** 20).toFixed(1);
    progress(`${done} calls, heap ${mib} MiB, ${(done / working).toFixed(0)} calls/s`);
  }
  const seconds = (performance.now() - began - waited) / 1000;
  const left = {
    calls: one.engine.liveCalls,
    channels: at.channels.size,
    bridges: at.bridges.size,
    timers: one.engine.timers,
  };
  faults.push(...one.errors);
  await one.crash(at);
  return { calls, seconds, heap, left, faults: faults.slice(0, 20) };
}
