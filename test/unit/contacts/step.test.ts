import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contact } from '../../../src/contacts/contact.ts';
import { type ContactInput, stepContact, waitingReason } from '../../../src/contacts/step.ts';
import { ticketAfter, ticketOf } from '../../../src/contacts/tickets.ts';
import { type CallID, CompanyId, newCallID } from '../../../src/cti/ids.ts';
import { stories } from '../../support/properties.ts';

const NOW = 1_700_000_000_000;
const PLAN = { attempts: 2, retryAfter: 60, acceptTimeout: 30 };
const ticket = (n: number): CallID => newCallID(String(n).padStart(32, '0'), 1);
const AGENT = { dn: '1001', agentID: 'a1', assignment: 1 };

const born = (kind: Contact['kind']): Contact => ({
  id: 'c1',
  companyId: CompanyId.parse('acme'),
  kind,
  feedId: 'f1',
  queue: '8001',
  message: { name: 'Ann', title: 'A', mediaAddress: '911140001234' },
  status: 'Queued',
  reason: waitingReason(kind),
  at: NOW,
  phase: 'waiting',
  since: NOW,
  attempts: 0,
  offers: 0,
  createdAt: NOW,
});

/** Drives a contact; each entry of `told` is its state after a step that changed it. */
class Driven {
  contact: Contact;
  now = NOW;
  readonly told: string[] = [];

  constructor(kind: Contact['kind']) {
    this.contact = born(kind);
  }

  step(...inputs: ContactInput[]): this {
    for (const input of inputs) {
      this.now += 1_000;
      const next = stepContact(this.contact, input, PLAN, this.now);
      if (next === this.contact) continue;
      this.contact = next;
      this.told.push(`${next.status} ${next.reason}`);
    }
    return this;
  }

  assigned(n: number): this {
    return this.step({ kind: 'queued', ticket: ticket(n) }, { kind: 'assigned', ticket: ticket(n), agent: AGENT });
  }

  get last(): string {
    return `${this.contact.status} ${this.contact.reason}`;
  }
}

describe('a callback', () => {
  it('is queued, and handled when agent and customer talk', () => {
    const driven = new Driven('callback').assigned(1);
    expect([driven.last, driven.contact.phase]).toEqual(['Queued EXTERNALLY_HANDLED', 'calling']);
    driven.step({ kind: 'bridged', ticket: ticket(1) });
    expect([driven.last, driven.contact.phase]).toEqual(['Handled EXTERNALLY_HANDLED', 'ended']);
    driven.step({ kind: 'cancel' }, { kind: 'call-over', ticket: ticket(1), agentMissed: false });
    expect(driven.last).toBe('Handled EXTERNALLY_HANDLED');
  });

  it('goes back to its place where the agent missed it, without an attempt; later where the customer was not reached', () => {
    const driven = new Driven('callback').assigned(1).step({ kind: 'call-over', ticket: ticket(1), agentMissed: true });
    expect(driven.contact).toMatchObject({ phase: 'waiting', since: NOW, attempts: 0, notBefore: driven.now });
    driven.assigned(2).step({ kind: 'call-over', ticket: ticket(2), agentMissed: false });
    expect(driven.contact).toMatchObject({ phase: 'waiting', since: NOW, attempts: 1, notBefore: driven.now + 60_000 });
    driven.assigned(3).step({ kind: 'call-over', ticket: ticket(3), agentMissed: false });
    expect(driven.last).toBe('Discarded NOTIFICATION_UNKNOWN_ERROR');
  });

  it('hears nothing of an older ticket', () => {
    const driven = new Driven('callback').assigned(1).step({ kind: 'call-over', ticket: ticket(1), agentMissed: true });
    const { contact } = driven.step({ kind: 'queued', ticket: ticket(2) });
    driven.step(
      { kind: 'assigned', ticket: ticket(1), agent: AGENT },
      { kind: 'bridged', ticket: ticket(1) },
      { kind: 'sent-on', ticket: ticket(1), queue: '8002' },
    );
    expect(driven.contact).toBe(contact);
  });

  it('cancelled in time goes by way of Queued; too late it is handled; in between its call decides', () => {
    const inTime = new Driven('callback').step({ kind: 'queued', ticket: ticket(1) }, { kind: 'cancel' });
    expect(inTime.step({ kind: 'assigned', ticket: ticket(1), agent: AGENT }).contact.phase).toBe('cancelling');
    inTime.step({ kind: 'cancelled' });
    expect(inTime.told.slice(1)).toEqual([
      'Queued NOTIFICATION_CCE_CALLBACK_CANCELLED',
      'Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED',
    ]);
    const ringing = (): Driven => new Driven('callback').assigned(1).step({ kind: 'cancel' });
    expect(ringing().last).toBe('Queued NOTIFICATION_CCE_CALLBACK_CANCELLED');
    expect(ringing().step({ kind: 'bridged', ticket: ticket(1) }).last).toBe('Handled EXTERNALLY_HANDLED');
    for (const end of [
      { kind: 'call-over', agentMissed: true },
      { kind: 'call-over', agentMissed: false },
      { kind: 'not-placed', why: 'later' },
      { kind: 'not-placed', why: 'never' },
      { kind: 'lost' },
    ] as const) {
      expect(ringing().step({ ...end, ticket: ticket(1) }).last).toBe('Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED');
    }
  });

  it('is given up where nothing is known of its call', () => {
    const driven = new Driven('callback').assigned(1).step({ kind: 'lost', ticket: ticket(1) });
    expect(driven.last).toBe('Discarded NOTIFICATION_CCE_CCP_FAILED');
  });
});

