import { refuse } from '../cti/errors.ts';
import type { Call, Transfer } from './call.ts';
import { pair } from './consult-end.ts';
import { enqueue, leaveQueue } from './enter-queue.ts';
import type { CallRequest } from './input.ts';
import { conversing } from './layout.ts';
import { type Departure, hangUp, refuseCaller, treatmentFor } from './leave.ts';
import { mayNotBring, mayNotCome, opposite } from './newcomer.ts';
import type { Refused } from './output.ts';
import { type Destination, isLive, type Party, type PartyRoleInCall, plannedParty, type Relation } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { statusAnswered, statusDialled } from './statuses.ts';
import { tellEstablished } from './tell.ts';
import type { Turn } from './turn.ts';

/**
 * Single-step transfer: the agent leaves first, and when his leg has ended the target is rung into the bridge where the
 * customer waits and hears it ring. Where the target does not come the agent is rung again, as a new party; where he
 * does not come either, the customer hears by a tone that nobody does, and the call ends.
 *
 * Where the target is a queue, the customer waits in it with music from that moment on, as any other who waits there
 * (queue.ts); where its overflow leads nowhere, the agent is rung for him.
 */

/** RequestSingleStepTransfer. */
export function singleStepTransfer(
  turn: Turn,
  party: Party,
  request: Extract<CallRequest, { kind: 'transfer' }>,
): Refused | undefined {
  const { call } = turn;
  const { target, back, referenceID } = request;
  const refusal = mayNotBring(call, party, 'ConferenceToTransfer') ?? mayNotCome(call, party, target);
  if (refusal) return refusal;
  const [customer] = opposite(call, party);
  if (!customer) return { refusal: refuse('InvalidAgentState', { state: party.state }) };
  if (target.kind === 'queue') {
    turn.update({ transfer: { by: party.partyID, queue: target.queue, back } });
  } else {
    const to = comer(call, target, 'transfer', referenceID, handedBy(party, customer));
    turn.update({ parties: [...call.parties, to], transfer: { by: party.partyID, to: to.partyID, back } });
  }
  const relation: Relation = {
    otherDN: customer.dn,
    thirdDN: target.dn,
    thirdDNRole: 'TransferTo',
    callState: 'Transferred',
  };
  hangUp(turn, turn.put({ ...party, relation }), { by: 'request', referenceID });
  return undefined;
}

/** What the one to whom a call is handed says of it: whom he is to talk to, and who handed it on. */
const handedBy = (by: Party, customer: Party): Relation => ({
  otherDN: customer.dn,
  thirdDN: by.dn,
  thirdDNRole: 'TransferBy',
});

/** What somebody is to a call that was handed to the queue in which the customer waits. */
export const asTarget = (
  call: Call,
  { by }: Transfer,
  customer: Party,
): Pick<PartyRoleInCall, 'purpose' | 'dnRole' | 'relation'> => {
  const handedOnBy = call.parties.find((p) => p.partyID === by);
  return {
    purpose: 'transfer',
    dnRole: 'Destination',
    ...(handedOnBy && { relation: handedBy(handedOnBy, customer) }),
  };
};

/** What the agent is to whom the customer goes back, from one who did not come or a queue that does not serve him. */
export const asReturned = (
  from: string,
  customer: Party,
): Pick<PartyRoleInCall, 'purpose' | 'dnRole' | 'relation'> => ({
  purpose: 'transfer-return',
  dnRole: 'Destination',
  relation: { otherDN: customer.dn, thirdDN: from, thirdDNRole: 'TransferTo' },
});

/** Somebody who is to talk to the customer. */
const comer = (
  call: Call,
  who: Destination,
  purpose: 'transfer' | 'transfer-return',
  referenceID: number,
  relation: Relation,
): Party =>
  plannedParty(call.callID, call.parties.length + 1, who, {
    purpose,
    dnRole: 'Destination',
    role: who.kind === 'user' ? 'Agent' : 'ThirdPSTN',
    ringTimeout: call.ringTimeout,
    relation,
    referenceID,
  });

/** The target, or the agent to whom the customer goes back, rings and answers. The customer is told nothing: he waits. */
export const transfer: Purposeful = {
  rings(turn, party) {
    statusDialled(turn, party);
    announceRinging(turn, party);
  },
  answers(turn, party) {
    const customer = waiting(turn.call);
    if (turn.call.queue?.rung === party.partyID) leaveQueue(turn);
    statusAnswered(turn, party);
    const talking = joinTalk(turn, party);
    tellEstablished(turn, talking);
    turn.forget('transfer');
    if (customer) pair(turn, talking, customer);
  },
};

/** The one who waits for somebody to come. */
const waiting = (call: Call): Party | undefined =>
  conversing(call).find((p) => p.partyID !== call.transfer?.by && p.partyID !== call.transfer?.to);

/** What somebody's leaving means while a call is handed over. */
export const transferDeparture: Departure = (turn, left) => {
  const { transfer } = turn.call;
  if (!transfer) return false;
  const customer = waiting(turn.call);
  if (!customer) return false;
  const { queue, ...onward } = transfer;
  if (left.partyID === transfer.by && queue) {
    turn.update({ transfer: onward });
    enqueue(turn, customer, queue, left.leg.hangup?.referenceID);
    return true;
  }
  // Nobody else's leaving is anything to the one who waits: of a third who did not come, or went before, say.
  if (left.partyID !== transfer.by && left.partyID !== transfer.to) return true;
  if (transfer.to === undefined) return false;
  const to = turn.party(transfer.to);
  if (left.partyID === transfer.by && to.leg.state === 'planned') {
    turn.dial(to);
    return true;
  }
  // A target that was released before its turn came has ended already.
  if (isLive(to)) return false;
  goBack(turn, transfer, to, customer);
  return true;
};

/** The target did not come: the customer goes back to the agent, and from him nowhere. */
function goBack(turn: Turn, transfer: Transfer, left: Party, customer: Party): void {
  const { back } = transfer;
  if (!back || back.unreachable !== undefined) {
    turn.forget('transfer');
    refuseCaller(turn, customer, treatmentFor(left, { by: 'system' }));
    return;
  }
  const { relation = {} } = asReturned(left.dn, customer);
  const again = comer(turn.call, back, 'transfer-return', left.referenceID ?? 0, relation);
  turn.update({
    parties: [...turn.call.parties, again],
    transfer: { by: transfer.by, to: again.partyID },
  });
  turn.dial(again);
}
