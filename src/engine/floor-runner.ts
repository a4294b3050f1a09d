import type { Agent } from '../agents/agent.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { CommitResult, FloorCommit } from '../ports.ts';
import {
  emptyFloor,
  type Floor,
  type FloorEffect,
  type FloorInput,
  type FloorOutcome,
  type FloorRefused,
  isFloorRefused,
  nextDue,
  type Queues,
} from '../queues/floor.ts';
import type { CallNote, NotedStatus } from '../queues/note.ts';
import { stepFloor } from '../queues/step.ts';
import { FloorInbox, type FloorWaiting } from './floor-inbox.ts';

/** Requests that may wait for one floor. What calls tell is not counted: there is one note for each live call at most. */
const INBOX_LIMIT = 1_000;
/** Wait before what could not be stored is tried again, ms. */
const AGAIN_MS = 1_000;
/** Longest that a timer of Node's can wait, ms. */
const TIMER_MAX = 2_147_483_647;

/** Nobody knows what became of it: its commit got no answer, and another instance has the floor since. */
const MAY_BE_DONE = refuse('CTIException', { reason: 'another instance has the agents since: it may have been done' });

/** The answer to a request on a floor. */
export type FloorVerdict = { readonly agent: Agent } | { readonly refusal: Refusal };

type Waiting = FloorWaiting<FloorVerdict>;

/** What a floor's runner needs of the engine. */
export interface FloorHost {
  readonly now: () => number;
  /** Stores; waits for a store that is away. */
  commitFloor(commit: Omit<FloorCommit, 'fence'>): Promise<CommitResult>;
  /** Carries out what the floor asks of the calls, once it is stored. */
  effect(companyId: CompanyId, effect: FloorEffect): void;
  /** Another instance writes this floor. */
  floorLost(runner: FloorRunner, result: CommitResult): void;
  floorFailed(companyId: CompanyId, error: unknown): void;
}

/** What the store has of a floor. */
export interface StoredFloor {
  readonly version: number;
  readonly agents: readonly Agent[];
  /** `<queue>:<callID>` */
  readonly waiting: readonly string[];
}

/**
 * The agents and queues of one company, and the queue of what happens to them. As with calls, everything that has queued
 * up is stepped through in order and stored in one commit; what the calls are asked to do goes out only after it.
 */
