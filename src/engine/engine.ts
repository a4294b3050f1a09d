import type { Call } from '../calls/call.ts';
import type { Command } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import type { Refusal } from '../cti/errors.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type {
  Arrival,
  Caller,
  CallPlacing,
  CallTrace,
  CustomerProgress,
  NodeContents,
  NodeLoad,
  QueueWatch,
  Readiness,
  Requests,
  SwitchListener,
} from '../ports.ts';
import { FLOOR_SHARD, type FloorEffect } from '../queues/floor.ts';
import { Arrivals } from './arrivals.ts';
import type { EngineDeps } from './deps.ts';
import { Floors, type ToldNote } from './floors.ts';
import { LostPhones } from './lost-phones.ts';
import { type EngineNode, Nodes, shardName } from './nodes.ts';
import { byTrunk } from './placed-as.ts';
import { customerProgressOf, traceOf } from './queue-watch.ts';
import { Reach } from './reach.ts';
import { RequestDesk } from './request-desk.ts';
import { Shard } from './shard.ts';
import { SwitchDesk } from './switch-desk.ts';
import { Tickets } from './tickets.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** How often it is looked whether a shard that is to go has done all that it was told, ms, and how long at most. */
const SETTLING_MS = { every: 10, longest: 2_000 };

/** Runs the core: facts of the switches and requests of the clients go in, one queue per call, and what comes of it goes out. */
export class Engine implements SwitchListener, Requests, CallPlacing, QueueWatch {
  readonly #deps: EngineDeps;
  readonly #nodes: Nodes;
  readonly #floors: Floors;
  readonly #waiting: WaitingCalls;
  /** For those who put other things than calls in queues. */
  readonly tickets: Tickets;
  readonly #requests: RequestDesk;
  readonly #switches: SwitchDesk;
  readonly #phones: LostPhones;
  #draining = false;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#nodes = new Nodes(deps.admission, deps.randomHex, deps.board);
    this.tickets = new Tickets({
      floor: (companyId) => this.#floors.of(companyId),
      queue: (companyId, id) => deps.directory.queue(companyId, id),
      ringTimeout: deps.ringTimeout,
      place: (caller, callID, params, chosenBy) => {
        const there = this.#nodes.ofCall(callID) ? undefined : deps.placing?.();
        return (there ?? this).placeAs(caller, callID, params, { chosenBy });
      },
      // As it is stored: who asks has heard an event, and what that tells is in the store with it.
      find: async (companyId, callID) =>
        (await deps.store.load(companyId, callID))?.call ?? (this.#nodes.live(companyId, callID) ? 'begun' : undefined),
    });
    this.#waiting = new WaitingCalls({
      other: (companyId, effect) => this.tickets.take(companyId, effect),
      directory: deps.directory,
      now: deps.now,
      floor: (companyId) => this.#floors.of(companyId),
      live: (companyId, callID) => this.#nodes.live(companyId, callID),
      admission: deps.admission,
      log: deps.log,
      elsewhere: (companyId, effect) => deps.post?.().effect(companyId, effect) ?? Promise.resolve(false),
      stored: async (companyId, callID) => (await deps.store.load(companyId, callID))?.call,
      reach: (companyId, callID, number) => reach.destination(companyId, callID, number),
    });
    const reach = new Reach({
      directory: deps.directory,
      admission: deps.admission,
      live: (companyId, callID) => this.#nodes.live(companyId, callID),
    });
    const arrivals = new Arrivals({
      ...deps,
      admit: (callID, companyId, node, wanted) => this.#nodes.admit(callID, companyId, node, wanted),
      begin: (shard, birth) => void this.#requests.begin(shard, birth),
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
    this.#requests = new RequestDesk({
      ...deps,
      nodes: this.#nodes,
      reach,
      floor: (companyId) => this.#floors.of(companyId),
      elsewhere: () => this.#elsewhere(),
      notReady: () => this.#notReady,
    });
    this.#switches = new SwitchDesk({
      nodes: this.#nodes,
      reach,
      arrivals,
      mayChoose: () => this.mayChoose,
      log: deps.log,
    });
    this.#phones = new LostPhones({
      directory: deps.directory,
      nodeCount: () => deps.nodeCount ?? this.#nodes.ids.size,
      floors: () => this.#floors.runners(),
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
    admission.own(name, fence);
    if (live.length > 0) log.info('took up live calls', { shard: name, calls: live.length });
  }

  /** Lets go of a shard; its calls live on in Asterisk and in the store. @param key of its node, as the switch names it */
  removeNode(key: string): void {
    const node = this.#nodes.get(key);
    this.#nodes.remove(key);
    this.#switches.forget(key);
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
    this.#phones.tell();
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
      if (nodes[id] === undefined || nodes[id] === 'away') {
        nodes[id] = !s.serving ? 'away' : this.#nodes.isDraining(id) ? 'draining' : 'serving';
      }
    }
    const serving = Object.values(nodes).includes('serving');
    return { ready: redis && serving && !this.#draining, draining: this.#draining, redis, nodes };
  }

  // ── switch ────────────────────────────────────────────────────────────────────────────────────────────────────

  onFact(node: string, fact: Fact): void {
    this.#switches.fact(node, fact);
  }

  onCommandFailed(node: string, callID: CallID, command: Command): void {
    this.#switches.commandFailed(node, callID, command);
  }

  onArrival(node: string, arrival: Arrival): void {
    this.#switches.arrival(node, arrival);
  }

  onResync(node: string, found: NodeContents): void {
    this.#switches.resync(node, found);
  }

  onHealth(node: string, serving: boolean): void {
    this.#deps.log.info(serving ? 'node is serving' : 'node is away', { node });
  }

  onNodeDied(node: string): void {
    this.#switches.died(node);
  }

  onPhones(node: string, reachable: ReadonlySet<string>): void {
    this.#phones.reachable(node, reachable);
  }

  onPhoneLost(_node: string, endpoint: string): void {
    this.#phones.lost(endpoint);
  }

  /** Shards whose calls do not live here. */
  #elsewhere(): readonly string[] {
    const here = new Set([...this.#nodes.all()].map(shardName));
    return (this.#deps.shards?.() ?? []).filter((shard) => !here.has(shard));
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

  request(caller: Caller, method: string, params: unknown): ReturnType<RequestDesk['request']> {
    return this.#requests.request(caller, method, params);
  }

  /** Publishes a refusal as EventPartyError or EventAgentError. */
  publishRefusal(caller: Caller, method: string, params: unknown, refusal: Refusal): void {
    this.#requests.publishRefusal(caller, method, params, refusal);
  }

  /** Whether a shard's requests are carried out here now. */
  serves(shard: string): boolean {
    if (shard === FLOOR_SHARD) return this.#floors.opened;
    return [...this.#nodes.all()].some((n) => shardName(n) === shard && !n.shard.settling);
  }

  /** Why no call may begin; undefined if it may. */
  get #notReady(): string | undefined {
    if (this.#draining) return 'draining';
    return this.#deps.storeAnswers() ? undefined : 'Redis does not answer';
  }

  /** Whether a call may be placed at all now, here or elsewhere. */
  get mayChoose(): boolean {
    return this.#notReady === undefined;
  }

  /** Whether a call that cannot be begun here may be in a moment: a shard is on its way. */
  get mayBeginSoon(): boolean {
    return !this.#draining && this.#nodes.awaited;
  }

  /** Whether a call can be begun here; also where no instance could, so that it is refused at once. */
  get mayBegin(): boolean {
    return !this.#deps.storeAnswers() || (!this.#draining && this.#nodes.best() !== undefined);
  }

  /** What the node carries on which a call would begin here; undefined where none would. */
  get freest(): NodeLoad | undefined {
    return this.#draining ? undefined : this.#nodes.best()?.load;
  }

  /** Calls that live here, by node. */
  callsOn(node: string): number {
    let calls = 0;
    for (const n of this.#nodes.all()) if (n.id === node) calls += n.shard.size;
    return calls;
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
    const best = this.mayChoose ? this.#nodes.best() : undefined;
    return best && this.#nodes.newCallID(best.node);
  }

  place(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    trunk?: string,
  ): ReturnType<CallPlacing['place']> {
    return this.placeAs(caller, callID, params, byTrunk(trunk));
  }

  /** Places a call here, under an id that was chosen before. */
  placeAs(...call: Parameters<RequestDesk['place']>): ReturnType<CallPlacing['place']> {
    return this.#requests.place(...call);
  }

  async traceOf(companyId: CompanyId, callID: CallID): Promise<CallTrace> {
    const runner = this.#nodes.live(companyId, callID);
    // One that lives here is known here, also where it is just being stored, or stored anew.
    if (runner) return traceOf(runner.call ?? 'begun');
    return traceOf((await this.#deps.store.load(companyId, callID))?.call);
  }

  customerProgress(companyId: CompanyId, callID: CallID): CustomerProgress | undefined {
    return customerProgressOf(this.#nodes.live(companyId, callID)?.call);
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
