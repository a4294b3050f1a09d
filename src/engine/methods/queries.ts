import type { Call } from '../../calls/call.ts';
import { refuse } from '../../cti/errors.ts';
import { callInfo, callSummary } from '../views.ts';
import { refused, type Serve } from './context.ts';

/** RequestGetCallInfo. */
export const getCallInfo: Serve<'RequestGetCallInfo'> = async (context, params) => {
  const call = context.live(params.callID) ?? (await context.store.load(context.caller.companyId, params.callID))?.call;
  if (!call) return refused(refuse('NotFoundCallID'));
  return { result: callInfo(call, params.referenceID ?? 0, context.now()) };
};

/** RequestListCalls. */
export const listCalls: Serve<'RequestListCalls'> = async (context, params) => {
  const matching = (await context.calls())
    .filter((c) => params.callType === undefined || c.callType === params.callType)
    .filter(
      (c) => params.thisDN === undefined || c.parties.some((p) => p.dn === params.thisDN && p.leg.state !== 'ended'),
    )
    .sort((a, b) => (pageKey(a) < pageKey(b) ? -1 : 1));
  const from = params.cursor === undefined ? 0 : matching.findIndex((c) => pageKey(c) > (params.cursor ?? ''));
  const page = from < 0 ? [] : matching.slice(from, from + params.limit);
  const last = page.at(-1);
  const more = last !== undefined && matching.at(-1) !== last;
  return { result: { calls: page.map(callSummary), ...(more && { cursor: pageKey(last) }) } };
};

/** Oldest first; a call keeps its place while others come and go, so that pages neither repeat nor skip. */
const pageKey = (call: Call): string => `${String(call.startedAt).padStart(15, '0')}-${call.callID}`;
