import { z } from 'zod';
import type { CompanyId } from '../cti/ids.ts';
import type { Caller } from '../ports.ts';
import { acceptEntry, numbersIn } from './accept.ts';
import { newDialerCall } from './birth.ts';
import { type Book, type DialerCompany, type Flow, trunkOf } from './book.ts';
import { type Campaigncall, type CampaigncallRecord, firstCampaigncall, shownCampaigncall } from './campaigncall.ts';
import type { DialerDeps } from './deps.ts';
import { entryOf, flowStateOf } from './documents.ts';
import { roomOf } from './make-calls.ts';
import { numberFaults } from './number-check.ts';

/** Most that one page has. */
const MAX_PAGE = 1_000;

/** The query of a list. */
export const CampaigncallQuery = z.object({
  campaign_id: z.string().max(64).optional().describe('only those of this flow'),
  page_size: z.coerce.number().int().min(1).max(MAX_PAGE).default(100),
  page_token: z
    .string()
    .regex(/^\d{1,16}$/)
    .optional()
    .describe('next_page_token of the page before'),
});

/** The body that asks for one campaigncall. */
export const NewCampaigncall = z.strictObject({
  campaign_id: z.string().min(1).max(64),
  destination: z.object({ type: z.literal('tel').default('tel'), target: z.string().min(1).max(64) }),
});

/** A page of a list, newest first. */
export interface CampaigncallPage {
  readonly result: readonly Campaigncall[];
  /** Empty on the last page. */
  readonly next_page_token: string;
}

/** Why a request was not carried out. `refused`: with the Flow Status that says why. */
export type CampaigncallFault =
  | { readonly fault: 'not-found' | 'stopped' | 'not-placed-yet' | 'not-ready' }
  | { readonly fault: 'refused'; readonly status: string };

/** What the routes of campaigncalls ask of the dialler, at any instance. A company sees its own and no others. */
export class Campaigncalls {
  readonly #deps: DialerDeps;
  readonly #book: Book;
  /** Told that calls of this company wait. */
  readonly #accepted: (companyId: string) => void;
  /** Brings the company's flows up to date: they may have been made at another instance. */
  readonly #refresh: (companyId: CompanyId) => Promise<void>;

  constructor(
    deps: DialerDeps,
    book: Book,
    accepted: (companyId: string) => void,
    refresh: (companyId: CompanyId) => Promise<void>,
  ) {
    this.#deps = deps;
    this.#book = book;
    this.#accepted = accepted;
    this.#refresh = refresh;
  }

  /**
   * A page of those of the caller's company, newest first. Those that come about meanwhile do not move the pages that
   * follow.
   */
  async list({ companyId }: Caller, query: z.infer<typeof CampaigncallQuery>): Promise<CampaigncallPage> {
    const all = await this.#flowIds(companyId);
    const flows = query.campaign_id === undefined ? all : all.filter((id) => id === query.campaign_id);
    const before = query.page_token === undefined ? undefined : Number(query.page_token);
    const found = await this.#deps.campaigncalls.list(companyId, flows, query.page_size, before);
    const last = found.length === query.page_size ? found.at(-1) : undefined;
    return {
      result: found.map((f) => shownCampaigncall(recordIn(f.json))),
      next_page_token: last === undefined ? '' : String(last.place),
    };
  }

  async get({ companyId }: Caller, id: string): Promise<Campaigncall | CampaigncallFault> {
    const record = await this.#find(companyId, id);
    return record ? shownCampaigncall(record) : { fault: 'not-found' };
  }

  /** Hangs up, as RequestClearCall does. One that is done stays as it is. */
  async hangUp(caller: Caller, id: string): Promise<Campaigncall | CampaigncallFault> {
    const record = await this.#find(caller.companyId, id);
    if (!record) return { fault: 'not-found' };
    if (record.status === 'done') return shownCampaigncall(record);
    const { callID } = record;
    if (callID === undefined) return { fault: 'not-placed-yet' };
    const answer = await this.#deps.requests.request(caller, 'RequestClearCall', { callID });
    if ('result' in answer) return shownCampaigncall(record);
    if (answer.refusal.name !== 'NotFoundCallID') return { fault: 'not-ready' };
    // It is over, and its end is about to be taken into account; or it has been claimed, and is about to be begun.
    return record.reference_type === 'call' ? shownCampaigncall(record) : { fault: 'not-placed-yet' };
  }

  /** Asks for one call of a flow to one number; the flow's own rules and pace hold. */
  async create(
    { companyId }: Caller,
    wanted: z.infer<typeof NewCampaigncall>,
  ): Promise<Campaigncall | CampaigncallFault> {
    const { store, lists, campaigncalls, now, uuid, callerIdOf } = this.#deps;
    await this.#refresh(companyId);
    const company = this.#company(companyId);
    const flow = company?.flows.find((f) => f.config.id === wanted.campaign_id);
    if (!company || !flow) return { fault: 'not-found' };
    const { id, callerId } = flow.config;
    const states = await store.flowStates(companyId);
    if (flowStateOf(states, id).state === 'stopped') return { fault: 'stopped' };
    const at = now();
    const room = await roomOf(store, flow);
    const asked = { 'contact-numbers': [wanted.destination.target] };
    const faults = await numberFaults(lists, flow, numbersIn([asked]));
    const entry = acceptEntry(asked, flow, room, at, (n) => faults.get(n));
    if (!entry.accepted) return { fault: 'refused', status: entry.status };
    const requestId = uuid();
    const born = newDialerCall(entry, flow, { uuid: uuid(), requestId }, at);
    const call = { ...born, campaigncall: { n: 0, createdAt: at } };
    const { keepSeconds, keepCampaigncalls } = company.config;
    const json = JSON.stringify({ accountId: flow.account.config.id, uuids: [call.uuid] });
    const request = { id: requestId, flowId: id, checksum: requestId, json };
    await store.accept(companyId, request, [entryOf(call, keepSeconds)], keepSeconds);
    const record = firstCampaigncall(call, flow, callerId ?? callerIdOf(trunkOf(flow)));
    await campaigncalls.add(companyId, id, {
      id: record.id,
      json: JSON.stringify(record),
      keepSeconds,
      keepAtMost: keepCampaigncalls,
    });
    this.#accepted(companyId);
    return shownCampaigncall(record);
  }

  #company(companyId: CompanyId): DialerCompany | undefined {
    return this.#book.companies.find((c) => c.companyId === companyId);
  }

  async #flowIds(companyId: CompanyId): Promise<string[]> {
    await this.#refresh(companyId);
    return this.#company(companyId)?.flows.map((f: Flow) => f.config.id) ?? [];
  }

  async #find(companyId: CompanyId, id: string): Promise<CampaigncallRecord | undefined> {
    const flows = await this.#flowIds(companyId);
    const json = await this.#deps.campaigncalls.find(companyId, flows, id);
    return json === undefined ? undefined : recordIn(json);
  }
}

/** Only the dialler writes these documents, and it writes CampaigncallRecords. */
const recordIn = (json: string): CampaigncallRecord => JSON.parse(json) as CampaigncallRecord;
