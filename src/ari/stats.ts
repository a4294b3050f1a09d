import type { AriErrorKind } from './errors.ts';
import { EVENT_TYPES } from './types.generated.ts';

/** How a request ended. */
export type RequestOutcome = 'ok' | AriErrorKind;

/** Plain counters, for a metrics exporter to read; all but the in-flight figures only ever rise. */
export interface AriStats {
  /** events handed on, by described type */
  readonly events: Record<string, number>;
  /** events of a type that the description does not know; handed on too */
  unknownEvents: number;
  /** frames that were no ARI message */
  unparsableFrames: number;
  /** responses over the event socket whose request had ended already */
  lateResponses: number;
  /** events older than the list fetched after a reconnect, not handed on */
  staleEvents: number;
  /** events held back at present until the list is in */
  bufferedEvents: number;
  /** times the held-back events overflowed and the connection was made anew */
  bufferOverflows: number;
  /** errors thrown by the consumer's callbacks */
  handlerErrors: number;
  /** connections that reached `ready` */
  connects: number;
  /** connections lost */
  disconnects: number;
  /** attempts to connect after the first */
  reconnects: number;
  /** connections given up because nothing came from them any more */
  watchdogExpiries: number;
  /** requests ended, by outcome */
  readonly requests: Record<RequestOutcome, number>;
  /** requests under way by HTTP */
  inFlightHttp: number;
  /** requests under way over the event socket */
  inFlightWebSocket: number;
  /** when anything last came over the event socket, milliseconds since 1970; 0 for never */
  lastTrafficAt: number;
}

/** Counters at zero. */
export function emptyStats(): AriStats {
  const events = Object.create(null) as Record<string, number>;
  for (const type of EVENT_TYPES) events[type] = 0;
  return {
    events,
    unknownEvents: 0,
    unparsableFrames: 0,
    lateResponses: 0,
    staleEvents: 0,
    bufferedEvents: 0,
    bufferOverflows: 0,
    handlerErrors: 0,
    connects: 0,
    disconnects: 0,
    reconnects: 0,
    watchdogExpiries: 0,
    requests: {
      ok: 0,
      status: 0,
      timeout: 0,
      aborted: 0,
      connection: 0,
      overload: 0,
      'too-large': 0,
      malformed: 0,
      closed: 0,
      replaced: 0,
    },
    inFlightHttp: 0,
    inFlightWebSocket: 0,
    lastTrafficAt: 0,
  };
}
