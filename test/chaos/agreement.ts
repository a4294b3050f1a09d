import { ari } from '../support/ringmaster.ts';
import type { Findings } from './invariants.ts';
import { numberOf, waitFor } from './people.ts';
import type { World } from './world.ts';

/** How long all must come to rest after control is back, ms; and between two looks. */
const REST_MS = 20_000;
const LOOK_MS = 100;

/** A supervisor's ear in somebody's channel, which Ringmaster does not count as one. */
const SNOOP = /^[0-9a-f]{32}\d{3}-s\d+$/;

/** The call whose channel, bridge or snoop has this id; undefined for what is not ours. */
const callIn = (id: string): string | undefined => /^([0-9a-f]{32}\d{3})-[bs]?\d+$/.exec(id)?.[1];

interface Listed {
  readonly callID: string;
  readonly parties: readonly { readonly thisDN: string }[];
}

async function listCalls(world: World): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await world.call('RequestListCalls', { limit: 100, ...(cursor !== undefined && { cursor }) });
    listed.push(...page.calls);
    ({ cursor } = page);
    if (cursor === undefined) return listed;
  }
}

/** What Redis holds of calls: by what it is, the calls' ids. */
async function inRedis(world: World) {
  const { redis } = world;
  const all = async (read: (shard: string) => Promise<string[]>) => (await Promise.all(world.shards.map(read))).flat();
  const [live, timers, waiting] = await Promise.all([
    all((shard) => redis.sMembers(world.keyOf(`live:${shard}`))),
    all((shard) => redis.zRange(world.keyOf(`timers:${shard}`), 0, -1)),
    redis.zRange(world.keyOf('waiting'), 0, -1),
  ]);
  return {
    live,
    timers: timers.map((member) => member.slice(0, member.lastIndexOf(':'))),
    waiting: waiting.map((member) => member.slice(member.lastIndexOf(':') + 1)),
  };
}

/** What the instances count, all together, and what it must be. */
async function counts(world: World, calls: number, withTimers: number, channels: number): Promise<Findings> {
  const metrics = await Promise.all(world.machines.filter((m) => m.running).map((m) => m.metrics()));
  const expected = {
    ringmaster_live_calls: calls,
    ringmaster_admitted_calls: calls,
    ringmaster_timers: withTimers,
    ringmaster_channels: channels,
    ringmaster_inputs_waiting: 0,
    ringmaster_node_busy_calls: 0,
    ringmaster_node_ending_channels: 0,
    ringmaster_shard_held: world.shards.length + 1,
    ringmaster_instances: metrics.length ** 2,
  };
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const is = metrics.reduce((sum, metric) => sum + metric(name), 0);
    return is === wanted ? [] : [`${name} is ${is}, not ${wanted}`];
  });
}

/** Who is in a call is on his telephone, and nobody else is. */
function onTelephones(world: World, listed: readonly Listed[]): Findings {
  const inCalls = listed.flatMap((c) => c.parties.map((p) => p.thisDN)).toSorted();
  const onPhones = world.people.phone.calls.map(numberOf).toSorted();
  if (inCalls.join() === onPhones.join()) return [];
  const only = (a: string[], b: string[]): string => a.filter((n) => !b.includes(n)).join(' ') || 'nobody';
  return [
    `parties and telephones differ: only in a call ${only(inCalls, onPhones)}, only on the telephone ${only(onPhones, inCalls)}`,
  ];
}

/** What Ringmaster, Asterisk, Redis, the witness and the telephones have agrees. @returns what does not */
async function disagreements(world: World): Promise<Findings> {
  const listed = await listCalls(world);
  const [stored, channels, bridges] = await Promise.all([
    inRedis(world),
    ari(world.lab, '/channels'),
    ari(world.lab, '/bridges'),
  ]);
  const ids = new Set(listed.map((c) => c.callID));
  const wrong: string[] = [];
  const differ = (what: string, has: Iterable<string>): void => {
    const there = new Set(has);
    for (const id of there) if (!ids.has(id)) wrong.push(`ghost: ${what} has ${id}, which is not live`);
    for (const id of ids) if (!there.has(id)) wrong.push(`${what} has not ${id}, which is live`);
  };
  differ('Redis', stored.live);
  differ('the witness', world.witness.open);
  const strayed = (what: string, has: Iterable<string | undefined>): void => {
    for (const id of has)
      if (id !== undefined && !ids.has(id)) wrong.push(`ghost: ${what} of ${id}, which is not live`);
  };
  const inAsterisk = channels.flatMap((c) => callIn(String(c['id'])) ?? []);
  strayed('a timer', stored.timers);
  strayed('a waiting place', stored.waiting);
  strayed(
    'a bridge',
    bridges.map((b) => callIn(String(b['id']))),
  );
  strayed('a channel', inAsterisk);
  wrong.push(...onTelephones(world, listed));
  const legs = channels.filter((c) => !SNOOP.test(String(c['id'])));
  if (wrong.length > 0) return wrong;
  return await counts(world, listed.length, new Set(stored.timers).size, legs.length);
}

/** Waits until all agree. */
export async function agreement(world: World): Promise<Findings> {
  let wrong: Findings = [];
  const agree = async (): Promise<boolean> => {
    try {
      wrong = await disagreements(world);
    } catch (error) {
      wrong = [`nobody could be asked: ${(error as Error).message}`];
    }
    return wrong.length === 0;
  };
  await waitFor(agree, 'all agree', REST_MS, LOOK_MS).catch(() => undefined);
  return wrong;
}

/** Keys of calls: of one that lives without an end to their time, of one that has ended with one. */
export async function keptTooLong(world: World): Promise<Findings> {
  const wrong: string[] = [];
  const prefix = world.keyOf('call:');
  for await (const keys of world.redis.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
    const ttls = await Promise.all(keys.map((key) => world.redis.ttl(key)));
    for (const [i, key] of keys.entries()) {
      const callID = key.slice(prefix.length);
      const ttl = ttls[i] ?? -2;
      // -1: it stays for ever; -2: it has just gone.
      if (ttl === -1 && !world.witness.open.has(callID))
        wrong.push(`ghost: Redis keeps ${callID} for ever, and it has ended`);
      if (ttl >= 0 && world.witness.open.has(callID)) wrong.push(`Redis forgets ${callID} in ${ttl} s, and it is live`);
    }
  }
  return wrong;
}
