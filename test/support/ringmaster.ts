import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { createClient } from 'redis';
import { request } from 'undici';
import { expect, type TestContext, vi } from 'vitest';
import { stringify } from 'yaml';
import type { Lab } from '../../lab/lab.ts';
import { checkConfig, formatProblem } from '../../src/config.ts';
import { type Service, startService } from '../../src/service.ts';
import { RpcClient } from './rpc-client.ts';

/** Settings of a ringmaster.yaml on the lab, to be changed before the start. */
export type Settings = ReturnType<Lab['settings']> & { [key: string]: unknown };

/** One line of the service's own log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const WARN = 40;

/** The product, running on the lab. */
export interface Ringmaster {
  readonly service: Service;
  readonly base: string;
  readonly companyId: string;
  /** Lines of its log so far. */
  readonly log: readonly LogLine[];
  /** A client with one of the lab's keys, by its name. Closed with the Ringmaster. */
  client(key?: string): Promise<RpcClient>;
  /** A client that hears all events from now on. */
  subscriber(key?: string): Promise<RpcClient>;
  /** The secret of a key of the lab. */
  key(name: string): string;
  /** A metric's value; the sum where it has labels. */
  metric(name: string): Promise<number>;
  /**
   * Waits until Asterisk, Redis and the process hold nothing of any call; fails if they go on holding something, or if
   * a problem has been logged.
   *
   * @param expected what the log may hold
   */
  quiet(expected?: RegExp): Promise<void>;
  /** Waits until its node serves. */
  serving(): Promise<void>;
  /** Waits until it has noticed that its node is away, or had been since the last time that this was asked. */
  away(): Promise<void>;
  /** After each test: `quiet`. Where the test has failed its calls are ended, so that the next does not suffer from them. */
  afterTest(context: TestContext, expected?: RegExp): Promise<void>;
  /** Redis keys of this Ringmaster that match. */
  keys(pattern: string): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Starts the product in this process, on a port and with a Redis key prefix of its own.
 *
 * @param change what is different from the lab's own configuration
 * @param prefix the key prefix, for one that goes on where another has ended
 */
export async function ringmaster(
  lab: Lab,
  change: (settings: Settings) => void = () => {},
  prefix = `t${randomBytes(6).toString('hex')}`,
): Promise<Ringmaster> {
  const settings = testSettings(lab, prefix, change);
  const result = checkConfig(stringify(settings), 'ringmaster.yaml', {});
  if (result.problems !== undefined) throw new Error(result.problems.map(formatProblem).join('\n'));
  const log: LogLine[] = [];
  const logger = pino(
    { level: 'info', base: null },
    { write: (line: string) => log.push(JSON.parse(line) as LogLine) },
  );
  const service = await startService(result.config, { version: '0.0.0-test', logger });
  return running(lab, prefix, service, log);
}

/** The lab's settings with a free port and a key prefix of the test's own. */
export function testSettings(lab: Lab, prefix: string, change: (settings: Settings) => void): Settings {
  const settings: Settings = lab.settings();
  settings.listen = '127.0.0.1:0';
  settings.redis = { ...settings.redis, keyPrefix: prefix } as Settings['redis'];
  for (const company of settings.companies) {
    company.keys = (company.keys ?? []).map((key) => ({ requestsPerSecond: 2_000, ...key }));
  }
  change(settings);
  return settings;
}

/** Gives the lab's first company a dialler: one account, which this machine may use, with these flows. */
export function addDialer(settings: Settings, securityId: string, flows: readonly object[]): void {
  const [company] = settings.companies;
  if (!company) throw new Error('the lab has no company');
  Object.assign(company, { dialer: { accounts: [{ id: 'main', securityId, ips: ['127.0.0.1'], flows }] } });
}

function running(lab: Lab, prefix: string, service: Service, log: LogLine[]): Ringmaster {
  const { host, port } = service.address;
  const base = `http://${host}:${port}`;
  const clients: RpcClient[] = [];
  const ready = async (): Promise<number> => (await request(`${base}/readyz`)).statusCode;
  let heardOf = 0;
  const companies = lab.file.companies;
  const [main] = companies;
  if (!main) throw new Error('the lab has no company');
  const key = (name: string): string => {
    const found = companies.flatMap((c) => c.keys).find((k) => k.name === name);
    if (!found) throw new Error(`the lab has no key ${name}`);
    return found.key;
  };
  const client = async (name = 'everything'): Promise<RpcClient> => {
    const opened = await RpcClient.open(`ws://${host}:${port}/rpc`, key(name));
    clients.push(opened);
    return opened;
  };
  const keys = (pattern: string) => redisKeys(lab, `${prefix}:${pattern}`);
  const quiet = async (expected?: RegExp): Promise<void> => {
    await nothingLeft(lab, base, prefix);
    heardOf = 0;
    const lines = log.splice(0).filter((line) => line.level >= WARN);
    expect(lines.filter((line) => !expected?.test(line.msg))).toEqual([]);
  };
  return {
    service,
    base,
    companyId: main.companyId,
    log,
    client,
    key,
    keys,
    async subscriber(name) {
      const opened = await client(name);
      await opened.call('Subscribe', {});
      return opened;
    },
    metric: (name) => metric(base, name),
    quiet,
    serving: () => vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 15_000, interval: 20 }),
    away: () =>
      vi.waitFor(
        () => {
          const aways = log.filter((line) => line.msg === 'node is away').length;
          expect(aways).toBeGreaterThan(heardOf);
          heardOf = aways;
        },
        { timeout: 15_000, interval: 20 },
      ),
    async afterTest(context, expected) {
      if (context.task.result?.state === 'fail') {
        const ending = await client();
        const { calls } = await ending.call('RequestListCalls', {});
        for (const { callID } of calls) await ending.call('RequestClearCall', { callID });
      }
      await quiet(expected);
    },
    async close() {
      const closed = await Promise.allSettled(clients.map((c) => c.close()));
      await service.close();
      for (const one of closed) if (one.status === 'rejected') throw one.reason;
    },
  };
}

