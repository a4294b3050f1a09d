import { mergeAttachedData } from '../../calls/attached-data.ts';
import type { Call } from '../../calls/call.ts';
import type { Destination } from '../../calls/party.ts';
import { refuse } from '../../cti/errors.ts';
import type { ResultOf } from '../../cti/requests.ts';
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
  const toPhone = directory.isExtension(companyId, params.otherDN);
  if (params.callType !== undefined && (params.callType === 'Internal') !== toPhone) {
    return refused(refuse('InvalidCallType', { reason: `otherDN is ${toPhone ? 'a phone' : 'a number'}` }));
  }
  if (queue && toPhone) return refused(refuse('InvalidCallType', { reason: 'a queue calls customers only' }));
  const callerId = params.ANI ?? (toPhone ? params.thisDN : directory.trunkCallerId(companyId));
  const target = directory.resolve(companyId, params.otherDN, callerId);
  const agent: Destination = queue
    ? { dn: queue.id, kind: 'user', endpoint: '' }
    : directory.resolve(companyId, params.thisDN, params.otherDN);
  const place = context.place(target.trunk);
  if (!place) return refused(refuse('NotReady', { reason: 'no node' }));
  const unreachable = target.unreachable ?? place.unreachable;
  const plan = context.planRecording(params.recording);
  const begun = await context.begin(place.key, {
    kind: 'make',
    callID: place.callID,
    companyId,
    node: place.node,
    callType: toPhone ? 'Internal' : 'Outbound',
    makeCallType: params.makeCallType,
    firstLeg: params.firstLeg,
    agent,
    ...(queue && { queue: { id: queue.id, ringTimeout: queue.ringTimeout, wrapUp: queue.wrapUp } }),
    target: unreachable === undefined ? target : { ...target, unreachable },
    ...(!toPhone && callerId !== undefined && { ANI: callerId }),
    ringTimeout: params.ringTimeout,
    attachedData: mergeAttachedData({}, params.attachedData ?? {}),
    referenceID: params.referenceID ?? 0,
    ...(plan && { recording: plan }),
  });
  return 'refusal' in begun ? begun : madeAs(begun.call, params.thisDN);
};

/** RequestMakeCall's answer for a call that has been made. */
export function madeAs(call: Call, thisDN: string): Answer<ResultOf<'RequestMakeCall'>> {
  // A queue is no party: what it calls is the customer, who is rung first.
  const own = call.queue ? undefined : call.parties.find((p) => p.dn === thisDN);
  const party = own ?? call.parties[0];
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
