import { mergeAttachedData } from '../../calls/attached-data.ts';
import type { Call } from '../../calls/call.ts';
import type { Destination } from '../../calls/party.ts';
import { refuse } from '../../cti/errors.ts';
import type { ResultOf } from '../../cti/requests.ts';
import type { Queue } from '../directory.ts';
import { entryOf } from '../waiting-calls.ts';
import { type Answer, onCall, refused, type Serve } from './context.ts';

/** RequestMakeCall. */
export const makeCall: Serve<'RequestMakeCall'> = async (context, params) => {
  const { caller, directory } = context;
  const { companyId } = caller;
  if (context.notReady !== undefined) return refused(refuse('NotReady', { reason: context.notReady }));
  if (params.thisDN === params.otherDN) return refused(refuse('TargetPartyIsSelf'));
  const queue = directory.queue(companyId, params.thisDN);
  if (queue && params.firstLeg !== 'customer') {
    return refused(refuse('InvalidCallType', { reason: 'a queue calls customers only, firstLeg customer' }));
  }
  if (!queue && !directory.isExtension(companyId, params.thisDN)) {
    return refused(refuse('RegisterDNNotMatch', { reason: 'thisDN is not a phone of this company' }));
  }
  const toQueue = directory.queue(companyId, params.otherDN);
  const inside = toQueue !== undefined || directory.isExtension(companyId, params.otherDN);
  if (params.callType !== undefined && (params.callType === 'Internal') !== inside) {
    return refused(refuse('InvalidCallType', { reason: `otherDN is ${inside ? 'inside' : 'a number'}` }));
  }
  if (queue && inside) return refused(refuse('InvalidCallType', { reason: 'a queue calls customers only' }));
  if (toQueue && params.firstLeg === 'customer') {
    return refused(refuse('InvalidCallType', { reason: 'who calls a queue is rung first, firstLeg agent' }));
  }
  const callerId = params.ANI ?? (inside ? params.thisDN : directory.trunkCallerId(companyId, context.trunk));
  const target = toQueue ? asParty(toQueue) : directory.resolve(companyId, params.otherDN, callerId, context.trunk);
  const agent = queue ? asParty(queue) : directory.resolve(companyId, params.thisDN, params.otherDN);
  const placed = context.place({ trunk: target.trunk, queue: toQueue?.id });
  const place = placed instanceof Promise ? await placed : placed;
  if (!place) return refused(refuse('NotReady', { reason: 'no node' }));
  if (place.unreachable === 'queue-full') return refused(refuse('RequestTooFast', { reason: 'queue-full' }));
  const unreachable = target.unreachable ?? place.unreachable;
  const notTried = unreachable !== undefined && { unreachable };
  const waitsIn = queue ?? toQueue;
  const plan = context.planRecording(params.recording);
  const begun = await context.begin(place.key, {
    kind: 'make',
    callID: place.callID,
    companyId,
    node: place.node,
    callType: inside ? 'Internal' : 'Outbound',
    makeCallType: params.makeCallType,
    firstLeg: params.firstLeg,
    ...(context.chosenBy && { chosenBy: context.chosenBy }),
    // A queue is never tried itself: whoever is to wait in it is.
    agent: toQueue ? { ...agent, ...notTried } : agent,
    target: toQueue ? target : { ...target, ...notTried },
    ...(waitsIn && { queue: entryOf(waitsIn) }),
    ...(!inside && callerId !== undefined && { ANI: callerId }),
    ringTimeout: params.ringTimeout ?? context.ringTimeout,
    attachedData: mergeAttachedData({}, params.attachedData ?? {}),
    referenceID: params.referenceID ?? 0,
    ...(plan && { recording: plan }),
    ...(context.once && { once: true }),
  });
  return 'refusal' in begun ? begun : madeAs(begun.call, params.thisDN);
};

/** A queue where one of the call's two parties is named: it is no phone, and nothing dials it. */
const asParty = ({ id }: Queue): Destination => ({ dn: id, kind: 'user', endpoint: '' });

/** RequestMakeCall's answer for a call that has been made. */
export function madeAs(call: Call, thisDN: string): Answer<ResultOf<'RequestMakeCall'>> {
  // A queue is no party: the one who is rung first is the answer then.
  const party = call.parties.find((p) => p.dn === thisDN) ?? call.parties[0];
  if (!party) return refused(refuse('CTIException'));
  return { result: { callID: call.callID, partyID: party.partyID } };
}

/** RequestAnswerCall. */
export const answerCall: Serve<'RequestAnswerCall'> = (context, params) =>
  onCall(context, params, { kind: 'answer', thisDN: params.thisDN, referenceID: params.referenceID ?? 0 }, () => ({}));

/** RequestReleaseCall. */
export const releaseCall: Serve<'RequestReleaseCall'> = (context, params) =>
  onCall(context, params, { kind: 'release', thisDN: params.thisDN, referenceID: params.referenceID ?? 0 }, () => ({}));

/** RequestClearCall. */
export const clearCall: Serve<'RequestClearCall'> = (context, params) =>
  onCall(context, params, { kind: 'clear', referenceID: params.referenceID ?? 0 }, () => ({}));

/** RequestUpdateAttachedData. */
export const updateAttachedData: Serve<'RequestUpdateAttachedData'> = (context, params) =>
  onCall(
    context,
    params,
    {
      kind: 'attach-data',
      ...(params.thisDN !== undefined && { thisDN: params.thisDN }),
      attachedData: params.attachedData,
      referenceID: params.referenceID ?? 0,
    },
    () => ({ attachedData: { ...context.live(params.callID)?.attachedData } }),
  );
