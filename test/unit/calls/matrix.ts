import type { CallRequest } from '../../../src/calls/input.ts';
import { Conferring } from './conferring.ts';
import { BUSY, destination } from './flow.ts';

/**
 * Every verb in every state that its party may be in: a verb is one row of {@link MATRIX}, a state one column. A new kind
 * of request must have its row here, or the project does not compile.
 */

/** The acting party, where the state lets it be: an agent's phone. */
export const AGENT = '1001';
export const CUSTOMER = '+919800000001';
const GUEST = '1002';
/** The third of the conference. */
const THIRD = '1004';
const SUPERVISOR = '1007';

const made = (): Conferring => new Conferring().make({ agent: AGENT, customer: CUSTOMER });
const customerFirst = (): Conferring =>
  new Conferring().make({ agent: AGENT, customer: CUSTOMER, firstLeg: 'customer' });
const inbound = (): Conferring => new Conferring().arrives({ from: CUSTOMER, to: '4000', reaches: AGENT });
const talking = (): Conferring => made().answers(AGENT).rings(CUSTOMER).answers(CUSTOMER);

const recorded = (): Conferring =>
  talking().happens({ kind: 'start-recording', uuid: 'u', url: 'http://127.0.0.1/u', referenceID: 0 });

/** How a call comes to be one whose agent {@link AGENT} is in that state. */
export const STATES = {
  /** Idle: will be rung, and is not yet. */
  planned: customerFirst,
  /** Its phone rings as the first of the call. */
  Dialing: made,
  /** It has answered, and waits for the other to be rung and to answer. */
  waiting: () => made().answers(AGENT).rings(CUSTOMER),
  Ringing: () => inbound().rings(AGENT),
  Talk: talking,
  Held: () => talking().happens({ kind: 'hold', thisDN: AGENT, referenceID: 0 }),
  /** It talks, and nobody hears it. */
  muted: () => talking().happens({ kind: 'mute', thisDN: AGENT, referenceID: 0 }),
  /** It has asked somebody whose phone still rings, while the customer waits. */
  asking: () => talking().consults(AGENT, GUEST).rings(GUEST),
  /** It talks to the one whom it consults, while the customer waits. */
  consulting: () => talking().consults(AGENT, GUEST).rings(GUEST).answers(GUEST),
  /** It talks to two. */
  conference: () => talking().adds(AGENT, THIRD).rings(THIRD).answers(THIRD),
  /** It talks, and a supervisor listens. */
  observed: () => talking().supervises('monitor', SUPERVISOR, AGENT).rings(SUPERVISOR).answers(SUPERVISOR),
  /** It listens to another agent's call. */
  observing: () =>
    new Conferring()
      .make({ agent: GUEST, customer: CUSTOMER })
      .answers(GUEST)
      .answers(CUSTOMER)
      .supervises('monitor', AGENT, GUEST)
      .rings(AGENT)
      .answers(AGENT),
  /** It talks, and the call is recorded. */
  recorded,
  /** The same, and the recording rests. */
  paused: () => recorded().happens({ kind: 'pause-recording', referenceID: 0 }),
  /** We have asked for its end, and wait for it. */
  leaving: () => talking().releases(AGENT),
  /** Its leg has ended, the call goes on. */
  ended: () => inbound().rings(AGENT).ends(AGENT, BUSY),
  /** The call itself has ended. */
  over: () => talking().ends(CUSTOMER).ends(AGENT),
} as const satisfies Record<string, () => Conferring>;
export type StateName = keyof typeof STATES;

/** What a verb does in a state: it is carried out, or refused by that name. */
type Verdict = 'ok' | (string & {});

/** One verb: the request that the agent {@link AGENT} makes, and what becomes of it in each state. */
interface Row<K extends CallRequest['kind']> {
  readonly request: CallRequest & { readonly kind: K };
  readonly in: Readonly<Record<StateName, Verdict>>;
}

/** The verdicts of a verb that most states refuse alike; `over` and `ended` refuse everything that names the party. */
function refusedBut(most: Verdict, but: Partial<Record<StateName, Verdict>> = {}): Record<StateName, Verdict> {
  const all = Object.fromEntries(Object.keys(STATES).map((s) => [s, most])) as Record<StateName, Verdict>;
  return { ...all, ended: 'NotFoundParty', over: 'NotFoundCallID', ...but };
}

const acting = { thisDN: AGENT, referenceID: 5 } as const;
/** Somebody who is in none of these calls. */
const NEWCOMER = destination('1003');

const WRONG_STATE = 'InvalidAgentState';
/** Carried out wherever the party talks, to whomever. */
const TALKS = {
  Talk: 'ok',
  muted: 'ok',
  asking: 'ok',
  consulting: 'ok',
  conference: 'ok',
  observed: 'ok',
  recorded: 'ok',
  paused: 'ok',
} as const;
/** The party may not bring anybody in while it consults. */
const NOT_WHILE_CONSULTING = { asking: 'AgentIsInConsultScene', consulting: 'AgentIsInConsultScene' } as const;
const OBSERVER = { observing: 'PartyIsObserver' } as const;
const ON_HOLD = { Held: 'HeldInProcess' } as const;

