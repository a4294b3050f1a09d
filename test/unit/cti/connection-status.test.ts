import { describe, expect, it } from 'vitest';
import { q850OfSip } from '../../../src/cti/causes.ts';
import {
  CONNECTION_STATUS_TABLE,
  CONNECTION_STATUSES,
  type ConnectionStatus,
  connectionStatus,
  connectionStatusRow,
  decidingCode,
} from '../../../src/cti/connection-status.ts';
import {
  EARLY_DETECT_CAUSES,
  earlyDetectCause,
  HangupCause,
  HangupDisposition,
  hangupCause,
  hangupDisposition,
  type LegEnding,
} from '../../../src/cti/leg-ending.ts';

/** A customer leg that we dialled and that its far end refused, unless told otherwise. */
function ending(told: Partial<LegEnding> = {}): LegEnding {
  return {
    role: 'customer',
    direction: 'outbound',
    answered: false,
    bridged: false,
    ringTimedOut: false,
    endedBy: 'far-end',
    ...told,
  };
}

/** A far end's SIP answer with the cause that Asterisk derives from it. */
const sip = (status: number, told: Partial<LegEnding> = {}) =>
  ending({ sip: status, q850: q850OfSip(status), ...told });
const user = { role: 'user' } as const;

const EXAMPLES: readonly (readonly [number, ConnectionStatus, string, LegEnding])[] = [
  [1, 'Invalid Number', 'fails the number rule', ending({ notStarted: 'invalid-number', endedBy: 'system' })],
  [1, 'Invalid Number', 'SIP 484', sip(484)],
  [1, 'Invalid Number', 'SIP 416', sip(416)],
  [1, 'Invalid Number', 'cause 28', ending({ q850: 28 })],
  [2, 'Channel Busy', 'limit reached', ending({ notStarted: 'channel-limit', endedBy: 'system' })],
  [3, 'Failed', 'no node up', ending({ notStarted: 'no-node', endedBy: 'system' })],
  [3, 'Failed', 'node died while ringing', ending({ nodeDied: true, endedBy: 'system' })],
  [
    3,
    'Failed',
    'node died while talking',
    ending({ nodeDied: true, answered: true, bridged: true, endedBy: 'system' }),
  ],
  [4, 'Channel Unavailable', 'no contact', ending({ ...user, notStarted: 'unavailable', endedBy: 'system' })],
  [4, 'Channel Unavailable', 'cause 20 without SIP', ending({ ...user, q850: 20 })],
  [4, 'Channel Unavailable', 'cause 3 without SIP', ending({ q850: 3 })],
  [4, 'Channel Unavailable', 'cause 44 without SIP', ending({ q850: 44 })],
  [4, 'Channel Unavailable', 'cause 66 without SIP', ending({ q850: 66 })],
  [5, 'Hang Up', 'customer answered and left before the bridge', ending({ answered: true, q850: 16 })],
  [5, 'Hang Up', 'inbound caller cancelled', sip(487, { direction: 'inbound' })],
  [5, 'Hang Up', 'inbound caller cancelled with a Reason', ending({ direction: 'inbound', sip: 487, q850: 26 })],
  [5, 'Hang Up', 'agent left while the customer rang', ending({ q850: 16, endedBy: 'other-user' })],
  [5, 'Hang Up', 'customer left while the agent rang', ending({ ...user, q850: 16, endedBy: 'other-customer' })],
  [5, 'Hang Up', 'a request while it rang', sip(603, { endedBy: 'request' })],
  [6, 'Connected', 'talked', ending({ answered: true, bridged: true, q850: 16 })],
  [6, 'Connected', 'agent answered and hung up unbridged', ending({ ...user, answered: true })],
  [6, 'Connected', 'answered, cause 28', ending({ answered: true, bridged: true, q850: 28 })],
  [6, 'Connected', 'answered, cause 44 without SIP', ending({ answered: true, bridged: true, q850: 44 })],
  [6, 'Connected', 'answered by a customer, unbridged, ended by us', ending({ answered: true, endedBy: 'system' })],
  [7, 'Ring Timeout', 'ring timer, customer', ending({ ringTimedOut: true, q850: 19, endedBy: 'system' })],
  [8, 'User Not Answered', 'ring timer, user', ending({ ...user, ringTimedOut: true, q850: 19, endedBy: 'system' })],
  [8, 'User Not Answered', 'SIP 480, user', sip(480, user)],
  [8, 'User Not Answered', 'cause 19, user', ending({ ...user, q850: 19 })],
  [9, 'Busy', 'SIP 486, customer', sip(486)],
  [9, 'Busy', 'SIP 600, customer', sip(600)],
  [9, 'Busy', 'cause 17, customer', ending({ q850: 17 })],
  [9, 'Busy', 'SIP 480 with a Reason of 17', ending({ sip: 480, q850: 17 })],
  [9, 'Busy', 'SIP 486 whose cause says nothing', ending({ sip: 486, q850: 16 })],
  [10, 'User Busy', 'SIP 486, user', sip(486, user)],
  [10, 'User Busy', 'SIP 600, user', sip(600, user)],
  [10, 'User Busy', 'cause 17, user', ending({ ...user, q850: 17 })],
  [11, 'Unallocated Number', 'SIP 404', sip(404)],
  [11, 'Unallocated Number', 'SIP 410', sip(410)],
  [11, 'Unallocated Number', 'SIP 485', sip(485)],
  [11, 'Unallocated Number', 'SIP 604', sip(604)],
  [11, 'Unallocated Number', 'cause 1', ending({ q850: 1 })],
  [11, 'Unallocated Number', 'cause 22', ending({ q850: 22 })],
  [12, 'User Rejected', 'SIP 403', sip(403)],
  [12, 'User Rejected', 'SIP 603', sip(603)],
  [12, 'User Rejected', 'SIP 607', sip(607)],
  [12, 'User Rejected', 'SIP 608', sip(608, user)],
  [12, 'User Rejected', 'cause 21', ending({ q850: 21 })],
  [13, 'No User Responding', 'SIP 408', sip(408)],
  [13, 'No User Responding', 'cause 18', ending({ q850: 18 })],
  [14, 'User Not Answered', 'SIP 480, customer', sip(480)],
  [14, 'User Not Answered', 'cause 19, customer', ending({ q850: 19 })],
  [15, 'Operator Congestion', 'SIP 503', sip(503)],
  [15, 'Operator Congestion', 'a far end’s Reason of 34', ending({ sip: 480, q850: 34 })],
  [15, 'Operator Congestion', 'a far end’s Reason of 42', ending({ sip: 503, q850: 42 })],
  [16, 'Congestion', 'cause 34 of our own', ending({ q850: 34, endedBy: 'system' })],
  [16, 'Congestion', 'cause 42 without a SIP answer', ending({ q850: 42 })],
  [17, 'Temporary Failure', 'SIP 500', sip(500)],
  [17, 'Temporary Failure', 'SIP 504', sip(504)],
  [17, 'Temporary Failure', 'SIP 580', sip(580)],
  [17, 'Temporary Failure', 'cause 41', ending({ q850: 41 })],
  [17, 'Temporary Failure', 'cause 102', ending({ q850: 102 })],
  [18, 'Failed', 'SIP 487 of its own accord', sip(487)],
  [18, 'Failed', 'SIP 483, whose cause is also 19', sip(483)],
  [18, 'Failed', 'SIP 488', sip(488)],
  [18, 'Failed', 'SIP 302', sip(302)],
  [18, 'Failed', 'a far end’s Reason of 3', ending({ sip: 404, q850: 3 })],
  [18, 'Failed', 'nothing known', ending()],
];

