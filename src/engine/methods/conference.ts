import { refuse } from '../../cti/errors.ts';
import { newParty, onCall, refused, type Serve } from './context.ts';

/** RequestSingleStepConference. A phone of ours is shown who asks. */
export const singleStepConference: Serve<'RequestSingleStepConference'> = async (context, params) => {
  const { callID, thisDN, otherDN, referenceID = 0 } = params;
  if (context.directory.queue(context.caller.companyId, otherDN)) {
    const reason = 'is a queue: it rings nobody straight into a call';
    return refused(refuse('InvalidParams', { issues: [{ path: 'otherDN', reason }] }));
  }
  const found = context.reach(callID, otherDN, thisDN);
  const to = found instanceof Promise ? await found : found;
  const answer = await onCall(context, params, { kind: 'add-party', thisDN, to, referenceID }, () => ({}));
  return 'refusal' in answer ? answer : newParty(context, callID, otherDN);
};

/** RequestDeleteFromConference. */
export const deleteFromConference: Serve<'RequestDeleteFromConference'> = (context, params) => {
  const { thisDN, otherDN, referenceID = 0 } = params;
  return onCall(context, params, { kind: 'delete-party', thisDN, otherDN, referenceID }, () => ({}));
};
