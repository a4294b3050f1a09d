import type { CompanyId } from '../cti/ids.ts';
import type { ContactAnswer, ContactAnswers, ContactQuestion, TicketDesk } from '../ports.ts';
import type { Contact } from './contact.ts';
import type { ContactDesk } from './desk.ts';
import type { AgentTask, ShownContact } from './endpoints.ts';

type Of<What extends ContactQuestion['what']> = Extract<ContactQuestion, { readonly what: What }>;

/** Answers what clients and agents ask of contacts, at the instance that has the agents and queues. */
export class ContactOffice implements ContactAnswers {
  readonly #desks: ReadonlyMap<CompanyId, ContactDesk>;
  readonly #tickets: Pick<TicketDesk, 'open'>;

  constructor(desks: readonly ContactDesk[], tickets: Pick<TicketDesk, 'open'>) {
    this.#desks = new Map(desks.map((desk) => [desk.companyId, desk]));
    this.#tickets = tickets;
  }

  async answer(question: ContactQuestion): Promise<ContactAnswer | undefined> {
    switch (question.what) {
      case 'create':
        return await this.#create(question);
      case 'find':
      case 'cancel':
        return await this.#byId(question);
      case 'tasks': {
        const desk = this.#desk(question.companyId);
        const mine = desk?.contacts.filter((c) => isWith(c, question.agentID));
        return mine && { status: 200, tasks: mine.map(taskOf) };
      }
      default:
        return await this.#word(question);
    }
  }

  async #create({ companyId, kind, feedId, id, fields }: Of<'create'>): Promise<ContactAnswer | undefined> {
    const desk = this.#desk(companyId);
    if (!desk) return undefined;
    const contact = await desk.create(kind, feedId, fields, id);
    return contact ? { status: 201, contact: shown(contact, desk) } : { status: 429 };
  }

  async #byId({ what, companyIds, kind, id }: Of<'find' | 'cancel'>): Promise<ContactAnswer | undefined> {
    for (const companyId of companyIds) {
      const desk = this.#desk(companyId);
      if (!desk) return undefined;
      const contact = await desk.find(id);
      if (contact?.kind !== kind) continue;
      if (what === 'find') return { status: 200, contact: shown(contact, desk) };
      const cancelled = await desk.cancel(id);
      if (!cancelled) return undefined;
      const underWay = cancelled.contact.cancelAsked && cancelled.contact.phase !== 'ended';
      return { status: cancelled.changed || underWay ? 200 : 400, contact: shown(cancelled.contact, desk) };
    }
    return { status: 404 };
  }

  async #word(question: Of<'accept' | 'decline' | 'complete'>): Promise<ContactAnswer | undefined> {
    const { what, companyId, id, agentID } = question;
    const desk = this.#desk(companyId);
    if (!desk) return undefined;
    const stepped = await desk.say(id, what, agentID);
    if (stepped?.changed) return { status: 200, contact: shown(stepped.contact, desk) };
    const known = stepped?.contact ?? (await desk.find(id));
    return { status: known?.kind === 'task' ? 409 : 404 };
  }

  /** Of a company, where its queues are served here. */
  #desk(companyId: CompanyId): ContactDesk | undefined {
    return this.#tickets.open(companyId) ? this.#desks.get(companyId) : undefined;
  }
}

/** A contact as clients are shown it. */
function shown(contact: Contact, desk: ContactDesk): ShownContact {
  const agentId = contact.kind === 'task' && contact.status !== 'Queued' ? contact.agent?.agentID : undefined;
  return {
    status: contact.status,
    statusReason: contact.reason,
    statusTimestamp: contact.at,
    estimatedWaitTime: desk.estimatedWait(contact),
    ...(agentId !== undefined && { agentId }),
  };
}

const isWith = ({ kind, phase, agent }: Contact, agentID: string): boolean =>
  kind === 'task' && (phase === 'offered' || phase === 'held') && agent?.agentID === agentID;

const taskOf = ({ id, phase, queue, offeredUntil, message }: Contact) =>
  ({
    id,
    state: phase,
    queue,
    ...(offeredUntil !== undefined && { offeredUntil }),
    message,
  }) as AgentTask;
