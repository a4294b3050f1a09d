import type { EventOf } from '../cti/events.ts';
import type { Leg } from './dialer-call.ts';
import type { Deleted } from './outcome.ts';

/** The leg that an EventReleased tells of, if it is one of the call's first two parties: the agent or the customer. */
export function legOf(event: EventOf<'EventReleased'>): Leg | undefined {
  const role =
    event.partyID === `${event.callID}-1` ? 'agent' : event.partyID === `${event.callID}-2` ? 'customer' : undefined;
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

export function endOfCall(event: EventOf<'EventCallDeleted'>): Deleted {
  return {
    connectionStatus: event.connectionStatus,
    ...(event.sipCode !== undefined && { sipCode: event.sipCode }),
    ...(event.bridgeUepoch !== undefined && { bridgedAt: event.bridgeUepoch }),
    endedAt: event.endUepoch,
  };
}
