import { refuse } from '../cti/errors.ts';
import type { Refused } from './output.ts';
import type { Party } from './party.ts';
import type { Turn } from './turn.ts';

/**
 * RequestAnswerCall: makes the party's ringing phone answer by itself (NOTIFY `Event: talk`). That it has answered is
 * told by the phone, as if its user had picked up. A phone that has been dialled and does not ring yet has no dialog to
 * be told in: it is told as soon as it rings. The party's EventEstablished carries the referenceID.
 *
 * @returns a refusal (InvalidAgentState) where no phone of ours rings for that party
 */
export function answerPhone(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const { leg } = party;
  const rings =
    leg.direction === 'outbound' && leg.kind === 'user' && (leg.state === 'ringing' || leg.state === 'dialled');
  if (!rings || leg.hangup) return { refusal: refuse('InvalidAgentState', { state: party.state }) };
  if (leg.state === 'ringing') turn.ask({ do: 'answer-phone', channel: leg.channel });
  turn.leg(party, {
    ...(leg.state === 'dialled' && { answerWhenItRings: true }),
    ...(referenceID !== 0 && { answerReferenceID: referenceID }),
  });
  return undefined;
}

/** Its phone could not be told: should its user pick up, that is nobody's request. */
export function answerFailed(turn: Turn, party: Party): void {
  const { answerReferenceID: _, ...leg } = party.leg;
  turn.put({ ...party, leg });
}

/** The phone has begun to ring: it is told to answer if that was asked for before. */
export function answerIfWanted(turn: Turn, party: Party): void {
  const { answerWhenItRings, ...leg } = party.leg;
  if (!answerWhenItRings) return;
  turn.put({ ...party, leg });
  if (!leg.hangup) turn.ask({ do: 'answer-phone', channel: leg.channel });
}
