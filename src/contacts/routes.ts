import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientAddress } from '../config.ts';
import type { CompanyId } from '../cti/ids.ts';
import { at, type Endpoint } from '../http/endpoint.ts';
import type { ContactAnswer, Unanswered } from '../ports.ts';
import { readBody, sendContact, sendFault, UnreadableBody } from './body.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import { CONTACT_ENDPOINTS, type ShownContact } from './endpoints.ts';
import type { ContactCompany } from './intake.ts';

export interface ContactRoutes {
  /** The companies that take requests from an address. */
  readonly companiesFor: (ip: string) => readonly ContactCompany[];
  /** Bytes that a body may have. */
  readonly bodyLimit: number;
  /** True for the address of a proxy whose X-Forwarded-For is believed. */
  readonly isProxy: (ip: string) => boolean;
  readonly ask: ContactDeps['ask'];
  readonly uuid: ContactDeps['uuid'];
  readonly isPassing: ContactDeps['isPassing'];
  readonly log: ContactDeps['log'];
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
type Kind = Contact['kind'];
type ById = { Params: { id: string } };

/** What a client is told where nobody has answered. */
export const WITHOUT_ANSWER: Readonly<Record<Unanswered, string>> = {
  'not-ready': 'not ready',
  unknown: 'the instance that has the queues did not answer: it may have been done',
};

/**
 * Callback and task requests, their states and their cancels (docs/contacts.md), for the addresses of a company. XML, or
 * JSON where that is asked for.
 */
export function contactRoutes(http: FastifyInstance, routes: ContactRoutes): void {
  const ipOf = (request: FastifyRequest): string => {
    const forwarded = request.headers['x-forwarded-for'];
    const text = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    return clientAddress(request.socket.remoteAddress ?? '', text, routes.isProxy);
  };

  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: routes.bodyLimit }, (_request, body, done) => {
      // Other bytes would be read as other letters: whoever declares another encoding would get a name that is not his.
      if (isUtf8(Buffer.from(body))) done(null, body.toString());
      else done(new UnreadableBody(400, 'the body is no UTF-8'));
    });
    scope.setErrorHandler(async (err: { statusCode?: number; message: string }, request, reply) => {
      if (err instanceof UnreadableBody) return sendFault(request, reply, err.status, err.message);
      if (err.statusCode === 413) {
        return sendFault(request, reply.header('connection', 'close'), 413, 'the body is too large');
      }
      if (err.statusCode !== undefined && err.statusCode < 500) {
        return sendFault(request, reply, err.statusCode, 'the request cannot be read');
      }
      if (routes.isPassing(err)) return sendFault(request, reply, 503, 'not ready');
      // What went wrong inside is for the log alone.
      routes.log.warn('a request of the contacts API failed', { err });
      return sendFault(request, reply, 500, 'internal error');
    });
    // Whoever may not ask at all is not read.
    scope.addHook('onRequest', async (request, reply) => {
      if (routes.companiesFor(ipOf(request)).length === 0) return sendFault(request, reply, 403, 'not allowed');
    });

    const send = (request: FastifyRequest, reply: FastifyReply, kind: Kind, answer: ContactAnswer | Unanswered) => {
      if (typeof answer === 'string') return sendFault(request, reply, 503, WITHOUT_ANSWER[answer]);
      reply.code(answer.status);
      if (answer.status === 429) {
        return sendFault(request, reply.header('retry-after', '1'), answer.status, 'too many requests');
      }
      // Only ContactOffice writes these answers.
      if (answer.contact) return sendContact(request, reply, kind, answer.contact as ShownContact);
      return sendFault(request, reply, answer.status, 'not found');
    };

    const create = (kind: Kind, endpoint: Endpoint): void => {
      scope.route<{ Params: { feed: string } }>({
        ...at(endpoint),
        bodyLimit: routes.bodyLimit,
        handler: async (request, reply) => {
          const { feed: feedId } = request.params;
          const companies = routes.companiesFor(ipOf(request));
          const company = companies.find((c) => c.contacts.feeds.some((f) => f.id === feedId)) ?? companies[0];
          if (!company) return sendFault(request, reply, 503, WITHOUT_ANSWER['not-ready']);
          const companyId = company.companyId as CompanyId;
          const fields = readBody(kind, request);
          const id = routes.uuid();
          const answer = await routes.ask({ what: 'create', companyId, kind, feedId, id, fields });
          if (typeof answer !== 'string' && answer.contact) reply.header('location', `/ccp/rest/${kind}/contact/${id}`);
          return send(request, reply, kind, answer);
        },
      });
    };
    create('callback', CONTACT_ENDPOINTS.createCallback);
    create('task', CONTACT_ENDPOINTS.createTask);

    /** What is done with a contact of this kind that the address may ask for. */
    const byId = (kind: Kind, endpoint: Endpoint, what: 'find' | 'cancel'): void => {
      scope.route<ById>({
        ...at(endpoint),
        handler: async (request, reply) => {
          const { id } = request.params;
          if (!ID.test(id)) return sendFault(request, reply, 404, 'not found');
          const companyIds = routes.companiesFor(ipOf(request)).map((c) => c.companyId as CompanyId);
          return send(request, reply, kind, await routes.ask({ what, companyIds, kind, id }));
        },
      });
    };
    byId('callback', CONTACT_ENDPOINTS.getCallback, 'find');
    byId('task', CONTACT_ENDPOINTS.getTask, 'find');
    byId('callback', CONTACT_ENDPOINTS.cancelCallback, 'cancel');
    byId('task', CONTACT_ENDPOINTS.cancelTask, 'cancel');
  });
}
