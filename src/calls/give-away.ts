import { refuse } from '../cti/errors.ts';
import { mayGive } from './attended.ts';
import { partyByChannel } from './call.ts';
import { DEPARTURES, FAREWELLS } from './departures.ts';
import type { Adopted, GiveAway } from './input.ts';
import { departed, legEnded } from './leave.ts';
import type { Refused } from './output.ts';
import type { Party } from './party.ts';
import { stopRecording } from './recording.ts';
import type { Turn } from './turn.ts';

/** Q.850 16, normal clearing. */
const NORMAL = 16;

/**
 * The half of an attended transfer (attended.ts) that falls to the call which ends by it: the one opposite the agent is
 * released, though its channel lives, and the agent's leg is hung up as in every call of two.
 *
 * @returns a refusal (InvalidAgentState) where the call is not, or no longer, a call of two
 */
export function giveAway(turn: Turn, { by, to }: GiveAway): Refused | undefined {
  const agent = partyByChannel(turn.call, by);
  const given = agent && mayGive(turn.call, agent);
  if (!agent || !given) return { refusal: refuse('InvalidAgentState', { reason: 'not a call of two any more' }) };
  // The recording is this call's, and its leg does not end by itself.
  if (turn.call.recording?.channel === given.leg.channel) stopRecording(turn);
  const relation = { otherDN: agent.dn, thirdDN: to, thirdDNRole: 'TransferTo', callState: 'Transferred' } as const;
  const leaving = turn.put({
    ...given,
    relation,
    leg: {
      ...given.leg,
      given: { hearsMusic: turn.call.media.music.includes(given.leg.channel) },
      hangup: { by: 'other-user' },
    },
  });
  const { channel } = leaving.leg;
  departed(turn, legEnded(turn, leaving, { kind: 'leg-ended', channel, q850: NORMAL }, FAREWELLS), DEPARTURES);
  return undefined;
}

/** What the other call must know of a party that has been given to it. */
export function givenParty({ dn, role, muted, leg }: Party): Adopted {
  const { hangup: _, end: __, lastHoldAt: ___, given, ...rest } = leg;
  return {
    dn,
    role,
    ...(muted && { muted }),
    hearsMusic: given?.hearsMusic === true,
    leg: { ...rest, state: 'up' },
  };
}
