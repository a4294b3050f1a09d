import { whenKnown } from '../soon.ts';
import { onCall, type Serve } from './context.ts';

/** RequestSingleStepTransfer. A phone of ours is shown the customer. */
export const singleStepTransfer: Serve<'RequestSingleStepTransfer'> = (context, params) => {
  const { callID, thisDN, otherDN } = params;
  const customer = context.live(callID)?.parties.find((p) => p.dn !== thisDN && p.leg.state !== 'ended')?.dn;
  const back = context.directory.resolve(context.caller.companyId, thisDN, customer);
  const { referenceID = 0 } = params;
  const target = context.target(callID, otherDN, customer ?? thisDN);
  return Promise.resolve(
    whenKnown(target, (to) =>
      onCall(context, params, { kind: 'transfer', thisDN, target: to, back, referenceID }, () => ({})),
    ),
  );
};
