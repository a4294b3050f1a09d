import { refuse } from '../cti/errors.ts';
import { adopt } from './attended.ts';
import { arrive, make } from './birth.ts';
import { type Call, partyByChannel } from './call.ts';
import { DEPARTURES, FAREWELLS } from './departures.ts';
import { digitPressed } from './dtmf.ts';
import { giveAway } from './give-away.ts';
import { phoneHold, settleHolds } from './hold.ts';
import type { CallBirth, CallInput, CallRequest, Fact } from './input.ts';
import { departed, legEnded, treatmentOver } from './leave.ts';
import { legMade, sendOverdue } from './once.ts';
import type { Outcome, Refused } from './output.ts';
import { legAnswered, legRinging } from './progress.ts';
import { PURPOSES } from './purposes.ts';
import { onQueueInput } from './queue.ts';
import { recordingFact } from './recording.ts';
import { transferByPhone } from './refer.ts';
import { resume } from './resume.ts';
import { settleListening } from './supervise.ts';
import { Turn } from './turn.ts';
import { undo } from './undo.ts';
import { carryOut } from './verbs.ts';

/**
 * Begins a call.
 *
 * @param now Unix ms
 */
export function begin(birth: CallBirth, now: number): Outcome {
  return birth.kind === 'make' ? make(birth, now) : arrive(birth, now);
}

/**
 * The whole of the call logic: what a call becomes by one input. Pure: no clock, no socket, no store.
 *
 * @param now Unix ms
 * @returns the next call, the events to tell and the commands to carry out; or, for a request that may not be carried
 *   out, its refusal, the call being left as it was
 */
export function step(call: Call, input: CallInput, now: number): Outcome | Refused {
  switch (input.kind) {
    case 'timer': {
      const turn = new Turn(call, now);
      if (call.deleted || !call.timers.some((t) => t.name === input.name)) return finish(turn, call);
      if (input.name === 'dial') sendOverdue(turn);
      else treatmentOver(turn);
      return finish(turn, call);
    }
    case 'found': {
      const turn = new Turn(call, now, true);
      if (!call.deleted) resume(turn, input, takeFact);
      return finish(turn, call);
    }
    case 'assign':
    case 'to-queue':
    case 'to-number':
    case 'overflow-failed': {
      const turn = new Turn(call, now);
      return onQueueInput(turn, input) ?? turn.outcome();
    }
    case 'give-away': {
      const turn = new Turn(call, now);
      return giveAway(turn, input) ?? finish(turn, call);
    }
    case 'adopt': {
      const turn = new Turn(call, now);
      return adopt(turn, input) ?? finish(turn, call);
    }
    case 'not-done': {
      const turn = new Turn(call, now);
      if (!call.deleted) undo(turn, input, carryOut);
      return finish(turn, call, input.request.referenceID);
    }
    default:
      return 'channel' in input ? onFact(call, input, now) : onRequest(call, input, now);
  }
}

function onRequest(call: Call, request: CallRequest, now: number): Outcome | Refused {
  if (call.deleted) return { refusal: refuse('NotFoundCallID') };
  const turn = new Turn(call, now);
  return carryOut(turn, request) ?? finish(turn, call, request.referenceID);
}

function onFact(call: Call, fact: Fact, now: number): Outcome {
  const turn = new Turn(call, now, fact.recovered);
  takeFact(turn, fact);
  return finish(turn, call);
}

function finish(turn: Turn, before: Call, referenceID = 0): Outcome {
  settleHolds(turn, before, referenceID);
  settleListening(turn);
  return turn.outcome();
}

function takeFact(turn: Turn, fact: Fact): void {
  const party = partyByChannel(turn.call, fact.channel);
  // A leg that was never dialled has no channel yet: whatever is said of one is not said of it.
  if (!party || party.leg.state === 'ended' || party.leg.state === 'planned') return;
  switch (fact.kind) {
    case 'leg-made':
      legMade(turn, party);
      break;
    case 'leg-ringing':
    case 'leg-early-media':
      legRinging(turn, party, fact, PURPOSES[party.purpose]);
      break;
    case 'leg-answered':
      legAnswered(turn, party, PURPOSES[party.purpose]);
      break;
    case 'leg-ended':
      departed(turn, legEnded(turn, party, fact, FAREWELLS), DEPARTURES);
      break;
    case 'recording-started':
    case 'recording-failed':
      recordingFact(turn, fact);
      break;
    case 'leg-transfer-requested':
      transferByPhone(turn, party, fact);
      break;
    case 'leg-held-by-phone':
    case 'leg-retrieved-by-phone':
      phoneHold(turn, party, fact);
      break;
    case 'leg-dtmf':
      digitPressed(turn, party, fact.digit);
      break;
  }
}
