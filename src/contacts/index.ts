import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, type Registry } from 'prom-client';
import { addressList, type CompanyConfig } from '../config.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { ApiAccess, ContactAnswer, ContactAnswers, ContactQuestion, Ticket, TicketHolder } from '../ports.ts';
import { agentRoutes } from './agent-routes.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import { ContactDesk } from './desk.ts';
import type { ContactCompany } from './intake.ts';
import { ContactOffice } from './office.ts';
import { contactRoutes } from './routes.ts';

export type { ContactDeps } from './deps.ts';
export { CONTACT_ENDPOINTS } from './endpoints.ts';

/** Callback and task requests of all companies that have feeds. */
export class Contacts implements TicketHolder, ContactAnswers {
  readonly #deps: ContactDeps;
  readonly #desks: readonly { readonly desk: ContactDesk; readonly allows: (ip: string) => boolean }[];
  readonly #byCompany: ReadonlyMap<string, ContactDesk>;
  readonly #office: ContactOffice;
  #count: ((contact: Contact) => void) | undefined;

  constructor(deps: ContactDeps, companies: readonly CompanyConfig[]) {
    this.#deps = deps;
    const ended = (contact: Contact): void => this.#count?.(contact);
    this.#desks = companies.filter(hasContacts).map((company) => ({
      desk: new ContactDesk(deps, company, ended),
      allows: addressList(company.contacts.ips),
    }));
    this.#byCompany = new Map(this.#desks.map(({ desk }) => [desk.companyId, desk]));
    this.#office = new ContactOffice([...this.#byCompany.values()], deps.desk);
    if (this.#desks.length > 0) deps.desk.serve(this);
  }

  answer(question: ContactQuestion): Promise<ContactAnswer | undefined> {
    return this.#office.answer(question);
  }

  /** Registers its endpoints, where any company has feeds; before the server listens. */
  routes(http: FastifyInstance, access: ApiAccess, trustedProxies: readonly string[]): void {
    if (this.#desks.length === 0) return;
    const { ask, uuid, isPassing, log } = this.#deps;
    contactRoutes(http, {
      companiesFor: (ip) => this.#desks.filter((d) => d.allows(ip)).map((d) => d.desk.company),
      bodyLimit: Math.max(...this.#desks.map((d) => d.desk.company.contacts.bodyLimit)),
      isProxy: addressList(trustedProxies),
      ask,
      uuid,
      isPassing,
      log,
    });
    agentRoutes(http, { access, serves: (companyId) => this.#byCompany.has(companyId), ask, isPassing });
  }

  /** Registers its metrics, where any company has feeds. */
  watch(registry: Registry): void {
    if (this.#desks.length === 0) return;
    const desks = this.#desks;
    new Gauge({
      name: 'ringmaster_contacts',
      help: 'Callback and task requests that are neither handled nor discarded, by where they are',
      labelNames: ['kind', 'phase'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { desk } of desks) for (const { kind, phase } of desk.contacts) this.inc({ kind, phase });
      },
    });
    const ended = new Counter({
      name: 'ringmaster_contacts_ended_total',
      help: 'Callback and task requests that were handled or discarded, with the reason',
      labelNames: ['kind', 'status', 'reason'],
      registers: [registry],
    });
    this.#count = ({ kind, status, reason }) => ended.inc({ kind, status, reason });
  }

  /** Reads what an earlier process has left; before the queues are served. */
  async load(): Promise<void> {
    await Promise.all(this.#desks.map(({ desk }) => desk.load()));
  }

  /** Goes on with it, once the queues are served. */
  start(): void {
    for (const { desk } of this.#desks) desk.begin();
  }

  /** Lets go; contacts are as they are stored. */
  async close(): Promise<void> {
    await Promise.all(this.#desks.map(({ desk }) => desk.close()));
  }

  tickets(companyId: CompanyId): readonly Ticket[] {
    return this.#byCompany.get(companyId)?.tickets ?? [];
  }

  assigned(companyId: CompanyId, callID: CallID, agent: { dn: string; agentID: string; assignment: number }): boolean {
    return this.#byCompany.get(companyId)?.assigned(callID, agent) ?? false;
  }

  sentOn(companyId: CompanyId, callID: CallID, queue: string | undefined): boolean {
    return this.#byCompany.get(companyId)?.sentOn(callID, queue) ?? false;
  }
}

const hasContacts = (company: CompanyConfig): company is ContactCompany => company.contacts !== undefined;
