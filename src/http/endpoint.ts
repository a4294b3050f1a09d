import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';

/** Who may ask: anybody who reaches the port; an API key; a dialler account (source address and security id); an operator. */
export type Access = 'open' | 'key' | 'account' | 'operator';

/** A body, by its content type; a schema alone is JSON. */
export type Body = z.ZodType | Readonly<Record<string, z.ZodType>>;

/** One answer of an endpoint. */
export interface EndpointAnswer {
  /** When it is given. */
  readonly means: string;
  readonly body?: Body;
}

/**
 * One HTTP endpoint as clients are told of it. The schemas are those that its handler validates with, so that the
 * published document cannot say anything else than what is done.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As Fastify writes it: `/status/:id`. */
  readonly path: string;
  /** The group in which it is shown. */
  readonly group: string;
  readonly summary: string;
  /** More, in Markdown. */
  readonly notes?: string;
  readonly access: Access;
  /** The scope that the key needs. */
  readonly scope?: string;
  /** An object schema: the variables of the path. */
  readonly params?: z.ZodObject;
  /** An object schema: the query. */
  readonly query?: z.ZodObject;
  /** An object schema: headers beside Authorization, in lower case. */
  readonly headers?: z.ZodObject;
  readonly body?: Body;
  /** By HTTP status. */
  readonly answers: Readonly<Record<number, EndpointAnswer>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What clients are told of the route. */
    readonly endpoint?: Endpoint;
  }
}

/** The options of the route that serves an endpoint; the handler is added to them. */
export const at = (endpoint: Endpoint) => ({
  method: endpoint.method,
  url: endpoint.path,
  config: { endpoint },
});

/** The routes of a server: what is told of each, and those of which nothing is. */
export interface RouteList {
  readonly endpoints: Endpoint[];
  /** `GET /path` of routes without an endpoint, HEAD and OPTIONS aside. */
  readonly untold: string[];
}

/** Notes every route that is registered from now on. */
export function listRoutes(http: FastifyInstance): RouteList {
  const list: RouteList = { endpoints: [], untold: [] };
  http.addHook('onRoute', (route) => {
    const endpoint = route.config?.endpoint;
    const methods = [route.method].flat().filter((m) => m !== 'HEAD' && m !== 'OPTIONS');
    if (methods.length === 0) return;
    if (endpoint) list.endpoints.push(endpoint);
    else list.untold.push(`${methods.join(',')} ${route.url}`);
  });
  return list;
}
