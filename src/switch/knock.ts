import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Sight } from './death.ts';

/** Where a node listens. */
export interface Doors {
  /** Base of its REST interface. */
  readonly ari: string;
  readonly ami: { readonly host: string; readonly port: number };
}

/** What a proxy says for a node that it does not reach. */
const FROM_A_PROXY: ReadonlySet<number> = new Set([502, 504]);

/**
 * Knocks at both doors of a node, without a word of who asks: any answer, a refusal of the request too, is a sign of life.
 *
 * @param timeoutMs within which something must come
 */
export async function knock(doors: Doors, timeoutMs: number): Promise<Sight> {
  const sights = await Promise.all([knockAtAri(doors.ari, timeoutMs), knockAtAmi(doors.ami, timeoutMs)]);
  if (sights.includes('alive')) return 'alive';
  return sights.every((s) => s === 'refused') ? 'refused' : 'silent';
}

const sightOf = (error: NodeJS.ErrnoException): Sight => {
  // A name with several addresses: all of them were tried.
  if (error instanceof AggregateError) return error.errors.every(isRefusal) ? 'refused' : 'silent';
  return isRefusal(error) ? 'refused' : 'silent';
};

const isRefusal = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNREFUSED';

function knockAtAri(base: string, timeoutMs: number): Promise<Sight> {
  return new Promise((resolve) => {
    const url = new URL(`${base.replace(/\/+$/, '')}/asterisk/ping`);
    // No credentials are sent, so that it does not matter who answers: whoever does, the port is served.
    const options = { agent: false, signal: AbortSignal.timeout(timeoutMs), rejectUnauthorized: false };
    const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      response.destroy();
      resolve(FROM_A_PROXY.has(response.statusCode ?? 0) ? 'silent' : 'alive');
    });
    sent.on('error', (error) => resolve(sightOf(error)));
    sent.end();
  });
}

function knockAtAmi({ host, port }: Doors['ami'], timeoutMs: number): Promise<Sight> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const seen = (sight: Sight): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sight);
    };
    const timer = setTimeout(() => seen('silent'), timeoutMs);
    // Asterisk greets first. One that speaks TLS does not, and is known by its REST interface.
    socket.on('data', () => seen('alive'));
    socket.on('error', (error) => seen(sightOf(error)));
    socket.on('close', () => seen('silent'));
  });
}
