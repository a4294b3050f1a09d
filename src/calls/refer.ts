import type { Fact } from './input.ts';
import type { Party } from './party.ts';
import { singleStepTransfer } from './transfer.ts';
import type { Turn } from './turn.ts';

/**
 * A transfer that an agent starts on the phone (REFER). A blind one is what RequestSingleStepTransfer is; what that
 * would refuse, the phone is refused, and the call goes on as it was. One that names another call of the phone's
 * (Replaces) is no matter of one call: where it comes here, it could not be taken over (attended.ts), and is refused.
 */
export function transferByPhone(
  turn: Turn,
  party: Party,
  { aim }: Extract<Fact, { kind: 'leg-transfer-requested' }>,
): void {
  const taken =
    aim !== undefined &&
    !singleStepTransfer(turn, party, { kind: 'transfer', thisDN: party.dn, ...aim, referenceID: 0 });
  // Before anything else is done, the hang-up of that phone above all.
  turn.commands.unshift({ do: 'answer-transfer', channel: party.leg.channel, taken });
}
