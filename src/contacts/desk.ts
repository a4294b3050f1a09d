import type { FeedConfig } from '../config.ts';
import { ContactStatus } from '../cti/contact-status.ts';
import { type CallID, type CompanyId, newCallID } from '../cti/ids.ts';
import type { Caller, LoggedEvent, Ticket } from '../ports.ts';
import { AskedCalls } from './asked-calls.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import { documentOf, type Held, read } from './documents.ts';
import { type ContactCompany, ContactIntake } from './intake.ts';
import { attachedDataOf, readMessage } from './message.ts';
import { callable } from './route.ts';
import { type ContactInput, discarded, stepContact, waitingReason } from './step.ts';
import { ticketAfter, ticketOf } from './tickets.ts';

const RETRY_MS = 250;
/** Before a callback that finds no node goes to its queue after all, ms. */
const NO_NODE_MS = 1_000;
/** Before it is looked again what has become of a call of which nothing is stored, ms. */
const LOOK_MS = 1_000;
/** Longest that a timer of Node's can wait, ms. */
const TIMER_MAX = 2_147_483_647;

/** Steps of one contact that were asked for. `changed`: it was another one afterwards. */
export interface Stepped {
  readonly contact: Contact;
  readonly changed: boolean;
}

/**
 * The contacts of one company, at the instance that serves its queues. What happens to a contact is done one after the
 * other, and stored before it counts.
 */
export class ContactDesk {
  readonly companyId: CompanyId;
  readonly company: ContactCompany;
  readonly #deps: ContactDeps;
  readonly #feeds: ReadonlyMap<string, FeedConfig>;
  readonly #held = new Map<string, Held>();
  readonly #byTicket = new Map<CallID, string>();
  readonly #chains = new Map<string, Promise<unknown>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #intake: ContactIntake;
  readonly #asked: AskedCalls;
  readonly #caller: Caller;
  readonly #onEnded: (contact: Contact) => void;
  #stopTail: (() => void) | undefined;
  #letGo: (() => void) | undefined;
  #closed = false;

  constructor(deps: ContactDeps, company: ContactCompany, onEnded: (contact: Contact) => void) {
    this.#deps = deps;
    this.company = company;
    this.companyId = company.companyId as CompanyId;
    this.#feeds = new Map(company.contacts.feeds.map((f) => [f.id, f]));
    this.#intake = new ContactIntake(deps, company);
    this.#asked = new AskedCalls(deps.carryOnMs);
    this.#caller = { companyId: this.companyId, keyName: 'contacts', scopes: new Set(['call']) };
    this.#onEnded = onEnded;
  }

