import type { NewEventOf } from '../cti/events.ts';
import type { CallTrace } from '../ports.ts';
import type { Leg } from './dialer-call.ts';
import type { Deleted } from './outcome.ts';

/**
 * The leg that an EventReleased tells of, if it is the customer's or an agent's whom the call was placed for.
 *
 * @param queued the call was placed for a queue
 */
export function legOf(event: NewEventOf<'EventReleased'>, queued: boolean): Leg | undefined {
  const role = queued ? roleInQueue(event) : roleOf(event);
  if (role === undefined) return undefined;
  return {
    partyID: event.partyID,
    callID: event.callID,
    role,
    number: event.thisDN,
    startedAt: event.startUepoch,
    ...(event.progressUepoch !== undefined && { ringingAt: event.progressUepoch }),
    ...(event.answerUepoch !== undefined && { answeredAt: event.answerUepoch }),
    ...(event.bridgeUepoch !== undefined && { bridgedAt: event.bridgeUepoch }),
    endedAt: event.endUepoch,
    hangupCause: event.hangupCause,
    q850: event.q850,
    ...(event.sipCode !== undefined && { sipCode: event.sipCode }),
    remote: event.hangupDisposition.startsWith('recv_'),
    connectionStatus: event.connectionStatus,
    ...(event.ANI !== undefined && { did: event.ANI }),
  };
}

const roleOf = ({ partyID, callID }: NewEventOf<'EventReleased'>): Leg['role'] | undefined =>
  partyID === `${callID}-1` ? 'agent' : partyID === `${callID}-2` ? 'customer' : undefined;

/** The queue itself is no party: the customer is the first one, and every agent rung for him carries the queue. */
const roleInQueue = ({ partyID, callID, thisQueue }: NewEventOf<'EventReleased'>): Leg['role'] | undefined =>
  partyID === `${callID}-1` ? 'customer' : thisQueue === undefined ? undefined : 'agent';

export function endOfCall(event: NewEventOf<'EventCallDeleted'>): Deleted {
  return {
    connectionStatus: event.connectionStatus,
    ...(event.sipCode !== undefined && { sipCode: event.sipCode }),
    ...(event.bridgeUepoch !== undefined && { bridgedAt: event.bridgeUepoch }),
    endedAt: event.endUepoch,
  };
}

/** The legs of a call as it is stored, and its end. @param queued the call was placed for a queue */
export function foundOf({ ends }: CallTrace, queued: boolean): { legs: readonly Leg[]; end?: Deleted } {
  const legs = ends.flatMap((e) => (e.messageID === 'EventReleased' ? (legOf(e, queued) ?? []) : []));
  const deleted = ends.find((e) => e.messageID === 'EventCallDeleted');
  return { legs, ...(deleted && { end: endOfCall(deleted) }) };
}
