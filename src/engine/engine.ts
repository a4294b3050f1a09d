import type { Command } from '../calls/command.ts';
import type { CallBirth, CallInput, Destination, Fact } from '../calls/input.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import { type CallID, type CompanyId, isCallID, nodeOfCallID } from '../cti/ids.ts';
import type { MethodName, ParamsOf } from '../cti/requests.ts';
import type {
  Admission,
  Arrival,
  Caller,
  CallPlacing,
  CallStore,
  CustomerProgress,
  FloorStore,
  MaskStore,
  NodeContents,
  QueueWatch,
  Readiness,
  Requests,
  SwitchListener,
} from '../ports.ts';
import { AttendedTransfers } from './attended.ts';
import type { Verdict } from './call-runner.ts';
import type { Directory, MaskingNumber, Route } from './directory.ts';
import { Floors } from './floors.ts';
import { METHODS_SERVED, madeAs, makeCall, type RequestContext, type Unsent } from './methods/index.ts';
import { type EngineNode, Nodes, type RunningNode } from './nodes.ts';
import { customerProgressOf } from './queue-watch.ts';
import { Reach } from './reach.ts';
import { callIn, Findings, orphans } from './reconcile.ts';
import type { Recordings } from './recordings.ts';
import { Shard, type ShardLog } from './shard.ts';
import { Tickets } from './tickets.ts';
import { type RefusedRequest, refusalEvent } from './views.ts';
import { entryOf, WaitingCalls } from './waiting-calls.ts';

/** What the engine writes to the log; the call's id goes with it where there is one. */
export interface EngineLog extends ShardLog {
  info(what: string, details?: Readonly<Record<string, unknown>>): void;
}

export interface EngineDeps {
  readonly store: CallStore;
  readonly floors: FloorStore;
  readonly admission: Admission;
  readonly directory: Directory;
  readonly recordings: Recordings;
  readonly masks: Pick<MaskStore, 'counterpart'>;
  /** Unix ms. */
  readonly now: () => number;
  /** 32 lower-case hex digits of randomness. */
  readonly randomHex: () => string;
  /** Seconds that a phone rings where nothing else is said. */
  readonly ringTimeout: number;
  readonly log: EngineLog;
  /** Redis answers, as far as is known. While it does not, no call begins. */
  readonly storeAnswers: () => boolean;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  /** A newer instance owns the shard: this one must not go on. */
  readonly onFenced: (shard: string) => void;
}

/**
 * What is accepted while a call's node does not serve: an end, which is remembered until the node is back, and what the
 * node has no part in.
 */
const WITHOUT_NODE: ReadonlySet<CallInput['kind']> = new Set(['release', 'clear', 'attach-data']);

/** Q.850 42, switch congestion: how a caller is turned away whom nobody here can serve. Asterisk answers 503. */
const CONGESTION = 42;
/** Q.850 1: the number leads nowhere. Asterisk answers 404. */
const UNALLOCATED = 1;

