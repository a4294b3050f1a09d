import type { NewEventOf } from '../cti/events.ts';
import type { Call } from './call.ts';
import { decisive } from './leave.ts';
import type { Party } from './party.ts';
import { tellDeleted, tellReleased } from './tell.ts';
import { Turn } from './turn.ts';

/**
 * EventReleased of everybody who has left a call and, if it is over, its EventCallDeleted, told once more from the call as it
 * is stored: for those who follow calls by a log that has lost these events. They say what the first ones said, save that the
 * cause of one who left before the end (an agent whose phone rang in vain) may be the call's by now.
 */
export function toldEnds(call: Call): (NewEventOf<'EventReleased'> | NewEventOf<'EventCallDeleted'>)[] {
  const turn = new Turn(call, call.endedAt ?? 0);
  const released = call.parties.filter((p) => p.released);
  for (const party of released) tellReleased(turn, party);
  const last = released.reduce<Party | undefined>((l, p) => (l && endedAt(l) > endedAt(p) ? l : p), undefined);
  if (call.deleted && last) tellDeleted(turn, decisive(call, last));
  // Nothing else was told.
  return turn.events as ReturnType<typeof toldEnds>;
}

const endedAt = ({ leg }: Party): number => leg.end?.at ?? 0;
