import { z } from 'zod';
import { address, count, id } from './parts.ts';
import { say } from './problems.ts';

const script = z.strictObject({
  selector: z.string().min(1).max(32).describe('The scriptSelector of requests.'),
  queue: z.string().min(1).max(64).describe('Id of a queue of this company.'),
});

const feed = z.strictObject({
  id: id('The feed’s id in the URL.'),
  kind: z.enum(['callback', 'task']).describe('What its contacts are.'),
  queue: z
    .string()
    .min(1)
    .max(64)
    .describe('Id of the queue in which its contacts wait; without one they are discarded with NOTIFICATION_NO_SCRIPT.')
    .optional(),
  scripts: z
    .array(script)
    .max(1_000)
    .default([])
    .describe('Queues for requests that name a scriptSelector; one that is not listed is discarded.'),
  open: z
    .boolean()
    .describe('false: its contacts are discarded with NOTIFICATION_MEDIA_ROUTING_DISABLED.')
    .default(true),
  callerId: z
    .string()
    .regex(/^\+?\d{1,20}$/, { error: say('is not a number', 'Write digits in quotes, such as "911140001000"') })
    .describe('Shown to the customer of a callback; the trunk’s where absent.')
    .optional(),
  ringTimeout: count('Seconds that the customer’s phone rings.', 1, 600).default(30),
  attempts: count('Times that a callback’s customer is called, if he cannot be reached.', 1, 20).default(1),
  retryAfter: count('Seconds before he is called again.', 1, 86_400).default(300),
  acceptTimeout: count(
    'Seconds that an agent has to accept a task before it is offered to the next.',
    1,
    3_600,
  ).default(30),
  handlingTime: count('Seconds that one contact or call takes, for estimatedWaitTime.', 1, 86_400).default(180),
  limits: z
    .strictObject({
      contacts: count('Contacts that may wait or be worked on at once.', 1, 1_000_000).default(1_000),
      perSecond: count('New contacts a second.', 1, 10_000).default(10),
    })
    .prefault({})
    .describe('Beyond them contacts are discarded with NOTIFICATION_RATE_LIMITED.'),
});

/** `companies[].contacts`: callback and task requests. */
export const contacts = z
  .strictObject({
    ips: z.array(address('Address or network.')).min(1).describe('From where requests are taken.'),
    feeds: z.array(feed).min(1).describe('The company’s feeds.'),
    keepSeconds: count(
      'Seconds that a contact can be asked for once it is handled or discarded.',
      60,
      31_536_000,
    ).default(86_400),
    keepAtMost: count('Such contacts that are kept; the oldest go.', 100, 1_000_000).default(10_000),
    bodyLimit: count('Bytes of one request.', 1_024, 1_048_576).default(65_536),
  })
  .describe('Callback and task requests: POST /ccp/rest/callback/feed/<id>.');
