import { refuse } from '../cti/errors.ts';
import { type AttachedData, attachedDataFault } from '../cti/json.ts';
import type { CallRequest } from './input.ts';
import type { Refused } from './output.ts';
import { tellAttachedDataChanged } from './tell.ts';
import type { Turn } from './turn.ts';

/** Merges `change` into `data`; null deletes a key. */
export function mergeAttachedData(data: AttachedData, change: AttachedData): AttachedData {
  return Object.fromEntries(Object.entries({ ...data, ...change }).filter(([, value]) => value !== null));
}

/**
 * RequestUpdateAttachedData: merged into the call, and carried by every later event.
 *
 * @returns a refusal (InvalidParams) where the call would then carry more than 64 KiB
 */
export function attachData(turn: Turn, request: Extract<CallRequest, { kind: 'attach-data' }>): Refused | undefined {
  const attachedData = mergeAttachedData(turn.call.attachedData, request.attachedData);
  const fault = attachedDataFault(attachedData);
  if (fault !== undefined) {
    return { refusal: refuse('InvalidParams', { issues: [{ path: 'attachedData', reason: fault }] }) };
  }
  turn.update({ attachedData });
  tellAttachedDataChanged(turn, request.thisDN ?? turn.call.thisDN, request.referenceID);
  return undefined;
}
