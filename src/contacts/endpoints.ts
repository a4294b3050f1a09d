import { z } from 'zod';
import { ContactReason, ContactStatus } from '../cti/contact-status.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { CallbackMessage, TaskMessage } from './message.ts';

/** What the HTTP endpoints of the contacts take and answer (docs/contacts.md). The handlers are in routes.ts. */

const BASE = '/ccp/rest';

/** A contact as clients are shown it. */
export const ShownContact = z.strictObject({
  status: ContactStatus,
  statusReason: ContactReason,
  statusTimestamp: z.int().describe('Unix ms'),
  estimatedWaitTime: z.int().describe('seconds; 0 where it waits no more, -1 where no agent of the queue is logged in'),
  agentId: z.string().optional().describe('of a task: the agent who has it, or had it at its end'),
});
export type ShownContact = z.infer<typeof ShownContact>;

/** A task as its agent is shown it. */
export const AgentTask = z.strictObject({
  id: z.string(),
  state: z.enum(['offered', 'held']),
  queue: z.string(),
  offeredUntil: z.int().optional().describe('Unix ms'),
  message: TaskMessage.optional(),
});

export type AgentTask = z.infer<typeof AgentTask>;

/** The body of what an agent says. */
export const AgentWord = z.strictObject({ agentID: z.string().min(1).max(64) });

const failure = z.strictObject({ error: z.string() });
const both = (json: z.ZodType) => ({ 'application/xml': z.string(), 'application/json': json });
const contact = both(ShownContact);
const fault = both(failure);
const group = 'Contacts';
const feedParams = z.strictObject({ feed: z.string().describe('The feed’s id.') });
const idParams = z.strictObject({ id: z.string().describe('The contact’s id.') });
const unknown = { means: 'There is no such contact, or the address may not ask for it.', body: fault };
const notAllowed = { means: 'The address is in no company’s list.', body: fault };
const away = {
  means:
    'Redis is away, or no instance has the queues; or the one that has them did not answer, and it may have been done.',
  body: fault,
};

const create = (kind: 'callback' | 'task', message: z.ZodType): Endpoint => ({
  method: 'POST',
  path: `${BASE}/${kind}/feed/:feed`,
  group,
  summary: kind === 'callback' ? 'Asks for a callback' : 'Asks for a task to be done',
  notes:
    'XML, or JSON by Content-Type and Accept. What cannot be served is a contact that is Discarded, with its reason.',
  access: 'account',
  params: feedParams,
  body: both(message),
  answers: {
    201: { means: 'The contact; Location is where it can be asked for.', body: contact },
    400: {
      means: 'The body cannot be read: no XML or JSON, a DTD, unknown entities, another root, too deep.',
      body: fault,
    },
    403: notAllowed,
    413: { means: 'The body is over `contacts.bodyLimit`.', body: fault },
    415: { means: 'Neither XML nor JSON.', body: fault },
    429: { means: 'More are discarded than are kept.', body: fault },
    503: away,
  },
});
const get = (kind: 'callback' | 'task'): Endpoint => ({
  method: 'GET',
  path: `${BASE}/${kind}/contact/:id`,
  group,
  summary: 'What became of it',
  access: 'account',
  params: idParams,
  answers: { 200: { means: 'The contact.', body: contact }, 403: notAllowed, 404: unknown, 503: away },
});
const cancel = (kind: 'callback' | 'task'): Endpoint => ({
  method: 'DELETE',
  path: `${BASE}/${kind}/contact/:id`,
  group,
  summary: 'Cancels it',
  access: 'account',
  params: idParams,
  answers: {
    200: { means: 'The cancel was taken: the contact, which is Queued, and Discarded in the end.', body: contact },
    400: { means: 'Too late: the contact as it is.', body: contact },
    403: notAllowed,
    404: unknown,
    503: away,
  },
});
const keyed = {
  401: { means: 'No key, or an unknown one.', body: failure },
  403: { means: 'The key does not have the scope.', body: failure },
  429: { means: 'The key is over its rate.', body: failure },
  503: { ...away, body: failure },
};
const word = (what: 'accept' | 'decline' | 'complete', summary: string): Endpoint => ({
  method: 'POST',
  path: `${BASE}/task/contact/:id/${what}`,
  group,
  summary,
  access: 'key',
  scope: 'agent',
  params: idParams,
  body: AgentWord,
  answers: {
    200: { means: 'The contact.', body: ShownContact },
    400: { means: 'The body fails its schema.', body: failure },
    404: { means: 'This company has no such task.', body: failure },
    409: { means: 'It is not this agent’s, or not at that point.', body: failure },
    413: { means: 'The body is over `http.bodyLimit`.', body: failure },
    415: { means: 'The body is no JSON.', body: failure },
    ...keyed,
  },
});

export const CONTACT_ENDPOINTS = {
  createCallback: create('callback', CallbackMessage),
  createTask: create('task', TaskMessage),
  getCallback: get('callback'),
  getTask: get('task'),
  cancelCallback: cancel('callback'),
  cancelTask: cancel('task'),
  agentTasks: {
    method: 'GET',
    path: `${BASE}/task/agent/:agent`,
    group,
    summary: 'The tasks that an agent is offered or has',
    access: 'key',
    scope: 'agent',
    params: z.strictObject({ agent: z.string().describe('The agentID.') }),
    answers: { 200: { means: 'Them.', body: z.strictObject({ tasks: z.array(AgentTask) }) }, ...keyed },
  },
  accept: word('accept', 'An agent takes the task that he is offered'),
  decline: word('decline', 'An agent does not take it; it goes back to its queue'),
  complete: word('complete', 'An agent has done it'),
} satisfies Record<string, Endpoint>;
