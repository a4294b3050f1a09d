import { type ConnectionStatus, connectionStatus } from '../cti/connection-status.ts';
import {
  type EarlyDetectCause,
  earlyDetectCause,
  type HangupCause,
  type HangupDisposition,
  hangupCause,
  hangupDisposition,
  type LegEnding,
  q850Of,
} from '../cti/leg-ending.ts';
import type { Party } from './party.ts';

/** How a leg's end reads in the seed's terms. */
export interface Ending {
  /** Unix ms. */
  readonly at: number;
  readonly connectionStatus: ConnectionStatus;
  readonly earlyDetectCause: EarlyDetectCause;
  readonly hangupDisposition: HangupDisposition;
  readonly hangupCause: HangupCause;
  readonly sip?: number;
  readonly q850: number;
}

/**
 * Whose phone it was that hung up. A leg is a customer's if it goes over a trunk; the person on it is no customer where
 * an agent works from a mobile phone.
 */
const byPerson = (party: Party, cause: HangupCause): HangupCause =>
  cause === 'BY_CUSTOMER' && party.leg.hangup === undefined && party.role !== 'Customer' ? 'BY_AGENT' : cause;

/** Reads a party's ended leg. Asking for a leg that lives is a defect of ours and is thrown. */
export function endOf(party: Party): Ending {
  const { leg } = party;
  const { end } = leg;
  if (!end) throw new Error(`party ${party.partyID} has not ended`);
  const ending: LegEnding = {
    role: leg.kind,
    direction: leg.direction,
    answered: leg.answeredAt !== undefined,
    bridged: leg.bridgedAt !== undefined,
    ringTimedOut: end.ringTimedOut ?? false,
    endedBy: end.by,
    notStarted: end.notStarted,
    nodeDied: end.nodeDied,
    sip: end.sip,
    q850: end.q850,
  };
  return {
    at: end.at,
    connectionStatus: connectionStatus(ending),
    earlyDetectCause: earlyDetectCause(ending),
    hangupDisposition: hangupDisposition(ending),
    hangupCause: byPerson(party, hangupCause(ending)),
    ...(end.sip !== undefined && { sip: end.sip }),
    q850: q850Of(ending),
  };
}
