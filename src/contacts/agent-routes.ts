import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { at, type Endpoint } from '../http/endpoint.ts';
import type { ApiAccess, Caller } from '../ports.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import type { ContactDesk } from './desk.ts';
import { AgentWord, CONTACT_ENDPOINTS } from './endpoints.ts';
import { shown } from './routes.ts';

export interface AgentRoutes {
  readonly access: ApiAccess;
  readonly deskOf: (companyId: string) => ContactDesk | undefined;
  readonly isPassing: ContactDeps['isPassing'];
}

/** What agents do with tasks, by an API key of the company with the scope `agent`; JSON only. */
export function agentRoutes(http: FastifyInstance, { access, deskOf, isPassing }: AgentRoutes): void {
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
    handler: served(CONTACT_ENDPOINTS.agentTasks, async ({ companyId }, request) => {
      const { agent } = request.params as { agent: string };
      const mine = deskOf(companyId)?.contacts.filter((c) => isWith(c, agent)) ?? [];
      return { tasks: mine.map(taskOf) };
    }),
  });
  for (const what of ['accept', 'decline', 'complete'] as const) {
    http.route({
      ...at(CONTACT_ENDPOINTS[what]),
      handler: served(CONTACT_ENDPOINTS[what], async ({ companyId }, request, reply) => {
        const body = AgentWord.safeParse(request.body);
        if (!body.success) return reply.code(400).send({ error: 'the body must name the agentID' });
        const { id } = request.params as { id: string };
        const desk = deskOf(companyId);
        const stepped = await desk?.say(id, what, body.data.agentID);
        if (desk && stepped?.changed) return shown(stepped.contact, desk);
        const known = stepped?.contact ?? (await desk?.find(id));
        if (known?.kind !== 'task') return reply.code(404).send({ error: 'not found' });
        return reply.code(409).send({ error: 'the task is not this agent’s, or not at that point' });
      }),
    });
  }
}

const isWith = ({ kind, phase, agent }: Contact, agentID: string): boolean =>
  kind === 'task' && (phase === 'offered' || phase === 'held') && agent?.agentID === agentID;

const taskOf = ({ id, phase, queue, offeredUntil, message }: Contact) => ({
  id,
  state: phase,
  queue,
  ...(offeredUntil !== undefined && { offeredUntil }),
  message,
});
