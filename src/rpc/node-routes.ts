import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { at } from '../http/endpoint.ts';
import type { NodeOperations, NodeStatus } from '../ports.ts';
import { drainBody, NODE_ENDPOINTS } from './node-endpoints.ts';
import { json, type RouteDeps } from './routes.ts';

type Change = (node: string, by: string, request: FastifyRequest) => Promise<NodeStatus | undefined>;

/** The operators' API: nodes are no company's, and no company's key opens it. */
export function nodeRoutes(app: FastifyInstance, deps: RouteDeps, nodes: NodeOperations): void {
  app.register(async (scope) => {
    const operators = new WeakMap<FastifyRequest, string>();
    scope.addHook('onRequest', async (request, reply) => {
      const operator = deps.operators.find(request.headers.authorization);
      if (operator === undefined) {
        deps.metrics.unauthorized.inc();
        reply.header('www-authenticate', 'Bearer');
        return failed(reply, 401, 'the key of an operator is needed: Authorization: Bearer <key>');
      }
      operators.set(request, operator);
    });
    const change =
      (what: Change) =>
      async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
        const { node } = request.params as { node: string };
        let status: NodeStatus | undefined;
        try {
          status = await what(node, operators.get(request) ?? '', request);
        } catch (err) {
          deps.logger.warn({ err, node }, 'an operator’s request could not be carried out');
          return failed(reply, 503, 'Redis is away: nothing was changed');
        }
        return status ? json(reply, JSON.stringify(status)) : failed(reply, 404, 'there is no such node');
      };
    scope.route({
      ...at(NODE_ENDPOINTS.list),
      handler: async (_request, reply) => json(reply, JSON.stringify({ nodes: nodes.list() })),
    });
    scope.route({
      ...at(NODE_ENDPOINTS.drain),
      handler: async (request, reply) => {
        const body = drainBody.safeParse(request.body ?? {});
        if (!body.success)
          return failed(reply, 400, 'the body may have a reason of at most 200 characters, and no more');
        return await change((node, by) => nodes.drain(node, by, body.data.reason))(request, reply);
      },
    });
    scope.route({ ...at(NODE_ENDPOINTS.resume), handler: change((node, by) => nodes.resume(node, by)) });
  });
}

const failed = (reply: FastifyReply, status: number, error: string): FastifyReply =>
  json(reply.code(status), JSON.stringify({ error }));
