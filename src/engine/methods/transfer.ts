import { onCall, type Serve } from './context.ts';

/** RequestSingleStepTransfer. A phone of ours is shown the customer. */
export const singleStepTransfer: Serve<'RequestSingleStepTransfer'> = (context, params) => {
  const { callID, thisDN, otherDN } = params;
  const customer = context.live(callID)?.parties.find((p) => p.dn !== thisDN && p.leg.state !== 'ended')?.dn;
  return onCall(
    context,
    params,
    {
      kind: 'transfer',
      thisDN,
      target: context.target(callID, otherDN, customer ?? thisDN),
      back: context.directory.resolve(context.caller.companyId, thisDN, customer),
      referenceID: params.referenceID ?? 0,
    },
    () => ({}),
  );
};
