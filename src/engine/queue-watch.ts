import type { Call } from '../calls/call.ts';
import { toldEnds } from '../calls/told-ends.ts';
import { rungForQueue, waitingParty } from '../calls/waiting.ts';
import type { CallTrace, CustomerProgress } from '../ports.ts';

/** How far the customer of a call is that a queue has placed: he is its first party. */
export function customerProgressOf(call: Call | undefined): CustomerProgress | undefined {
  const leg = call?.parties[0]?.leg;
  if (!call || !leg) return undefined;
  const { answeredAt, bridgedAt } = leg;
  const moments = {
    ...(answeredAt !== undefined && { answeredAt }),
    ...(bridgedAt !== undefined && { bridgedAt }),
  };
  if (bridgedAt !== undefined) return { state: 'served', ...moments };
  if (waitingParty(call) === undefined) return { state: answeredAt === undefined ? 'ringing' : 'served', ...moments };
  return { state: rungForQueue(call) ? 'offered' : 'waiting', ...moments };
}

/** What is stored of a call. @param call `begun`: it is just being stored */
export function traceOf(call: Call | 'begun' | undefined): CallTrace {
  if (call === undefined) return { state: 'unknown', ends: [], established: false };
  if (call === 'begun') return { state: 'live', ends: [], established: false };
  const established = call.parties.some((p) => p.role === 'Customer' && p.leg.bridgedAt !== undefined);
  return { state: call.deleted ? 'ended' : 'live', ends: toldEnds(call), established };
}
