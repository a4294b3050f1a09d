import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientAddress } from '../config.ts';
import { at, type Endpoint } from '../http/endpoint.ts';
import type { Account, Book } from './book.ts';
import { type ApiCode, answerHead } from './codes.ts';
import type { DialerDeps } from './deps.ts';
import { DIALER_ENDPOINTS } from './endpoints.ts';
import type { Answer, MakeCalls } from './make-calls.ts';
import type { Masking } from './masking.ts';
import { authorised } from './request.ts';
import { parseTolerant } from './tolerant-json.ts';

export interface DialerRoutes {
  readonly book: Book;
  readonly calls: MakeCalls;
  /** Brings a company's flows up to date. */
  readonly refresh: (companyId: Account['companyId']) => Promise<void>;
  readonly masking: Masking;
  /** True for the address of a proxy whose X-Forwarded-For is believed. */
  readonly isProxy: (ip: string) => boolean;
  readonly log: DialerDeps['log'];
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The Make Call API (docs/dialer.md). Every answer is JSON with `api-response-code` and HTTP status 200; 400 for a body
 * that is no JSON and 413 for one over the limit, both with INVALID_FORMAT.
 */
export function dialerRoutes(http: FastifyInstance, routes: DialerRoutes): void {
  const { book, calls, masking } = routes;
  const ipOf = (request: FastifyRequest): string => {
    const forwarded = request.headers['x-forwarded-for'];
    const text = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    return clientAddress(request.socket.remoteAddress ?? '', text, routes.isProxy);
  };
  const refuse = (reply: FastifyReply, code: ApiCode, status = 200) => reply.code(status).send(answerHead(code));

  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: book.bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
    scope.setErrorHandler(async (err: { statusCode?: number; message: string }, _request, reply) => {
      if (err.statusCode === 413) return refuse(reply.header('connection', 'close'), 'INVALID_FORMAT', 413);
      if (err.statusCode !== undefined && err.statusCode < 500) return refuse(reply, 'INVALID_FORMAT', 400);
      // What went wrong inside is for the log alone. Nothing was stored: the client may ask again.
      routes.log.warn('a request of the Make Call API failed', { err });
      return refuse(reply, 'FAILURE');
    });
    // Whoever may not ask at all is not read.
    scope.addHook('onRequest', async (request, reply) => {
      if (book.accountsFor(ipOf(request)).length === 0) return refuse(reply, 'IP_NOT_WHITELISTED');
    });
    // A flow may have been made or changed at another instance.
    scope.addHook('preHandler', async (request) => {
      const companies = new Set(book.accountsFor(ipOf(request)).map((a) => a.companyId));
      await Promise.all([...companies].map((companyId) => routes.refresh(companyId)));
    });

    /** A request whose body is JSON, however it is called. */
    const onJson = (endpoint: Endpoint, act: (payload: unknown, ip: string) => Promise<Answer>): void => {
      scope.route({
        ...at(endpoint),
        bodyLimit: book.bodyLimit,
        handler: async (request, reply) => {
          let payload: unknown;
          try {
            payload = parseTolerant(typeof request.body === 'string' ? request.body : '');
          } catch (error) {
            if (error instanceof SyntaxError) return refuse(reply, 'INVALID_FORMAT', 400);
            throw error;
          }
          return act(payload, ipOf(request));
        },
      });
    };
    onJson(DIALER_ENDPOINTS.create, (payload, ip) => calls.create(payload, ip));
    onJson(DIALER_ENDPOINTS.mask, (payload, ip) => masking.allocate(payload, ip));
    onJson(DIALER_ENDPOINTS.unmask, (payload, ip) => masking.release(payload, ip));

    scope.route<{ Params: { id: string } }>({
      ...at(DIALER_ENDPOINTS.status),
      handler: async (request) => {
        const { id } = request.params;
        if (!ID.test(id)) return answerHead('NO_DATA_AVAILABLE');
        return calls.status(id, book.accountsFor(ipOf(request)));
      },
    });

    /** The flow of a request that changes it: known by its id and by the account's security id in the header. */
    const withFlow = async (
      request: FastifyRequest<{ Params: { flow: string } }>,
      act: FlowAction,
    ): Promise<Answer> => {
      const given = request.headers['security-id'];
      if (typeof given !== 'string') return answerHead('INVALID_SECURITY_ID');
      const account = authorised(given, ipOf(request), book);
      if ('refused' in account) return answerHead(account.refused);
      const flow = account.flows.get(request.params.flow);
      return flow ? act(flow) : answerHead('INVALID_FLOW_ID');
    };
    type FlowAction = (flow: Parameters<MakeCalls['setFlow']>[0]) => Promise<Answer>;
    const onFlow = (endpoint: Endpoint, act: FlowAction): void => {
      scope.route<{ Params: { flow: string } }>({ ...at(endpoint), handler: (request) => withFlow(request, act) });
    };
    onFlow(DIALER_ENDPOINTS.pause, (flow) => calls.setFlow(flow, 'paused'));
    onFlow(DIALER_ENDPOINTS.resume, (flow) => calls.setFlow(flow, 'running'));
    onFlow(DIALER_ENDPOINTS.stop, (flow) => calls.setFlow(flow, 'stopped'));
    onFlow(DIALER_ENDPOINTS.ledger, (flow) => calls.ledger(flow));
    onFlow(DIALER_ENDPOINTS.replay, (flow) => calls.replay(flow));
  });
}
