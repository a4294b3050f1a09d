import { createClient } from 'redis';
import { BenchLab } from './bench-lab.ts';
import { type Contestant, contestantNames, RingmasterContestant, startContestant } from './contestants.ts';
import { eventTimes } from './event-times.ts';
import { type BenchOptions, benchOptions, USAGE, UsageError } from './options.ts';
import { type EventFigures, type Results, type RoundFigures, report, writeResults } from './report.ts';
import { percentile } from './statistics.ts';

/** Measures Ringmaster against its peers: bench/README.md. */
async function main(options: BenchOptions): Promise<void> {
  const names = contestantNames(options);
  const at = await BenchLab.up(options.offset, (line) => console.log(line));
  const contestants: Contestant[] = [];
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for (const name of names) contestants.push(await startContestant(name, at, options));
    const results = await measure(at, contestants, options, interrupted.signal);
    const markdown = report(results);
    console.log(`\n${markdown}`);
    for (const file of writeResults(results, markdown)) console.log(file);
  } finally {
    for (const contestant of contestants) await contestant.close();
    await at.down();
  }
}

async function measure(
  at: BenchLab,
  contestants: readonly Contestant[],
  options: BenchOptions,
  interrupted: AbortSignal,
): Promise<Results> {
  const { calls, concurrency, rounds } = options;
  const figures = new Map<Contestant, RoundFigures[]>(contestants.map((one) => [one, []]));
  const events: EventFigures[] = [];
  const redis = await createClient({ url: at.lab.file.redis.url }).connect();
  const spent = { restRequests: 0, redisScripts: 0, calls: 0 };
  try {
    for (const one of contestants) {
      await oneRound(at, one, { calls: options.warmUp, concurrency, round: `bench-${one.name}-warm-up` });
    }
    for (let round = 1; round <= rounds; round += 1) {
      // Each comes first, second, … in turn, so that none always follows the same other one.
      const from = (round - 1) % contestants.length;
      for (const one of [...contestants.slice(from), ...contestants.slice(0, from)]) {
        interrupted.throwIfAborted();
        const ours = one instanceof RingmasterContestant && one.name === 'ringmaster';
        const before = ours ? await counters(at, redis) : undefined;
        const made = await oneRound(at, one, { calls, concurrency, round: `bench-${one.name}-${round}` });
        figures.get(one)?.push(made);
        console.log(
          `round ${round} of ${rounds}: ${one.name} ${made.callsPerSecond.toFixed(0)} calls/s, ${made.cpuPerCall.toFixed(2)} ms CPU per call`,
        );
        if (!ours || !before) continue;
        const after = await counters(at, redis);
        spent.restRequests += after.restRequests - before.restRequests;
        spent.redisScripts += after.redisScripts - before.redisScripts;
        spent.calls += calls;
        const times = await eventTimes(at, one.client, options.eventCalls, options.rate, round);
        events.push({
          subscriberP50: percentile(times.subscriber, 0.5),
          subscriberP99: percentile(times.subscriber, 0.99),
          bareSocketP50: percentile(times.bareSocket, 0.5),
          bareSocketP99: percentile(times.bareSocket, 0.99),
        });
      }
    }
  } finally {
    redis.destroy();
  }
  return {
    date: new Date().toISOString().slice(0, 19),
    asterisk: at.lab.file.asterisk.version,
    options,
    contestants: contestants.map((one) => ({ name: one.name, what: one.what, rounds: figures.get(one) ?? [] })),
    events,
    perCall:
      spent.calls === 0
        ? undefined
        : { restRequests: spent.restRequests / spent.calls, redisScripts: spent.redisScripts / spent.calls },
  };
}

/** Runs one round. @throws Error if a call failed, or if something of the calls is left in Asterisk */
async function oneRound(
  at: BenchLab,
  contestant: Contestant,
  plan: { calls: number; concurrency: number; round: string },
): Promise<RoundFigures> {
  const before = { asterisk: at.cpuMs('asterisk'), redis: at.cpuMs('redis') };
  const result = await contestant.run(plan);
  const used = { asterisk: at.cpuMs('asterisk') - before.asterisk, redis: at.cpuMs('redis') - before.redis };
  const [failure] = result.failures;
  if (failure !== undefined) throw new Error(`${contestant.name}: ${failure}`);
  await at.mustBeEmpty();
  const setUp = result.calls.map((call) => call.setUp);
  const answerToBridge = result.calls.map((call) => call.answerToBridge);
  return {
    callsPerSecond: (plan.calls * 1000) / result.ms,
    cpuPerCall: result.cpuMs / plan.calls,
    asteriskCpuPerCall: used.asterisk / plan.calls,
    redisCpuPerCall: used.redis / plan.calls,
    setUpP50: percentile(setUp, 0.5),
    setUpP99: percentile(setUp, 0.99),
    answerToBridgeP50: percentile(answerToBridge, 0.5),
    answerToBridgeP99: percentile(answerToBridge, 0.99),
  };
}

/** What Ringmaster has asked of Asterisk and of Redis since it started: from its own metrics, and from Redis. */
async function counters(
  at: BenchLab,
  redis: { info(section: string): Promise<unknown> },
): Promise<{ restRequests: number; redisScripts: number }> {
  const metrics = await (await fetch(`${at.lab.file.rpc.base}/metrics`)).text();
  const stats = String(await redis.info('commandstats'));
  let restRequests = 0;
  for (const found of metrics.matchAll(/^ringmaster_ari_requests_total\{.*\} (\d+)$/gm))
    restRequests += Number(found[1]);
  return { restRequests, redisScripts: Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0) };
}

try {
  const options = benchOptions(process.argv.slice(2));
  if (options) await main(options);
  else console.log(USAGE);
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  if (error instanceof UsageError) console.error(`\n${USAGE}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