  /** Reads what was left by whoever served the queues before; before they are served here. */
  async load(): Promise<void> {
    this.#closed = false;
    this.#held.clear();
    for (const document of await this.#deps.store.live(this.companyId)) this.#adopt(read(document));
    this.#letGo?.();
    this.#letGo = this.#deps.store.holding(this.companyId, () => [...this.#held.values()].map(documentOf));
  }

  /** Goes on with it, once the queues are served. */
  begin(): void {
    const { events } = this.#deps;
    const lookAtAll = (): void => {
      for (const id of [...this.#held.keys()]) void this.#serially(id, () => this.#resume(id));
    };
    this.#stopTail = events.tail(this.companyId, (some) => this.#hear(some), lookAtAll);
    lookAtAll();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTail?.();
    this.#letGo?.();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#chains.values());
    // Whoever has the queues next knows better, and may be this instance again by now.
    if (this.#closed) this.#held.clear();
  }

  /** Contacts that are neither handled nor discarded. */
  get contacts(): readonly Contact[] {
    return [...this.#held.values()].map((h) => h.contact);
  }

  get tickets(): readonly Ticket[] {
    return this.contacts.flatMap((c) => ticketOf(c) ?? []);
  }

  // ── what clients ask ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A request of a feed. What cannot be served becomes a contact all the same, discarded with its reason.
   *
   * @param fields as they came
   * @param id of the new contact: asking again makes no other
   * @returns the contact; undefined where so many are discarded that no more are kept
   * @throws what the store rejects with: nothing was stored
   */
  async create(kind: Contact['kind'], feedId: string, fields: unknown, id: string): Promise<Contact | undefined> {
    const at = this.#deps.now();
    const message = readMessage(kind, fields);
    const verdict = this.#intake.verdict(kind, feedId, message, this.contacts);
    if (verdict === 'too-many') return undefined;
    const contact: Contact = {
      id,
      companyId: this.companyId,
      kind,
      feedId,
      ...(typeof message !== 'string' && { message }),
      ...('queue' in verdict && { queue: verdict.queue }),
      status: ContactStatus.enum.Queued,
      reason: waitingReason(kind),
      at,
      phase: 'waiting',
      since: at,
      attempts: 0,
      offers: 0,
      createdAt: at,
    };
    if ('reason' in verdict) {
      const gone = discarded(contact, verdict.reason, at);
      if ((await this.#commit(gone, 0)) === 'conflict') return await this.find(id);
      this.#onEnded(gone);
      return gone;
    }
    if ((await this.#commit(contact, 0)) === 'conflict') return await this.find(id);
    this.#adopt({ contact, version: 1 });
    void this.#serially(contact.id, () => this.#resume(contact.id));
    return contact;
  }

  /** A contact of this company's, live or kept. */
  async find(id: string): Promise<Contact | undefined> {
    const held = this.#held.get(id);
    if (held) return held.contact;
    const document = await this.#deps.store.find(this.companyId, id);
    return document && read(document).contact;
  }

  /** Seconds until an agent will have it, as far as can be told; -1 where nobody is there, 0 where it waits no more. */
  estimatedWait(contact: Contact): number {
    if (contact.phase !== 'waiting' || contact.queue === undefined) return 0;
    const { ahead, agents } = this.#deps.desk.standing(this.companyId, contact.queue, contact.since);
    if (agents === 0) return -1;
    return Math.round(((ahead + 1) * (this.#feeds.get(contact.feedId)?.handlingTime ?? 0)) / agents);
  }

  /** Cancels, where that is in time. */
  async cancel(id: string): Promise<Stepped | undefined> {
    const stepped = await this.#serially(id, async () => {
      const first = await this.#step(id, { kind: 'cancel' });
      if (first?.contact.phase === 'cancelling') await this.#step(id, { kind: 'cancelled' });
      return first;
    });
    if (stepped) return stepped;
    const contact = await this.find(id);
    return contact && { contact, changed: false };
  }

  /** What the agent says who has a task, or is offered one. */
  async say(id: string, what: 'accept' | 'decline' | 'complete', agentID: string): Promise<Stepped | undefined> {
    return this.#serially(id, () => this.#step(id, { kind: what, agentID }));
  }

  // ── what the queues say ───────────────────────────────────────────────────────────────────────────────────────

  assigned(callID: CallID, agent: { dn: string; agentID: string; assignment: number }): boolean {
    const id = this.#byTicket.get(callID);
    if (id === undefined) return false;
    void this.#serially(id, async () => {
      const stepped = await this.#step(id, { kind: 'assigned', ticket: callID, agent });
      if (!stepped?.changed) this.#deps.desk.decline(this.companyId, callID, agent.assignment);
      else if (stepped.contact.phase === 'calling') await this.#call(stepped.contact, false);
    });
    return true;
  }

  sentOn(callID: CallID, queue: string | undefined): boolean {
    const id = this.#byTicket.get(callID);
    if (id === undefined) return false;
    void this.#serially(id, () =>
      this.#step(id, { kind: 'sent-on', ticket: callID, ...(queue !== undefined && { queue }) }),
    );
    return true;
  }

  #hear(events: readonly LoggedEvent[]): void {
    for (const { messageID, callID } of events) {
      if (messageID !== 'EventEstablished' && messageID !== 'EventCallDeleted') continue;
      const id = this.#byTicket.get(callID as CallID);
      if (id !== undefined) void this.#serially(id, () => this.#follow(id));
    }
  }

  // ── what becomes of a contact ─────────────────────────────────────────────────────────────────────────────────

  /** Does what is due for a contact as it stands. */
  async #resume(id: string): Promise<void> {
    const { contact } = this.#held.get(id) ?? {};
    switch (contact?.phase) {
      case 'waiting':
        if (contact.ticket === undefined) await this.#queue(contact);
        return;
      case 'cancelling':
        await this.#step(id, { kind: 'cancelled' });
        return;
      case 'calling':
        await this.#follow(id);
        return;
      case 'offered':
        await this.#step(id, { kind: 'due' });
        return;
    }
  }

  async #queue(contact: Contact): Promise<void> {
    const { now, placing, randomHex } = this.#deps;
    const { id, kind, notBefore = 0 } = contact;
    if (notBefore > now()) {
      this.#wakeAt(id, notBefore);
      return;
    }
    // A task needs no node. Its ticket has the form of a callID, and no call ever has it.
    const ticket = kind === 'task' ? newCallID(randomHex(), 0) : placing.chooseCallID();
    if (ticket === undefined) this.#wakeAt(id, now() + NO_NODE_MS);
    else await this.#step(id, { kind: 'queued', ticket });
  }

  /**
   * Calls agent and customer; repeating it is harmless, because the call's id is chosen.
   *
   * @param again it may have been asked for before
   */
  async #call(contact: Contact, again: boolean): Promise<void> {
    const { id, ticket, agent, queue, message, feedId } = contact;
    const feed = this.#feeds.get(feedId);
    if (!ticket || !agent || queue === undefined || !message || !feed) {
      // The feed has gone from the configuration.
      if (ticket) await this.#step(id, { kind: 'not-placed', ticket, why: 'never' });
      return;
    }
    const answer = await this.#persistently(() =>
      this.#deps.desk.call(
        this.#caller,
        ticket,
        {
          thisDN: agent.dn,
          otherDN: callable(message.mediaAddress ?? ''),
          makeCallType: 'Regular',
          firstLeg: 'agent',
          ringTimeout: feed.ringTimeout,
          ...(feed.callerId !== undefined && { ANI: feed.callerId }),
          attachedData: { ...attachedDataOf(message), contactID: id },
        },
        { queue, assignment: agent.assignment },
      ),
    );
    if (!answer) return;
    if ('result' in answer) {
      this.#asked.begun(ticket);
      return;
    }
    if (answer.refusal.name === 'CTIException' || (again && answer.unasked)) {
      // It may have been begun: under another ticket it could be called twice.
      this.#wakeAt(id, this.#deps.now() + RETRY_MS);
      return;
    }
    const why = answer.refusal.name === 'NotReady' ? 'later' : 'never';
    await this.#step(id, { kind: 'not-placed', ticket, why });
  }

  /** What has become of the call of a callback. */
  async #follow(id: string): Promise<void> {
    const { contact } = this.#held.get(id) ?? {};
    if (contact?.phase !== 'calling' || !contact.ticket) return;
    const { ticket, agent } = contact;
    const { now } = this.#deps;
    const became = await this.#persistently(() => this.#deps.desk.becameOf(this.companyId, ticket));
    if (!became) return;
    if (became.bridged) await this.#step(id, { kind: 'bridged', ticket });
    else if (became.state === 'ended')
      await this.#step(id, { kind: 'call-over', ticket, agentMissed: became.agentMissed });
    else if (became.state === 'unknown') {
      // Nobody has heard of it: it was claimed by a process that ended before it had asked, or too long ago.
      const todo = this.#asked.missing(ticket, agent?.at ?? 0, now());
      if (todo === 'ask') await this.#call(contact, true);
      else if (todo === 'wait') this.#wakeAt(id, now() + LOOK_MS);
      else await this.#step(id, { kind: 'lost', ticket });
    }
  }

