import type { AriMethod, CarrierName } from './carrier.ts';

/**
 * What kind of load a request puts on the connection that carries it:
 * - `list`: the answer may be large. Never over the event socket: Asterisk builds a frame on the stack of its thread, and a
 *   list of some 500 channels would exceed it; a recording's bytes are refused there (406).
 * - `blocking`: Asterisk's thread waits until the channel's own thread has run it, and the event socket with it: whatever
 *   was sent after it waits too, pings among it.
 * - `quick`: queued or answered at once.
 */
export type RequestKind = 'list' | 'blocking' | 'quick';

/** Last path segment of the requests that wait for the channel's own thread. */
const BLOCKING = new Set(['answer', 'addChannel', 'removeChannel', 'variable', 'variables']);

/**
 * The one table that says which carrier a kind of request prefers, where both are there. Measured on Asterisk 22.10.1 with
 * create, dial, bridge and hang up, 16 at once: with the blocking ones by HTTP it takes 3 ms from both answers to the bridge
 * (median), 9 to 16 with all on the socket, 5 to 10 with all by HTTP, at much the same rate; the client's CPU is 0.85 to 1.1
 * ms for all on the socket, 1.0 to 1.1 for the mix, 1.05 to 1.3 for all by HTTP.
 */
export const DEFAULT_CARRIERS: Readonly<Record<RequestKind, CarrierName>> = {
  list: 'http',
  blocking: 'http',
  quick: 'websocket',
};

/** Tells the kind of a request from its method and its path without query. */
export function kindOf(method: AriMethod, path: string): RequestKind {
  const slash = path.lastIndexOf('/');
  // Answered with everything that the application is subscribed to.
  if (path.endsWith('/subscription')) return 'list';
  if (method === 'GET') {
    // Collections (/channels, /recordings/stored, ...) and files; what names one thing (/channels/ID) is small.
    if (slash === 0 || path.startsWith('/recordings/stored') || path.startsWith('/asterisk/modules')) return 'list';
    if (path.startsWith('/applications/') || (path.startsWith('/endpoints/') && slash === 10)) return 'list';
  }
  return BLOCKING.has(path.slice(slash + 1)) ? 'blocking' : 'quick';
}