/** Runs the core: facts of the switches and requests of the clients go in, one queue per call, and what comes of it goes out. */
export class Engine implements SwitchListener, Requests, CallPlacing, QueueWatch {
  readonly #deps: EngineDeps;
  readonly #nodes: Nodes;
  readonly #floors: Floors;
  readonly #waiting: WaitingCalls;
  /** For those who put other things than calls in queues. */
  readonly tickets: Tickets;
  readonly #reach: Reach;
  readonly #attended = new AttendedTransfers();
  /** Phones that can be reached, by node. */
  readonly #phones = new Map<string, ReadonlySet<string>>();
  #draining = false;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#nodes = new Nodes(deps.admission, deps.randomHex);
    this.tickets = new Tickets({
      floor: (companyId) => this.#floors.of(companyId),
      queue: (companyId, id) => deps.directory.queue(companyId, id),
      place: (caller, callID, params, chosenBy) => this.#placeAs(caller, callID, params, chosenBy),
      // As it is stored: who asks has heard an event, and what that tells is in the store with it.
      find: async (companyId, callID) => (await deps.store.load(companyId, callID))?.call,
    });
    this.#waiting = new WaitingCalls({
      other: (companyId, effect) => this.tickets.take(companyId, effect),
      directory: deps.directory,
      now: deps.now,
      floor: (companyId) => this.#floors.of(companyId),
      live: (companyId, callID) => this.#nodes.live(companyId, callID),
      calls: (companyId) => this.#nodes.callsOf(companyId),
      reach: (companyId, callID, number) => this.#reach.destination(companyId, callID, number),
      settleLegs: (call) => this.#nodes.get(call.node)?.shard.settleLegs(call),
    });
    this.#reach = new Reach({
      directory: deps.directory,
      admission: deps.admission,
      live: (companyId, callID) => this.#nodes.live(companyId, callID),
      isFull: (companyId, queue) => this.#waiting.isFull(companyId, queue),
    });
    this.#floors = new Floors({
      ...deps,
      companyIds: deps.directory.companyIds,
      queuesOf: (companyId) => deps.directory.queuesOf(companyId),
      calls: (companyId) => this.#nodes.callsOf(companyId),
      others: (companyId) => this.tickets.notes(companyId),
      effect: (companyId, effect) => this.#waiting.serve(companyId, effect),
    });
  }

  // ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a node's shard and the calls that live on it. The node's own resynchronisation then tells what has changed. */
  async addNode(node: EngineNode): Promise<void> {
    const { store, directory, admission, now, log, onFenced, isPassing } = this.#deps;
    const name = `${node.app}@${node.id}`;
    const fence = await store.takeShard(name, directory.companyIds);
    const shard = new Shard({
      shard: name,
      fence,
      store,
      switch: node.switch,
      admission,
      now,
      log,
      onChanged: (call, statuses) => this.#floors.note(call, statuses),
      onFenced,
      isPassing,
    });
    const live = await store.loadLive(directory.companyIds, name);
    for (const { call, version } of live) shard.adopt(call, version);
    this.#nodes.add({ ...node, shard });
    if (live.length > 0) log.info('took up live calls', { shard: name, calls: live.length });
  }

  /** Takes the agents and queues, once every node's calls have been taken up and before anything happens to them. */
  async openFloors(): Promise<void> {
    await this.#floors.open();
  }

  /** From now on no call begins here; the live ones go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Waits until the last call has ended. */
  async whenIdle(): Promise<void> {
    await Promise.all([...this.#nodes.all()].map((n) => n.shard.whenEmpty()));
  }

  /** Stores all live calls and all agents once more: the store has lost them. */
  storeAgain(): void {
    for (const n of this.#nodes.all()) n.shard.storeAgain();
    for (const floor of this.#floors.runners()) floor.storeAgain();
  }

  /** Lets go of everything; calls live on in Asterisk and in the store. */
  close(): void {
    this.#floors.close();
    for (const n of this.#nodes.all()) n.shard.close();
  }

  get liveCalls(): number {
    return this.#nodes.sum((shard) => shard.size);
  }

  /** Inputs that are not stored yet. */
  get waiting(): number {
    return this.#nodes.sum((shard) => shard.waiting) + this.#floors.waiting;
  }

  /** What was told of channels and could not be kept. */
  get missed(): number {
    return this.#nodes.sum((shard) => shard.missed);
  }

  /** Calls with a timer running. */
  get timers(): number {
    return this.#nodes.sum((shard) => shard.timers);
  }

  /** Channels whose events are led to a call. */
  get channels(): number {
    return this.#nodes.sum((shard) => shard.channels);
  }

  readiness(redis: boolean): Readiness {
    const nodes = Object.fromEntries([...this.#nodes.all()].map((n) => [n.id, n.switch.serving ? 'serving' : 'away']));
    const serving = [...this.#nodes.all()].some((n) => n.switch.serving);
    return { ready: redis && serving && !this.#draining, draining: this.#draining, redis, nodes };
  }

  // ── switch ────────────────────────────────────────────────────────────────────────────────────────────────────

  onFact(nodeId: string, fact: Fact): void {
    const shard = this.#nodes.get(nodeId)?.shard;
    if (!shard || (fact.kind === 'leg-transfer-requested' && this.#attended.begin(shard, fact))) return;
    shard.fact(fact.kind === 'leg-transfer-requested' ? this.#reach.aimed(shard.callOf(fact.channel), fact) : fact);
  }

  onCommandFailed(nodeId: string, callID: CallID, command: Command): void {
    this.#nodes.get(nodeId)?.shard.runner(callID)?.notDone(command);
  }

  onHealth(node: string, serving: boolean): void {
    this.#deps.log.info(serving ? 'node is serving' : 'node is away', { node });
  }

  onPhones(node: string, reachable: ReadonlySet<string>): void {
    this.#phones.set(node, reachable);
    // Only when every node has told can a phone be said to be nowhere.
    if (this.#phones.size === this.#nodes.size) this.#tellLostPhones(() => true);
  }

  onPhoneLost(_node: string, endpoint: string): void {
    this.#tellLostPhones((e) => e === endpoint);
  }

  /** Tells the floors of agents whose phone no node can reach. */
  #tellLostPhones(concerns: (endpoint: string) => boolean): void {
    for (const floor of this.#floors.runners()) {
      for (const agent of floor.floor.agents.values()) {
        if (agent.state === 'Logout') continue;
        const endpoint = this.#deps.directory.endpointOf(floor.companyId, agent.dn);
        if (endpoint === undefined || !concerns(endpoint)) continue;
        if ([...this.#phones.values()].some((reachable) => reachable.has(endpoint))) continue;
        floor.push({ kind: 'phone-lost', dn: agent.dn });
      }
    }
  }

  onArrival(nodeId: string, arrival: Arrival): void {
    const node = this.#nodes.get(nodeId);
    if (!node || node.shard.owns(arrival.channel)) return;
    const callID = this.#nodes.newCallID(node);
    if (this.#draining || !this.#deps.storeAnswers()) {
      this.#turnAway(node, callID, arrival, CONGESTION);
      return;
    }
    const { directory } = this.#deps;
    if (arrival.origin === 'phone') {
      const companyId = directory.companyOfPhone(arrival.endpoint);
      this.#arrived(node, callID, arrival, companyId && { companyId, agent: arrival.dialled });
      return;
    }
    const masking = directory.maskingOf(arrival.dialled);
    if (masking) void this.#unmask(node, callID, arrival, masking);
    else this.#arrived(node, callID, arrival, directory.routeOf(arrival.dialled, arrival.endpoint));
  }

  /** A call to a masking number: whom it reaches is asked of the store, and what happens meanwhile waits. */
  async #unmask(
    node: RunningNode,
    callID: CallID,
    arrival: Arrival,
    { companyId, number, canonical }: MaskingNumber & { readonly companyId: CompanyId },
  ): Promise<void> {
    const { shard } = node;
    const { masks, log, now } = this.#deps;
    shard.hold(arrival.channel);
    let other: string | undefined;
    let q850 = UNALLOCATED;
    try {
      other = await masks.counterpart(companyId, number, canonical(arrival.caller), now());
    } catch (error) {
      log.error('whom a masking number reaches could not be asked', error, callID);
      q850 = CONGESTION;
    }
    if (shard.closed) return;
    if (other === undefined) {
      shard.forget(arrival.channel);
      this.#turnAway(node, callID, arrival, q850);
      return;
    }
    this.#arrived(node, callID, arrival, { companyId, agent: other, shown: number });
    const runner = shard.runner(callID);
    if (runner) shard.follow(arrival.channel, runner);
  }

  /** A call that has arrived begins, where it leads anywhere. `shown`: the number shown to the one who is called. */
  #arrived(
    node: RunningNode,
    callID: CallID,
    arrival: Arrival,
    route: (Route & { readonly shown?: string }) | undefined,
  ): void {
    const { directory } = this.#deps;
    const nodeId = node.id;
    const inbound = arrival.origin === 'trunk';
    if (!route) {
      this.#deps.log.info('a call belongs to no company and is turned away', {
        node: nodeId,
        endpoint: arrival.endpoint,
      });
      this.#turnAway(node, callID, arrival, UNALLOCATED);
      return;
    }
    const { companyId } = route;
    const queue = directory.queue(companyId, route.queue ?? route.agent ?? '');
    const target = queue ? undefined : this.#targetOf(companyId, route.agent, arrival, route.shown);
    const limit = this.#nodes.admit(callID, companyId, nodeId, target?.trunk);
    const turnedAway = queue && this.#waiting.turnedAway(companyId, queue, limit);
    const outside = target?.kind === 'customer';
    const recording = this.#deps.recordings.plan(companyId);
    void this.#begin(node.shard, {
      kind: 'arrived',
      callID,
      companyId,
      node: nodeId,
      channel: arrival.channel,
      callType: inbound ? 'Inbound' : outside ? 'Outbound' : 'Internal',
      callerDN: inbound ? arrival.caller : arrival.endpoint,
      dialledDN: arrival.dialled,
      ...(queue && { queue: entryOf(queue, route.ringTimeout) }),
      ...(turnedAway !== undefined && { turnedAway }),
      ...(target && { target: limit ? { ...target, unreachable: limit } : target }),
      ringTimeout: route.ringTimeout ?? this.#deps.ringTimeout,
      ...(recording && { recording }),
    });
  }

  onResync(nodeId: string, found: NodeContents): void {
    const node = this.#nodes.get(nodeId);
    if (!node) return;
    const findings = new Findings(found);
    for (const call of node.shard.calls()) node.shard.resume(call.callID, findings.of(call));
    const claimed = (id: string): boolean => node.shard.owns(id) || node.shard.isOf(id, callIn(id));
    const left = orphans(found, claimed);
    for (const channel of left.channels) {
      const callID = callIn(channel);
      if (callID !== undefined && isCallID(callID)) node.switch.perform(callID, [{ do: 'hang-up', channel, q850: 16 }]);
    }
    for (const bridge of left.bridges) {
      const callID = callIn(bridge);
      if (callID !== undefined && isCallID(callID)) node.switch.perform(callID, [{ do: 'destroy-bridge', bridge }]);
    }
    for (const c of found.channels) if (c.arrival) this.onArrival(nodeId, c.arrival);
  }

  /** Whom an arrival is for. A phone of ours is shown who calls, a number the trunk's own caller id. */
  #targetOf(companyId: CompanyId, dn: string | undefined, arrival: Arrival, shown?: string): Destination | undefined {
    if (dn === undefined) return undefined;
    const { directory } = this.#deps;
    const caller = arrival.origin === 'trunk' ? arrival.caller : arrival.endpoint;
    return directory.resolve(companyId, dn, shown ?? (directory.isExtension(companyId, dn) ? caller : undefined));
  }

  #turnAway(node: RunningNode, callID: CallID, arrival: Arrival, q850: number): void {
    node.switch.perform(callID, [{ do: 'hang-up', channel: arrival.channel, q850 }]);
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

  async request(caller: Caller, method: string, params: unknown): Promise<{ result: unknown } | { refusal: Refusal }> {
    const serve = METHODS_SERVED[method as MethodName];
    if (!serve) return { refusal: refuse('MethodNotFound') };
    const outcome = await serve(this.#context(caller, method), params as never);
    if ('refusal' in outcome && !outcome.published) this.publishRefusal(caller, method, params, outcome.refusal);
    return outcome;
  }

  chooseCallID(): CallID | undefined {
    const node = this.#nodes.best();
    if (!node || this.#draining || !this.#deps.storeAnswers()) return undefined;
    return this.#nodes.newCallID(node);
  }

  place(caller: Caller, callID: CallID, params: ParamsOf<'RequestMakeCall'>): ReturnType<CallPlacing['place']> {
    return this.#placeAs(caller, callID, params);
  }

  async #placeAs(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    chosenBy?: RequestContext['chosenBy'],
  ): ReturnType<CallPlacing['place']> {
    const { companyId } = caller;
    const known = this.#nodes.live(companyId, callID)?.call ?? (await this.#deps.store.load(companyId, callID))?.call;
    if (known) return madeAs(known, params.thisDN);
    const node = [...this.#nodes.all()].find((n) => n.number === nodeOfCallID(callID));
    const context: RequestContext = {
      ...this.#context(caller, 'RequestMakeCall'),
      // Where there is no room nothing is begun: this call can wait, and its phones need not ring in vain.
      place: (trunk) => {
        if (!node?.switch.serving || this.#nodes.admit(callID, companyId, node.id, trunk)) return undefined;
        return { node: node.id, callID };
      },
      ...(chosenBy && { chosenBy }),
    };
    const answer = await makeCall(context, params);
    if ('refusal' in answer && !this.#nodes.live(companyId, callID)) this.#deps.admission.release(callID);
    return answer;
  }

  async whatIs(companyId: CompanyId, callID: CallID): Promise<'live' | 'ended' | 'unknown'> {
    if (this.#nodes.live(companyId, callID)) return 'live';
    const stored = await this.#deps.store.load(companyId, callID);
    return stored === undefined ? 'unknown' : stored.call.deleted ? 'ended' : 'live';
  }

  customerProgress(companyId: CompanyId, callID: CallID): CustomerProgress | undefined {
    return customerProgressOf(this.#nodes.live(companyId, callID)?.call);
  }

  /** Publishes a refusal as EventPartyError or EventAgentError. */
  publishRefusal(caller: Caller, method: string, params: unknown, refusal: Refusal): void {
    const named: RefusedRequest = typeof params === 'object' && params !== null ? params : {};
    const event = refusalEvent(caller.companyId, method, named, refusal, this.#deps.now());
    if (!event) return;
    this.#deps.store.append(caller.companyId, [event]).catch((error) => {
      this.#deps.log.error('a refusal could not be published', error);
    });
  }

  #context(caller: Caller, method: string): RequestContext {
    const { directory, now, recordings, store } = this.#deps;
    return {
      caller,
      directory,
      now,
      store,
      floor: this.#floors.of(caller.companyId),
      notReady: this.#draining ? 'draining' : this.#deps.storeAnswers() ? undefined : 'Redis does not answer',
      place: (trunk) => this.#nodes.place(caller.companyId, trunk),
      begin: async (node, birth) => {
        const shard = this.#nodes.get(node)?.shard;
        if (!shard) return { refusal: refuse('NotReady') };
        const { call } = await this.#begin(shard, birth);
        return call ? { call } : { refusal: refuse('NotReady') };
      },
      send: async (callID, input, request) => {
        const verdict = await this.#send(caller, method, callID, input, request);
        this.#waiting.entered(callID as CallID);
        return verdict;
      },
      reach: (callID, dn, shown) => this.#reach.destination(caller.companyId, callID, dn, shown),
      target: (callID, dn, shown) => {
        const target = this.#reach.target(caller.companyId, callID, dn, shown);
        if (target.kind === 'queue' && !target.full) this.#waiting.enter(caller.companyId, callID as CallID, dn);
        return target;
      },
      isFull: (queue) => this.#waiting.isFull(caller.companyId, queue),
      newRecording: () => recordings.target(),
      planRecording: (asked) => recordings.plan(caller.companyId, asked),
      live: (callID) => this.#nodes.live(caller.companyId, callID)?.call,
      calls: () => this.#nodes.callsOf(caller.companyId),
    };
  }

  /** Begins a call. A place in a queue is kept for it until it is stored, and counted by what is stored. */
  async #begin(shard: Shard, birth: CallBirth): ReturnType<Shard['begin']> {
    this.#waiting.begins(birth);
    const begun = await shard.begin(birth);
    this.#waiting.entered(birth.callID);
    return begun;
  }

  #send(
    caller: Caller,
    method: string,
    callID: string,
    input: CallInput,
    request: RefusedRequest,
  ): Promise<Verdict | Unsent> {
    const runner = this.#nodes.live(caller.companyId, callID);
    if (!runner?.call) return Promise.resolve('unknown');
    const node = this.#nodes.get(runner.call.node);
    if (!node?.switch.serving && !WITHOUT_NODE.has(input.kind)) {
      node?.shard.settleLegs(runner.call);
      return Promise.resolve('node-away');
    }
    if (node?.shard.full) return Promise.resolve('too-fast');
    return new Promise((resolve) => {
      const taken = runner.push({
        input,
        at: this.#deps.now(),
        settle: (verdict, call) => {
          if (verdict && call) this.#nodes.get(call.node)?.shard.settleLegs(call);
          resolve(call ? verdict : 'unknown');
        },
        refused: (refusal, at) => refusalEvent(caller.companyId, method, request, refusal, at),
      });
      if (!taken) resolve(runner.waiting > 0 ? 'too-fast' : 'unknown');
    });
  }
}
