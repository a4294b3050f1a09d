import type { CallRequest } from '../../calls/input.ts';
import { newParty, onCall, type RequestContext, type Serve } from './context.ts';

/** RequestInitiateConsult. A phone of ours is shown who asks. */
export const initiateConsult: Serve<'RequestInitiateConsult'> = async (context, params) => {
  const { callID, thisDN, otherDN } = params;
  const request: CallRequest = {
    kind: 'consult',
    thisDN,
    target: context.reach(callID, otherDN, thisDN),
    attachedData: params.attachedData ?? {},
    referenceID: params.referenceID ?? 0,
  };
  const answer = await onCall(context, params, request, () => ({}));
  return 'refusal' in answer ? answer : newParty(context, callID, otherDN);
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
