import { z } from 'zod';
import { FlowStatus } from '../cti/flow-status.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { Campaigncall } from './campaigncall.ts';
import { CampaigncallQuery, NewCampaigncall } from './campaigncalls.ts';

/** What the HTTP endpoints of the campaigncalls take and answer (docs/campaigncalls.md). The handlers are in campaigncall-routes.ts. */

const BASE = '/v1.0/campaigncalls';
const failure = z.strictObject({
  error: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), reason: z.string() })).optional(),
  status: FlowStatus.optional().describe('Why the call was refused.'),
});
const params = z.strictObject({ id: z.string() });
const always = {
  401: { means: 'No key, or an unknown one.', body: failure },
  403: { means: 'The key does not have the scope.', body: failure },
  429: { means: 'The key is over its rate.', body: failure },
  503: { means: 'Redis is away.', body: failure },
} as const;
const unknown = { means: 'This company has no such campaigncall.', body: failure };
const group = 'Campaigncalls';

export const CAMPAIGNCALL_ENDPOINTS = {
  list: {
    method: 'GET',
    path: BASE,
    group,
    summary: 'The dialled calls of the company’s flows, newest first',
    access: 'key',
    scope: 'read',
    query: CampaigncallQuery,
    answers: {
      200: {
        means: 'A page of them.',
        body: z.strictObject({
          result: z.array(Campaigncall),
          next_page_token: z.string().describe('Empty on the last page.'),
        }),
      },
      400: { means: 'The query fails its schema.', body: failure },
      ...always,
    },
  },
  create: {
    method: 'POST',
    path: BASE,
    group,
    summary: 'Asks for one call of a flow to one number',
    access: 'key',
    scope: 'dial',
    body: NewCampaigncall,
    answers: {
      201: { means: 'It waits to be placed.', body: Campaigncall },
      400: { means: 'The body fails its schema, or the number must not be called.', body: failure },
      404: { means: 'This company has no such flow.', body: failure },
      409: { means: 'The flow has been stopped.', body: failure },
      413: { means: 'The body is over `http.bodyLimit`.', body: failure },
      ...always,
    },
  },
  get: {
    method: 'GET',
    path: `${BASE}/:id`,
    group,
    summary: 'One of them',
    access: 'key',
    scope: 'read',
    params,
    answers: { 200: { means: 'It.', body: Campaigncall }, 404: unknown, ...always },
  },
  hangUp: {
    method: 'DELETE',
    path: `${BASE}/:id`,
    group,
    summary: 'Hangs up',
    access: 'key',
    scope: 'dial',
    params,
    answers: {
      200: { means: 'It as it was; its end follows.', body: Campaigncall },
      404: unknown,
      409: { means: 'There is no call yet.', body: failure },
      ...always,
    },
  },
} satisfies Record<string, Endpoint>;
