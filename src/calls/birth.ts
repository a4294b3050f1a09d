import { partyIDOf } from '../cti/ids.ts';
import type { DnRole, PartyRole } from '../cti/roles.ts';
import { mergeAttachedData } from './attached-data.ts';
import type { Call, Flow } from './call.ts';
import { enqueue } from './enter-queue.ts';
import type { CallArrived, Destination, MakeCall } from './input.ts';
import { endWithoutStart, refuseCaller } from './leave.ts';
import type { Outcome } from './output.ts';
import { type Party, plannedParty } from './party.ts';
import { plannedRecording } from './recording.ts';
import { statusCustomerDialled, statusDialled } from './statuses.ts';
import { tellCreated, tellDialing } from './tell.ts';
import { Turn } from './turn.ts';

const EMPTY = {
  attachedData: {},
  media: { bridges: [], place: {}, music: [], muted: [], snoops: {} },
  timers: [],
  deleted: false,
} as const;

/**
 * RequestMakeCall: creates the call and rings the first phone. A party that must not be tried (number malformed, a
 * limit reached, no node) ends the call at once, with the status that says so; nobody's phone rings in vain.
 */
export function make(input: MakeCall, now: number): Outcome {
  const { queue } = input;
  const customerFirst = input.firstLeg === 'customer';
  const flow: Flow = queue ? 'queued' : customerFirst ? 'customer-first' : 'agent-first';
  const agent = chosen(
    input,
    planned(input, input.agent, 1, 'Origination', input.agent.kind === 'user' ? 'Agent' : 'ThirdPSTN'),
  );
  const target = planned(
    input,
    input.target,
    queue ? 1 : 2,
    'Destination',
    input.target.kind === 'user' ? 'Agent' : 'Customer',
  );
  const call: Call = {
    ...EMPTY,
    callID: input.callID,
    companyId: input.companyId,
    node: input.node,
    flow,
    callType: input.callType,
    makeCallType: input.makeCallType,
    thisDN: input.agent.dn,
    otherDN: input.target.dn,
    ...(input.ANI !== undefined && overPstn(input) && { ANI: input.ANI }),
    ...(input.target.kind === 'customer' && { DNIS: input.target.dn }),
    attachedData: mergeAttachedData({}, input.attachedData),
    referenceID: input.referenceID,
    ringTimeout: input.ringTimeout,
    parties: queue
      ? [{ ...(customerFirst ? target : agent), purpose: 'queued' }]
      : customerFirst
        ? [target, agent]
        : [agent, target],
    startedAt: now,
    ...plannedRecording(input.recording),
  };
  const turn = new Turn(call, now);
  tellCreated(turn);
  for (const [destination, party] of [
    [input.target, target],
    [input.agent, agent],
  ] as const) {
    if (destination.unreachable !== undefined) {
      turn.update({ endReferenceID: input.referenceID });
      endWithoutStart(turn, party, destination.unreachable);
      return turn.outcome();
    }
  }
  const rungFirst = turn.party((customerFirst ? target : agent).partyID);
  if (queue) enqueue(turn, rungFirst, queue);
  const first = turn.dial(turn.party(rungFirst.partyID));
  if (customerFirst) statusCustomerDialled(turn, first);
  else statusDialled(turn, first);
  tellDialing(turn, turn.move({ ...first, announced: true }, 'Dialing'));
  return turn.outcome();
}

/** A channel handed over by the dialplan: lets the caller hear ringing and rings the one whom the route names. */
export function arrive(input: CallArrived, now: number): Outcome {
  const inbound = input.callType === 'Inbound';
  const caller: Party = {
    partyID: partyIDOf(input.callID, 1),
    dn: input.callerDN,
    role: inbound ? 'Customer' : 'Agent',
    dnRole: 'Origination',
    state: 'Dialing',
    purpose: input.queue ? 'queued' : 'first',
    announced: true,
    released: false,
    leg: {
      channel: input.channel,
      kind: inbound ? 'customer' : 'user',
      direction: 'inbound',
      state: 'ringing',
      startedAt: now,
    },
  };
  const parties = [caller];
  if (input.target) {
    const role = input.target.kind === 'user' ? 'Agent' : 'Customer';
    parties.push(planned(input, input.target, 2, 'Destination', role));
  }
  const call: Call = {
    ...EMPTY,
    callID: input.callID,
    companyId: input.companyId,
    node: input.node,
    flow: input.queue ? 'queued' : 'inbound',
    callType: input.callType,
    ...(!inbound && { makeCallType: 'DirectAgent' as const }),
    thisDN: input.callerDN,
    otherDN: input.target?.dn ?? input.queue?.id ?? input.dialledDN,
    ...(inbound && { ANI: input.callerDN, DNIS: input.dialledDN }),
    ...(!inbound && input.target?.kind === 'customer' && toNumber(input.target)),
    referenceID: 0,
    ringTimeout: input.ringTimeout,
    parties,
    startedAt: now,
    ...plannedRecording(input.recording),
  };
  const turn = new Turn(call, now);
  tellCreated(turn);
  if (!inbound) tellDialing(turn, caller);
  const second = parties[1];
  if (input.queue && input.turnedAway === undefined) {
    enqueue(turn, caller, input.queue);
    turn.leg(turn.party(caller.partyID), { state: 'answering' });
    turn.ask({ do: 'answer', channel: caller.leg.channel });
  } else if (input.turnedAway !== undefined) {
    refuseCaller(turn, caller, { q850: input.turnedAway, hangup: { by: 'system' } });
  } else if (!second || !input.target) {
    refuseCaller(turn, caller, { q850: UNALLOCATED, hangup: { by: 'system' } });
  } else if (input.target.unreachable !== undefined) {
    endWithoutStart(turn, second, input.target.unreachable);
  } else {
    turn.ask({ do: 'ring', channel: caller.leg.channel });
    turn.dial(second);
    if (second.role === 'Customer') statusDialled(turn, second);
  }
  return turn.outcome();
}

/** What an agent's own phone dials: the number, and the one that is shown there. */
const toNumber = ({ dn, callerId }: Destination) => ({ ...(callerId !== undefined && { ANI: callerId }), DNIS: dn });

/** ANI and DNIS are told only where a number of the PSTN is in play. */
const overPstn = (input: MakeCall): boolean => input.agent.kind === 'customer' || input.target.kind === 'customer';

/** Q.850 1: no route to the number dialled; Asterisk answers the caller with 404. */
const UNALLOCATED = 1;

/** An agent whom a queue chose for this call: rung as long as its agents are, with its after-call work. */
function chosen({ chosenBy }: MakeCall, agent: Party): Party {
  if (!chosenBy) return agent;
  const { queue, assignment } = chosenBy;
  const leg = { ...agent.leg, ringTimeout: queue.ringTimeout };
  return { ...agent, leg, thisQueue: queue.id, assignment, wrapUp: queue.wrapUp };
}

function planned(of: MakeCall | CallArrived, to: Destination, n: 1 | 2, dnRole: DnRole, role: PartyRole): Party {
  const rungFirst = of.kind === 'make' && (of.firstLeg === 'agent') === (n === 1);
  const party = plannedParty(of.callID, n, to, {
    purpose: rungFirst ? 'first' : 'second',
    dnRole,
    role,
    ringTimeout: of.ringTimeout,
  });
  return of.kind === 'make' && of.once ? { ...party, leg: { ...party.leg, once: true } } : party;
}
