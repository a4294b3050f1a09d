import type { Call } from '../calls/call.ts';
import type { Command } from '../calls/command.ts';
import type { CallBirth, CallInput, Fact } from '../calls/input.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import { type CallID, type CompanyId, isCallID } from '../cti/ids.ts';
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
  RequestOutcome,
  Requests,
  SwitchListener,
} from '../ports.ts';
import { FLOOR_SHARD, type FloorEffect } from '../queues/floor.ts';
import { Arrivals, CONGESTION } from './arrivals.ts';
import { AttendedTransfers } from './attended.ts';
import type { Verdict } from './call-runner.ts';
import type { Directory } from './directory.ts';
import type { FloorPost } from './floor-post.ts';
import { Floors, type ToldNote } from './floors.ts';
import { type Answer, METHODS_SERVED, madeAs, makeCall, type RequestContext, type Unsent } from './methods/index.ts';
import { type EngineNode, keyOf, Nodes } from './nodes.ts';
import { customerProgressOf } from './queue-watch.ts';
import { Reach } from './reach.ts';
import { callIn, Findings, orphans } from './reconcile.ts';
import type { Recordings } from './recordings.ts';
import { Shard, type ShardLog } from './shard.ts';
import { partOfCall, WHOLE } from './shard-part.ts';
import { Tickets } from './tickets.ts';
import { type RefusedRequest, refusalEvent } from './views.ts';
import { WaitingCalls } from './waiting-calls.ts';

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
  /** All shards that there are, here or at another instance; absent: all are here. */
  readonly shards?: () => readonly string[];
  /** Nodes that there are; absent: all are here. */
  readonly nodeCount?: number;
  /** The way to agents and queues, and to calls, of another instance; absent: there is none. */
  readonly post?: () => Pick<FloorPost, 'note' | 'effect'>;
}

/** The name of a shard, in leases, keys and logs. */
export const shardName = ({ app, id }: { readonly app: string; readonly id: string }): string => `${app}@${id}`;

/** How often it is looked whether a shard that is to go has done all that it was told, ms, and how long at most. */
const SETTLING_MS = { every: 10, longest: 2_000 };
/**
 * What is accepted while a call's node does not serve: an end, which is remembered until the node is back, and what the
 * node has no part in.
 */
const WITHOUT_NODE: ReadonlySet<CallInput['kind']> = new Set(['release', 'clear', 'attach-data']);

