import type { CtiEvent } from '../cti/events.ts';
import type { Caller, LoggedEvent } from '../ports.ts';
import { Agents } from './agents.ts';
import { type DialerCompany, trunkOf } from './book.ts';
import { withCampaigncall } from './campaigncall.ts';
import { Deliverer } from './deliverer.ts';
import type { DialerDeps } from './deps.ts';
import type { DialerCall } from './dialer-call.ts';
import { flowStateOf, read, type Stored } from './documents.ts';
import { endOfCall, legOf } from './facts.ts';
import { Ledger } from './ledger.ts';
import { legsOfPlacing } from './outcome.ts';
import { Pacer } from './pacer.ts';
import { Placer, type Terms } from './placer.ts';
import { Pump } from './pump.ts';
import { Reconciler } from './reconciler.ts';
import { type DialerInput, isOver, stepDialerCall } from './step.ts';
import { tallyOf } from './tally.ts';
import { webhookMessage } from './webhook.ts';

const PAGE = 1_000;
const RETRY_MS = 250;
/** After an event that could not be taken into account, before it is looked what is stored, ms. */
const LOOK_MS = 1_000;
/** Digits of one party that are kept. */
const MAX_DTMF = 64;

const HEARD = new Set<CtiEvent['messageID']>([
  'EventDialing',
  'EventRinging',
  'EventEstablished',
  'EventReleased',
  'EventCallDeleted',
  'EventDtmfSent',
  'EventAgentLogin',
  'EventAgentReady',
  'EventAgentNotReady',
  'EventAgentLogout',
]);

/**
 * The dialler of one company, at the instance that leads it: places what is due, follows what it has placed by the
 * company's event log, and has the webhooks told. Everything that changes a call goes through one queue.
 */
export class Leader {
  readonly #deps: DialerDeps;
  readonly #company: DialerCompany;
  readonly #ledger: Ledger;
  readonly #agents = new Agents();
  readonly #pacer: Pacer;
  readonly #pump: Pump;
  readonly #deliverer: Deliverer;
  readonly #caller: Caller;
  readonly #placer: Placer;
  readonly #reconciler: Reconciler;
  readonly #dtmf = new Map<string, string>();
  readonly #token: number;
  #stopTail: (() => void) | undefined;
  #chain: Promise<void> = Promise.resolve();
  #beginning: Promise<void> = Promise.resolve();
  #storedSeen = 0;
  #begun = false;

