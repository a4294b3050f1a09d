import type { CallRequest } from '../../../src/calls/input.ts';
import { Conferring } from './conferring.ts';
import { QUEUE, queueTarget } from './consulting.ts';
import { BUSY, destination, makeCall } from './flow.ts';

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

const callsQueue = (): Conferring =>
  new Conferring().born({ ...makeCall({ agent: AGENT, customer: '8001' }), queue: QUEUE });

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
  /** It has asked a queue, and waits there for an agent while the customer waits. */
  askingQueue: () => talking().asksQueue(AGENT),
  /** The same, and an agent of the queue is rung. */
  askingAgentOfQueue: () => talking().asksQueue(AGENT).assigned(GUEST, 1).rings(GUEST),
  /** It has asked a queue, and talks to its agent. */
  consultingQueue: () => talking().asksQueue(AGENT).assigned(GUEST, 1).rings(GUEST).answers(GUEST),
  /** It has called a queue, and waits there. */
  calledQueue: () => callsQueue().answers(AGENT),
  /** Another agent has handed it to a queue, where it waits. */
  handedToQueue: () =>
    new Conferring()
      .make({ agent: GUEST, customer: AGENT })
      .answers(GUEST)
      .answers(AGENT)
      .handsToQueue(GUEST)
      .ends(GUEST),
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
  askingQueue: 'ok',
  askingAgentOfQueue: 'ok',
  consulting: 'ok',
  consultingQueue: 'ok',
  conference: 'ok',
  observed: 'ok',
  recorded: 'ok',
  paused: 'ok',
} as const;
/** The party may not bring anybody in while it consults. */
const NOT_WHILE_CONSULTING = {
  asking: 'AgentIsInConsultScene',
  askingQueue: 'AgentIsInConsultScene',
  askingAgentOfQueue: 'AgentIsInConsultScene',
  consulting: 'AgentIsInConsultScene',
  consultingQueue: 'AgentIsInConsultScene',
} as const;
/** Who asks, and has no answer yet, has nobody to talk to. */
const NOBODY_YET = { asking: WRONG_STATE, askingQueue: WRONG_STATE, askingAgentOfQueue: WRONG_STATE } as const;
const CONSULTS = { consulting: 'ok', consultingQueue: 'ok' } as const;
const OBSERVER = { observing: 'PartyIsObserver' } as const;
const ON_HOLD = { Held: 'HeldInProcess' } as const;

/** What forbids asking somebody, whether an agent or a queue. */
const MAY_ASK = refusedBut(WRONG_STATE, {
  ...TALKS,
  ...NOT_WHILE_CONSULTING,
  conference: 'AgentIsInConferenceScene',
  ...ON_HOLD,
  ...OBSERVER,
});
/** What forbids handing the call on. */
const MAY_HAND = { ...MAY_ASK, conference: 'ConferenceToTransfer' } as const;

export const MATRIX: { readonly [K in CallRequest['kind']]: Row<K> } = {
  answer: { request: { kind: 'answer', ...acting }, in: refusedBut(WRONG_STATE, { Dialing: 'ok', Ringing: 'ok' }) },
  release: { request: { kind: 'release', ...acting }, in: refusedBut('ok') },
  clear: { request: { kind: 'clear', referenceID: 5 }, in: refusedBut('ok', { ended: 'ok' }) },
  // Swapping to the customer needs somebody who has answered to swap from.
  hold: {
    request: { kind: 'hold', ...acting },
    in: refusedBut(WRONG_STATE, { ...TALKS, ...NOBODY_YET, ...ON_HOLD, ...OBSERVER }),
  },
  retrieve: { request: { kind: 'retrieve', ...acting }, in: refusedBut(WRONG_STATE, { Held: 'ok', ...OBSERVER }) },
  mute: {
    request: { kind: 'mute', ...acting },
    in: refusedBut(WRONG_STATE, { ...TALKS, muted: WRONG_STATE, Held: 'ok', handedToQueue: 'ok', ...OBSERVER }),
  },
  unmute: { request: { kind: 'unmute', ...acting }, in: refusedBut(WRONG_STATE, { muted: 'ok', ...OBSERVER }) },
  // While the guest rings there is nobody to hear digits: the customer waits.
  'send-dtmf': {
    request: { kind: 'send-dtmf', ...acting, dtmfDigits: '1' },
    in: refusedBut(WRONG_STATE, { ...TALKS, ...NOBODY_YET, ...ON_HOLD, ...OBSERVER }),
  },
  'attach-data': { request: { kind: 'attach-data', ...acting, attachedData: { a: 1 } }, in: refusedBut('ok') },
  consult: {
    request: { kind: 'consult', ...acting, target: NEWCOMER, attachedData: {} },
    in: MAY_ASK,
  },
  transfer: {
    request: { kind: 'transfer', ...acting, target: NEWCOMER, back: destination(AGENT) },
    in: MAY_HAND,
  },
  'cancel-consult': {
    request: { kind: 'cancel-consult', ...acting },
    in: refusedBut(WRONG_STATE, { asking: 'ok', askingQueue: 'ok', askingAgentOfQueue: 'ok' }),
  },
  'retrieve-consult': {
    request: { kind: 'retrieve-consult', ...acting },
    in: refusedBut(WRONG_STATE, CONSULTS),
  },
  'transfer-consult': {
    request: { kind: 'transfer-consult', ...acting },
    in: refusedBut(WRONG_STATE, CONSULTS),
  },
  'conference-consult': {
    request: { kind: 'conference-consult', ...acting },
    in: refusedBut(WRONG_STATE, CONSULTS),
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

/** Verbs that have a row of their own already, aimed at a queue. */
export const AT_A_QUEUE = {
  'consult of a queue': {
    request: { kind: 'consult', ...acting, target: queueTarget(), attachedData: {} },
    in: MAY_ASK,
  },
  'transfer to a queue': {
    request: { kind: 'transfer', ...acting, target: queueTarget(), back: destination(AGENT) },
    in: MAY_HAND,
  },
  'consult of a full queue': {
    request: { kind: 'consult', ...acting, target: queueTarget({ full: true }), attachedData: {} },
    in: whereAllowed(MAY_ASK, 'RequestTooFast'),
  },
  'transfer to a full queue': {
    request: { kind: 'transfer', ...acting, target: queueTarget({ full: true }), back: destination(AGENT) },
    in: whereAllowed(MAY_HAND, 'RequestTooFast'),
  },
} satisfies Record<string, Row<'consult' | 'transfer'>>;

/** The same verdicts, with a refusal in place of what would be carried out. */
function whereAllowed(verdicts: Readonly<Record<StateName, Verdict>>, refusal: Verdict): Record<StateName, Verdict> {
  const all = Object.entries(verdicts).map(([s, v]) => [s, v === 'ok' ? refusal : v]);
  return Object.fromEntries(all) as Record<StateName, Verdict>;
}