const ROLES = ['customer', 'user'] as const;
const SIPS = [undefined, ...Array.from({ length: 400 }, (_, i) => 300 + i)];
const CAUSES = [undefined, ...Array.from({ length: 128 }, (_, i) => i)];

function* everyEnding(): Generator<LegEnding> {
  for (const role of ROLES) {
    for (const answered of [true, false]) {
      for (const sipStatus of SIPS) {
        for (const q850 of CAUSES) yield ending({ role, answered, bridged: answered, sip: sipStatus, q850 });
      }
    }
  }
}

describe('the connection status table', () => {
  it.each(EXAMPLES)('row %i: %s: %s', (row, status, _what, ended) => {
    expect(connectionStatusRow(ended).row).toBe(row);
    expect(connectionStatus(ended)).toBe(status);
  });

  it('has eighteen rows in order, sixteen statuses, and an example for each', () => {
    expect(CONNECTION_STATUS_TABLE.map(({ row }) => row)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    const rows = new Set(EXAMPLES.map(([row]) => row));
    const statuses = new Set(EXAMPLES.map(([, status]) => status));
    expect(rows.size).toBe(18);
    expect(Object.keys(CONNECTION_STATUSES)).toHaveLength(16);
    expect([...statuses].sort()).toEqual(Object.keys(CONNECTION_STATUSES).sort());
  });

  it('gives every SIP status, cause, role and answer exactly one of the sixteen', () => {
    const known = new Set(Object.keys(CONNECTION_STATUSES));
    const strays: LegEnding[] = [];
    const untrue: LegEnding[] = [];
    let seen = 0;
    for (const ended of everyEnding()) {
      seen++;
      const status = connectionStatus(ended);
      if (!known.has(status)) strays.push(ended);
      // An answered leg stays Connected whatever its end carries; one never answered is never Connected.
      if ((status === 'Connected') !== ended.answered) untrue.push(ended);
    }
    expect(seen).toBe(2 * 2 * 401 * 129);
    expect(strays).toEqual([]);
    expect(untrue).toEqual([]);
  });

  it('gives a customer no user’s status and a user no customer’s', () => {
    const mixed: LegEnding[] = [];
    for (const ended of everyEnding()) {
      const status = connectionStatus(ended);
      if (ended.role === 'customer' && status === 'User Busy') mixed.push(ended);
      if (ended.role === 'user' && (status === 'Busy' || status === 'Ring Timeout')) mixed.push(ended);
    }
    expect(mixed).toEqual([]);
  });
});

describe('SIP against Q.850', () => {
  it('lets SIP decide where the cause is what Asterisk derives from it', () => {
    for (let status = 300; status < 700; status++) {
      expect(decidingCode({ sip: status, q850: q850OfSip(status) })).toEqual({ sip: status });
    }
  });

  it('lets the cause decide where the far end said more, and SIP where the cause says nothing', () => {
    expect(decidingCode({ sip: 480, q850: 17 })).toEqual({ q850: 17 });
    for (const q850 of [0, 16, 31, 127]) expect(decidingCode({ sip: 486, q850 })).toEqual({ sip: 486 });
    expect(decidingCode({ sip: 486 })).toEqual({ sip: 486 });
    expect(decidingCode({ q850: 17 })).toEqual({ q850: 17 });
    expect(decidingCode({})).toEqual({});
  });
});

describe('the other fields of an end', () => {
  it.each([
    [200, ending({ answered: true })],
    [109, sip(486)],
    [109, sip(600)],
    [115, sip(408)],
    [115, sip(480)],
    [115, ending({ ringTimedOut: true, endedBy: 'system' })],
    [104, sip(404)],
    [104, sip(484)],
    [104, ending({ notStarted: 'invalid-number', endedBy: 'system' })],
    [103, sip(502)],
    [103, sip(410)],
    [105, ending({ sip: 480, q850: 20 })],
    [119, sip(503)],
    [119, sip(580)],
    [119, ending({ nodeDied: true, endedBy: 'system' })],
    [0, sip(603)],
    [0, sip(486, { endedBy: 'request' })],
    [0, ending()],
  ] as const)('earlyDetectCause %i', (expected, ended) => {
    expect(earlyDetectCause(ended)).toBe(expected);
    expect(Object.keys(EARLY_DETECT_CAUSES)).toContain(String(expected));
  });

  it.each([
    ['recv_bye', ending({ answered: true })],
    ['send_bye', ending({ answered: true, endedBy: 'request' })],
    ['send_bye', ending({ answered: true, direction: 'inbound', endedBy: 'other-user' })],
    ['recv_cancel', sip(487, { direction: 'inbound' })],
    ['send_refuse', ending({ direction: 'inbound', endedBy: 'system' })],
    ['recv_refuse', sip(486)],
    ['send_cancel', ending({ endedBy: 'other-user' })],
    ['send_cancel', ending({ ringTimedOut: true, endedBy: 'system' })],
  ] as const)('hangupDisposition %s', (expected, ended) => {
    expect(hangupDisposition(ended)).toBe(expected);
  });

  it.each([
    ['BY_CUSTOMER', ending({ answered: true, bridged: true })],
    ['BY_AGENT', ending({ ...user, answered: true, bridged: true })],
    ['BY_AGENT', ending({ answered: true, endedBy: 'other-user' })],
    ['BY_CUSTOMER', ending({ ...user, answered: true, endedBy: 'other-customer' })],
    ['BY_AGENT', ending({ answered: true, endedBy: 'request' })],
    ['BY_SYSTEM', ending({ answered: true, endedBy: 'system' })],
    ['BY_SYSTEM', ending({ notStarted: 'no-node', endedBy: 'system' })],
    ['BY_CUSTOMER', sip(487, { direction: 'inbound' })],
    ['NO_ANSWER', ending({ ringTimedOut: true, endedBy: 'system' })],
    ['USER_BUSY', sip(486)],
    ['USER_BUSY', ending({ sip: 486, q850: 0 })],
    ['UNALLOCATED', ending({ q850: 1 })],
    ['CAUSE_77', ending({ q850: 77 })],
    ['NOTDEFINED', ending()],
  ] as const)('hangupCause %s', (expected, ended) => {
    expect(hangupCause(ended)).toBe(expected);
  });

  it('stay within their vocabulary for every end', () => {
    const codes = new Set(Object.keys(EARLY_DETECT_CAUSES).map(Number));
    const dispositions = new Set<string>(HangupDisposition.options);
    const strays: LegEnding[] = [];
    const causes = new Set<string>();
    for (const ended of everyEnding()) {
      if (!codes.has(earlyDetectCause(ended)) || !dispositions.has(hangupDisposition(ended))) strays.push(ended);
      causes.add(hangupCause(ended));
    }
    expect(strays).toEqual([]);
    for (const cause of causes) expect(HangupCause.safeParse(cause).success, cause).toBe(true);
  });
});
