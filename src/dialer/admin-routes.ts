import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { at } from '../http/endpoint.ts';
import { FLOW_ADMIN_ENDPOINTS } from './admin-endpoints.ts';
import { type AdminAccess, adminScope, tagOf, wantedVersion } from './admin-scope.ts';
import type { Flow } from './book.ts';
import type { FlowAnswer, MadeFlows } from './made-flows.ts';

export interface FlowAdminRoutes extends AdminAccess {
  readonly flows: MadeFlows;
}

const BODY_LIMIT = 256 * 1024;

const REFUSALS: Readonly<
  Record<Extract<FlowAnswer, { refused: unknown }>['refused'], readonly [status: number, error: string]>
> = {
  'no-account': [404, 'the company has no such account'],
  'no-flow': [404, 'the account has no such flow'],
  'of-file': [409, 'the flow is in the configuration file'],
  exists: [409, 'the company has a flow of this id'],
  'other-version': [412, 'the flow is another version now'],
  full: [409, 'the company has as many flows as it may'],
};

/** The admin API of the dialler's flows (docs/dialer.md): an API key of the company with the scope `admin`. */
export function flowAdminRoutes(http: FastifyInstance, routes: FlowAdminRoutes): void {
  const { flows } = routes;
  adminScope(http, routes, (scope, companyOf) => {
    type Params = { readonly account: string; readonly flow: string };
    const answer = (reply: FastifyReply, given: FlowAnswer, status: number): FastifyReply => {
      if ('flow' in given)
        return reply
          .code(status)
          .header('etag', tagOf(given.flow.made?.version ?? 0))
          .send(shown(given.flow));
      if ('removed' in given) return reply.code(status).send();
      if ('problems' in given) {
        return reply.code(400).send({ error: 'the flow cannot be used', problems: given.problems });
      }
      const [code, error] = REFUSALS[given.refused];
      return reply.code(code).send({ error });
    };
    /** Acts on one flow; a tag that is no version of ours is that of another one. */
    const onMatch = async (
      request: FastifyRequest,
      reply: FastifyReply,
      status: number,
      act: (expected: number | undefined) => Promise<FlowAnswer>,
    ): Promise<FastifyReply> => {
      const wanted = wantedVersion(request);
      if (wanted === 'another') return answer(reply, { refused: 'other-version' }, status);
      return answer(reply, await act(wanted === 'any' ? undefined : wanted), status);
    };

    scope.route<{ Params: Params }>({
      ...at(FLOW_ADMIN_ENDPOINTS.list),
      handler: async (request, reply) => {
        const found = await flows.list(companyOf(request), request.params.account);
        return found ? { flows: found.map(shown) } : answer(reply, { refused: 'no-account' }, 200);
      },
    });
    scope.route<{ Params: Params }>({
      ...at(FLOW_ADMIN_ENDPOINTS.create),
      bodyLimit: BODY_LIMIT,
      handler: async (request, reply) =>
        answer(reply, await flows.create(companyOf(request), request.params.account, request.body), 201),
    });
    scope.route<{ Params: Params }>({
      ...at(FLOW_ADMIN_ENDPOINTS.read),
      handler: async (request, reply) => {
        const found = await flows.list(companyOf(request), request.params.account);
        if (!found) return answer(reply, { refused: 'no-account' }, 200);
        const flow = found.find((f) => f.config.id === request.params.flow);
        return answer(reply, flow ? { flow } : { refused: 'no-flow' }, 200);
      },
    });
    scope.route<{ Params: Params }>({
      ...at(FLOW_ADMIN_ENDPOINTS.replace),
      bodyLimit: BODY_LIMIT,
      handler: (request, reply) => {
        const { account, flow } = request.params;
        return onMatch(request, reply, 200, (expected) =>
          flows.replace(companyOf(request), account, flow, request.body, expected),
        );
      },
    });
    scope.route<{ Params: Params }>({
      ...at(FLOW_ADMIN_ENDPOINTS.remove),
      handler: (request, reply) => {
        const { account, flow } = request.params;
        return onMatch(request, reply, 204, (expected) => flows.remove(companyOf(request), account, flow, expected));
      },
    });
  });
}

/** A flow as it is told: a webhook's secret never is, a pattern is its text. */
function shown({ config, made }: Flow): object {
  const { webhook, ...rest } = config;
  const { secret: _secret, ...told } = webhook ?? {};
  const flow: unknown = JSON.parse(
    JSON.stringify({ ...rest, ...(webhook && { webhook: told }) }, (_key, value: unknown) =>
      value instanceof RegExp ? value.source : value,
    ),
  );
  return { ...(flow as object), source: made ? 'api' : 'file', ...(made && { version: made.version }) };
}
