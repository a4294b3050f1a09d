import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { at, type Endpoint } from '../http/endpoint.ts';
import type { ApiAccess, Caller } from '../ports.ts';
import type { Campaigncall } from './campaigncall.ts';
import { CAMPAIGNCALL_ENDPOINTS } from './campaigncall-endpoints.ts';
import { type CampaigncallFault, CampaigncallQuery, type Campaigncalls, NewCampaigncall } from './campaigncalls.ts';
import type { DialerDeps } from './deps.ts';

export interface CampaigncallRoutes {
  readonly campaigncalls: Campaigncalls;
  readonly access: ApiAccess;
  readonly isPassing: DialerDeps['isPassing'];
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const FAULTS: Readonly<Record<Exclude<CampaigncallFault['fault'], 'refused'>, { status: number; error: string }>> = {
  'not-found': { status: 404, error: 'not found' },
  stopped: { status: 409, error: 'the campaign has been stopped' },
  'not-placed-yet': { status: 409, error: 'there is no call yet' },
  'not-ready': { status: 503, error: 'not ready' },
};

/**
 * The campaigncalls (docs/campaigncalls.md): JSON, with an API key of the company. 401 without a key, 403 without the
 * scope, 429 over the key's rate, 400 for a query or a body that is not as described, 404 for what this company does not
 * have, 409 where it cannot be done now, 503 while Redis is away.
 */
export function campaigncallRoutes(http: FastifyInstance, routes: CampaigncallRoutes): void {
  const { campaigncalls, access } = routes;

  /** Answers with what a caller who has the scope is served with. */
  const served =
    ({ scope }: Endpoint, serve: (caller: Caller, request: FastifyRequest, reply: FastifyReply) => unknown) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const caller = access.admit(request.headers.authorization);
      if (caller === 'unauthorized') {
        return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a valid API key is needed' });
      }
      if (caller === 'too-fast') {
        return reply.code(429).header('retry-after', '1').send({ error: 'too many requests' });
      }
      if (scope !== undefined && !caller.scopes.has(scope))
        return reply.code(403).send({ error: `the key needs the scope ${scope}` });
      try {
        return await serve(caller, request, reply);
      } catch (error) {
        if (!routes.isPassing(error)) throw error;
        return reply.code(503).send({ error: 'not ready' });
      }
    };

  const answer = (reply: FastifyReply, found: Campaigncall | CampaigncallFault, status = 200) => {
    if (!('fault' in found)) return reply.code(status).send(found);
    if (found.fault === 'refused') {
      return reply.code(400).send({ error: 'the call was refused', status: found.status });
    }
    const { status: code, error } = FAULTS[found.fault];
    return reply.code(code).send({ error });
  };

  const invalid = (reply: FastifyReply, issues: readonly { path: PropertyKey[]; message: string }[]) =>
    reply.code(400).send({
      error: 'invalid request',
      issues: issues.map((i) => ({ path: i.path.join('.'), reason: i.message })),
    });

  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // A client that names a type and sends no body, as some do with DELETE, is understood too.
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
      try {
        done(null, text === '' ? undefined : JSON.parse(String(text)));
      } catch {
        done(Object.assign(new Error('the body is no JSON'), { statusCode: 400 }), undefined);
      }
    });
    scope.route({
      ...at(CAMPAIGNCALL_ENDPOINTS.list),
      handler: served(CAMPAIGNCALL_ENDPOINTS.list, async (caller, request, reply) => {
        const query = CampaigncallQuery.safeParse(request.query);
        return query.success ? campaigncalls.list(caller, query.data) : invalid(reply, query.error.issues);
      }),
    });
    scope.route({
      ...at(CAMPAIGNCALL_ENDPOINTS.create),
      handler: served(CAMPAIGNCALL_ENDPOINTS.create, async (caller, request, reply) => {
        const body = NewCampaigncall.safeParse(request.body);
        if (!body.success) return invalid(reply, body.error.issues);
        const made = await campaigncalls.create(caller, body.data);
        if (!('fault' in made)) reply.header('location', `${CAMPAIGNCALL_ENDPOINTS.create.path}/${made.id}`);
        return answer(reply, made, 201);
      }),
    });
    const byId = (
      endpoint: Endpoint,
      act: (caller: Caller, id: string) => Promise<Campaigncall | CampaigncallFault>,
    ): void => {
      scope.route({
        ...at(endpoint),
        handler: served(endpoint, async (caller, request, reply) => {
          const { id } = (request as FastifyRequest<{ Params: { id: string } }>).params;
          return answer(reply, ID.test(id) ? await act(caller, id) : { fault: 'not-found' });
        }),
      });
    };
    byId(CAMPAIGNCALL_ENDPOINTS.get, (caller, id) => campaigncalls.get(caller, id));
    byId(CAMPAIGNCALL_ENDPOINTS.hangUp, (caller, id) => campaigncalls.hangUp(caller, id));
  });
}
