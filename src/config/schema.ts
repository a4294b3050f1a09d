import { z } from 'zod';
import { contacts } from './contacts-schema.ts';
import { dialer } from './dialer-schema.ts';
import { address, count, hostAndPort, id, pattern, secret, tls, url } from './parts.ts';
import { say } from './problems.ts';
import { redis } from './redis-schema.ts';

/** An Asterisk dial string in which the one placeholder given may stand. */
const dialString = (placeholder: string, what: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9]+\/[^\s,&|]+$/, {
      error: say('is not an Asterisk dial string', `Write it as PJSIP/{${placeholder}}, with one destination`),
    })
    .refine((text) => !/[{}]/.test(text.replaceAll(`{${placeholder}}`, '')), {
      error: say('has an unknown placeholder', `Only {${placeholder}} is replaced here`),
    })
    .describe(what);

const listen = hostAndPort('127.0.0.1:8090').describe(
  'Address and port of the RPC, health and metrics; stay on loopback unless TLS is put in front.',
);

const cluster = z
  .strictObject({
    instance: id('This instance’s name, in logs and in Redis; default the host’s name.').optional(),
    leaseSeconds: count(
      'Seconds after which a shard whose owner gives no sign of life is another instance’s.',
      1,
      60,
    ).default(3),
    peers: z
      .strictObject({
        listen: listen.prefault('127.0.0.1:0').describe('Where other instances ask this one; port 0: any free one.'),
        url: url(
          ['http:', 'https:'],
          false,
          'http://10.0.0.5:8091',
          'Under which the others reach it; default http:// and the address it listens on.',
        ).optional(),
        secret: z
          .string()
          // Not .min(32): the published schema speaks of the file as written, where a reference may stand for the secret.
          .refine((text) => text.length >= 32, { error: say('must be at least 32 characters long', 'Make it larger') })
          .regex(/^[\x21-\x7e]*$/, { error: say('has a space or a character outside ASCII', 'Use letters and digits') })
          .describe('What all instances know and nobody else, at least 32 characters; take it from the environment.'),
      })
      .describe('How instances ask each other about calls that another one has; without it only the owner answers.')
      .optional(),
  })
  .prefault({})
  .describe('Several instances on the same nodes and Redis.');

/** What one node or trunk or company may have at once. */
const limits = (calls: number, callsPerSecond: number, what: string) =>
  z
    .strictObject({
      calls: count('Calls at once.', 1, 100_000).default(calls),
      callsPerSecond: count('New calls a second.', 1, 10_000).default(callsPerSecond),
    })
    .prefault({})
    .describe(what);

const node = z.strictObject({
  id: id('The node’s name in events, logs and metrics.'),
  number: count(
    'Stable number of the node, carried in every callID; default its position in the list.',
    0,
    999,
  ).optional(),
  ari: z
    .strictObject({
      url: url(['http:', 'https:'], false, 'http://127.0.0.1:8088/ari', 'Base of the REST interface, ending in /ari.'),
      username: z.string().min(1).describe('User of ari.conf.'),
      password: secret('Its password; take it from the environment.'),
      app: id('Name of the Stasis app that calls enter; with several shards it is followed by -0, -1, ….').default(
        'ringmaster',
      ),
    })
    .describe('The Asterisk REST Interface.'),
  ami: z
    .strictObject({
      host: z.string().min(1).describe('Host name or address.').default('127.0.0.1'),
      port: count('TCP port.', 1, 65_535).default(5_038),
      username: z.string().min(1).describe('User of manager.conf.'),
      secret: secret('Its secret; take it from the environment.'),
      tls: tls.optional(),
    })
    .describe('The Asterisk Manager Interface.'),
  shards: count(
    'Stasis apps among which the node’s calls are spread, so that instances can share it; change it while no calls live.',
    1,
    16,
  ).default(1),
  limits: limits(500, 50, 'What the node carries; beyond it new calls are refused.'),
  deadAfter: z
    .strictObject({
      refused: count(
        'Seconds that its host refuses every connection (nobody listens) before its calls are released.',
        1,
        3_600,
      ).default(5),
      silent: count(
        'Seconds without a word from it, whatever the reason, before its calls are released; people may still talk there.',
        10,
        86_400,
      ).default(120),
    })
    .prefault({})
    .describe('When the node is taken for dead.'),
});

