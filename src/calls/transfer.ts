import { refuse } from '../cti/errors.ts';
import type { Call, Transfer } from './call.ts';
import { pair } from './consult-end.ts';
import type { CallRequest } from './input.ts';
import { conversing } from './layout.ts';
import { type Departure, hangUp, refuseCaller, treatmentFor } from './leave.ts';
import { mayNotBring, mayNotCome, opposite } from './newcomer.ts';
import type { Refused } from './output.ts';
import { type Destination, isLive, type Party, plannedParty, type Relation } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { tellEstablished } from './tell.ts';
import type { Turn } from './turn.ts';

/**
 * Single-step transfer: the agent leaves first, and when his leg has ended the target is rung into the bridge where the
 * customer waits and hears it ring. Where the target does not come the agent is rung again, as a new party; where he
 * does not come either, the customer hears by a tone that nobody does, and the call ends.
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
  const to = comer(call, target, 'transfer', referenceID, {
    otherDN: customer.dn,
    thirdDN: party.dn,
    thirdDNRole: 'TransferBy',
  });
  turn.update({ parties: [...call.parties, to], transfer: { by: party.partyID, to: to.partyID, back } });
  const relation: Relation = {
    otherDN: customer.dn,
    thirdDN: target.dn,
    thirdDNRole: 'TransferTo',
    callState: 'Transferred',
  };
  hangUp(turn, turn.put({ ...party, relation }), { by: 'request', referenceID });
  return undefined;
}

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
    announceRinging(turn, party);
  },
  answers(turn, party) {
    const talking = joinTalk(turn, party);
    tellEstablished(turn, talking);
    const customer = waiting(turn.call);
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
  const to = turn.party(transfer.to);
  if (!customer) return false;
  if (left.partyID === transfer.by && to.leg.state === 'planned') {
    turn.dial(to);
    return true;
  }
  // A target that was released before its turn came has ended already.
  if (isLive(to) || (left.partyID !== transfer.by && left.partyID !== transfer.to)) return false;
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
  const again = comer(turn.call, back, 'transfer-return', left.referenceID ?? 0, {
    otherDN: customer.dn,
    thirdDN: left.dn,
    thirdDNRole: 'TransferTo',
  });
  turn.update({
    parties: [...turn.call.parties, again],
    transfer: { by: transfer.by, to: again.partyID },
  });
  turn.dial(again);
}
