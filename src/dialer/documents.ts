import type { DialerDocument, DialerEntry } from '../ports.ts';
import { type DialerCall, type FlowState, RUNNING } from './dialer-call.ts';

/** A call of the dialler with the version that the store has of it. */
export interface Stored {
  readonly call: DialerCall;
  readonly version: number;
}

/** Only the dialler writes these documents, and it writes DialerCalls. */
export const read = (document: DialerDocument): Stored => ({
  call: JSON.parse(document.json) as DialerCall,
  version: document.version,
});

/** Those that were set; a flow that was not is running. */
export function flowStateOf(states: Readonly<Record<string, string>>, flowId: string): FlowState {
  const json = Object.hasOwn(states, flowId) ? states[flowId] : undefined;
  return json === undefined ? RUNNING : (JSON.parse(json) as FlowState);
}

/** Urgent calls go before everything else that is due. */
const URGENT_MS = 1_000_000_000_000;

/**
 * How a call is stored.
 *
 * @param n its place among the calls of its request, which it keeps in the queue; below 1000
 * @param keepSeconds how long it can be asked for once it has ended
 */
export function entryOf(call: DialerCall, keepSeconds: number, n = 0): DialerEntry {
  const place = call.urgent ? call.dueAt - URGENT_MS : call.dueAt;
  return {
    uuid: call.uuid,
    json: JSON.stringify(call),
    flowId: call.flowId,
    active: call.phase === 'placing' || call.phase === 'live',
    ...(call.phase === 'waiting' && { queue: place + n / 1024 }),
    ...(call.phase === 'ended' && { ttl: keepSeconds }),
  };
}
