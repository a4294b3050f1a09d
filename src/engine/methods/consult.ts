import type { CallRequest } from '../../calls/input.ts';
import { newParty, onCall, type RequestContext, type Serve } from './context.ts';

/**
 * RequestInitiateConsult. A phone of ours is shown who asks. A queue is no party: where one is asked, the answer is the
 * party that waits in it, and whom it rings is told by events.
 */
export const initiateConsult: Serve<'RequestInitiateConsult'> = async (context, params) => {
  const { callID, thisDN, otherDN } = params;
  const found = context.target(callID, otherDN, thisDN);
  const target = found instanceof Promise ? await found : found;
  const request: CallRequest = {
    kind: 'consult',
    thisDN,
    target,
    attachedData: params.attachedData ?? {},
    referenceID: params.referenceID ?? 0,
  };
  const answer = await onCall(context, params, request, () => ({}));
  if ('refusal' in answer) return answer;
  return newParty(context, callID, target.kind === 'queue' ? thisDN : otherDN);
};

type Step = 'cancel-consult' | 'retrieve-consult' | 'transfer-consult' | 'conference-consult';

/** A request of the host's that carries the consultation on. */
const next =
  (kind: Step) =>
  (context: RequestContext, params: { callID: string; thisDN: string; referenceID?: number | undefined }) =>
    onCall(context, params, { kind, thisDN: params.thisDN, referenceID: params.referenceID ?? 0 }, () => ({}));

/** RequestCancelConsult. */
export const cancelConsult: Serve<'RequestCancelConsult'> = next('cancel-consult');

/** RequestRetrieveConsult. */
export const retrieveConsult: Serve<'RequestRetrieveConsult'> = next('retrieve-consult');

/** RequestTransferConsult. */
export const transferConsult: Serve<'RequestTransferConsult'> = next('transfer-consult');

/** RequestConferenceConsult. */
export const conferenceConsult: Serve<'RequestConferenceConsult'> = next('conference-consult');
