import { CANCELLED, type ContactReason, type ContactStatus } from '../cti/contact-status.ts';
import type { CallID } from '../cti/ids.ts';
import type { ChosenAgent, Contact, ContactPlan } from './contact.ts';

/** What happens to a contact. */
export type ContactInput =
  /** It goes to its queue, under a ticket chosen beforehand. */
  | { readonly kind: 'queued'; readonly ticket: CallID }
  /** The queue has chosen an agent. */
  | { readonly kind: 'assigned'; readonly ticket: CallID; readonly agent: Omit<ChosenAgent, 'at'> }
  /** The queue has sent it on: to another queue, or, where that cannot be, nowhere. */
  | { readonly kind: 'sent-on'; readonly ticket: CallID; readonly queue?: string }
  /** Its call was not begun: `later` there may be room or a node, `never` it is refused for good. */
  | { readonly kind: 'not-placed'; readonly ticket: CallID; readonly why: 'later' | 'never' }
  /** Agent and customer talk. */
  | { readonly kind: 'bridged'; readonly ticket: CallID }
  /** The call is over without that. */
  | { readonly kind: 'call-over'; readonly ticket: CallID; readonly agentMissed: boolean }
  /** Nothing is known of the call any more. */
  | { readonly kind: 'lost'; readonly ticket: CallID }
  | { readonly kind: 'cancel' }
  /** The queue knows of the cancel. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'accept' | 'decline' | 'complete'; readonly agentID: string }
  /** The offer's time may be over. */
  | { readonly kind: 'due' };

/** Before what found no room, or was declined, goes back to its queue, ms. */
const AGAIN_MS = 1_000;

/** The reason that a contact waits with. */
export const waitingReason = (kind: Contact['kind']): ContactReason =>
  kind === 'callback' ? 'EXTERNALLY_HANDLED' : 'EXTERNALLY_ROUTED';

/**
 * The next state of a contact by one input. Pure. An input that does not concern the contact as it is now (an older
 * ticket, another agent, too late) leaves it as it is: the same object.
 *
 * @param now Unix ms
 */
export function stepContact(contact: Contact, input: ContactInput, plan: ContactPlan, now: number): Contact {
  if ('ticket' in input && input.kind !== 'queued' && input.ticket !== contact.ticket) return contact;
  switch (input.kind) {
    case 'queued': {
      if (contact.phase !== 'waiting') return contact;
      const { notBefore: _, ...rest } = contact;
      return { ...rest, ticket: input.ticket };
    }
    case 'assigned':
      return contact.phase === 'waiting' ? assigned(contact, { ...input.agent, at: now }, plan, now) : contact;
    case 'sent-on':
      if (contact.phase !== 'waiting') return contact;
      return { ...contact, overflowed: true, ...(input.queue !== undefined && { queue: input.queue }) };
    case 'not-placed':
      if (contact.phase !== 'calling') return contact;
      if (input.why === 'never') return over(contact, 'NOTIFICATION_UNKNOWN_ERROR', now);
      return back(contact, now + AGAIN_MS, now);
    case 'bridged':
      return contact.phase === 'calling' ? ended(contact, 'Handled', 'EXTERNALLY_HANDLED', now) : contact;
    case 'call-over': {
      if (contact.phase !== 'calling') return contact;
      if (input.agentMissed) return back(contact, now, now);
      const attempts = contact.attempts + 1;
      if (attempts >= plan.attempts) return over({ ...contact, attempts }, 'NOTIFICATION_UNKNOWN_ERROR', now);
      return back({ ...contact, attempts }, now + plan.retryAfter * 1_000, now);
    }
    case 'lost':
      return contact.phase === 'calling' ? over(contact, 'NOTIFICATION_CCE_CCP_FAILED', now) : contact;
    case 'cancel':
      return cancel(contact, now);
    case 'cancelled':
      return contact.phase === 'cancelling' ? ended(contact, 'Discarded', CANCELLED[contact.kind], now) : contact;
    case 'accept': {
      if (contact.phase !== 'offered' || contact.agent?.agentID !== input.agentID) return contact;
      const { offeredUntil: _, ...rest } = contact;
      return { ...told(rest, 'Reserved', 'EXTERNALLY_ROUTED', now), phase: 'held' };
    }
    case 'decline':
      if (contact.phase !== 'offered' || contact.agent?.agentID !== input.agentID) return contact;
      return back(contact, now + AGAIN_MS, now);
    case 'complete':
      if (contact.phase !== 'held' || contact.agent?.agentID !== input.agentID) return contact;
      return ended(contact, 'Handled', 'EXTERNALLY_HANDLED', now);
    case 'due':
      if (contact.phase !== 'offered' || (contact.offeredUntil ?? 0) > now) return contact;
      return back(contact, now, now);
  }
}

/** Discarded, for a reason that was found before it came to a queue or after. */
export const discarded = (contact: Contact, reason: ContactReason, now: number): Contact =>
  ended(contact, 'Discarded', reason, now);

function assigned(contact: Contact, agent: ChosenAgent, plan: ContactPlan, now: number): Contact {
  if (contact.kind === 'callback') return { ...contact, phase: 'calling', agent };
  const offered: Contact = {
    ...contact,
    phase: 'offered',
    agent,
    offers: contact.offers + 1,
    offeredUntil: now + plan.acceptTimeout * 1_000,
  };
  return contact.offers === 0 ? offered : told(offered, 'Queued', 'TASK_RENOTIFY_REQUESTED', now);
}

/** A contact that no agent has can be cancelled; one whose agent is being rung only if he does not come. */
function cancel(contact: Contact, now: number): Contact {
  const reason = CANCELLED[contact.kind];
  switch (contact.phase) {
    case 'waiting':
    case 'offered':
      return { ...told(contact, 'Queued', reason, now), phase: 'cancelling' };
    case 'calling':
      return contact.cancelAsked ? contact : { ...told(contact, 'Queued', reason, now), cancelAsked: true };
    default:
      return contact;
  }
}

/** Back to the queue, at its old place; or gone, where it was to be cancelled. */
function back(contact: Contact, notBefore: number, now: number): Contact {
  if (contact.cancelAsked) return ended(contact, 'Discarded', CANCELLED[contact.kind], now);
  const { ticket: _, agent: __, offeredUntil: ___, ...rest } = contact;
  return { ...rest, phase: 'waiting', notBefore };
}

/** At an end that the customer did not wish for; a cancel that was asked for meanwhile has had its way all the same. */
const over = (contact: Contact, reason: ContactReason, now: number): Contact =>
  ended(contact, 'Discarded', contact.cancelAsked ? CANCELLED[contact.kind] : reason, now);

function ended(contact: Contact, status: ContactStatus, reason: ContactReason, now: number): Contact {
  const { ticket: _, offeredUntil: __, notBefore: ___, ...rest } = told(contact, status, reason, now);
  return { ...rest, phase: 'ended', endedAt: now };
}

function told(contact: Contact, status: ContactStatus, reason: ContactReason, now: number): Contact {
  return contact.status === status && contact.reason === reason ? contact : { ...contact, status, reason, at: now };
}
