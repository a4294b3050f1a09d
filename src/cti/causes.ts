/**
 * Q.850 causes, and how Asterisk 22 translates them to SIP and back
 * (res/res_pjsip.c ast_sip_hangup_sip2cause, channels/chan_pjsip.c hangup_cause2sip, include/asterisk/causes.h).
 */

/** The Q.850 causes that Asterisk names. 0 is no cause at all. */
export const Q850_NAMES = {
  0: 'NOTDEFINED',
  1: 'UNALLOCATED',
  2: 'NO_ROUTE_TRANSIT_NET',
  3: 'NO_ROUTE_DESTINATION',
  5: 'MISDIALLED_TRUNK_PREFIX',
  6: 'CHANNEL_UNACCEPTABLE',
  7: 'CALL_AWARDED_DELIVERED',
  8: 'PRE_EMPTED',
  14: 'NUMBER_PORTED_NOT_HERE',
  16: 'NORMAL_CLEARING',
  17: 'USER_BUSY',
  18: 'NO_USER_RESPONSE',
  19: 'NO_ANSWER',
  20: 'SUBSCRIBER_ABSENT',
  21: 'CALL_REJECTED',
  22: 'NUMBER_CHANGED',
  23: 'REDIRECTED_TO_NEW_DESTINATION',
  26: 'ANSWERED_ELSEWHERE',
  27: 'DESTINATION_OUT_OF_ORDER',
  28: 'INVALID_NUMBER_FORMAT',
  29: 'FACILITY_REJECTED',
  30: 'RESPONSE_TO_STATUS_ENQUIRY',
  31: 'NORMAL_UNSPECIFIED',
  34: 'NORMAL_CIRCUIT_CONGESTION',
  38: 'NETWORK_OUT_OF_ORDER',
  41: 'NORMAL_TEMPORARY_FAILURE',
  42: 'SWITCH_CONGESTION',
  43: 'ACCESS_INFO_DISCARDED',
  44: 'REQUESTED_CHAN_UNAVAIL',
  50: 'FACILITY_NOT_SUBSCRIBED',
  52: 'OUTGOING_CALL_BARRED',
  54: 'INCOMING_CALL_BARRED',
  57: 'BEARERCAPABILITY_NOTAUTH',
  58: 'BEARERCAPABILITY_NOTAVAIL',
  65: 'BEARERCAPABILITY_NOTIMPL',
  66: 'CHAN_NOT_IMPLEMENTED',
  69: 'FACILITY_NOT_IMPLEMENTED',
  81: 'INVALID_CALL_REFERENCE',
  88: 'INCOMPATIBLE_DESTINATION',
  95: 'INVALID_MSG_UNSPECIFIED',
  96: 'MANDATORY_IE_MISSING',
  97: 'MESSAGE_TYPE_NONEXIST',
  98: 'WRONG_MESSAGE',
  99: 'IE_NONEXIST',
  100: 'INVALID_IE_CONTENTS',
  101: 'WRONG_CALL_STATE',
  102: 'RECOVERY_ON_TIMER_EXPIRE',
  103: 'MANDATORY_IE_LENGTH_ERROR',
  111: 'PROTOCOL_ERROR',
  127: 'INTERWORKING',
} as const;

/** The name of a cause; a number that Asterisk does not name is `CAUSE_<number>`. */
export type Q850Name = (typeof Q850_NAMES)[keyof typeof Q850_NAMES] | `CAUSE_${number}`;

const NAMES = new Map<number, Q850Name>(Object.entries(Q850_NAMES).map(([cause, name]) => [Number(cause), name]));

/** The name of a Q.850 cause. */
export function hangupCauseName(q850: number): Q850Name {
  return NAMES.get(q850) ?? `CAUSE_${q850}`;
}

/** SIP final status → Q.850, the entries that Asterisk spells out; `q850OfSip` adds its defaults. */
export const SIP_TO_Q850: Readonly<Record<number, number>> = {
  302: 23,
  401: 21,
  403: 21,
  404: 1,
  405: 127,
  407: 21,
  408: 18,
  409: 41,
  410: 22,
  411: 127,
  413: 127,
  414: 127,
  415: 127,
  420: 3,
  480: 19,
  481: 127,
  482: 127,
  483: 19,
  484: 28,
  485: 1,
  486: 17,
  487: 127,
  488: 58,
  491: 127,
  493: 127,
  500: 38,
  501: 29,
  502: 27,
  503: 34,
  504: 102,
  505: 127,
  600: 17,
  603: 21,
  604: 1,
  606: 58,
};

/**
 * The Q.850 cause that Asterisk derives from a SIP status where the far end sent no Reason header.
 *
 * @param sip a SIP status, 100 to 699
 */
export function q850OfSip(sip: number): number {
  const listed = SIP_TO_Q850[sip];
  if (listed !== undefined) return listed;
  if (sip >= 400 && sip < 500) return 127;
  if (sip >= 500 && sip < 600) return 34;
  if (sip >= 600 && sip < 700) return 127;
  return 16;
}

/** Q.850 → SIP status that Asterisk answers an unanswered inbound call with; all others are 603. */
export const Q850_TO_SIP: Readonly<Record<number, number>> = {
  1: 404,
  2: 404,
  3: 404,
  17: 486,
  18: 408,
  19: 480,
  20: 480,
  21: 403,
  22: 410,
  23: 302,
  27: 502,
  28: 484,
  29: 501,
  31: 480,
  34: 503,
  38: 500,
  42: 503,
  58: 488,
  66: 503,
  127: 500,
};

/** The SIP status that Asterisk sends when an unanswered inbound call is hung up with this cause. */
export function sipOfQ850(q850: number): number {
  return Q850_TO_SIP[q850] ?? 603;
}
