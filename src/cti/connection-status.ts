import { z } from 'zod';
import { q850OfSip } from './causes.ts';
import type { LegEnding } from './leg-ending.ts';

/** Seed 000's sixteen Call Connection Statuses, with its numbers and wording. */
export const CONNECTION_STATUSES = {
  Connected: 'This status is obtained from when the call was connected with the agent/customer',
  Busy: 'This status is obtained from the operator’s end, when the customer to which the call is initiated is busy with other',
  Congestion: 'No circuit/channel available. Switching equipment congestion',
  'Hang Up': 'This status is obtained from the operator’s end, when the customer has hanged up the call',
  'Ring Timeout':
    'This status is obtained from the operator’s end, when the customer has not picked up the call and there is ring timeout has happened',
  Failed:
    'If asterisk is down, the system will put the status as FAILED. If there is failure from operator for any reason except the ones already specified, the system will put the status as FAILED.',
  'Channel Busy':
    'This status is obtained when all the channels are busy from our end and the calls are not getting initiated',
  'User Busy': 'This status is obtained when the user is busy with another call',
  'User Not Answered': 'This status is obtained when the user has not answered the call',
  'Operator Congestion':
    'This status is obtained from the operator’s end, when there is congestion of channels from their end',
  'No User Responding':
    'Couldn’t find the user in time. The server could not produce a response within a suitable amount of time, for example, if it could not determine the location of the user in time. The client MAY repeat the request without modifications at any later time.',
  'Unallocated Number':
    'The server has definitive information that the user does not exist at the domain specified in the Request-URI',
  'User Rejected': 'This status is obtained from the operator’s end, when the user has cancelled/rejected the call',
  'Invalid Number':
    'This status is obtained when the phone number is not in the correct regex expression of phone number',
  'Temporary Failure': 'Temporary failure',
  'Channel Unavailable':
    'This status is obtained when all the channels are occupied and no channel is available to make a call, or when there is an issue at our end and the channel wasn’t available to connect',
} as const;

export type ConnectionStatus = keyof typeof CONNECTION_STATUSES;

/** A Call Connection Status, as events carry it. */
export const ConnectionStatus = z.enum(Object.keys(CONNECTION_STATUSES) as [ConnectionStatus, ...ConnectionStatus[]]);

/** What the end's codes say, once it is settled which of the two decides. Exactly one is set, or neither. */
interface Verdict {
  readonly sip?: number;
  readonly q850?: number;
}

/** Causes that say nothing of their own: none, normal clearing, normal unspecified, interworking. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([0, 16, 31, 127]);

/**
 * SIP against Q.850. Asterisk derives the cause from the SIP status unless the far end sent a Reason header. So if
 * the cause is exactly what Asterisk derives, the SIP status decides, being the finer of the two (480 and 483 are both
 * 19). If it differs, the far end said more, and the cause decides, unless it says nothing.
 */
export function decidingCode(ended: Pick<LegEnding, 'sip' | 'q850'>): Verdict {
  const { sip, q850 } = ended;
  if (sip === undefined) return q850 === undefined ? {} : { q850 };
  if (q850 === undefined || q850 === q850OfSip(sip) || SAYS_NOTHING.has(q850)) return { sip };
  return { q850 };
}

/** One row of the table: its number in the contract, its condition in words and in code, and its status. */
export interface ConnectionStatusRow {
  readonly row: number;
  readonly when: string;
  readonly status: ConnectionStatus;
  readonly fits: (ended: LegEnding) => boolean;
}

const bySip =
  (...codes: readonly number[]) =>
  (ended: LegEnding): boolean => {
    const { sip } = decidingCode(ended);
    return sip !== undefined && codes.includes(sip);
  };

const byCause =
  (...causes: readonly number[]) =>
  (ended: LegEnding): boolean => {
    const { q850 } = decidingCode(ended);
    return q850 !== undefined && causes.includes(q850);
  };

const customer = (ended: LegEnding): boolean => ended.role === 'customer';
const user = (ended: LegEnding): boolean => ended.role === 'user';

/** The far end of a leg speaks SIP, so what comes from it comes with a status; without one the cause is Asterisk's. */
const fromFarEnd = (ended: LegEnding): boolean => ended.endedBy === 'far-end' && ended.sip !== undefined;

const notAnswered = bySip(480);
const rangOut = byCause(19);
const busySip = bySip(486, 600);
const busyCause = byCause(17);
const congestion = byCause(34, 42);

/** A hang-up before there was a conversation: row 5. */
function hungUpBeforeConversation(ended: LegEnding): boolean {
  if (ended.answered) return customer(ended) && !ended.bridged && ended.endedBy === 'far-end';
  if (ended.direction === 'inbound' && (ended.endedBy === 'far-end' || ended.sip === 487)) return true;
  return ended.endedBy === 'request' || ended.endedBy === 'other-customer' || ended.endedBy === 'other-user';
}

