import { z } from 'zod';
import { hangupCauseName, Q850_NAMES, q850OfSip } from './causes.ts';

/** Everything that is known when a leg ends, and all that the status and the causes of EventReleased are made from. */
export interface LegEnding {
  /** customer: reached over a trunk, or an inbound caller. user: an agent's or supervisor's own extension. */
  readonly role: 'customer' | 'user';
  /** outbound: we dialled it. inbound: it called us. */
  readonly direction: 'outbound' | 'inbound';
  /** It was answered. */
  readonly answered: boolean;
  /** It was in a bridge with another party after its answer: there was a conversation. */
  readonly bridged: boolean;
  /**
   * Why the leg was never started, if it was not. invalid-number: fails the number rule. channel-limit: the company's,
   * trunk's or node's limit is reached. no-node: no Asterisk is up. unavailable: anything else on our side, as an
   * unknown or unregistered endpoint, no contact, REST 500 on create.
   */
  readonly notStarted?: 'invalid-number' | 'channel-limit' | 'no-node' | 'unavailable' | undefined;
  /** The node died under the leg. */
  readonly nodeDied?: boolean | undefined;
  /** Our own ring timer ended it. */
  readonly ringTimedOut: boolean;
  /**
   * The SIP status of ChannelDestroyed's `tech_cause`; absent if none was seen. Where our side hung the leg up,
   * Asterisk may make one up from the cause: such a one is better left out.
   */
  readonly sip?: number | undefined;
  /** The Q.850 cause of ChannelDestroyed, 0 to 127; 0 or absent if none was given. */
  readonly q850?: number | undefined;
  /**
   * Who ended it. far-end: the leg's own phone or trunk hung up, cancelled or refused, or the channel ended by itself.
   * other-customer, other-user: another party left, and so we released this one. request: a client asked for it.
   * system: we did of our own accord (ring timer, limit, failure, shutdown).
   */
  readonly endedBy: 'far-end' | 'other-customer' | 'other-user' | 'request' | 'system';
}

/** What the seed calls the early ring-back tone recognition result, with the meaning of each number. */
export const EARLY_DETECT_CAUSES = {
  0: 'unknown',
  103: 'out of service',
  104: 'does not exist',
  105: 'phone off',
  109: 'subscriber busy',
  115: 'no answer',
  119: 'line fault',
  200: 'answered',
} as const;
export type EarlyDetectCause = keyof typeof EARLY_DETECT_CAUSES;
export const EarlyDetectCause = z.union([
  z.literal(0),
  z.literal(103),
  z.literal(104),
  z.literal(105),
  z.literal(109),
  z.literal(115),
  z.literal(119),
  z.literal(200),
]);

const EARLY_BY_CAUSE: ReadonlyMap<number, EarlyDetectCause> = new Map<number, EarlyDetectCause>([
  ...[17].map((cause) => [cause, 109] as const),
  ...[18, 19].map((cause) => [cause, 115] as const),
  ...[1, 28].map((cause) => [cause, 104] as const),
  ...[22, 27].map((cause) => [cause, 103] as const),
  ...[20].map((cause) => [cause, 105] as const),
  ...[3, 34, 38, 41, 42, 44, 102].map((cause) => [cause, 119] as const),
]);

/**
 * The Q.850 cause of an ending. Where Asterisk gives none (0) but a SIP status was seen, it is the one that Asterisk
 * would derive from it.
 *
 * @returns 0 to 127; 0 where nothing is known
 */
export function q850Of(ended: Pick<LegEnding, 'sip' | 'q850'>): number {
  if (ended.q850 !== undefined && ended.q850 !== 0) return ended.q850;
  return ended.sip === undefined ? 0 : q850OfSip(ended.sip);
}

/** Whether our side ended the leg rather than its phone or trunk. A ring timer, a dead node and a leg never begun are ours. */
function endedByUs(ended: LegEnding): boolean {
  return ended.endedBy !== 'far-end' || ended.ringTimedOut || ended.notStarted !== undefined || ended.nodeDied === true;
}

/**
 * What became of the leg before an answer, as `earlyDetectCause` tells it: 200 once answered, else what the network
 * said: read from the codes of the end, not from listening to the tone.
 * A leg that our side released while it rang tells nothing (0), nor does a refusal (403, 603).
 */
export function earlyDetectCause(ended: LegEnding): EarlyDetectCause {
  if (ended.answered) return 200;
  if (ended.notStarted === 'invalid-number') return 104;
  if (ended.nodeDied === true || ended.notStarted !== undefined) return 119;
  if (ended.ringTimedOut) return 115;
  if (endedByUs(ended)) return 0;
  return EARLY_BY_CAUSE.get(q850Of(ended)) ?? (isServerFailure(ended.sip) ? 119 : 0);
}

function isServerFailure(sip: number | undefined): boolean {
  return sip !== undefined && sip >= 500 && sip < 600;
}

export const HangupDisposition = z.enum([
  'recv_bye',
  'recv_cancel',
  'recv_refuse',
  'send_bye',
  'send_cancel',
  'send_refuse',
]);
/**
 * Which side ended the leg, and how. recv: the phone or the trunk did; send: we did. bye: after the answer.
 * cancel: whoever called gave up before the answer. refuse: whoever was called declined.
 */
export type HangupDisposition = z.infer<typeof HangupDisposition>;

/** The `hangupDisposition` of an ending. */
export function hangupDisposition(ended: LegEnding): HangupDisposition {
  const ours = endedByUs(ended);
  if (ended.answered) return ours ? 'send_bye' : 'recv_bye';
  if (ended.direction === 'inbound') return ours ? 'send_refuse' : 'recv_cancel';
  return ours ? 'send_cancel' : 'recv_refuse';
}

/** Who hung up, else the Q.850 cause by name. */
export const HangupCause = z.union([
  z.enum(['BY_AGENT', 'BY_CUSTOMER', 'BY_SYSTEM', ...Object.values(Q850_NAMES)]),
  z.templateLiteral(['CAUSE_', z.int()]),
]);
export type HangupCause = z.infer<typeof HangupCause>;

/**
 * The `hangupCause` of an ending: BY_AGENT or BY_CUSTOMER where a person hung up (a request counts as the agent's,
 * who asked for it), BY_SYSTEM where we did of our own accord, else the Q.850 name of why a call that we placed was
 * not answered. A ring timer's end is NO_ANSWER: that nobody answered says more than that we stopped waiting.
 */
export function hangupCause(ended: LegEnding): HangupCause {
  if (ended.notStarted !== undefined || ended.nodeDied === true) return 'BY_SYSTEM';
  if (ended.ringTimedOut) return 'NO_ANSWER';
  switch (ended.endedBy) {
    case 'request':
    case 'other-user':
      return 'BY_AGENT';
    case 'other-customer':
      return 'BY_CUSTOMER';
    case 'system':
      return 'BY_SYSTEM';
    case 'far-end':
      if (ended.answered || ended.direction === 'inbound') return ended.role === 'user' ? 'BY_AGENT' : 'BY_CUSTOMER';
      return hangupCauseName(q850Of(ended));
  }
}
