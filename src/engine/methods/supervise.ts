import type { Supervise } from '../../calls/input.ts';
import { refuse } from '../../cti/errors.ts';
import type { PartyID } from '../../cti/ids.ts';
import type { ParamsOf } from '../../cti/requests.ts';
import { type Answer, newParty, onCall, type RequestContext, refused, type Serve } from './context.ts';

type Params = ParamsOf<'RequestMonitor' | 'RequestWhisper' | 'RequestBargein' | 'RequestIntercept'>;

/** A supervisor's request; its rules are the call's (calls/supervise-rules.ts), save what only the whole company tells. */
const supervise =
  (mode: Supervise['mode']) =>
  async (context: RequestContext, params: Params): Promise<Answer<{ partyID: PartyID }>> => {
    const { callID, thisDN, otherDN, referenceID = 0 } = params;
    if (!context.directory.isExtension(context.caller.companyId, thisDN)) {
      return refused(refuse('RegisterDNNotMatch', { reason: 'thisDN is not a phone of this company' }));
    }
    const to = await context.reach(callID, thisDN, otherDN);
    const elsewhere = await whereElse(context, callID, thisDN);
    const request: Supervise = {
      kind: 'supervise',
      mode,
      thisDN,
      otherDN,
      to,
      referenceID,
      ...(elsewhere && { elsewhere }),
    };
    const answer = await onCall(context, params, request, () => ({}));
    return 'refusal' in answer ? answer : newParty(context, callID, thisDN);
  };

/** What the supervisor does in another call of the company. */
async function whereElse(context: RequestContext, callID: string, dn: string): Promise<Supervise['elsewhere']> {
  let elsewhere: Supervise['elsewhere'];
  for (const call of await context.calls()) {
    if (call.callID === callID) continue;
    const party = call.parties.find((p) => p.dn === dn && p.leg.state !== 'ended');
    if (!party) continue;
    if (call.supervision?.supervisor === party.partyID) return 'supervising';
    elsewhere = 'in-call';
  }
  return elsewhere;
}

/** RequestMonitor: the supervisor hears both, and nobody hears him. */
export const monitor: Serve<'RequestMonitor'> = supervise('monitor');
/** RequestWhisper: the agent alone hears him. */
export const whisper: Serve<'RequestWhisper'> = supervise('whisper');
/** RequestBargein: all hear him. */
export const bargein: Serve<'RequestBargein'> = supervise('bargein');
/** RequestIntercept: he takes the call from the agent. */
export const intercept: Serve<'RequestIntercept'> = supervise('intercept');

/** RequestStopSupervision. */
export const stopSupervision: Serve<'RequestStopSupervision'> = (context, params) => {
  const { thisDN, referenceID = 0 } = params;
  return onCall(context, params, { kind: 'stop-supervision', thisDN, referenceID }, () => ({}));
};