describe('a task', () => {
  it('is queued, reserved and handled', () => {
    const driven = new Driven('task').assigned(1);
    expect([driven.last, driven.contact.phase]).toEqual(['Queued EXTERNALLY_ROUTED', 'offered']);
    expect(driven.step({ kind: 'accept', agentID: 'a2' }).contact.phase).toBe('offered');
    driven.step({ kind: 'accept', agentID: 'a1' });
    expect(driven.last).toBe('Reserved EXTERNALLY_ROUTED');
    driven.step({ kind: 'cancel' }, { kind: 'complete', agentID: 'a2' });
    expect(driven.last).toBe('Reserved EXTERNALLY_ROUTED');
    driven.step({ kind: 'complete', agentID: 'a1' });
    expect(driven.last).toBe('Handled EXTERNALLY_HANDLED');
  });

  it('that was not accepted in time is offered again, and says so', () => {
    const driven = new Driven('task').assigned(1).step({ kind: 'due' });
    expect(driven.contact.phase).toBe('offered');
    driven.now += 30_000;
    driven.step({ kind: 'due' });
    expect([driven.last, driven.contact.phase]).toEqual(['Queued EXTERNALLY_ROUTED', 'waiting']);
    expect(driven.assigned(2).last).toBe('Queued TASK_RENOTIFY_REQUESTED');
    driven.step({ kind: 'accept', agentID: 'a1' });
    expect(driven.last).toBe('Reserved EXTERNALLY_ROUTED');
  });

  it('can be cancelled while it is offered', () => {
    const driven = new Driven('task').assigned(1).step({ kind: 'cancel' });
    expect(driven.step({ kind: 'accept', agentID: 'a1' }).contact.phase).toBe('cancelling');
    expect(driven.step({ kind: 'cancelled' }).last).toBe('Discarded NOTIFICATION_CCE_TASK_CANCELLED');
  });
});

describe('whatever happens', () => {
  const input = fc.oneof(
    ...(['queued', 'assigned', 'sent-on', 'not-placed', 'bridged', 'call-over', 'lost'] as const).map((kind) =>
      fc.record({ kind: fc.constant(kind), n: fc.integer({ min: 1, max: 3 }), b: fc.boolean() }),
    ),
    ...(['cancel', 'cancelled', 'accept', 'decline', 'complete', 'due'] as const).map((kind) =>
      fc.record({ kind: fc.constant(kind), n: fc.constant(0), b: fc.boolean() }),
    ),
  );
  const inputOf = ({ kind, n, b }: { kind: ContactInput['kind']; n: number; b: boolean }): ContactInput => {
    switch (kind) {
      case 'queued':
      case 'bridged':
      case 'lost':
        return { kind, ticket: ticket(n) };
      case 'assigned':
        return { kind, ticket: ticket(n), agent: AGENT };
      case 'sent-on':
        return { kind, ticket: ticket(n), ...(b && { queue: '8002' }) };
      case 'not-placed':
        return { kind, ticket: ticket(n), why: b ? 'later' : 'never' };
      case 'call-over':
        return { kind, ticket: ticket(n), agentMissed: b };
      case 'accept':
      case 'decline':
      case 'complete':
        return { kind, agentID: b ? 'a1' : 'a2' };
      default:
        return { kind };
    }
  };

  it('an end is an end, a place is kept, and an agent who was had is let go exactly once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('callback' as const, 'task' as const),
        fc.array(input, { maxLength: 40 }),
        (kind, given) => {
          let contact = born(kind);
          let now = NOW;
          /** The agent as the queue has been told, or has told. */
          let had = false;
          for (const one of given) {
            now += 10_000;
            const what = inputOf(one);
            const next = stepContact(contact, what, PLAN, now);
            if (next === contact) continue;
            expect(contact.phase).not.toBe('ended');
            expect(next.since).toBe(NOW);
            expect(next.phase === 'ended').toBe(next.status === 'Handled' || next.status === 'Discarded');
            expect(next.status === 'Reserved').toBe(next.phase === 'held');
            const told = ticketAfter(contact, next, what);
            if (what.kind === 'assigned') had = true;
            if (told?.agent?.present === false) {
              expect(had).toBe(true);
              had = false;
            }
            // A call lets its agent go itself.
            if (what.kind === 'bridged' || what.kind === 'call-over') had = false;
            expect(had).toBe(ticketOf(next)?.agent !== undefined);
            contact = next;
          }
        },
      ),
      stories(500),
    );
  });
});