const trunk = z.strictObject({
  id: id('The trunk’s name.'),
  endpoint: dialString('number', 'How a number is dialled over it; {number} is replaced.'),
  callerId: z
    .string()
    .regex(/^\+?\d{1,20}$/, { error: say('is not a number', 'Write digits in quotes, such as "911140001000"') })
    .describe('Caller number shown where a request names none.')
    .optional(),
  limits: limits(100, 20, 'What the carrier accepts.'),
});

/** What an API key may be allowed to do. */
export const SCOPES = ['call', 'agent', 'supervise', 'dial', 'read', 'admin'] as const;

const keyName = id('Who uses it; shown in logs in place of the key.');
const bearer = z
  .string()
  // Not .min(16): the published schema speaks of the file as written, where a short reference may stand for a long key.
  .refine((key) => key.length >= 16, { error: say('must be at least 16 characters long', 'Make it larger') })
  .regex(/^[\x21-\x7e]*$/, { error: say('has a space or a character outside ASCII', 'Use letters and digits') })
  .describe('The bearer token, at least 16 characters; take it from the environment.');

const operator = z.strictObject({ name: keyName, key: bearer });

const apiKey = z
  .strictObject({
    name: keyName,
    key: bearer,
    scopes: z.array(z.enum(SCOPES)).min(1).describe('What it may do.'),
    requestsPerSecond: count('Requests a second, averaged.', 1, 100_000).default(200),
    burst: count('Requests at once; default twice requestsPerSecond.', 1, 200_000).optional(),
  })
  .transform((key) => ({ ...key, burst: key.burst ?? key.requestsPerSecond * 2 }));

const queue = z.strictObject({
  id: id('The queue’s DN.'),
  ringTimeout: count('Seconds that an agent’s phone rings before the next agent is tried.', 1, 600).default(15),
  wrapUp: count('Seconds of after-call work after each call of the queue.', 0, 86_400).default(0),
  maxWaiting: count('Callers that may wait; the next one hears busy.', 1, 100_000).default(500),
  overflow: z
    .strictObject({
      afterSeconds: count('Seconds that a caller waits in this queue before he is sent on.', 1, 86_400),
      to: z
        .strictObject({
          queue: z.string().min(1).describe('Id of another queue of this company.').optional(),
          number: z
            .string()
            .min(1)
            .describe('Phone or number to ring; the caller goes on waiting meanwhile.')
            .optional(),
        })
        .refine((to) => (to.queue === undefined) !== (to.number === undefined), {
          error: say('must name one destination', 'Give either queue or number'),
        })
        .transform((to): { queue: string } | { number: string } =>
          to.queue !== undefined ? { queue: to.queue } : { number: to.number ?? '' },
        )
        .meta({ description: 'Where he goes: either queue or number.', minProperties: 1, maxProperties: 1 }),
    })
    .describe('What becomes of callers who wait too long.')
    .optional(),
});

const route = z.strictObject({
  did: z
    .string()
    .regex(/^\+?\d{1,20}$/, { error: say('is not a number', 'Write digits in quotes, such as "911140001000"') })
    .describe('The number called.'),
  to: z
    .strictObject({
      agent: z.string().min(1).describe('DN of an agent.').optional(),
      queue: z.string().min(1).describe('Id of a queue of this company.').optional(),
    })
    .refine((to) => (to.agent === undefined) !== (to.queue === undefined), {
      error: say('must name one destination', 'Give either agent or queue'),
    })
    .transform((to): { agent: string } | { queue: string } =>
      to.agent !== undefined ? { agent: to.agent } : { queue: to.queue ?? '' },
    )
    .meta({ description: 'Where its calls go: either agent or queue.', minProperties: 1, maxProperties: 1 }),
  ringTimeout: count('Seconds that the destination rings; default the queue’s or the service’s.', 1, 600).optional(),
});

