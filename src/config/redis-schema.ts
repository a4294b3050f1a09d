import { z } from 'zod';
import { count, hostAndPort, id, secret, tls, url } from './parts.ts';
import { say } from './problems.ts';

const HERE = 'redis://127.0.0.1:6379/0';

/** A Redis that fails over: its sentinels, and how the servers that they name are reached. */
const sentinel = z
  .strictObject({
    name: id('Name under which the sentinels watch the master.'),
    nodes: z
      .array(hostAndPort('10.0.0.5:26379'))
      .min(1)
      .max(15)
      .describe('Addresses and ports of the sentinels; list all of them.'),
    username: z.string().min(1).describe('User at the sentinels, where they want one.').optional(),
    password: secret('Password at the sentinels; take it from the environment.').optional(),
    tls: tls.optional(),
    data: z
      .strictObject({
        username: z.string().min(1).describe('User at the Redis servers, where they want one.').optional(),
        password: secret('Password at the Redis servers; take it from the environment.').optional(),
        db: count('Number of the database.', 0, 1_023).default(0),
        tls: tls.optional(),
      })
      .prefault({})
      .describe('How the Redis servers that the sentinels name are reached.'),
  })
  .describe('In place of `redis.url`: Redis with Sentinel, which names the master.');

/** The part `redis` of ringmaster.yaml. */
export const redis = z
  .strictObject({
    url: url(['redis:', 'rediss:'], true, HERE, 'Redis; rediss:// for TLS.').optional().meta({ default: HERE }),
    sentinel: sentinel.optional(),
    keyPrefix: id('First part of every key, so that several services can share one Redis.').default('rm'),
    endedCallTtl: count('Seconds that an ended call can still be asked for.', 1, 604_800).default(300),
    eventLog: z
      .strictObject({
        maxEvents: count('Events kept per company for replay.', 1_000, 100_000_000).default(1_000_000),
        maxAgeSeconds: count('Seconds that an event is kept for replay.', 60, 604_800).default(3_600),
      })
      .prefault({})
      .describe('What a subscriber who was away can still be given.'),
  })
  .superRefine(({ url: given, sentinel: watched }, context) => {
    if (given === undefined || watched === undefined) return;
    const fix = 'Remove it, and give user, password and database under redis.sentinel.data';
    context.addIssue({
      code: 'custom',
      path: ['url'],
      message: say('cannot stand beside redis.sentinel, which says where Redis is', fix),
    });
  })
  .transform((r) => ({ ...r, url: r.url ?? HERE }))
  .prefault({})
  .describe('Where every live call is kept.');