/** What a process and its surroundings hold of calls; all zero and empty once the last has ended. */
async function remains(lab: Lab, base: string, keys: (pattern: string) => Promise<string[]>) {
  const [text, channels, bridges, live, timers] = await Promise.all([
    metricsText(base),
    ari(lab, '/channels'),
    ari(lab, '/bridges'),
    keys('*:live:*'),
    keys('*:timers:*'),
  ]);
  const of = (name: string): number => sum(text, name);
  return {
    channels: channels.map((c) => c['name']),
    bridges: bridges.map((b) => b['id']),
    live,
    timers,
    calls: of('ringmaster_live_calls'),
    waiting: of('ringmaster_inputs_waiting'),
    admitted: of('ringmaster_admitted_calls'),
    armed: of('ringmaster_timers'),
    routed: of('ringmaster_channels'),
    busy: of('ringmaster_node_busy_calls'),
    ending: of('ringmaster_node_ending_channels'),
    inFlight: of('ringmaster_ari_in_flight'),
  };
}

const NOTHING: Awaited<ReturnType<typeof remains>> = {
  channels: [],
  bridges: [],
  live: [],
  timers: [],
  calls: 0,
  waiting: 0,
  admitted: 0,
  armed: 0,
  routed: 0,
  busy: 0,
  ending: 0,
  inFlight: 0,
};

/**
 * Waits until nothing of any call is left in Asterisk, in Redis and in the Ringmaster at `base`. Bridges go a moment after
 * EventCallDeleted, with nothing that tells so: they are asked for until they have gone.
 *
 * @param prefix of its Redis keys
 */
export async function nothingLeft(lab: Lab, base: string, prefix: string): Promise<void> {
  const keys = (pattern: string) => redisKeys(lab, `${prefix}:${pattern}`);
  const none = async (): Promise<void> => expect(await remains(lab, base, keys)).toEqual(NOTHING);
  await vi.waitFor(none, { timeout: 15_000, interval: 30 });
}

/** A list of ARI's. */
export async function ari(lab: Lab, path: string): Promise<Record<string, unknown>[]> {
  const { url, username, password } = lab.file.asterisk.ari;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await request(`${url}${path}`, { headers: { authorization } });
  return (await answer.body.json()) as Record<string, unknown>[];
}

async function redisKeys(lab: Lab, pattern: string): Promise<string[]> {
  const redis = createClient({ url: lab.file.redis.url });
  await redis.connect();
  try {
    const found: string[] = [];
    for await (const some of redis.scanIterator({ MATCH: pattern, COUNT: 1000 })) found.push(...some);
    return found;
  } finally {
    redis.destroy();
  }
}

async function metricsText(base: string): Promise<string> {
  return await (await request(`${base}/metrics`)).body.text();
}

/** A metric of the Ringmaster at `base`; the sum where it has labels. */
export async function metric(base: string, name: string): Promise<number> {
  return sum(await metricsText(base), name);
}

/** A metric's value for these labels. */
export async function metricOf(base: string, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const written = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = (await metricsText(base)).split('\n');
  return sum(lines.filter((line) => written.every((one) => line.includes(one))).join('\n'), name);
}

/** Prometheus text: `name{labels} value`, one line for each set of labels. */
function sum(text: string, name: string): number {
  const values = text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z0-9_:]+)(?:\{.*\})? (\S+)$/.exec(line);
    return match?.[1] === name ? [Number(match[2])] : [];
  });
  if (values.length === 0) throw new Error(`there is no metric ${name}`);
  return values.reduce((a, b) => a + b, 0);
}