/**
 * The one table that decides between the sixteen statuses, read from the top: the first row that fits wins.
 *
 * Readings that are not obvious:
 * - Rows 1 and 4 judge an ending by its codes only if the leg was never answered: once answered, it is row 5's or it
 *   is Connected, whatever cause its end carries.
 * - A node that dies under an answered leg makes it Failed: that is no cause which the end carried but the loss of the
 *   switch, and row 3 stands above row 6.
 * - An unanswered inbound leg that its caller ended is a cancel even where a Reason header replaced the cause.
 * - An outbound leg that answers 487 of its own accord is row 18: nobody on our side had cancelled it.
 * - Cause 34 or 42 is the operator's if the far end ended the leg and a SIP status was seen, else ours.
 */
export const CONNECTION_STATUS_TABLE: readonly ConnectionStatusRow[] = [
  {
    row: 1,
    when: 'the number fails the number rule; SIP 484 or 416; Q.850 28',
    status: 'Invalid Number',
    fits: (e) => e.notStarted === 'invalid-number' || (!e.answered && (bySip(484, 416)(e) || byCause(28)(e))),
  },
  {
    row: 2,
    when: 'not started: the company’s, trunk’s or node’s channel limit is reached',
    status: 'Channel Busy',
    fits: (e) => e.notStarted === 'channel-limit',
  },
  {
    row: 3,
    when: 'no Asterisk node is up, or the node died under the leg',
    status: 'Failed',
    fits: (e) => e.notStarted === 'no-node' || e.nodeDied === true,
  },
  {
    row: 4,
    when: 'not started for another reason on our side: unknown or unregistered endpoint, no contact, REST 500 on create; Q.850 3, 20, 44, 66 without a SIP answer',
    status: 'Channel Unavailable',
    fits: (e) => e.notStarted === 'unavailable' || (!e.answered && e.sip === undefined && byCause(3, 20, 44, 66)(e)),
  },
  {
    row: 5,
    when: 'ended by a hang-up before there was a conversation: a customer leg answered and was hung up by the customer before it was bridged; an inbound caller cancelled (SIP 487); the leg still rang when the other party or a request released the call',
    status: 'Hang Up',
    fits: hungUpBeforeConversation,
  },
  { row: 6, when: 'answered', status: 'Connected', fits: (e) => e.answered },
  {
    row: 7,
    when: 'our ring timer ended it: customer leg',
    status: 'Ring Timeout',
    fits: (e) => e.ringTimedOut && customer(e),
  },
  {
    row: 8,
    when: 'our ring timer ended it: user leg; or a user leg with SIP 480, Q.850 19',
    status: 'User Not Answered',
    fits: (e) => user(e) && (e.ringTimedOut || notAnswered(e) || rangOut(e)),
  },
  {
    row: 9,
    when: 'SIP 486, 600; Q.850 17: customer leg',
    status: 'Busy',
    fits: (e) => customer(e) && (busySip(e) || busyCause(e)),
  },
  { row: 10, when: 'the same: user leg', status: 'User Busy', fits: (e) => user(e) && (busySip(e) || busyCause(e)) },
  {
    row: 11,
    when: 'SIP 404, 410, 485, 604; Q.850 1, 22',
    status: 'Unallocated Number',
    fits: (e) => bySip(404, 410, 485, 604)(e) || byCause(1, 22)(e),
  },
  {
    row: 12,
    when: 'SIP 403, 603, 607, 608; Q.850 21',
    status: 'User Rejected',
    fits: (e) => bySip(403, 603, 607, 608)(e) || byCause(21)(e),
  },
  {
    row: 13,
    when: 'SIP 408; Q.850 18',
    status: 'No User Responding',
    fits: (e) => bySip(408)(e) || byCause(18)(e),
  },
  {
    row: 14,
    when: 'SIP 480; Q.850 19: customer leg',
    status: 'User Not Answered',
    fits: (e) => customer(e) && (notAnswered(e) || rangOut(e)),
  },
  {
    row: 15,
    when: 'SIP 503, or Q.850 34, 42 that came from the far end',
    status: 'Operator Congestion',
    fits: (e) => bySip(503)(e) || (congestion(e) && fromFarEnd(e)),
  },
  { row: 16, when: 'Q.850 34, 42 raised on our side', status: 'Congestion', fits: congestion },
  {
    row: 17,
    when: 'SIP 500, 504, 580; Q.850 41, 102',
    status: 'Temporary Failure',
    fits: (e) => bySip(500, 504, 580)(e) || byCause(41, 102)(e),
  },
  { row: 18, when: 'anything else that failed', status: 'Failed', fits: () => true },
];

/** The row of the table that decides an ending. */
export function connectionStatusRow(ended: LegEnding): ConnectionStatusRow {
  const row = CONNECTION_STATUS_TABLE.find((candidate) => candidate.fits(ended));
  if (row === undefined) throw new Error('the last row of the connection status table fits everything');
  return row;
}

/** The Call Connection Status of a leg that ended: the status of the first row that fits. */
export function connectionStatus(ended: LegEnding): ConnectionStatus {
  return connectionStatusRow(ended).status;
}
