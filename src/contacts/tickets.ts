import type { Ticket } from '../ports.ts';
import type { Contact } from './contact.ts';
import type { ContactInput } from './step.ts';

/** How a contact stands in its queue; undefined where it has no ticket. */
export function ticketOf(contact: Contact): Ticket | undefined {
  const { ticket: callID, phase, queue, since, agent, overflowed } = contact;
  if (callID === undefined || queue === undefined) return undefined;
  const waiting = { queue, since, assignment: agent?.assignment ?? 0, overflowed: overflowed === true };
  const having = agent && { dn: agent.dn, assignment: agent.assignment, present: true, missed: false };
  switch (phase) {
    case 'waiting':
      return { callID, waiting: { ...waiting, offered: false } };
    case 'offered':
      return { callID, waiting: { ...waiting, offered: true }, ...(having && { agent: { ...having, taken: false } }) };
    case 'calling':
      return { callID, ...(having && { agent: { ...having, taken: false } }) };
    case 'held':
      return { callID, ...(having && { agent: { ...having, taken: true } }) };
    default:
      return undefined;
  }
}

/**
 * What the queue is told of a step. A callback's call speaks for itself: nothing is told for it here once it has begun.
 *
 * @param before the contact before the step
 * @param after the contact after it
 */
export function ticketAfter(before: Contact, after: Contact, input: ContactInput): Ticket | undefined {
  const { ticket: callID, agent } = before;
  const letGo = (taken: boolean, missed: boolean): Ticket | undefined =>
    callID && {
      callID,
      ...(agent && { agent: { dn: agent.dn, assignment: agent.assignment, present: false, taken, missed } }),
    };
  switch (input.kind) {
    case 'queued':
    case 'sent-on':
    case 'accept':
      return ticketOf(after);
    case 'assigned':
      return after.phase === 'offered' ? ticketOf(after) : undefined;
    case 'not-placed':
    case 'lost':
      return letGo(false, false);
    case 'cancel':
      return after.phase === 'cancelling' ? letGo(false, false) : undefined;
    case 'decline':
    case 'due':
      return letGo(false, true);
    case 'complete':
      return letGo(true, false);
    case 'bridged':
    case 'call-over':
    case 'cancelled':
      return undefined;
  }
}
