import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../ports.ts';
import type { DialerDeps } from './deps.ts';

/** What the routes of the admin API need. */
export interface AdminAccess {
  /** Who sends this Authorization header. */
  readonly callerOf: (authorization: string | undefined) => Caller | undefined;
  readonly isPassing: DialerDeps['isPassing'];
  readonly log: DialerDeps['log'];
}

/**
 * A part of the server for API keys with the scope `admin` alone.
 *
 * @param register is given the part, and who asks
 */
export function adminScope(
  http: FastifyInstance,
  access: AdminAccess,
  register: (scope: FastifyInstance, companyOf: (request: FastifyRequest) => Caller['companyId']) => void,
): void {
  http.register(async (scope) => {
    const callers = new WeakMap<FastifyRequest, Caller>();
    scope.addHook('onRequest', async (request, reply) => {
      const caller = access.callerOf(request.headers.authorization);
      if (caller === undefined) {
        return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a valid API key is needed' });
      }
      if (!caller.scopes.has('admin')) return reply.code(403).send({ error: 'the key needs the scope admin' });
      callers.set(request, caller);
    });
    scope.setErrorHandler(async (err: Error & { statusCode?: number }, _request, reply) => {
      if (err.statusCode !== undefined && err.statusCode < 500) {
        const error = err.statusCode === 413 ? 'the body is too long' : 'the body is no JSON';
        return reply.code(err.statusCode === 413 ? 413 : 400).send({ error });
      }
      if (!access.isPassing(err)) access.log.warn('a request of the admin API failed', { err });
      return reply.code(503).send({ error: 'the store cannot be asked now' });
    });
    register(scope, (request) => {
      const caller = callers.get(request);
      if (!caller) throw new Error('a request without its caller');
      return caller.companyId;
    });
  });
}

/** What If-Match asks for: a version, any there is, a tag that is no version of ours, or nothing at all. */
export function wantedVersion(request: FastifyRequest): number | 'any' | 'another' | undefined {
  const tag = request.headers['if-match'];
  if (tag === undefined) return undefined;
  if (tag === '*') return 'any';
  const version = /^"(\d{1,15})"$/.exec(tag)?.[1];
  return version === undefined ? 'another' : Number(version);
}

/** The tag of a version. */
export const tagOf = (version: number): string => `"${version}"`;
