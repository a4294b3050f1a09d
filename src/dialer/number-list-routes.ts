import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { at } from '../http/endpoint.ts';
import { type AdminAccess, adminScope, tagOf, wantedVersion } from './admin-scope.ts';
import { NUMBER_LIST_ENDPOINTS, NumberListParams } from './number-list-endpoints.ts';
import { NumberListQuery, type NumberLists } from './number-lists.ts';

export interface NumberListRoutes extends AdminAccess {
  readonly lists: NumberLists;
}

const BODY_LIMIT = 4 * 1024 * 1024;

type Answer = Awaited<ReturnType<NumberLists['page']>>;

const REFUSALS: Readonly<
  Record<Extract<Answer, { refused: unknown }>['refused'], readonly [status: number, error: string]>
> = {
  'no-account': [404, 'the company has no such account'],
  'other-version': [412, 'the list is another version now'],
  changed: [409, 'the list has changed since the page before: begin again'],
  full: [409, 'the list would have more than 1000000 numbers'],
};

/** The admin API of the accounts' lists (docs/dialer.md): an API key of the company with the scope `admin`. */
export function numberListRoutes(http: FastifyInstance, routes: NumberListRoutes): void {
  const { lists } = routes;
  adminScope(http, routes, (scope, companyOf) => {
    const answer = (reply: FastifyReply, given: Answer): FastifyReply => {
      if ('body' in given) return reply.header('etag', tagOf(given.version)).send(given.body);
      if ('problems' in given) {
        return reply.code(400).send({ error: 'nothing was changed', problems: given.problems });
      }
      const [code, error] = REFUSALS[given.refused];
      return reply.code(code).send({ error });
    };
    /** A request for one list. */
    const onList = async (
      request: FastifyRequest,
      reply: FastifyReply,
      act: (params: z.infer<typeof NumberListParams>) => Promise<Answer>,
    ): Promise<FastifyReply> => {
      const params = NumberListParams.safeParse(request.params);
      if (!params.success) return reply.code(404).send({ error: 'there is no such list' });
      return answer(reply, await act(params.data));
    };
    /** A change of one list. A tag that is no version of ours is that of another one. */
    const onChange = async (
      request: FastifyRequest,
      reply: FastifyReply,
      how: 'change' | 'replace',
    ): Promise<FastifyReply> => {
      const wanted = wantedVersion(request);
      if (wanted === undefined && how === 'replace') {
        return reply.code(428).send({ error: 'If-Match is missing: give the ETag that was seen, or *' });
      }
      if (wanted === 'another') return answer(reply, { refused: 'other-version' });
      const expected = wanted === 'any' ? undefined : wanted;
      return onList(request, reply, async ({ account, list }) => {
        const companyId = companyOf(request);
        const changed = await lists[how](companyId, account, list, request.body, expected);
        if ('body' in changed) {
          const { version, body } = changed;
          routes.log.info('a list of the dialler was changed', { companyId, account, list, how, version, ...body });
        }
        return changed;
      });
    };

    scope.route({
      ...at(NUMBER_LIST_ENDPOINTS.read),
      handler: (request, reply) => {
        const query = NumberListQuery.safeParse(request.query);
        if (!query.success) return reply.code(400).send({ error: 'page_size or page_token cannot be read' });
        return onList(request, reply, ({ account, list }) => lists.page(companyOf(request), account, list, query.data));
      },
    });
    scope.route({
      ...at(NUMBER_LIST_ENDPOINTS.change),
      bodyLimit: BODY_LIMIT,
      handler: (request, reply) => onChange(request, reply, 'change'),
    });
    scope.route({
      ...at(NUMBER_LIST_ENDPOINTS.replace),
      bodyLimit: BODY_LIMIT,
      handler: (request, reply) => onChange(request, reply, 'replace'),
    });
  });
}