const company = z.strictObject({
  companyId: id('The tenant; part of every Redis key and event of its calls.'),
  name: z.string().min(1).max(200).describe('For people.').optional(),
  keys: z.array(apiKey).min(1).describe('Who may use the API for this company.'),
  extensions: z
    .strictObject({
      pattern: pattern('A DN that matches is a phone of the company; anything else is a number.'),
      endpoint: dialString('dn', 'How such a phone is dialled; {dn} is replaced.'),
    })
    .describe('The company’s phones.'),
  numbers: z
    .strictObject({ pattern: pattern('What a number must look like to be dialled.').prefault('^\\+?\\d{7,15}$') })
    .prefault({})
    .describe('Numbers outside.'),
  trunk: z
    .string()
    .min(1)
    .describe('Id of the trunk for numbers; without one only internal calls are possible.')
    .optional(),
  limits: limits(500, 50, 'What the company may use of the whole.'),
  queues: z.array(queue).prefault([]).describe('The company’s queues.'),
  routes: z.array(route).prefault([]).describe('Where calls from outside go, by the number called.'),
  recording: z
    .strictObject({
      mode: z.enum(['onRequest', 'all']).describe('Which calls are recorded.').default('onRequest'),
      format: z
        .enum(['wav'])
        .describe('Format in which recordings are served: stereo, 16 bits, 8000 Hz.')
        .default('wav'),
      earlyMedia: z
        .boolean()
        .describe('Recordings that begin by themselves begin with the early media of the customer’s network.')
        .default(false),
    })
    .prefault({})
    .describe('Recording of calls.'),
  dialer: dialer.optional(),
  contacts: contacts.optional(),
});

/** The whole of ringmaster.yaml. What it means, key by key: docs/configuration.md. */
export const configSchema = z.strictObject({
  listen: listen.prefault('127.0.0.1:8090'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .describe('Least severe shown.')
        .default('info'),
    })
    .prefault({})
    .describe('The log on standard output.'),
  http: z
    .strictObject({
      bodyLimit: count('Bytes of one request or WebSocket message.', 1_024, 16_777_216).default(262_144),
      publicUrl: url(
        ['http:', 'https:'],
        false,
        'https://calls.example.org',
        'Address under which clients reach this service, for the URLs that it tells; default http:// and `listen`.',
      ).optional(),
      trustedProxies: z
        .array(address('Address or network of a proxy.'))
        .default([])
        .describe('Proxies whose X-Forwarded-For is believed; without one the socket’s own address counts.'),
    })
    .prefault({})
    .describe('The HTTP server.'),
  redis,
  ringTimeout: count('Seconds that a called party rings where nothing else is said.', 1, 600).default(30),
  drain: z
    .strictObject({
      deadlineSeconds: count('Seconds that calls have to end by themselves on SIGTERM.', 0, 86_400).default(30),
    })
    .prefault({})
    .describe('Shutting down.'),
  cluster,
  operators: z
    .array(operator)
    .default([])
    .describe('Who may drain nodes (/admin/nodes) and read /metrics from anywhere; they belong to no company.'),
  nodes: z
    .array(node)
    .min(1)
    .transform((nodes) => nodes.map((n, index) => ({ ...n, number: n.number ?? index })))
    .describe('The Asterisk nodes.'),
  trunks: z.array(trunk).default([]).describe('The ways out to the telephone network.'),
  companies: z.array(company).min(1).describe('The tenants.'),
});

type DeepReadonly<T> = T extends RegExp
  ? RegExp
  : T extends ReadonlyArray<infer Item>
    ? ReadonlyArray<DeepReadonly<Item>>
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** A checked configuration, every default filled in. Seconds and bytes as the file has them; patterns compiled. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
export type NodeConfig = Config['nodes'][number];
export type TrunkConfig = Config['trunks'][number];
export type CompanyConfig = Config['companies'][number];
export type QueueConfig = CompanyConfig['queues'][number];
export type RouteConfig = CompanyConfig['routes'][number];
export type ContactsConfig = NonNullable<CompanyConfig['contacts']>;
export type FeedConfig = ContactsConfig['feeds'][number];
export type DialerConfig = NonNullable<CompanyConfig['dialer']>;
export type DialerAccountConfig = DialerConfig['accounts'][number];
export type DialerFlowConfig = DialerAccountConfig['flows'][number];
export type ApiKeyConfig = CompanyConfig['keys'][number];
export type Scope = (typeof SCOPES)[number];
