import type { DialerCall, Leg } from './dialer-call.ts';

/** What became of one call that was placed. */
export type Outcome =
  | 'completed'
  /** The agent left first. */
  | 'agent-left'
  /** Answered by the customer and over at once. */
  | 'short'
  | 'agent-missed'
  | 'customer-missed'
  /** It failed on our side: no room, or the node was lost. Nobody can be blamed for it. */
  | 'ours';

/** The end of a call, from EventCallDeleted. */
export interface Deleted {
  readonly connectionStatus: string;
  readonly sipCode?: number;
  /** Unix ms; absent where nobody ever talked. */
  readonly bridgedAt?: number;
  readonly endedAt: number;
}

/** What is known of how a leg or a call ended. */
interface End {
  readonly connectionStatus: string;
  readonly sipCode?: number | undefined;
  readonly q850?: number;
  readonly remote?: boolean;
}

/**
 * It was dialled, and ended by itself while nobody listened: a restart finds it gone, and no cause is known. Whoever was
 * called may have been rung, so it counts as an attempt.
 */
const isUnseen = ({ remote, q850 }: End): boolean => remote === true && q850 === 0;

/** True for an end that tells of us and not of anybody called: a limit of ours, no node, a node that died. */
export const isOurs = (end: End): boolean =>
  end.connectionStatus === 'Channel Busy' ||
  (end.connectionStatus === 'Failed' && end.sipCode === undefined && !isUnseen(end));

/**
 * Reads the end of a call.
 *
 * @param legs of this call
 * @param shortMs shorter than this from the customer's answer is a short hang-up
 */
export function outcomeOf(
  legs: readonly Leg[],
  deleted: Deleted,
  firstLeg: 'agent' | 'customer',
  shortMs: number,
): Outcome {
  const agent = legs.find((l) => l.role === 'agent');
  const customer = legs.find((l) => l.role === 'customer');
  if (deleted.bridgedAt !== undefined) {
    if (deleted.endedAt - deleted.bridgedAt < shortMs) return 'short';
    return (customer ?? agent)?.hangupCause === 'BY_AGENT' ? 'agent-left' : 'completed';
  }
  const answered = (leg: Leg | undefined): boolean => leg?.answeredAt !== undefined;
  if (answered(customer) && customer?.answeredAt !== undefined) {
    // He waited for an agent, and his node died: that is nobody's missing him.
    if (isOurs(customer)) return 'ours';
    const left = customer.hangupCause === 'BY_CUSTOMER';
    if (left && customer.endedAt - customer.answeredAt < shortMs) return 'short';
    return agent && isOurs(agent) ? 'ours' : 'agent-missed';
  }
  if (firstLeg === 'agent' && !answered(agent)) {
    // A number that must not be dialled ends the call before the agent's phone rings.
    if (customer && !agent) return isOurs(customer) ? 'ours' : 'customer-missed';
    return isOurs(agent ?? deleted) ? 'ours' : 'agent-missed';
  }
  if (customer && isOurs(customer)) return 'ours';
  if (answered(agent) && customer?.connectionStatus === 'Hang Up' && customer.hangupCause === 'BY_AGENT') {
    return 'agent-left';
  }
  return isOurs(customer ?? deleted) ? 'ours' : 'customer-missed';
}

/** The legs of the call that is being placed. */
export const legsOfPlacing = (call: DialerCall): readonly Leg[] =>
  call.legs.filter((l) => l.callID === call.placing?.callID);
