import { randomBytes, randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { Waiting } from '../../lab/waiting.ts';
import type { CompanyConfig } from '../../src/config.ts';
import type { NewCtiEvent } from '../../src/cti/events.ts';
import { type CallID, newCallID, partyIDOf } from '../../src/cti/ids.ts';
import type { ParamsOf } from '../../src/cti/requests.ts';
import { Dialer, type DialerDeps } from '../../src/dialer/index.ts';
import type { QueueAgent } from '../../src/dialer/queue-agents.ts';
import { listRoutes, type RouteList } from '../../src/http/endpoint.ts';
import type {
  ApiAccess,
  Caller,
  CallPlacing,
  CallTrace,
  CustomerProgress,
  PlacingOutcome,
  QueueWatch,
  Requests,
} from '../../src/ports.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { type QueueCallStory, queueCallEnd } from './queue-call-events.ts';

type MakeCall = ParamsOf<'RequestMakeCall'>;

/**
 * How a simulated call ends: the customer hangs up after a talk, at once, or after the agent; he does not answer; the agent
 * does not; or it fails on our side.
 */
export type End = 'talk' | 'short' | 'agent-left' | 'no-answer' | 'no-agent' | 'ours';

/**
 * A switch that is simulated: it outlives the instances of the dialler, as Asterisk does, knows every call by its callID,
 * and tells the event log of the ends of calls.
 */
export class SimulatedSwitch implements CallPlacing, Requests, QueueWatch {
  /** Every call that was begun, in order. */
  readonly placed: {
    readonly callID: CallID;
    readonly number: string;
    readonly agent: string;
    readonly at: number;
    readonly trunk: string | undefined;
  }[] = [];
  serving = true;
  /** Calls stay up until `hangUp`. */
  holding = false;
  /** Refuses new calls as if there were no room, so many times. */
  refusals = 0;
  /** Does not say so many times whether it has begun a call. */
  unsure = 0;
  /** Says so many times that nobody has the call's shard: whether it was begun before cannot be looked up. */
  unowned = 0;
  /** Refuses calls to this number for good. */
  never: string | undefined;
  /** `before`: requests are never heard; `after`: they are carried out, and the answer is lost. */
  mute: 'before' | 'after' | undefined;
  /** Requests that got no answer. */
  unanswered = 0;
  endOf: (number: string) => End = () => 'talk';
  /** How calls go that a queue has placed. */
  storyOf: (number: string) => QueueCallStory = () => ({ answeredAfter: 5_000, connectedAfter: 500, lasted: 20_000 });
  agents: readonly QueueAgent[] = [];
  /** Calls live at another instance: only the event log tells of them. */
  elsewhere = false;
  /** How far the customers of queues are; where nothing is said they are being rung. */
  readonly progress = new Map<CallID, CustomerProgress>();
  store: Store;
  readonly #known = new Map<CallID, 'live' | 'ended'>();
  readonly #ends = new Map<CallID, CallTrace['ends']>();
  readonly #live = new Map<CallID, { caller: Caller; params: MakeCall }>();
  readonly #waiting = new Waiting();
  readonly #silent: ((error: Error) => void)[] = [];

  constructor(store: Store) {
    this.store = store;
  }

  chooseCallID(): CallID | undefined {
    return this.serving ? newCallID(randomBytes(16).toString('hex'), 1) : undefined;
  }

  async place(caller: Caller, callID: CallID, params: MakeCall, trunk?: string): Promise<PlacingOutcome> {
    if (this.mute === 'before') await this.#silence();
    if (this.unowned > 0 && this.unsure === 0) {
      this.unowned--;
      return { refusal: { code: -32011, name: 'NotReady' }, unasked: true as const };
    }
    if (!this.#known.has(callID)) {
      if (this.refusals > 0) {
        this.refusals--;
        return { refusal: { code: -32011, name: 'NotReady' } };
      }
      if (params.otherDN === this.never) return { refusal: { code: 301018, name: 'InvalidParams' } };
      this.#known.set(callID, 'live');
      this.#live.set(callID, { caller, params });
      this.placed.push({ callID, number: params.otherDN, agent: params.thisDN, at: Date.now(), trunk });
      if (!this.holding) void this.#end(callID);
      this.#waiting.changed();
    }
    if (this.mute === 'after') await this.#silence();
    if (this.unsure > 0) {
      this.unsure--;
      return { refusal: { code: 301020, name: 'CTIException' } };
    }
    return { result: { callID, partyID: `${callID}-1` } };
  }

  /** Those who wait for an answer find that the process they asked from is gone. */
  breakOff(): void {
    this.mute = undefined;
    for (const reject of this.#silent.splice(0)) reject(new Error('cut off'));
  }

  #silence(): Promise<never> {
    this.unanswered++;
    this.#waiting.changed();
    return new Promise((_resolve, reject) => this.#silent.push(reject));
  }

  async traceOf(_companyId: string, callID: CallID): Promise<CallTrace> {
    const state = this.#known.get(callID) ?? 'unknown';
    return { state, ends: this.#ends.get(callID) ?? [], established: false };
  }

  /** What was stored of all calls is gone, save of those that live. */
  forgetEnded(): void {
    for (const [callID, state] of this.#known) if (state === 'ended') this.#known.delete(callID);
    this.#ends.clear();
  }

  async request(_caller: Caller, method: string, params: unknown) {
    if (method === 'RequestClearCall') await this.#end((params as { callID: CallID }).callID);
    const agents = this.agents.map(({ queues, state, freeAt }) => ({
      thisQueues: queues,
      state: state === 'away' ? 'NotReady' : 'Ready',
      ...(state === 'busy' && { callID: newCallID('0'.repeat(32), 0) }),
      ...(freeAt !== undefined && { expirationTime: freeAt }),
    }));
    return { result: { calls: [], agents } };
  }

  customerProgress(_companyId: string, callID: CallID): CustomerProgress | undefined {
    if (this.elsewhere) return undefined;
    return this.#live.has(callID) ? (this.progress.get(callID) ?? { state: 'ringing' }) : undefined;
  }

  /** Ends every call that is up. */
  async hangUp(): Promise<void> {
    await Promise.all([...this.#live.keys()].map((callID) => this.#end(callID)));
  }

  get live(): number {
    return this.#live.size;
  }

  /** Resolves once so many calls have been placed; the test's own timeout is the limit. */
  until(condition: () => boolean): Promise<void> {
    return this.#waiting.until(condition);
  }

  /** Ends one call. */
  async end(callID: CallID): Promise<void> {
    await this.#end(callID);
  }

  async #end(callID: CallID): Promise<void> {
    const found = this.#live.get(callID);
    if (!found) return;
    this.#live.delete(callID);
    this.#known.set(callID, 'ended');
    const { caller, params } = found;
    const { companyId } = caller;
    const call = { companyId, callID, queue: params.thisDN, number: params.otherDN };
    const events = params.thisDN.startsWith('8')
      ? queueCallEnd(call, this.storyOf(params.otherDN), Date.now())
      : endEvents(caller, callID, params, this.endOf(params.otherDN));
    this.#ends.set(callID, events.filter(isEnd));
    await this.store.calls.append(companyId, events);
    this.#waiting.changed();
  }
}

const isEnd = (event: NewCtiEvent): event is CallTrace['ends'][number] =>
  event.messageID === 'EventReleased' || event.messageID === 'EventCallDeleted';

/** The events by which a call ends. */
function endEvents(caller: Caller, callID: CallID, params: MakeCall, end: End): NewCtiEvent[] {
  const now = Date.now();
  const common = {
    companyId: caller.companyId,
    callID,
    callType: 'Outbound',
    creationTime: now,
    referenceID: 0,
  } as const;
  const talked = end === 'talk' || end === 'short' || end === 'agent-left';
  const lasted = end === 'short' ? 200 : 8_000;
  const released = (role: 'Agent' | 'Customer', thisDN: string, n: 1 | 2, answered: boolean): NewCtiEvent => ({
    messageID: 'EventReleased',
    ...common,
    partyID: partyIDOf(callID, n),
    partyRole: role,
    thisDN,
    billsec: 0,
    answersec: 0,
    startUepoch: now - 10_000,
    endUepoch: now,
    ...(answered && { answerUepoch: now - 9_000 }),
    hangupCause: end === 'agent-left' ? 'BY_AGENT' : 'BY_CUSTOMER',
    earlyDetectCause: 0,
    hangupDisposition: 'recv_bye',
    connectionStatus: answered
      ? 'Connected'
      : end === 'ours'
        ? 'Channel Busy'
        : role === 'Agent'
          ? 'User Not Answered'
          : 'Ring Timeout',
    q850: 16,
  });
  const legs = [released('Agent', params.thisDN, 1, end !== 'no-agent' && end !== 'ours')];
  if (end !== 'no-agent') legs.unshift(released('Customer', params.otherDN, 2, talked));
  return [
    ...legs,
    {
      messageID: 'EventCallDeleted',
      ...common,
      thisDN: params.thisDN,
      startUepoch: now - 10_000,
      endUepoch: now,
      ...(talked && { bridgeUepoch: now - lasted }),
      connectionStatus: talked ? 'Connected' : 'Ring Timeout',
      q850: 16,
    },
  ];
}

/** One instance of the dialler on a switch that is simulated, with its HTTP. */
export interface Instance {
  /** The routes that its dialler has registered. */
  readonly routes: RouteList;
  readonly dialer: Dialer;
  readonly http: FastifyInstance;
  readonly warnings: string[];
  readonly store: Store;
  /** Ends it in order. */
  close(): Promise<void>;
  /** Ends it as a crash would: without a word to Redis. */
  crash(): Promise<void>;
}

/** Who holds API keys, for the routes that take one. */
export interface KeyHolders {
  readonly callerOf?: (authorization: string | undefined) => Caller | undefined;
  readonly access?: ApiAccess;
}

export async function instance(
  store: Store,
  sim: SimulatedSwitch,
  companies: readonly CompanyConfig[],
  change: Partial<DialerDeps> = {},
  leadMs = 1_000,
  { callerOf, access }: KeyHolders = {},
): Promise<Instance> {
  await store.connected();
  const warnings: string[] = [];
  const deps: DialerDeps = {
    store: store.dialer,
    flows: store.flows,
    campaigncalls: store.campaigncalls,
    masks: store.masks,
    lists: store.lists,
    events: store.events,
    placing: sim,
    requests: sim,
    callerIdOf: (trunk) => (trunk === 'carrier-a' ? '911140001000' : '911140002000'),
    queues: sim,
    owner: randomUUID(),
    storeBackForMs: () => store.backForMs,
    now: Date.now,
    uuid: randomUUID,
    isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
    log: { info: () => {}, warn: (what, details) => void warnings.push(`${what} ${String(details['err'] ?? '')}`) },
    ...change,
  };
  const dialer = new Dialer(deps, companies, leadMs);
  const http = Fastify();
  const routes = listRoutes(http);
  dialer.routes(http, []);
  if (callerOf) dialer.adminRoutes(http, callerOf);
  if (access) dialer.campaigncallRoutes(http, access);
  await http.ready();
  dialer.start();
  return {
    dialer,
    http,
    routes,
    warnings,
    store,
    async close() {
      await http.close();
      await dialer.close();
    },
    async crash() {
      await store.close();
      sim.breakOff();
      await http.close();
      await dialer.close();
    },
  };
}
