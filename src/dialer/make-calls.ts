import type { DialerStore } from '../ports.ts';
import { acceptEntry, numbersIn, type Room } from './accept.ts';
import { newDialerCall } from './birth.ts';
import type { Account, Book, DialerCompany, Flow } from './book.ts';
import { checksumOf } from './checksum.ts';
import { answerHead, codeOfCalls } from './codes.ts';
import type { DialerDeps } from './deps.ts';
import { type DialerCall, type FlowState, type Leg, shownStatus } from './dialer-call.ts';
import { entryOf, flowStateOf, read } from './documents.ts';
import { ledgerBody, readLedger } from './flow-ledger.ts';
import { numberFaults } from './number-check.ts';
import { readRequest } from './request.ts';
import { callDetail } from './webhook.ts';

/** What a request is answered with, as JSON. */
export type Answer = Readonly<Record<string, unknown>>;

const WEEK_SECONDS = 604_800;

/** What the routes ask of the dialler, at any instance. */
export class MakeCalls {
  readonly #deps: DialerDeps;
  readonly #book: Book;
  /** Told that calls of this company wait. */
  readonly #accepted: (companyId: string) => void;

  constructor(deps: DialerDeps, book: Book, accepted: (companyId: string) => void) {
    this.#deps = deps;
    this.#book = book;
    this.#accepted = accepted;
  }

  /**
   * A request of `create`.
   *
   * @param payload the parsed body @param ip where it came from
   */
  async create(payload: unknown, ip: string): Promise<Answer> {
    const { store, lists, now, placing, uuid } = this.#deps;
    const request = readRequest(payload, ip, this.#book, () => placing.chooseCallID() !== undefined);
    if ('refused' in request) return answerHead(request.refused);
    const { flow } = request;
    const { companyId } = flow.account;
    const states = await store.flowStates(companyId);
    if (flowStateOf(states, flow.config.id).state === 'stopped') return answerHead('INVALID_FLOW_VERSION');
    const at = now();
    const room = await roomOf(store, flow);
    const faults = await numberFaults(lists, flow, numbersIn(request.calls));
    const entries = request.calls.map((c) => acceptEntry(c, flow, room, at, (n) => faults.get(n)));
    const requestId = uuid();
    const calls = entries.map((e) => newDialerCall(e, flow, { uuid: uuid(), requestId }, at));
    const keep = this.#company(flow.account).config.keepSeconds;
    const last = Math.max(...calls.map((c) => c.dueAt));
    const stored = await store.accept(
      companyId,
      {
        id: requestId,
        flowId: flow.config.id,
        checksum: checksumOf(payload),
        json: JSON.stringify({ accountId: flow.account.config.id, uuids: calls.map((c) => c.uuid) }),
      },
      calls.map((c, n) => entryOf(c, keep, n)),
      keep + WEEK_SECONDS + Math.ceil(Math.max(0, last - at) / 1000),
    );
    if (stored === 'repeated') return answerHead('CHECKSUM_REPEATED');
    this.#accepted(companyId);
    const refused = calls.flatMap((c) => (c.phase === 'ended' ? [c.status] : []));
    const code = codeOfCalls(calls.length - refused.length, refused);
    return {
      ...answerHead(code),
      'request-id': requestId,
      'call-details': calls.map((c) => ({
        'client-identifier': c.clientIdentifier,
        'phonon-uuid': c.uuid,
        ...(code !== 'SUCCESS' && { status: c.status }),
      })),
    };
  }

  /** The calls of a request, or one call, by its id. An id of another account is as good as none. */
  async status(id: string, accounts: readonly Account[]): Promise<Answer> {
    const { store } = this.#deps;
    for (const account of accounts) {
      const { companyId } = account;
      const request = await store.request(companyId, id);
      // Only create() writes requests.
      const uuids = request === undefined ? [id] : (JSON.parse(request) as { uuids: string[] }).uuids;
      const calls = (await store.load(companyId, uuids))
        .map((d) => read(d).call)
        .filter((c) => c.accountId === account.config.id);
      if (calls.length === 0) continue;
      const states = await store.flowStates(companyId);
      return {
        ...answerHead('SUCCESS'),
        'request-id': calls[0]?.requestId,
        'call-details': calls.map((c) => callStatus(c, flowStateOf(states, c.flowId))),
      };
    }
    return answerHead('NO_DATA_AVAILABLE');
  }

  /** Pauses, resumes or stops a flow. */
  async setFlow(flow: Flow, state: FlowState['state']): Promise<Answer> {
    const { store, now } = this.#deps;
    const { companyId } = flow.account;
    const { id } = flow.config;
    const before = flowStateOf(await store.flowStates(companyId), id);
    if (before.state !== state) {
      await store.setFlowState(companyId, id, JSON.stringify({ state, since: now() } satisfies FlowState));
      this.#accepted(companyId);
    }
    return { ...answerHead('SUCCESS'), 'flow-id': id, state, waiting: await store.waiting(companyId, id) };
  }

  /** What was counted of a flow that calls the customer first. */
  async ledger(flow: Flow): Promise<Answer> {
    if (flow.config.firstLeg !== 'customer') return answerHead('NO_DATA_AVAILABLE');
    const { store, now } = this.#deps;
    const at = now();
    return { ...answerHead('SUCCESS'), ...ledgerBody(flow, await readLedger(store, flow, at), at) };
  }

  async replay(flow: Flow): Promise<Answer> {
    const { store, now } = this.#deps;
    const messages = await store.replay(flow.account.companyId, flow.config.id, now());
    this.#accepted(flow.account.companyId);
    return { ...answerHead('SUCCESS'), 'flow-id': flow.config.id, messages };
  }

  #company(account: Account): DialerCompany {
    const found = this.#book.companies.find((c) => c.companyId === account.companyId);
    if (!found) throw new Error(`company ${account.companyId} has no dialler`);
    return found;
  }
}

/** What is left of an account and a flow for further calls. */
export async function roomOf(store: DialerStore, { account, config }: Flow): Promise<Room> {
  const first = account.config.balance;
  const [waiting, balance] = await Promise.all([
    store.waiting(account.companyId, config.id),
    first === undefined ? undefined : store.balance(account.companyId, account.config.id, first),
  ]);
  return { waiting: config.limits.waiting - waiting, balance };
}

function callStatus(call: DialerCall, flow: FlowState) {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    'client-identifier': call.clientIdentifier,
    'phonon-uuid': call.uuid,
    'flow-id': call.flowId,
    status: shownStatus(call, flow),
    'agent-attempts': call.agentAttempts,
    'customer-attempts': call.customerAttempts,
    ...(call.phase === 'waiting' && { 'next-attempt': iso(call.dueAt) }),
    history: call.history.map((h) => ({ status: h.status, at: iso(h.at) })),
    ...answerToAgent(call.legs),
    callDetails: call.legs.map(callDetail),
  };
}

/** How long the customer waited for an agent when he last answered, ms; null where none came. */
function answerToAgent(legs: readonly Leg[]): { readonly 'answer-to-agent'?: number | null } {
  const customer = legs.findLast((leg) => leg.role === 'customer');
  if (customer?.answeredAt === undefined) return {};
  const { answeredAt, bridgedAt } = customer;
  return { 'answer-to-agent': bridgedAt === undefined ? null : Math.max(0, bridgedAt - answeredAt) };
}
