import { refuse } from '../cti/errors.ts';
import { answerPhone } from './answer.ts';
import { attachData } from './attached-data.ts';
import { liveParty } from './call.ts';
import { addParty, deleteParty } from './conference.ts';
import { cancelConsult, conferenceConsult, initiateConsult, retrieveConsult, transferConsult } from './consult.ts';
import { sendDtmf } from './dtmf.ts';
import { holdCall, retrieveCall } from './hold.ts';
import type { CallRequest } from './input.ts';
import { clear, releaseParty } from './leave.ts';
import { muteCall, unmuteCall } from './mute.ts';
import type { Refused } from './output.ts';
import type { Party } from './party.ts';
import { pauseRecording, resumeRecording, startRecording, stopRecording } from './recording.ts';
import { stopSupervision, supervise } from './supervise.ts';
import { singleStepTransfer } from './transfer.ts';
import type { Turn } from './turn.ts';

/** What a verb says: a refusal, or nothing. */
type Verdict = Refused | undefined;

/** Carries a request out in a turn, or refuses it and leaves the call as it was. */
type Verb<K extends CallRequest['kind']> = (turn: Turn, request: Extract<CallRequest, { kind: K }>) => Verdict;

/** What each request does. One line each: what it really does is in the capability's own file. */
const VERBS: { readonly [K in CallRequest['kind']]: Verb<K> } = {
  answer: by((turn, party, { referenceID }) => answerPhone(turn, party, referenceID)),
  release: by((turn, party, { referenceID }) => {
    releaseParty(turn, party, referenceID);
    return undefined;
  }),
  clear: (turn, { referenceID }) => {
    clear(turn, referenceID);
    return undefined;
  },
  hold: by((turn, party, { referenceID }) => holdCall(turn, party, referenceID)),
  retrieve: by((turn, party, { referenceID }) => retrieveCall(turn, party, referenceID)),
  mute: by((turn, party, { referenceID }) => muteCall(turn, party, referenceID)),
  unmute: by((turn, party, { referenceID }) => unmuteCall(turn, party, referenceID)),
  'send-dtmf': by(sendDtmf),
  'attach-data': (turn, request) => {
    if (request.thisDN !== undefined && !liveParty(turn.call, request.thisDN)) return notAParty;
    return attachData(turn, request);
  },
  transfer: by(singleStepTransfer),
  consult: by(initiateConsult),
  'cancel-consult': by((turn, party, { referenceID }) => cancelConsult(turn, party, referenceID)),
  'retrieve-consult': by((turn, party, { referenceID }) => retrieveConsult(turn, party, referenceID)),
  'transfer-consult': by((turn, party, { referenceID }) => transferConsult(turn, party, referenceID)),
  'conference-consult': by((turn, party, { referenceID }) => conferenceConsult(turn, party, referenceID)),
  'start-recording': ifNamed(startRecording),
  'stop-recording': ifNamed(stopRecording),
  'pause-recording': ifNamed(pauseRecording),
  'resume-recording': ifNamed(resumeRecording),
  'add-party': by((turn, party, request) => addParty(turn, party, request)),
  'delete-party': by((turn, party, request) => deleteParty(turn, party, request)),
  supervise: (turn, request) => supervise(turn, request),
  'stop-supervision': by((turn, party, { referenceID }) => stopSupervision(turn, party, referenceID)),
};

const notAParty: Refused = { refusal: refuse('NotFoundParty') };

/** A verb of the party that the request names as acting; refused where that DN is no live party of the call. */
function by<R extends CallRequest & { readonly thisDN: string }>(
  verb: (turn: Turn, party: Party, request: R) => Verdict,
): (turn: Turn, request: R) => Verdict {
  return (turn, request) => {
    const party = liveParty(turn.call, request.thisDN);
    return party ? verb(turn, party, request) : notAParty;
  };
}

/** A verb of the whole call; refused where a DN is named that is no live party of it. */
function ifNamed<R extends CallRequest & { readonly thisDN?: string }>(
  verb: (turn: Turn, request: R) => Verdict,
): (turn: Turn, request: R) => Verdict {
  return (turn, request) => {
    if (request.thisDN !== undefined && !liveParty(turn.call, request.thisDN)) return notAParty;
    return verb(turn, request);
  };
}

/** Carries out any request. */
export function carryOut(turn: Turn, request: CallRequest): Refused | undefined {
  const verb = VERBS[request.kind] as Verb<CallRequest['kind']>;
  return verb(turn, request);
}