export const MATRIX: { readonly [K in CallRequest['kind']]: Row<K> } = {
  answer: { request: { kind: 'answer', ...acting }, in: refusedBut(WRONG_STATE, { Dialing: 'ok', Ringing: 'ok' }) },
  release: { request: { kind: 'release', ...acting }, in: refusedBut('ok') },
  clear: { request: { kind: 'clear', referenceID: 5 }, in: refusedBut('ok', { ended: 'ok' }) },
  // Swapping to the customer needs somebody who has answered to swap from.
  hold: {
    request: { kind: 'hold', ...acting },
    in: refusedBut(WRONG_STATE, { ...TALKS, asking: WRONG_STATE, ...ON_HOLD, ...OBSERVER }),
  },
  retrieve: { request: { kind: 'retrieve', ...acting }, in: refusedBut(WRONG_STATE, { Held: 'ok', ...OBSERVER }) },
  mute: {
    request: { kind: 'mute', ...acting },
    in: refusedBut(WRONG_STATE, { ...TALKS, muted: WRONG_STATE, Held: 'ok', ...OBSERVER }),
  },
  unmute: { request: { kind: 'unmute', ...acting }, in: refusedBut(WRONG_STATE, { muted: 'ok', ...OBSERVER }) },
  // While the guest rings there is nobody to hear digits: the customer waits.
  'send-dtmf': {
    request: { kind: 'send-dtmf', ...acting, dtmfDigits: '1' },
    in: refusedBut(WRONG_STATE, { ...TALKS, asking: WRONG_STATE, ...ON_HOLD, ...OBSERVER }),
  },
  'attach-data': { request: { kind: 'attach-data', ...acting, attachedData: { a: 1 } }, in: refusedBut('ok') },
  consult: {
    request: { kind: 'consult', ...acting, target: NEWCOMER, attachedData: {} },
    in: refusedBut(WRONG_STATE, {
      ...TALKS,
      ...NOT_WHILE_CONSULTING,
      conference: 'AgentIsInConferenceScene',
      ...ON_HOLD,
      ...OBSERVER,
    }),
  },
  transfer: {
    request: { kind: 'transfer', ...acting, target: NEWCOMER, back: destination(AGENT) },
    in: refusedBut(WRONG_STATE, {
      ...TALKS,
      ...NOT_WHILE_CONSULTING,
      conference: 'ConferenceToTransfer',
      ...ON_HOLD,
      ...OBSERVER,
    }),
  },
  'cancel-consult': { request: { kind: 'cancel-consult', ...acting }, in: refusedBut(WRONG_STATE, { asking: 'ok' }) },
  'retrieve-consult': {
    request: { kind: 'retrieve-consult', ...acting },
    in: refusedBut(WRONG_STATE, { consulting: 'ok' }),
  },
  'transfer-consult': {
    request: { kind: 'transfer-consult', ...acting },
    in: refusedBut(WRONG_STATE, { consulting: 'ok' }),
  },
  'conference-consult': {
    request: { kind: 'conference-consult', ...acting },
    in: refusedBut(WRONG_STATE, { consulting: 'ok' }),
  },
  'start-recording': {
    request: { kind: 'start-recording', ...acting, uuid: 'v', url: 'http://127.0.0.1/v' },
    in: refusedBut(WRONG_STATE, { ...TALKS, Held: 'ok', observing: 'ok', recorded: WRONG_STATE, paused: WRONG_STATE }),
  },
  'stop-recording': {
    request: { kind: 'stop-recording', ...acting },
    in: refusedBut(WRONG_STATE, { recorded: 'ok', paused: 'ok' }),
  },
  'pause-recording': {
    request: { kind: 'pause-recording', ...acting },
    in: refusedBut(WRONG_STATE, { recorded: 'ok' }),
  },
  'resume-recording': {
    request: { kind: 'resume-recording', ...acting },
    in: refusedBut(WRONG_STATE, { paused: 'ok' }),
  },
  'add-party': {
    request: { kind: 'add-party', ...acting, to: NEWCOMER },
    in: refusedBut(WRONG_STATE, { ...TALKS, ...NOT_WHILE_CONSULTING, ...ON_HOLD, ...OBSERVER }),
  },
  'delete-party': {
    request: { kind: 'delete-party', ...acting, otherDN: THIRD },
    in: refusedBut('NotFoundOtherParty', { conference: 'ok' }),
  },
  supervise: {
    request: { kind: 'supervise', mode: 'monitor', thisDN: NEWCOMER.dn, to: NEWCOMER, otherDN: AGENT, referenceID: 5 },
    in: refusedBut(WRONG_STATE, {
      ...TALKS,
      ...NOT_WHILE_CONSULTING,
      Held: 'ok',
      conference: 'AgentIsInConferenceScene',
      observed: 'AgentMonitoredBy',
      observing: 'PartyIsObserver',
      ended: 'NotFoundOtherParty',
    }),
  },
  'stop-supervision': {
    request: { kind: 'stop-supervision', ...acting },
    in: refusedBut('Unknown', { observing: 'ok' }),
  },
};
