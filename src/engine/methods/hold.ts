import type { CallRequest } from '../../calls/input.ts';
import { onCall, type Serve } from './context.ts';

/** The requests by which a party of a call changes who hears what. */

type OfParty = Extract<CallRequest['kind'], 'hold' | 'retrieve' | 'mute' | 'unmute'>;
type MethodOfParty = 'RequestHoldCall' | 'RequestRetrieveCall' | 'RequestMuteCall' | 'RequestUnmuteCall';

const byParty =
  (kind: OfParty): Serve<MethodOfParty> =>
  (context, params) =>
    onCall(context, params, { kind, thisDN: params.thisDN, referenceID: params.referenceID ?? 0 }, () => ({}));

/** RequestHoldCall. */
export const holdCall: Serve<'RequestHoldCall'> = byParty('hold');
/** RequestRetrieveCall. */
export const retrieveCall: Serve<'RequestRetrieveCall'> = byParty('retrieve');
/** RequestMuteCall. */
export const muteCall: Serve<'RequestMuteCall'> = byParty('mute');
/** RequestUnmuteCall. */
export const unmuteCall: Serve<'RequestUnmuteCall'> = byParty('unmute');

/** RequestSendDtmf. */
export const sendDtmf: Serve<'RequestSendDtmf'> = (context, params) => {
  const { thisDN, dtmfDigits, referenceID = 0 } = params;
  return onCall(context, params, { kind: 'send-dtmf', thisDN, dtmfDigits, referenceID }, () => ({}));
};