  /** One input: steps, stores, tells the queue, and does what follows. Undefined where it is not held here. */
  async #step(id: string, input: ContactInput): Promise<Stepped | undefined> {
    const held = this.#held.get(id);
    if (!held) return undefined;
    const { contact: before, version } = held;
    const feed = this.#feeds.get(before.feedId);
    const plan = feed ?? { attempts: 1, retryAfter: 1, acceptTimeout: 30 };
    const contact = stepContact(before, input, plan, this.#deps.now());
    if (contact === before) return { contact, changed: false };
    const stored = await this.#persistently(() => this.#commit(contact, version));
    if (stored !== 'stored') {
      if (stored === 'conflict') await this.#readAgain(id);
      return undefined;
    }
    this.#forget(before);
    if (contact.phase === 'ended') this.#onEnded(contact);
    else this.#adopt({ contact, version: version + 1 });
    const ticket = ticketAfter(before, contact, input);
    if (ticket) this.#deps.desk.tell(this.companyId, ticket);
    if (contact.phase === 'offered') this.#wakeAt(id, contact.offeredUntil ?? 0);
    if (contact.phase === 'waiting' && contact.ticket === undefined) await this.#queue(contact);
    return { contact, changed: true };
  }

  /** Another instance wrote it: what it says counts. */
  async #readAgain(id: string): Promise<void> {
    this.#deps.log.warn('another instance wrote a contact: read anew', { contact: id });
    const before = this.#held.get(id);
    if (before) this.#forget(before.contact);
    const document = await this.#persistently(() => this.#deps.store.find(this.companyId, id));
    if (document && read(document).contact.phase !== 'ended') this.#adopt(read(document));
  }

  #adopt(held: Held): void {
    const { id, ticket } = held.contact;
    this.#held.set(id, held);
    if (ticket !== undefined) this.#byTicket.set(ticket, id);
  }

  #forget({ id, ticket }: Contact): void {
    this.#held.delete(id);
    if (ticket !== undefined) {
      this.#byTicket.delete(ticket);
      this.#asked.forget(ticket);
    }
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #wakeAt(id: string, at: number): void {
    clearTimeout(this.#timers.get(id));
    if (this.#closed) return;
    const wait = Math.min(TIMER_MAX, Math.max(0, at - this.#deps.now()));
    const timer = setTimeout(() => void this.#serially(id, () => this.#resume(id)), wait);
    timer.unref();
    this.#timers.set(id, timer);
  }

  #commit(contact: Contact, version: number): Promise<'stored' | 'conflict'> {
    const { keepSeconds, keepAtMost } = this.company.contacts;
    return this.#deps.store.commit({
      companyId: this.companyId,
      id: contact.id,
      json: JSON.stringify(contact),
      version,
      ...(contact.phase === 'ended' && { ended: { keepSeconds, keepAtMost } }),
    });
  }

  #serially<T>(id: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#chains.get(id) ?? Promise.resolve()).then(work);
    const settled: Promise<unknown> = done
      .catch((err: unknown) => this.#deps.log.warn('a step of a contact failed', { err, contact: id }))
      .then(() => {
        if (this.#chains.get(id) === settled) this.#chains.delete(id);
      });
    this.#chains.set(id, settled);
    return done;
  }

  async #persistently<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#closed) {
      try {
        return await work();
      } catch (error) {
        if (!this.#deps.isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }
}
