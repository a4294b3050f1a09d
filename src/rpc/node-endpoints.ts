import { z } from 'zod';
import type { Endpoint, EndpointAnswer } from '../http/endpoint.ts';

/** What the operators' API takes and answers (docs/operations.md). The handlers are in node-routes.ts. */

const failure = z.strictObject({ error: z.string() });
const node = z.strictObject({
  id: z.string(),
  state: z
    .enum(['serving', 'draining', 'away', 'dead', 'unowned'])
    .describe(
      'away: its event socket or a part of its REST does not work. dead: it was given up, and its calls are released. ' +
        'unowned: no instance has any of its shards.',
    ),
  draining: z.boolean().describe('No new calls; also while it does not serve.'),
  drain: z
    .strictObject({
      since: z.int().describe('Unix ms.'),
      by: z.string().describe('Name of the operator’s key.'),
      reason: z.string().optional(),
    })
    .optional(),
  calls: z.int().describe('Live calls, over all instances as far as they have told.'),
  limits: z.strictObject({ calls: z.int(), callsPerSecond: z.int() }),
  silent: z.array(z.string()).describe('Parts of REST that do not answer.'),
  cutOff: z.array(z.string()).describe('Instances that have not reached its ARI for the time of a lease.'),
});
const params = z.strictObject({ node: z.string().describe('The node’s id.') });
const noKey = { means: 'No key of an operator.', body: failure } satisfies EndpointAnswer;
const changed = {
  200: { means: 'The node as it is now; also where nothing had to be changed.', body: node },
  400: { means: 'The body is not what it should be.', body: failure },
  401: noKey,
  404: { means: 'There is no such node.', body: failure },
  413: { means: 'The body is over `http.bodyLimit`.', body: failure },
  415: { means: 'The body is no JSON.', body: failure },
  503: { means: 'Redis is away: nothing was changed.', body: failure },
} satisfies Record<number, EndpointAnswer>;

/** What a drain may be told with. */
export const drainBody = z.strictObject({
  reason: z.string().max(200).optional().describe('For those who look later, at most 200 characters.'),
});

export const NODE_ENDPOINTS = {
  list: {
    method: 'GET',
    path: '/admin/nodes',
    group: 'Nodes',
    summary: 'The Asterisk nodes and how they are',
    access: 'operator',
    answers: { 200: { means: 'They.', body: z.strictObject({ nodes: z.array(node) }) }, 401: noKey },
  },
  drain: {
    method: 'POST',
    path: '/admin/nodes/:node/drain',
    group: 'Nodes',
    summary: 'No new calls on a node; live ones go on',
    notes:
      'Kept in Redis until it is resumed; every instance follows within a third of `cluster.leaseSeconds`. The body may be left out.',
    access: 'operator',
    params,
    body: drainBody,
    answers: changed,
  },
  resume: {
    method: 'POST',
    path: '/admin/nodes/:node/resume',
    group: 'Nodes',
    summary: 'New calls again',
    access: 'operator',
    params,
    answers: changed,
  },
} satisfies Record<string, Endpoint>;
