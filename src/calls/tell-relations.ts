import type { ConsultStage } from '../cti/roles.ts';
import type { Party } from './party.ts';
import { ofParty } from './tell.ts';
import type { Turn } from './turn.ts';

/** The events that tell how parties stand to each other. What they say of it is in the party's relation. */

/**
 * EventAttachedDataChanged for the host of a consultation: it has come to another stage.
 *
 * @param guestDN whom he asks; the queue's while none of its agents is rung
 */
export function tellConsultStage(
  turn: Turn,
  host: Party,
  guestDN: string,
  stage: ConsultStage,
  referenceID: number | undefined,
): void {
  const { relation: _, ...alone } = host;
  const base = ofParty(turn, alone, referenceID ?? 0);
  turn.tell({
    messageID: 'EventAttachedDataChanged',
    ...base,
    otherDN: guestDN,
    ...(stage !== 1 && { callState: 'Consult' as const }),
    attachedData: { ...base.attachedData, consultStage: stage },
  });
}

/** EventPartyChanged: the party talks to somebody else now, or in another way. */
export function tellPartyChanged(turn: Turn, party: Party, referenceID: number | undefined): void {
  turn.tell({ messageID: 'EventPartyChanged', ...ofParty(turn, party, referenceID ?? 0) });
}

/** EventPartyAdded: somebody joined the party's conversation. */
export function tellPartyAdded(turn: Turn, party: Party, referenceID: number | undefined): void {
  turn.tell({ messageID: 'EventPartyAdded', ...ofParty(turn, party, referenceID ?? 0) });
}

/** EventPartyDeleted: somebody left the party's conversation. */
export function tellPartyDeleted(turn: Turn, party: Party, referenceID: number | undefined): void {
  turn.tell({ messageID: 'EventPartyDeleted', ...ofParty(turn, party, referenceID ?? 0) });
}
