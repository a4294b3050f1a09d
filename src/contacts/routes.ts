import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientAddress } from '../config.ts';
import { at, type Endpoint } from '../http/endpoint.ts';
import { readBody, sendContact, sendFault, UnreadableBody } from './body.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import type { ContactDesk } from './desk.ts';
import { CONTACT_ENDPOINTS, type ShownContact } from './endpoints.ts';

export interface ContactRoutes {
  /** The desks of the companies that take requests from an address. */
  readonly desksFor: (ip: string) => readonly ContactDesk[];
  /** Bytes that a body may have. */
  readonly bodyLimit: number;
  /** True for the address of a proxy whose X-Forwarded-For is believed. */
  readonly isProxy: (ip: string) => boolean;
  readonly desk: ContactDeps['desk'];
  readonly isPassing: ContactDeps['isPassing'];
  readonly log: ContactDeps['log'];
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
type Kind = Contact['kind'];
type ById = { Params: { id: string } };

/** A contact as clients are shown it. */
export function shown(contact: Contact, desk: ContactDesk): ShownContact {
  const agentId = contact.kind === 'task' && contact.status !== 'Queued' ? contact.agent?.agentID : undefined;
  return {
    status: contact.status,
    statusReason: contact.reason,
    statusTimestamp: contact.at,
    estimatedWaitTime: desk.estimatedWait(contact),
    ...(agentId !== undefined && { agentId }),
  };
}

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
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: routes.bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
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
      if (routes.desksFor(ipOf(request)).length === 0) return sendFault(request, reply, 403, 'not allowed');
    });

    const create = (kind: Kind, endpoint: Endpoint): void => {
      scope.route<{ Params: { feed: string } }>({
        ...at(endpoint),
        bodyLimit: routes.bodyLimit,
        handler: async (request, reply) => {
          const { feed } = request.params;
          const desks = routes.desksFor(ipOf(request));
          const desk = desks.find((d) => d.company.contacts.feeds.some((f) => f.id === feed)) ?? desks[0];
          if (!desk || !routes.desk.open(desk.companyId)) return sendFault(request, reply, 503, 'not ready');
          const contact = await desk.create(kind, feed, readBody(kind, request));
          if (!contact) return sendFault(request, reply.header('retry-after', '1'), 429, 'too many requests');
          reply.code(201).header('location', `/ccp/rest/${kind}/contact/${contact.id}`);
          return sendContact(request, reply, kind, shown(contact, desk));
        },
      });
    };
    create('callback', CONTACT_ENDPOINTS.createCallback);
    create('task', CONTACT_ENDPOINTS.createTask);

    /** What is done with a contact of this kind that the address may ask for. */
    const byId = (
      kind: Kind,
      endpoint: Endpoint,
      act: (desk: ContactDesk, contact: Contact, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
    ): void => {
      scope.route<ById>({
        ...at(endpoint),
        handler: async (request, reply) => {
          const { id } = request.params;
          for (const desk of ID.test(id) ? routes.desksFor(ipOf(request)) : []) {
            const contact = await desk.find(id);
            if (contact?.kind === kind) return act(desk, contact, request, reply);
          }
          return sendFault(request, reply, 404, 'not found');
        },
      });
    };
    const get = async (desk: ContactDesk, contact: Contact, request: FastifyRequest, reply: FastifyReply) =>
      sendContact(request, reply, contact.kind, shown(contact, desk));
    const cancel = async (desk: ContactDesk, { id, kind }: Contact, request: FastifyRequest, reply: FastifyReply) => {
      if (!routes.desk.open(desk.companyId)) return sendFault(request, reply, 503, 'not ready');
      const cancelled = await desk.cancel(id);
      if (!cancelled) return sendFault(request, reply, 503, 'not ready');
      const underWay = cancelled.contact.cancelAsked && cancelled.contact.phase !== 'ended';
      reply.code(cancelled.changed || underWay ? 200 : 400);
      return sendContact(request, reply, kind, shown(cancelled.contact, desk));
    };
    byId('callback', CONTACT_ENDPOINTS.getCallback, get);
    byId('task', CONTACT_ENDPOINTS.getTask, get);
    byId('callback', CONTACT_ENDPOINTS.cancelCallback, cancel);
    byId('task', CONTACT_ENDPOINTS.cancelTask, cancel);
  });
}
