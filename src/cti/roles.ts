import { z } from 'zod';

/** Who a party is in the call (seed 004). */
export const PartyRole = z.enum(['Customer', 'Agent', 'VirtualAgent', 'Supervisor', 'ThirdPSTN']);
export type PartyRole = z.infer<typeof PartyRole>;

/**
 * The numbers that seed 004 sets beside the names of party roles. On the wire it is always the name; two roles have
 * no number in the seed.
 */
export const PARTY_ROLE_NUMBERS: Readonly<Partial<Record<PartyRole, number>>> = {
  Customer: 1,
  Agent: 2,
  Supervisor: 8,
};

/** What a number is to the event that names it (seed 004). */
export const DnRole = z.enum([
  'Origination',
  'Destination',
  'AddedBy',
  'DeletedBy',
  'TransferBy',
  'ConsultBy',
  'BargeinTo',
  'InterceptTo',
  'BargeinBy',
  'TransferTo',
  'ObserveTo',
  'InterceptBy',
]);
export type DnRole = z.infer<typeof DnRole>;

/**
 * The meaning of each DN role and the number of seed 004, which is documentation: on the wire it is always the name.
 * The seed numbers TransferBy 3 and TransferTo 4 in one place and 8 and 13 in the others; the latter leave 3 to
 * AddedBy and are taken. InterceptBy has no number there.
 */
export const DN_ROLES: Readonly<Record<DnRole, { readonly number?: number; readonly meaning: string }>> = {
  Origination: { number: 1, meaning: 'placed the call' },
  Destination: { number: 2, meaning: 'was called' },
  AddedBy: { number: 3, meaning: 'brought the new party into the conference' },
  DeletedBy: { number: 5, meaning: 'took the party out of the conference' },
  TransferBy: { number: 8, meaning: 'transferred the call' },
  ConsultBy: { number: 9, meaning: 'asked for the consultation' },
  BargeinTo: { number: 10, meaning: 'is interrupted' },
  InterceptTo: { number: 11, meaning: 'has the call taken away' },
  BargeinBy: { number: 12, meaning: 'interrupted the call' },
  TransferTo: { number: 13, meaning: 'receives the transferred call' },
  ObserveTo: { number: 14, meaning: 'is monitored or coached' },
  InterceptBy: { meaning: 'took the call away' },
};

/** How a call came about (seed 004). */
export const CallType = z.enum(['Inbound', 'Outbound', 'Internal', 'Consult']);
export type CallType = z.infer<typeof CallType>;

/** How it was dialled: Regular (1) by request, DirectAgent (2) by the agent on the phone itself (seed 004). */
export const MakeCallType = z.enum(['Regular', 'DirectAgent']);
export type MakeCallType = z.infer<typeof MakeCallType>;

/**
 * The state of the call that an event reports (seed 004).
 * OK: two parties talk. Transferred: the party left by handing its place over. Consult: the party is in a
 * consultation beside the call. Conference: three or more share it; OK again once two are left.
 */
export const CallState = z.enum(['OK', 'Transferred', 'Consult', 'Conference']);
export type CallState = z.infer<typeof CallState>;

/**
 * The state of one party; seed 004 draws it as a machine. Idle: not yet rung, or over. Dialing: placing the call.
 * Ringing: being called. Talk: in the conversation. Held: on hold.
 */
export const PartyState = z.enum(['Idle', 'Dialing', 'Ringing', 'Talk', 'Held']);
export type PartyState = z.infer<typeof PartyState>;

/** The stages of a consultation, as `attachedData.consultStage` carries them (seed 004). */
export const CONSULT_STAGES = {
  1: 'the consultation has begun',
  2: 'the consulted party rings',
  3: 'the consultation was cancelled before an answer',
  4: 'the consulted party answered',
  5: 'the consultation was dropped and the customer retrieved',
  6: 'the call was transferred to the consulted party',
  7: 'the consultation became a conference',
  8: 'the conference became a transfer: the party who consulted left',
  9: 'the conference became a call of two again: the consulted party was dropped',
} as const;
export type ConsultStage = keyof typeof CONSULT_STAGES;

/** Why taking a call away or interrupting it failed: `attachedData.intercept_cause` and `bargein_cause` (seed 004). */
export const SUPERVISION_FAILURES = {
  1: 'it failed before the supervisor answered',
  2: 'the supervisor answered, and bridging failed',
} as const;
export type SupervisionFailure = keyof typeof SUPERVISION_FAILURES;

/** `attachedData.NoCallReasonCode` of EventCallDeleted: why the system placed no call (seed 004). */
export const NO_CALL_REASONS = {
  1: 'the enterprise is in arrears',
  2: 'the customer is on the blacklist',
  400: 'unknown error',
} as const;
export type NoCallReason = keyof typeof NO_CALL_REASONS;

/** The device an agent uses: 1 web phone, 2 WeChat mini program, 3 PSTN, 4 SIP phone (seed 004). */
export const PhoneType = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
export type PhoneType = z.infer<typeof PhoneType>;

/** An agent's state at login: 1 Ready, 2 NotReady (seed 004). */
export const AgentState = z.union([z.literal(1), z.literal(2)]);
export type AgentState = z.infer<typeof AgentState>;

/** The agent states of seed 004's machine by name, with the number where the seed gives one. */
export const AGENT_STATES = { Ready: 1, NotReady: 2 } as const satisfies Record<string, AgentState>;

/**
 * Why an agent's state is what it is: 0 other, 2 do not disturb, 4 after-call work, 11 rest break, 12 to 98 the
 * company's own (seed 004).
 */
export const ReasonCode = z.int().min(0).max(98);
export const REASON_CODES = { Other: 0, DoNotDisturb: 2, AfterCallWork: 4, RestBreak: 11 } as const;
