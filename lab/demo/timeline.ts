import type { CtiEvent } from '../../src/cti/events.ts';

/** What an event means, in plain words. */
export function meaningOf(event: CtiEvent): string {
  switch (event.messageID) {
    case 'EventCallCreated':
      return `${event.callType.toLowerCase()} call, placed by ${event.thisDN}`;
    case 'EventDialing':
      return `their own phone is rung first, to call ${event.otherDN ?? '?'}`;
    case 'EventRinging':
      return 'their phone rings';
    case 'EventOtherRinging':
      return `is told that ${event.otherDN ?? 'the other phone'} rings`;
    case 'EventEstablished':
      return `talks with ${event.otherDN ?? 'the other party'}`;
    case 'EventReleased':
      return `has left: ${[event.connectionStatus, event.hangupCause, event.hangupDisposition, sip(event.sipCode), `billed ${event.billsec} s`].filter((part) => part !== '').join(', ')}`;
    case 'EventCallDeleted':
      return `the call is over: ${event.connectionStatus}, ${seconds(event.endUepoch - event.startUepoch)} in all`;
    case 'EventPartyError':
    case 'EventAgentError':
      return 'a request was refused';
    default:
      return '';
  }
}

/**
 * A line of the timeline.
 * @param elapsed since the call was asked for, milliseconds
 * @param who a DN or number, empty where it is about the call @param says what happened
 */
export function line(elapsed: number, what: string, who: string, says: string): string {
  return `${seconds(elapsed).padStart(9)}  ${what.padEnd(18)} ${who.padEnd(13)} ${says}`.trimEnd();
}

/** The line of an event. */
export function eventLine(elapsed: number, event: CtiEvent): string {
  const who = 'partyID' in event && 'thisDN' in event ? (event.thisDN ?? '') : '';
  return line(elapsed, event.messageID, who, meaningOf(event));
}

/** @param ms milliseconds @returns e.g. `1.234 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

function sip(code: number | undefined): string {
  return code === undefined ? '' : `SIP ${code}`;
}
