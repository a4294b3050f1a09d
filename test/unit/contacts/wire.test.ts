import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { type AgentRoutes, agentRoutes } from '../../../src/contacts/agent-routes.ts';
import { CONTACT_ENDPOINTS } from '../../../src/contacts/endpoints.ts';
import { type ContactRoutes, contactRoutes } from '../../../src/contacts/routes.ts';

const CALLBACK = '<Contact><name>Ann</name><title>Help</title><mediaAddress>911140001234</mediaAddress></Contact>';
const CONTACT = { status: 'Queued', statusReason: 'EXTERNALLY_HANDLED', statusTimestamp: 1, estimatedWaitTime: 0 };

let http: FastifyInstance | undefined;
afterEach(() => http?.close());

/** Posts a callback and answers with what came back, and what was asked of whoever has the queues. */
async function post(body: string | Buffer, headers: Record<string, string> = {}) {
  const asked: unknown[] = [];
  const company = { companyId: 'c', contacts: { feeds: [{ id: 'f' }] } };
  const routes: Partial<ContactRoutes> = {
    // Only these two are read here.
    companiesFor: () => [company as never],
    bodyLimit: 10_000,
    isProxy: () => false,
    uuid: () => '00000000-0000-4000-8000-000000000000',
    ask: async (question) => {
      asked.push('fields' in question && question.fields);
      return { status: 201, contact: CONTACT };
    },
  };
  http = Fastify();
  contactRoutes(http, routes as ContactRoutes);
  const type = { 'content-type': 'application/xml' };
  const answer = await http.inject({
    method: 'POST',
    url: '/ccp/rest/callback/feed/f',
    headers: { ...type, ...headers },
    body,
  });
  const form = /json|xml/.exec(String(answer.headers['content-type']))?.[0];
  return { status: answer.statusCode, form, asked, text: answer.body };
}

describe('the form of an answer', () => {
  it.each([
    ['', 'xml'],
    ['*/*', 'xml'],
    ['image/png', 'xml'],
    ['application/json', 'json'],
    ['application/json, application/xml', 'json'],
    ['application/xml, application/json', 'xml'],
    ['application/xml;q=0.1, application/json;q=0.9', 'json'],
    ['application/json;q=0.5, text/xml', 'xml'],
    ['application/json; q=0, text/xml; q=0.2', 'xml'],
    ['application/json;charset=utf-8;q=0.7, application/xml;q=0.7', 'json'],
  ])('Accept: %s is %s', async (accept, form) => {
    expect(await post(CALLBACK, { accept })).toMatchObject({ status: 201, form });
  });

  it('is what was sent where nothing is asked for, or neither is wanted', async () => {
    const json = { 'content-type': 'application/json' };
    expect(await post('{}', json)).toMatchObject({ status: 201, form: 'json' });
    expect(await post('{}', { ...json, accept: 'application/json;q=0' })).toMatchObject({ status: 201, form: 'json' });
    expect(await post('{}', { ...json, accept: 'application/xml' })).toMatchObject({ status: 201, form: 'xml' });
  });
});

it('an agent’s word that cannot be read is answered as its document says', async () => {
  http = Fastify({ bodyLimit: 1000 });
  const admit = () => ({ companyId: 'c', scopes: new Set(['agent']) });
  // Nothing else is read before the body.
  agentRoutes(http, { access: { admit }, serves: () => true } as unknown as AgentRoutes);
  const statuses: number[] = [];
  for (const [type, body] of [
    ['application/json', '{'],
    ['application/xml', '<a/>'],
    ['application/json', 'x'.repeat(2000)],
  ] as const) {
    const url = '/ccp/rest/task/contact/x/accept';
    statuses.push((await http.inject({ method: 'POST', url, headers: { 'content-type': type }, body })).statusCode);
  }
  expect(statuses).toEqual([400, 415, 413]);
  expect(Object.keys(CONTACT_ENDPOINTS.accept.answers)).toEqual(expect.arrayContaining(statuses.map(String)));
});

describe('the letters of a body', () => {
  const named = (name: string) => CALLBACK.replace('Ann', name);

  it('are read as UTF-8', async () => {
    const { asked } = await post(named('Jürgen'));
    expect(asked).toMatchObject([{ name: 'Jürgen' }]);
  });

  it('in another encoding are refused, not turned into others', async () => {
    const declared = `<?xml version="1.0" encoding="ISO-8859-1"?>${named('Jürgen')}`;
    const refused = await post(Buffer.from(declared, 'latin1'));
    expect(refused).toMatchObject({ status: 400, asked: [] });
    expect(refused.text).toContain('no UTF-8');
  });
});
