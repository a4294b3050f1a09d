import type { ErrorKey } from '../cti/errors.ts';
import { type Call, liveParty, type Supervision } from './call.ts';
import { hasRoom, isStaff } from './conference.ts';
import type { Supervise } from './input.ts';
import { conversing } from './layout.ts';
import { isAddedOutsider, isAnyoneRungIn } from './newcomer.ts';
import { isLeaving, isUp, type Party } from './party.ts';

/** What a request to supervise is judged by. */
export interface Attempt {
  readonly call: Call;
  readonly request: Supervise;
  /** The live party named otherDN. */
  readonly target: Party | undefined;
  /** The live party named thisDN, where the supervisor is in this very call. */
  readonly own: Party | undefined;
  /** The supervision that goes on in this call. */
  readonly current: Supervision | undefined;
  /** The supervisor asks for another mode of what he does already. */
  readonly moves: boolean;
}

/** One rule of supervision, and the refusal that says it was broken. */
export interface SupervisionRule {
  readonly code: ErrorKey;
  /** When it is broken: for the documentation. */
  readonly when: string;
  readonly broken: (attempt: Attempt) => boolean;
}

type Mode = Supervision['mode'];

const LISTENS: ReadonlySet<Mode> = new Set(['monitor', 'whisper']);
/** True for a supervisor who is not heard by the customer. */
export const listens = (mode: Mode): boolean => LISTENS.has(mode);

const isTarget = ({ current, target }: Attempt): boolean => current?.target === target?.partyID;
/** Another supervisor is at the agent, in one of these modes. */
const another = (attempt: Attempt, ...modes: readonly Mode[]): boolean =>
  !attempt.moves && attempt.current !== undefined && isTarget(attempt) && modes.includes(attempt.current.mode);

/** In the order in which they are asked; the first that is broken is told. */
export const SUPERVISION_RULES: readonly SupervisionRule[] = [
  {
    code: 'TargetPartyIsSelf',
    when: 'thisDN and otherDN are the same',
    broken: ({ request }) => request.thisDN === request.otherDN,
  },
  {
    code: 'NotFoundOtherParty',
    when: 'otherDN is no live party of the call',
    broken: ({ target }) => target === undefined,
  },
  {
    code: 'CustomerAddByConference',
    when: 'otherDN is an outside number that was brought in by a conference',
    broken: ({ target }) => target !== undefined && isAddedOutsider(target),
  },
  {
    code: 'NotFoundAgent',
    when: 'otherDN is the customer of the call, not an agent',
    broken: ({ target }) => target !== undefined && !isStaff(target),
  },
  {
    code: 'PartyIsObserver',
    when: 'otherDN is himself a supervisor in this call',
    broken: ({ current, target }) => current !== undefined && current.supervisor === target?.partyID,
  },
  {
    code: 'InvalidAgentState',
    when: 'the agent is not in a conversation (his phone rings, the call is not answered, he is leaving)',
    broken: ({ call, target }) => target === undefined || !isSupervisable(call, target),
  },
  {
    code: 'SupervisorMonitoring',
    when: 'the supervisor supervises another agent, in this call or in another',
    broken: (a) => a.request.elsewhere === 'supervising' || (isSupervisor(a) && !isTarget(a)),
  },
  {
    code: 'SupervisorInCall',
    when: 'the supervisor is in a call: as a party of this one, on his way out of it, or in another',
    broken: (a) => a.request.elsewhere === 'in-call' || (a.own !== undefined && !a.moves),
  },
  {
    code: 'AgentIsInBargedInScene',
    when: 'another supervisor has interrupted the agent, or is being rung to',
    broken: (a) => another(a, 'bargein'),
  },
  {
    code: 'AgentIsInInterceptScene',
    when: 'another supervisor is being rung to take the agent’s call away',
    broken: (a) => another(a, 'intercept'),
  },
  {
    code: 'AgentMonitoredBy',
    when: 'RequestMonitor, RequestWhisper: another supervisor monitors or coaches the agent',
    broken: (a) => listens(a.request.mode) && another(a, 'monitor', 'whisper'),
  },
  {
    code: 'AgentIsInMonitorScene',
    when: 'RequestBargein, RequestIntercept: another supervisor monitors or coaches the agent',
    broken: (a) => another(a, 'monitor', 'whisper'),
  },
  {
    code: 'CallHasObserver',
    when: 'a supervisor is at another agent of this call',
    broken: (a) => a.current !== undefined && !isTarget(a),
  },
  {
    code: 'AgentIsInConsultScene',
    when: 'the agent’s call has a consultation; moving between monitor and whisper is allowed',
    broken: (a) => a.call.consult !== undefined && !staysListening(a),
  },
  {
    code: 'AgentIsInConferenceScene',
    when: 'the agent is in a conference, or a third party is being rung; moving between monitor and whisper is allowed',
    broken: (a) => isConference(a.call) && !staysListening(a),
  },
  {
    code: 'NotEnoughMeetmeRoom',
    when: 'the call has had more parties than one call may have',
    broken: (a) => !a.moves && !hasRoom(a.call),
  },
];

/** The first rule that a request breaks, or undefined where it may be carried out. */
export function brokenRule(call: Call, request: Supervise): SupervisionRule | undefined {
  const target = liveParty(call, request.otherDN);
  const own = liveParty(call, request.thisDN);
  const current = call.supervision;
  const moves =
    current !== undefined &&
    current.supervisor === own?.partyID &&
    current.target === target?.partyID &&
    !isLeaving(own);
  const attempt: Attempt = { call, request, target, own, current, moves };
  return SUPERVISION_RULES.find((rule) => rule.broken(attempt));
}

const isSupervisor = ({ current, own }: Attempt): boolean =>
  current !== undefined && own !== undefined && current.supervisor === own.partyID && !isLeaving(own);

/** An agent in a conversation, on hold or not, who stays in it. */
export function isSupervisable(call: Call, agent: Party): boolean {
  const talks = agent.state === 'Talk' || agent.state === 'Held';
  return talks && isUp(agent) && !isLeaving(agent) && conversing(call).length >= 2;
}

const staysListening = ({ moves, current, request }: Attempt): boolean =>
  moves && current !== undefined && listens(current.mode) && listens(request.mode);

const isConference = (call: Call): boolean => conversing(call).length > 2 || isAnyoneRungIn(call);