  constructor(deps: DialerDeps, company: DialerCompany, token: number) {
    this.#deps = deps;
    this.#company = company;
    this.#token = token;
    this.#ledger = new Ledger(deps, company, token);
    this.#caller = { companyId: company.companyId, keyName: 'dialler', scopes: new Set(['call', 'dial', 'read']) };
    this.#deliverer = new Deliverer(
      {
        companyId: company.companyId,
        store: deps.store,
        webhookOf: (flowId) => company.flow(flowId)?.config.webhook,
        now: deps.now,
        warn: deps.log.warn,
      },
      token,
    );
    this.#pacer = new Pacer({
      company,
      queues: deps.queues,
      requests: deps.requests,
      caller: this.#caller,
      now: deps.now,
      active: () => this.#ledger.calls,
    });
    this.#placer = new Placer({
      deps,
      company,
      caller: this.#caller,
      ledger: this.#ledger,
      agents: this.#agents,
      step: (stored, input, terms) => this.#step(stored, input, terms),
      serially: (work) => this.#serially(work),
      persistently: (work) => this.#persistently(work),
      noRoom: () => this.#pump.holdBack(),
    });
    this.#reconciler = new Reconciler({
      deps,
      companyId: company.companyId,
      caller: this.#caller,
      ledger: this.#ledger,
      agents: this.#agents,
      placer: this.#placer,
      step: (stored, input) => this.#step(stored, input),
      isStopped: (stored) => this.#isStopped(stored.call),
      serially: (work) => this.#serially(work),
      persistently: (work) => this.#persistently(work),
    });
    this.#pump = new Pump({
      deps,
      company,
      agents: this.#agents,
      activeOf: (flowId) => this.#ledger.activeOf(flowId),
      pacer: this.#pacer,
      claim: (stored, flow, by) => this.#serially(() => this.#placer.claim(stored, flow, by)),
      stop: (stored) => this.#serially(async () => (await this.#step(stored, { kind: 'stop' })) === 'stored'),
    });
  }

  get token(): number {
    return this.#token;
  }

  /** Calls that are being placed or live. */
  get activeCalls(): number {
    return this.#ledger.calls.length;
  }

  /** Still leads, as far as is known. */
  get leading(): boolean {
    return !this.#ledger.closed;
  }

  /** Takes up what an earlier leader has left, and begins. That may take longer than a lead lasts: it is renewed meanwhile. */
  begin(): Promise<void> {
    this.#beginning = this.#takeUp();
    return this.#beginning;
  }

  async #takeUp(): Promise<void> {
    const { companyId } = this.#company;
    const { events, store } = this.#deps;
    const early: LoggedEvent[] = [];
    let ready = false;
    this.#stopTail = events.tail(
      companyId,
      (some) => {
        if (ready) void this.#serially(() => this.#take(some));
        else early.push(...some);
      },
      () => {
        this.#reconciler.noteHole();
        if (ready) void this.#serially(() => this.#reconciler.run());
      },
    );
    const last = await events.lastEventID(companyId);
    for (const document of await store.active(companyId)) {
      this.#adopt(read(document));
    }
    this.#ledger.seen = (await store.seen(companyId)) ?? last;
    await this.#pacer.load(store);
    await this.#serially(async () => {
      await this.#catchUp();
      await this.#take(early.splice(0));
      ready = true;
      await this.#take(early.splice(0));
      await this.#reconciler.run();
    });
    this.#begun = true;
    this.#pump.wake();
    this.#deliverer.wake();
  }

  /** There may be something to place. */
  wake(): void {
    if (this.#begun) this.#pump.wake();
  }

  /** There may be something to deliver. */
  wakeDeliverer(): void {
    if (this.#begun) this.#deliverer.wake();
  }

  /** Stores how far the log has been read, so that a restart need not read it all again. */
  async noteSeen(): Promise<void> {
    const { seen } = this.#ledger;
    if (seen === this.#storedSeen || !this.leading) return;
    this.#storedSeen = seen;
    await this.#deps.store.setSeen(this.#company.companyId, this.#token, seen);
  }

  /** Takes up calls that another instance had placed, and put back into a store that had lost them after this one began. */
  async takeUpMore(): Promise<void> {
    const { store, log } = this.#deps;
    if (!this.#begun) return;
    await this.#serially(async () => {
      if (!this.leading) return;
      const active = (await store.active(this.#company.companyId)).map(read);
      const found = active.filter(({ call }) => call.placing && !this.#ledger.byCallID(call.placing.callID));
      if (found.length === 0) return;
      log.warn('calls that another instance had placed are followed here', { calls: found.length });
      for (const stored of found) this.#adopt(stored);
      // What was told of them before was told to somebody else.
      this.#reconciler.noteHole();
      await this.#reconciler.run();
    });
  }

  async close(): Promise<void> {
    this.#stopTail?.();
    this.#reconciler.close();
    // From here on nothing is stored: what is under way is found again by its callID.
    this.#ledger.close();
    await this.#pump.close();
    await this.#deliverer.close();
    await this.#placer.settled();
    // Why it failed is told to whoever began it.
    await this.#beginning.catch(() => undefined);
    await this.#chain;
  }

  // ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────

  async #catchUp(): Promise<void> {
    const { events } = this.#deps;
    const { companyId } = this.#company;
    while (!this.#ledger.closed) {
      const page = await events.read(companyId, this.#ledger.seen, PAGE);
      if (page === 'expired') {
        this.#reconciler.noteHole();
        this.#ledger.seen = await events.lastEventID(companyId);
        return;
      }
      if (page.length === 0) return;
      await this.#take(page);
    }
  }

  #adopt(stored: Stored): void {
    this.#ledger.adopt(stored);
    const { placing } = stored.call;
    if (placing?.agent !== undefined) this.#agents.take(placing.agent, placing.callID);
  }

  async #take(events: readonly LoggedEvent[]): Promise<void> {
    for (const logged of events) {
      if (this.#ledger.closed || logged.eventID <= this.#ledger.seen) continue;
      try {
        if (HEARD.has(logged.messageID)) await this.#hear(logged);
      } catch (err) {
        // The events after it are heard all the same, and what this one told is read from the store.
        this.#deps.log.warn('an event could not be taken into account', { err, eventID: logged.eventID });
        this.#reconciler.noteHole();
        this.#reconciler.runIn(LOOK_MS);
      }
      this.#ledger.seen = Math.max(this.#ledger.seen, logged.eventID);
    }
  }

  async #hear(logged: LoggedEvent): Promise<void> {
    // Only our own engine writes the log, and it writes CtiEvents.
    const event = JSON.parse(logged.json) as CtiEvent;
    this.#agents.hear(event);
    const stored = logged.callID === undefined ? undefined : this.#ledger.byCallID(logged.callID);
    if (stored) await this.#follow(stored, event);
    if (event.messageID === 'EventReleased' || event.messageID === 'EventAgentReady') this.#pump.wake();
  }

  async #follow(stored: Stored, event: CtiEvent): Promise<void> {
    const { eventID } = event;
    if (stored.call.placing?.queue !== undefined) this.#pacer.hear(event);
    switch (event.messageID) {
      case 'EventDtmfSent': {
        const digits = `${this.#dtmf.get(event.partyID) ?? ''}${event.dtmfDigits}`;
        this.#dtmf.set(event.partyID, digits.slice(0, MAX_DTMF));
        break;
      }
      case 'EventEstablished':
        if (event.partyRole === 'Customer') {
          await this.#step(stored, { kind: 'answered', eventID, callID: event.callID });
        }
        break;
      case 'EventReleased': {
        const dtmf = this.#dtmf.get(event.partyID);
        this.#dtmf.delete(event.partyID);
        const leg = legOf(event, stored.call.placing?.queue !== undefined);
        if (!leg) break;
        await this.#step(stored, { kind: 'leg-ended', eventID, leg: { ...leg, ...(dtmf !== undefined && { dtmf }) } });
        break;
      }
      case 'EventCallDeleted': {
        const { callID } = event;
        const stopped = await this.#isStopped(stored.call);
        await this.#step(stored, { kind: 'deleted', eventID, callID, end: endOfCall(event), stopped });
        break;
      }
    }
  }

  // ── changes ───────────────────────────────────────────────────────────────────────────────────────────────────

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.then(
      () => undefined,
      (err: unknown) => this.#deps.log.warn('the dialler failed at a step', { err }),
    );
    return done;
  }

  /** One input for one call: steps, stores, and has told what is to be told. */
  async #step(stored: Stored, input: DialerInput, terms: Terms = {}) {
    const { call: before } = stored;
    const flow = this.#company.flow(before.flowId);
    if (!flow) return 'conflict';
    const now = this.#deps.now();
    const stepped = stepDialerCall(before, input, flow.config, now);
    if (stepped === before) return 'conflict';
    const source = flow.config.callerId ?? this.#deps.callerIdOf(trunkOf(flow));
    const { call, change: campaigncall } = withCampaigncall(before, stepped, input, flow, source, now);
    const over = isOver(input);
    const told = flow.config.webhook !== undefined && (over || call.phase === 'ended');
    const legs = before.placing ? legsOfPlacing({ ...call, placing: before.placing }) : [];
    const message = told ? webhookMessage(`msg_${this.#deps.uuid()}`, call, legs) : undefined;
    const counts = over && flow.config.firstLeg === 'customer';
    const tally = counts ? tallyOf(legs, flow.config.pacing.connectWithin * 1000) : undefined;
    if ('eventID' in input) this.#ledger.seen = Math.max(this.#ledger.seen, input.eventID);
    const extra = { ...(message && { message }), ...(tally && { tally }), ...(campaigncall && { campaigncall }) };
    const result = await this.#ledger.store(stored, call, { ...terms, ...extra });
    if (result === 'conflict' && before.placing) {
      // Somebody else wrote it: that counts, and what this input told is read from the store.
      await this.#ledger.readAgain(before.uuid);
      this.#reconciler.noteHole();
      this.#reconciler.runIn(LOOK_MS);
    }
    if (result !== 'stored') return result;
    if (before.placing && !call.placing) {
      const { agent, callID } = before.placing;
      if (agent !== undefined) this.#agents.giveBack(agent, callID);
      this.#pacer.over(call.flowId, callID, tally);
      for (const partyID of this.#dtmf.keys()) if (partyID.startsWith(callID)) this.#dtmf.delete(partyID);
      this.#pump.wake();
    }
    if (message) this.#deliverer.wake();
    return result;
  }

  async #isStopped(call: DialerCall): Promise<boolean> {
    if (this.#company.flow(call.flowId)?.made?.removed === true) return true;
    const states = await this.#persistently(() => this.#deps.store.flowStates(this.#company.companyId));
    return flowStateOf(states ?? {}, call.flowId).state === 'stopped';
  }

  async #persistently<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#ledger.closed) {
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