/** Runs the core: facts of the switches and requests of the clients go in, one queue per call, and what comes of it goes out. */
export class Engine implements SwitchListener, Requests, CallPlacing, QueueWatch {
  readonly #deps: EngineDeps;
  readonly #nodes: Nodes;
  readonly #floors: Floors;
  readonly #waiting: WaitingCalls;
  /** For those who put other things than calls in queues. */
  readonly tickets: Tickets;
  readonly #reach: Reach;
  readonly #arrivals: Arrivals;
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
      place: (caller, callID, params, chosenBy) => this.#placeAs(caller, callID, params, { chosenBy }),
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
      elsewhere: (companyId, effect) => deps.post?.().effect(companyId, effect) ?? Promise.resolve(false),
      reach: (companyId, callID, number) => this.#reach.destination(companyId, callID, number),
      settleLegs: (call) => this.#nodes.shardOf(call.callID)?.settleLegs(call),
    });
    this.#reach = new Reach({
      directory: deps.directory,
      admission: deps.admission,
      live: (companyId, callID) => this.#nodes.live(companyId, callID),
      isFull: (companyId, queue) => this.#waiting.isFull(companyId, queue),
    });
    this.#arrivals = new Arrivals({
      ...deps,
      admit: (callID, companyId, node, trunk) => this.#nodes.admit(callID, companyId, node, trunk),
      turnedAway: (companyId, queue, limit) => this.#waiting.turnedAway(companyId, queue, limit),
      begin: (shard, birth) => void this.#begin(shard, birth),
    });
    this.#floors = new Floors({
      ...deps,
      companyIds: deps.directory.companyIds,
      queuesOf: (companyId) => deps.directory.queuesOf(companyId),
      calls: (companyId) => this.#nodes.callsOf(companyId),
      others: (companyId) => this.tickets.notes(companyId),
      elsewhere: () => this.#elsewhere(),
      effect: (companyId, effect) => void this.#waiting.serve(companyId, effect),
    });
  }

  // ── life ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes a node's shard and the calls that live on it. The node's own resynchronisation then tells what has changed.
   *
   * @param leased the fence of a lease that is held already
   */
  async addNode(node: EngineNode, leased?: number): Promise<void> {
    const { store, directory, admission, now, log, onFenced, isPassing } = this.#deps;
    const name = shardName(node);
    const fence = await store.takeShard(name, directory.companyIds, leased);
    const shard = new Shard({
      shard: name,
      fence,
      store,
      switch: node.switch,
      admission,
      now,
      log,
      onChanged: (call, statuses) => {
        if (!this.#floors.note(call, statuses)) this.#deps.post?.().note(call, statuses);
      },
      onFenced,
      isPassing,
    });
    const live = await store.loadLive(directory.companyIds, name);
    for (const { call, version } of live) shard.adopt(call, version);
    this.#nodes.add({ ...node, shard });
    if (live.length > 0) log.info('took up live calls', { shard: name, calls: live.length });
  }

  /** Lets go of a shard; its calls live on in Asterisk and in the store. @param key of its node, as the switch names it */
  removeNode(key: string): void {
    const node = this.#nodes.get(key);
    this.#nodes.remove(key);
    node?.shard.close();
  }

  /** Waits until a shard that is to go has stored all that it was told; nothing new is taken there. @returns whether it has */
  settleNode(key: string): Promise<boolean> {
    return settled(() => this.#nodes.get(key)?.shard.settle() ?? true);
  }

  /**
   * Takes the agents and queues.
   *
   * @param leased the fence of a lease that is held already
   */
  async openFloors(leased?: number): Promise<void> {
    await this.#floors.open(leased);
    if (this.#phones.size === this.#nodeCount) this.#tellLostPhones(() => true);
  }

  /** Lets go of the agents and queues; they stay as they are stored. */
  closeFloors(): void {
    this.#floors.close();
  }

  /** Waits until all that agents and queues were told is stored. @returns whether it is */
  settleFloors(): Promise<boolean> {
    return settled(() => this.#floors.idle);
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
    const nodes: Record<string, string> = {};
    for (const { id, switch: s } of this.#nodes.all()) {
      if (nodes[id] !== 'serving') nodes[id] = s.serving ? 'serving' : 'away';
    }
    const serving = Object.values(nodes).includes('serving');
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
    if (this.#phones.size === this.#nodeCount) this.#tellLostPhones(() => true);
  }

  onPhoneLost(_node: string, endpoint: string): void {
    this.#tellLostPhones((e) => e === endpoint);
  }

  get #nodeCount(): number {
    return this.#deps.nodeCount ?? this.#nodes.ids.size;
  }

  /** Shards whose calls do not live here. */
  #elsewhere(): readonly string[] {
    const here = new Set([...this.#nodes.all()].map(shardName));
    return (this.#deps.shards?.() ?? []).filter((shard) => !here.has(shard));
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
    if (this.#draining || !this.#deps.storeAnswers()) this.#arrivals.turnAway(node, callID, arrival, CONGESTION);
    else this.#arrivals.take(node, callID, arrival);
  }

  onResync(nodeId: string, found: NodeContents): void {
    const node = this.#nodes.get(nodeId);
    if (!node) return;
    const findings = new Findings(found);
    for (const call of node.shard.calls()) node.shard.resume(call.callID, findings.of(call));
    const { index, of } = node.part ?? WHOLE;
    const claimed = (id: string): boolean => {
      const callID = callIn(id);
      // Bridges are the whole node's: those of another shard's calls are not ours to judge.
      const another = callID !== undefined && partOfCall(callID, of) !== index;
      return another || node.shard.owns(id) || node.shard.isOf(id, callID);
    };
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

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** `moved`: what the request is about went to another instance meanwhile, and nothing was done. */
  async request(
    caller: Caller,
    method: string,
    params: unknown,
  ): Promise<RequestOutcome & { readonly moved?: boolean }> {
    const serve = METHODS_SERVED[method as MethodName];
    if (!serve) return { refusal: refuse('MethodNotFound') };
    const outcome = await this.#orNotReady(serve(this.#context(caller, method), params as never));
    if ('refusal' in outcome && !outcome.published && !outcome.moved) {
      this.publishRefusal(caller, method, params, outcome.refusal);
    }
    return outcome;
  }

  /** What cannot be answered while the store is away is refused as such. */
  async #orNotReady(answer: Promise<Answer<unknown>>): Promise<Answer<unknown>> {
    try {
      return await answer;
    } catch (error) {
      if (!this.#deps.isPassing(error)) throw error;
      return { refusal: refuse('NotReady', { reason: 'Redis does not answer' }) };
    }
  }

  /** Whether a shard's requests are carried out here now. */
  serves(shard: string): boolean {
    if (shard === FLOOR_SHARD) return this.#floors.opened;
    return [...this.#nodes.all()].some((n) => shardName(n) === shard && !n.shard.settling);
  }

  /** Whether a call may be placed at all now, here or elsewhere. */
  get mayChoose(): boolean {
    return !this.#draining && this.#deps.storeAnswers();
  }

  /** Whether a call can be begun here; also where no instance could, so that it is refused at once. */
  get mayBegin(): boolean {
    return !this.#deps.storeAnswers() || (!this.#draining && this.#nodes.best() !== undefined);
  }

  /** What calls of another instance have told. @returns false where the agents and queues are not here */
  takeNotes(notes: readonly unknown[]): boolean {
    if (!this.#floors.opened) return false;
    // Only FloorPost sends these.
    for (const told of notes as readonly ToldNote[]) this.#floors.take(told);
    return true;
  }

  /** What the agents and queues of another instance ask of a call here. @returns whether it was done */
  takeEffect(companyId: CompanyId, effect: unknown): Promise<boolean> {
    // Only FloorPost sends these.
    return this.#waiting.ask(companyId, effect as FloorEffect);
  }

  /** All calls that live here. */
  *calls(): Iterable<Call> {
    for (const n of this.#nodes.all()) yield* n.shard.calls();
  }

  chooseCallID(): CallID | undefined {
    const node = this.#nodes.best();
    if (!node || this.#draining || !this.#deps.storeAnswers()) return undefined;
    return this.#nodes.newCallID(node);
  }

  place(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    trunk?: string,
  ): ReturnType<CallPlacing['place']> {
    return this.#placeAs(caller, callID, params, { once: true, ...(trunk !== undefined && { trunk }) });
  }

  async #placeAs(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    as: Pick<RequestContext, 'chosenBy' | 'trunk' | 'once'>,
  ): ReturnType<CallPlacing['place']> {
    const { companyId } = caller;
    const known = this.#nodes.live(companyId, callID)?.call ?? (await this.#deps.store.load(companyId, callID))?.call;
    if (known) return madeAs(known, params.thisDN);
    const node = this.#nodes.ofCall(callID);
    const context: RequestContext = {
      ...this.#context(caller, 'RequestMakeCall'),
      // Where there is no room nothing is begun: this call can wait, and its phones need not ring in vain.
      place: (trunk) => {
        if (!node?.switch.serving || this.#nodes.admit(callID, companyId, node.id, trunk)) return undefined;
        return { node: node.id, key: keyOf(node), callID };
      },
      ...as,
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
      begin: async (key, birth) => {
        const shard = this.#nodes.get(key)?.shard;
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
      calls: () => this.#allCalls(caller.companyId),
    };
  }

  /** The live calls of a company, here and, as they are stored, elsewhere. */
  async #allCalls(companyId: CompanyId): Promise<readonly Call[]> {
    const others = await Promise.all(this.#elsewhere().map((s) => this.#deps.store.loadLive([companyId], s)));
    // A shard that came here meanwhile is in both.
    const here = [...this.#nodes.callsOf(companyId)];
    const known = new Set(here.map((c) => c.callID));
    return [...here, ...others.flat().flatMap(({ call }) => (known.has(call.callID) ? [] : call))];
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
    const node = this.#nodes.holding(callID);
    const shard = node?.shard;
    if (shard?.settling) return Promise.resolve('moved');
    if (!node?.switch.serving && !WITHOUT_NODE.has(input.kind)) {
      shard?.settleLegs(runner.call);
      return Promise.resolve('node-away');
    }
    if (node?.shard.full) return Promise.resolve('too-fast');
    return new Promise((resolve) => {
      const taken = runner.push({
        input,
        at: this.#deps.now(),
        settle: (verdict, call) => {
          if (verdict && call) shard?.settleLegs(call);
          resolve(call ? verdict : shard?.closed ? 'moved' : 'unknown');
        },
        refused: (refusal, at) => refusalEvent(caller.companyId, method, request, refusal, at),
      });
      if (!taken) resolve(runner.waiting > 0 ? 'too-fast' : 'unknown');
    });
  }
}

async function settled(done: () => boolean): Promise<boolean> {
  const until = performance.now() + SETTLING_MS.longest;
  while (!done()) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS.every));
  }
  return true;
}
