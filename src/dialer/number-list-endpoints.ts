import { z } from 'zod';
import type { Endpoint, EndpointAnswer } from '../http/endpoint.ts';
import { ADMIN_REFUSALS, failure, match } from './admin-endpoints.ts';
import { NumberListBody, NumberListChange, NumberListQuery } from './number-lists.ts';

/** What the admin API of the accounts' lists takes and answers (docs/dialer.md). The handlers are in number-list-routes.ts. */

/** The variables of the path. */
export const NumberListParams = z.strictObject({
  account: z.string().describe('The account’s id.'),
  list: z.enum(['black', 'white', 'dnd']).describe('blackList, whiteList or dndList of the configuration.'),
});

const counts = {
  total: z.int().describe('Numbers that the API keeps.'),
  file: z.int().describe('Numbers that the configuration file has, which count as well.'),
};
const refusals = {
  ...ADMIN_REFUSALS,
  404: { means: 'The company has no such account, or there is no such list.', body: failure },
} satisfies Record<number, EndpointAnswer>;
const changes = {
  400: { means: 'Something in the body is wrong; what, and where. Nothing was changed.', body: failure },
  409: { means: 'The list would have more than 1,000,000 numbers.', body: failure },
  412: { means: 'It is another version now.', body: failure },
  413: { means: 'The body is over 4 MiB.', body: failure },
} satisfies Record<number, EndpointAnswer>;
const path = '/admin/dialer/accounts/:account/lists/:list';
const group = 'Dialler lists';

export const NUMBER_LIST_ENDPOINTS = {
  read: {
    method: 'GET',
    path,
    group,
    summary: 'A page of a list',
    access: 'key',
    scope: 'admin',
    params: NumberListParams,
    query: NumberListQuery,
    answers: {
      200: {
        means: 'The numbers in their canonical form, in the order of their digits; ETag is the list’s version.',
        body: z.strictObject({ numbers: z.array(z.string()), ...counts, next_page_token: z.string() }),
      },
      ...refusals,
      400: { means: 'The query is wrong.', body: failure },
      409: { means: 'The list has changed since the page before: begin again.', body: failure },
    },
  },
  change: {
    method: 'POST',
    path,
    group,
    summary: 'Adds numbers to a list and removes some',
    notes: 'All of it or nothing. 10,000 numbers at most.',
    access: 'key',
    scope: 'admin',
    params: NumberListParams,
    headers: match,
    body: NumberListChange,
    answers: {
      200: {
        means: 'It holds at every instance from now on.',
        body: z.strictObject({ added: z.int(), removed: z.int(), ...counts }),
      },
      ...refusals,
      ...changes,
    },
  },
  replace: {
    method: 'PUT',
    path,
    group,
    summary: 'Replaces a list',
    notes: 'At once: nobody ever sees part of it. 100,000 numbers at most.',
    access: 'key',
    scope: 'admin',
    params: NumberListParams,
    headers: z.strictObject({
      'if-match': z.string().describe('The version that was seen, in quotes; * for whatever there is.'),
    }),
    body: NumberListBody,
    answers: {
      200: { means: 'It holds at every instance from now on.', body: z.strictObject(counts) },
      ...refusals,
      ...changes,
      428: { means: 'If-Match is missing: what somebody else has added meanwhile would be lost.', body: failure },
    },
  },
} satisfies Record<string, Endpoint>;