export class FloorRunner {
  readonly companyId: CompanyId;
  readonly #host: FloorHost;
  readonly #queues: Queues;
  readonly #inbox = new FloorInbox<FloorVerdict>();
  #floor: Floor;
  #version: number;
  /** What the store lists as waiting: callID and queue. */
  readonly #listed: Map<string, string>;
  #running = false;
  #underWay = 0;
  #stopped = false;
  /** The store has lost the floor: all of it is stored once more. */
  #again = false;
  /** Nothing has been stepped through yet: what the store lists is an earlier owner's. */
  #fresh = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: FloorHost, companyId: CompanyId, queues: Queues, stored: StoredFloor) {
    this.#host = host;
    this.companyId = companyId;
    this.#queues = queues;
    this.#version = stored.version;
    this.#floor = { ...emptyFloor(companyId), agents: new Map(stored.agents.map((a) => [a.agentID, a])) };
    this.#listed = new Map(
      stored.waiting.map((member) => {
        const colon = member.lastIndexOf(':');
        return [member.slice(colon + 1), member.slice(0, colon)];
      }),
    );
  }

  /** As it is stored. */
  get floor(): Floor {
    return this.#floor;
  }

  /** Inputs that are not stored yet. */
  get waiting(): number {
    return this.#inbox.length + this.#underWay;
  }

  /** It has been let go of. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing waits, and nothing is just being stored. */
  get idle(): boolean {
    return !this.#running && this.#inbox.length === 0;
  }

  /** Queues a request; answers once it is stored. */
  request(input: FloorInput): Promise<FloorVerdict> {
    if (this.#stopped) return Promise.resolve({ refusal: refuse('NotReady') });
    if (this.#inbox.length >= INBOX_LIMIT) return Promise.resolve({ refusal: refuse('RequestTooFast') });
    return new Promise((settle) => this.#add({ input, at: this.#host.now(), settle }));
  }

  /** Queues what happened. */
  push(input: FloorInput): void {
    if (!this.#stopped) this.#add({ input, at: this.#host.now() });
  }

  /** Queues what a call has told. */
  note(note: CallNote, statuses: readonly NotedStatus[]): void {
    if (this.#stopped) return;
    this.#inbox.note(note, statuses, this.#host.now());
    if (!this.#running) void this.#run();
  }

  /** Stores all agents and all that waits once more. */
  storeAgain(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  /** Lets go of the floor without touching it. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const w of this.#inbox.take()) w.settle?.({ refusal: refuse('NotReady') });
  }

  #add(waiting: Waiting): void {
    this.#inbox.add(waiting);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while ((this.#inbox.length > 0 || this.#again) && !this.#stopped) {
      const batch = this.#inbox.take();
      this.#underWay = batch.length;
      try {
        await this.#turn(batch);
      } catch (error) {
        this.#host.floorFailed(this.companyId, error);
        for (const w of batch) w.settle?.({ refusal: refuse('CTIException') });
        // What the calls have told is still so, and must not be lost.
        this.#inbox.putBack(batch.filter((w) => w.settle === undefined));
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
    this.#underWay = 0;
    this.#running = false;
  }

  async #turn(batch: readonly Waiting[]): Promise<void> {
    const before = this.#floor;
    let floor = before;
    const events: NewCtiEvent[] = [];
    const effects: FloorEffect[] = [];
    const verdicts: (FloorVerdict | undefined)[] = [];
    for (const { input, at } of batch) {
      const outcome = this.#step(floor, input, at);
      if (isFloorRefused(outcome)) {
        verdicts.push(outcome);
        continue;
      }
      floor = outcome.floor;
      events.push(...outcome.events);
      effects.push(...outcome.effects);
      verdicts.push(outcome.agent && { agent: outcome.agent });
    }
    const again = this.#again || (this.#fresh && this.#listsOthers(floor));
    this.#again = false;
    this.#fresh = false;
    if (floor !== before || events.length > 0 || again) {
      let result = await this.#host.commitFloor(this.#commitOf(floor, events));
      if (result.outcome === 'conflict' && result.version < this.#version) {
        // Nobody writes a lower version: Redis has lost what it had. What is here is newer, and the fence is ours.
        this.#host.floorFailed(this.companyId, new Error('Redis has lost changes of the agents; all are stored again'));
        result = await this.#host.commitFloor(this.#wholeOf(floor, events, result.version));
      }
      if (result.outcome !== 'stored') {
        const unknown = result.outcome === 'fenced' && result.perhaps;
        for (const w of batch) w.settle?.({ refusal: unknown ? MAY_BE_DONE : refuse('NotReady') });
        if (this.#stopped) return;
        this.stop();
        this.#host.floorLost(this, result);
        return;
      }
      this.#version = result.version;
      // Who has the floor since finds out himself what was to be asked of the calls; those who asked are answered here.
      if (!this.#stopped) {
        this.#stored(floor);
        for (const effect of effects) this.#host.effect(this.companyId, effect);
      }
    }
    batch.forEach((w, i) => {
      const verdict = verdicts[i];
      if (verdict) w.settle?.(verdict);
    });
    // What is due, and when, is told by the floor alone.
    if (floor !== before || this.#timer === undefined) this.#arm();
  }

  /** A step that throws is a defect of ours: it is logged, and the input is left out. */
  #step(floor: Floor, input: FloorInput, at: number): FloorOutcome | FloorRefused {
    try {
      return stepFloor(floor, input, at, this.#queues);
    } catch (error) {
      this.#host.floorFailed(this.companyId, error);
      return { refusal: refuse('UnknownAgentError') };
    }
  }

  /** The store lists somebody as waiting who does so no more. */
  #listsOthers({ waiting }: Floor): boolean {
    return [...this.#listed.keys()].some((callID) => !waiting.has(callID as CallID));
  }

  #commitOf(floor: Floor, events: readonly NewCtiEvent[]): Omit<FloorCommit, 'fence'> {
    const { agents: before } = this.#floor;
    const agents: FloorCommit['agents'][number][] = [];
    for (const [agentID, agent] of floor.agents) {
      if (before.get(agentID) !== agent) agents.push({ agentID, agent });
    }
    for (const agentID of before.keys()) if (!floor.agents.has(agentID)) agents.push({ agentID });
    const waiting: FloorCommit['waiting'][number][] = [];
    for (const { callID, queue, since } of floor.waiting.values()) {
      const listed = this.#listed.get(callID);
      if (listed === queue) continue;
      if (listed !== undefined) waiting.push({ queue: listed, callID });
      waiting.push({ queue, callID, since });
    }
    for (const [callID, queue] of this.#listed) {
      if (!floor.waiting.has(callID as CallID)) waiting.push({ queue, callID });
    }
    return { companyId: this.companyId, version: this.#version, agents, waiting, events };
  }

  /** Everything, for a store that has lost it. */
  #wholeOf(floor: Floor, events: readonly NewCtiEvent[], version: number): Omit<FloorCommit, 'fence'> {
    return {
      companyId: this.companyId,
      version,
      agents: [...floor.agents].map(([agentID, agent]) => ({ agentID, agent })),
      waiting: [...floor.waiting.values()].map(({ queue, callID, since }) => ({ queue, callID, since })),
      whole: true,
      events,
    };
  }

  #stored(floor: Floor): void {
    this.#floor = floor;
    this.#listed.clear();
    for (const { callID, queue } of floor.waiting.values()) this.#listed.set(callID, queue);
  }

  /** Wakes the floor when something is due next. When, is told by its own state: a restart arms the same. */
  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = nextDue(this.#floor, this.#queues);
    if (due === undefined || this.#stopped) return;
    const wait = Math.min(TIMER_MAX, Math.max(0, due - this.#host.now()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.push({ kind: 'tick' });
    }, wait);
  }
}
