import { z } from 'zod';
import type { Endpoint, EndpointAnswer } from '../http/endpoint.ts';

/** What the admin API of the dialler takes and answers (docs/dialer.md). The handlers are in admin-routes.ts. */

const account = z.string().describe('The account’s id.');
const flowId = z.string().describe('The flow’s id.');
/** The body of a refusal of the admin API. */
export const failure = z.strictObject({
  error: z.string(),
  problems: z.array(z.strictObject({ key: z.string(), message: z.string() })).optional(),
});
/** Refusals that every request of it can meet. */
export const ADMIN_REFUSALS = {
  401: { means: 'No key, or an unknown one.', body: failure },
  403: { means: 'The key does not have the scope.', body: failure },
  503: { means: 'Redis is away.', body: failure },
} satisfies Record<number, EndpointAnswer>;
const body = z.looseObject({}).describe('As companies[].dialer.accounts[].flows[] in docs/configuration.md.');
const shown = z.looseObject({
  source: z.enum(['file', 'api']).describe('file: it is in the configuration file and cannot be changed here.'),
  version: z.int().optional().describe('Grows with every change.'),
});
const refusals = {
  ...ADMIN_REFUSALS,
  404: { means: 'The company has no such account, or the account no such flow.', body: failure },
} satisfies Record<number, EndpointAnswer>;
const changes = {
  400: { means: 'The flow fails the configuration’s schema or rules; why.', body: failure },
  409: { means: 'It exists already, is in the configuration file, or there are too many.', body: failure },
  413: { means: 'The body is over 256 KiB.', body: failure },
};
/** Headers of a change that may name the version that was seen. */
export const match = z.strictObject({
  'if-match': z.string().optional().describe('The version that was seen, in quotes: 412 if it is another one now.'),
});
const otherVersion = { 412: { means: 'It is another version now.', body: failure } };

export const FLOW_ADMIN_ENDPOINTS = {
  list: {
    method: 'GET',
    path: '/admin/dialer/accounts/:account/flows',
    group: 'Dialler flows',
    summary: 'The flows of an account',
    access: 'key',
    scope: 'admin',
    params: z.strictObject({ account }),
    answers: { 200: { means: 'They.', body: z.strictObject({ flows: z.array(shown) }) }, ...refusals },
  },
  create: {
    method: 'POST',
    path: '/admin/dialer/accounts/:account/flows',
    group: 'Dialler flows',
    summary: 'Makes a flow',
    access: 'key',
    scope: 'admin',
    params: z.strictObject({ account }),
    body,
    answers: { 201: { means: 'It, as it takes requests from now on.', body: shown }, ...refusals, ...changes },
  },
  read: {
    method: 'GET',
    path: '/admin/dialer/accounts/:account/flows/:flow',
    group: 'Dialler flows',
    summary: 'One flow',
    access: 'key',
    scope: 'admin',
    params: z.strictObject({ account, flow: flowId }),
    answers: { 200: { means: 'It.', body: shown }, ...refusals },
  },
  replace: {
    method: 'PUT',
    path: '/admin/dialer/accounts/:account/flows/:flow',
    group: 'Dialler flows',
    summary: 'Replaces a flow',
    access: 'key',
    scope: 'admin',
    params: z.strictObject({ account, flow: flowId }),
    headers: match,
    body,
    answers: { 200: { means: 'It, as it is now.', body: shown }, ...refusals, ...changes, ...otherVersion },
  },
  remove: {
    method: 'DELETE',
    path: '/admin/dialer/accounts/:account/flows/:flow',
    group: 'Dialler flows',
    summary: 'Removes a flow',
    notes: 'What waits ends with PARTIAL_COMPLETE; live calls go on without another attempt.',
    access: 'key',
    scope: 'admin',
    params: z.strictObject({ account, flow: flowId }),
    headers: match,
    answers: {
      204: { means: 'It takes no requests any more.' },
      ...refusals,
      409: { means: 'It is in the configuration file.', body: failure },
      ...otherVersion,
    },
  },
} satisfies Record<string, Endpoint>;
