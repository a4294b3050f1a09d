import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { at, type Endpoint } from '../http/endpoint.ts';
import type { ApiAccess, Caller, ContactAnswer } from '../ports.ts';
import type { ContactDeps } from './deps.ts';
import { AgentWord, CONTACT_ENDPOINTS } from './endpoints.ts';
import { WITHOUT_ANSWER } from './routes.ts';

export interface AgentRoutes {
  readonly access: ApiAccess;
  /** The company has contacts. */
  readonly serves: (companyId: string) => boolean;
  readonly ask: ContactDeps['ask'];
  readonly isPassing: ContactDeps['isPassing'];
}

const NOT_FOUND: ContactAnswer = { status: 404 };

/** What agents do with tasks, by an API key of the company with the scope `agent`; JSON only. */
export function agentRoutes(http: FastifyInstance, { access, serves, ask, isPassing }: AgentRoutes): void {
  const served =
    ({ scope }: Endpoint, serve: (caller: Caller, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const caller = access.admit(request.headers.authorization);
      if (caller === 'unauthorized') {
        return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a valid API key is needed' });
      }
      if (caller === 'too-fast') {
        return reply.code(429).header('retry-after', '1').send({ error: 'too many requests' });
      }
      if (scope !== undefined && !caller.scopes.has(scope)) {
        return reply.code(403).send({ error: `the key needs the scope ${scope}` });
      }
      try {
        return await serve(caller, request, reply);
      } catch (error) {
        if (!isPassing(error)) throw error;
        return reply.code(503).send({ error: 'not ready' });
      }
    };

  http.route({
    ...at(CONTACT_ENDPOINTS.agentTasks),
    handler: served(CONTACT_ENDPOINTS.agentTasks, async ({ companyId }, request, reply) => {
      const { agent } = request.params as { agent: string };
      if (!serves(companyId)) return { tasks: [] };
      const answer = await ask({ what: 'tasks', companyId, agentID: agent });
      if (typeof answer === 'string') return reply.code(503).send({ error: WITHOUT_ANSWER[answer] });
      return { tasks: answer.tasks ?? [] };
    }),
  });
  for (const what of ['accept', 'decline', 'complete'] as const) {
    http.route({
      ...at(CONTACT_ENDPOINTS[what]),
      handler: served(CONTACT_ENDPOINTS[what], async ({ companyId }, request, reply) => {
        const body = AgentWord.safeParse(request.body);
        if (!body.success) return reply.code(400).send({ error: 'the body must name the agentID' });
        const { id } = request.params as { id: string };
        const { agentID } = body.data;
        const answer = serves(companyId) ? await ask({ what, companyId, id, agentID }) : NOT_FOUND;
        if (typeof answer === 'string') return reply.code(503).send({ error: WITHOUT_ANSWER[answer] });
        reply.code(answer.status);
        if (answer.contact) return answer.contact;
        if (answer.status === 404) return { error: 'not found' };
        return { error: 'the task is not this agent’s, or not at that point' };
      }),
    });
  }
}
