import { z } from 'zod';
import { checkWhoIsCalled, pacing } from './dialer-pacing.ts';
import { address, count, id, pattern, url } from './parts.ts';
import { say } from './problems.ts';

const number = (what: string) =>
  z
    .string()
    .regex(/^\+?\d{1,20}$/, { error: say('is not a number', 'Write digits in quotes, such as "918000123456"') })
    .describe(what);

const numbers = (what: string) => z.array(number('A number.')).default([]).describe(what);

/** How often something is tried, and how long is waited in between. */
const plan = (what: string) =>
  z
    .strictObject({
      attempts: count('Attempts in all, the first included.', 1, 50).default(1),
      intervals: z
        .array(count('Seconds.', 1, 2_592_000))
        .min(1)
        .describe('Seconds before the second attempt, the third and so on; the last one goes on counting.')
        .default([300]),
    })
    .prefault({})
    .describe(what);

const validation = z.strictObject({
  key: z.string().min(1).max(128).describe('Name of the variable, without $flow.key.'),
  type: z
    .string()
    .min(1)
    .max(64)
    .describe(
      'contains, doesNotContain, list, regex, length, email or url. Any other gives INVALID_FLOW_VARIABLE_VALIDATION_TYPE.',
    ),
  value: z.string().min(1).max(1_024).describe('What must or must not be contained.').optional(),
  values: z.array(z.string().max(1_024)).min(1).describe('The values allowed (list).').optional(),
  pattern: pattern('What the value must match (regex).').optional(),
  min: count('Characters at least (length).', 0, 65_536).optional(),
  max: count('Characters at most (length).', 0, 65_536).optional(),
});

const webhook = z
  .strictObject({
    url: url(['http:', 'https:'], false, 'https://crm.example.com/calls', 'Where the messages are posted.'),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, {
        error: say('is not a signing secret', 'Write it as whsec_ and the base64 of 24 to 64 random bytes'),
      })
      .describe('Signs the messages (Standard Webhooks), as whsec_…; take it from the environment.'),
    attempts: count('Attempts before a message is set aside as a dead letter.', 1, 100).default(12),
    firstRetry: count('Seconds before the second attempt; doubled each time.', 1, 3_600).default(5),
    timeout: count('Seconds that the receiver has to answer.', 1, 60).default(10),
  })
  .describe('Told of every call of the flow once it has ended.');

const trunkId = (what: string) => z.string().min(1).max(64).describe(what);

const flowFields = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9]{8}$/, { error: say('is not a flow id', 'Use 8 letters and digits') })
    .describe('The flow-id of requests.'),
  name: z.string().min(1).max(200).describe('For people.').optional(),
  state: z
    .enum(['testing', 'production'])
    .describe('testing: api-version TEST and numbers of the white list only; production: api-version 1.0.')
    .default('production'),
  agents: z
    .array(z.string().min(1).max(64))
    .default([])
    .describe('DNs of the agents, called in turn, longest idle first; instead of queue.'),
  queue: z
    .string()
    .min(1)
    .max(64)
    .describe('Id of a queue, whose free agents get the customers who have answered; wants firstLeg: customer.')
    .optional(),
  pacing,
  agentKey: z
    .string()
    .min(1)
    .max(128)
    .describe('Variable that may name one of the agents; the call then goes to that one only.')
    .optional(),
  firstLeg: z.enum(['agent', 'customer']).describe('Who is called first.').default('agent'),
  ringTimeout: count('Seconds that each phone rings; at least 15 where there is a queue.', 1, 600).default(30),
  trunk: trunkId('Id of the trunk that its calls go out by; default the company’s.').optional(),
  callerId: number('Shown to the customer; the trunk’s where absent.').optional(),
  shortCall: count('Seconds: a call that ends sooner after its answer is a SHORT_HANGUP.', 0, 600).default(3),
  marketing: z.boolean().describe('Numbers of the DND list are refused.').default(false),
  agentAttempts: plan('When no agent answers.'),
  customerAttempts: plan('When the customer cannot be reached on any number.'),
  limits: z
    .strictObject({
      calls: count('Calls at once.', 1, 100_000).default(100),
      callsPerSecond: count('New calls a second.', 1, 1_000).default(10),
      waiting: count('Calls that may wait; more are refused with MAX_CAPACITY_REACHED.', 1, 10_000_000).default(
        100_000,
      ),
    })
    .prefault({})
    .describe('The flow’s pace. What cannot be placed now waits.'),
  validations: z.array(validation).max(100).default([]).describe('What the variables of a call must be like.'),
  maskingNumbers: z
    .array(number('A number of yours, with the country’s code, that callers of the trunk reach Ringmaster by.'))
    .max(1_000)
    .default([])
    .describe('Through one of them two numbers reach each other without seeing each other (number masking).'),
  webhook: webhook.optional(),
});

/** One flow, as the file or the admin API gives it. */
export const flow = flowFields.superRefine(checkWhoIsCalled);

const account = z.strictObject({
  id: id('The account’s name in logs and keys.'),
  securityId: z
    .string()
    // Not .regex(): the published schema speaks of the file as written, where a short reference may stand for it.
    .refine((text) => /^[A-Za-z0-9]{64}$/.test(text), {
      error: say('is not a security id', 'Use 64 letters and digits'),
    })
    .describe('The security-id of requests, 64 letters and digits; take it from the environment.'),
  ips: z.array(address('Address or network.')).min(1).describe('From where requests are taken.'),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: say('is not a country', 'Write two capitals, such as IN') })
    .describe('Country whose numbers are national; two capitals (ISO 3166).')
    .default('IN'),
  internationalCalls: z.boolean().describe('Numbers of other countries may be called.').default(false),
  validUntil: z.iso
    .datetime({ offset: true, error: say('is not a moment', 'Write it as "2030-12-31T23:59:59+05:30"') })
    .describe('End of the account’s validity; without it there is none.')
    .optional(),
  balance: count(
    'Calls that may be placed, counted down in Redis; without it there is no limit.',
    0,
    1_000_000_000,
  ).optional(),
  blackList: numbers('Numbers that are never called.'),
  whiteList: numbers('Numbers that may be called in testing, and in marketing whatever the DND list says.'),
  dndList: numbers('Numbers that must not be called for marketing.'),
  flows: z.array(flow).min(1).describe('The account’s dialler flows.'),
});

/** `companies[].dialer`: the Make Call API. */
export const dialer = z
  .strictObject({
    accounts: z.array(account).min(1).describe('Who may ask for calls.'),
    trunks: z
      .array(trunkId('Id of a trunk.'))
      .default([])
      .describe(
        'Trunks that flows of the admin API may name, beside the company’s and those of the flows in this file.',
      ),
    keepSeconds: count('Seconds that an ended call can still be asked for.', 60, 31_536_000).default(604_800),
    keepCampaigncalls: count('Campaigncalls of one flow that can be asked for; the oldest go.', 100, 1_000_000).default(
      50_000,
    ),
    bodyLimit: count('Bytes of one request.', 1_024, 67_108_864).default(8_388_608),
  })
  .describe('The Make Call API: POST /kairos-apis/outbounddialer/create.');
