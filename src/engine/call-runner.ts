import type { Call } from '../calls/call.ts';
import type { Command } from '../calls/command.ts';
import type { CallBirth, CallInput, CallRequest } from '../calls/input.ts';
import { type AgentStatusChange, isRefused } from '../calls/output.ts';
import { begin, step } from '../calls/step.ts';
import { isTold } from '../calls/undo.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { CommitResult } from '../ports.ts';

/** Inputs that may wait for one call. A call that has more is stuck on a store that does not answer. */
const INBOX_LIMIT = 1_000;

/**
 * How long a new call may wait for the store, ms. Whoever asked for it is then refused; if it is stored after all, it
 * ends at once: a phone that rings ten seconds after its agent has given up is worse than none.
 */
export const BIRTH_PATIENCE_MS = 3_000;

/**
 * Nobody is ever told of this call that it did not happen: it is dialled once (calls/once.ts), and whoever asked asks for it
 * under its id until he has heard what became of it. To end it for being late would be to lose it.
 */
export const mayBeLate = (birth: CallBirth): boolean => birth.kind === 'make' && birth.once === true;

/**
 * How long a fact that leads to nothing (nobody is told of it, nothing is asked of the switch) may wait to be stored with
 * what comes next, ms. The first phone's ringing is one: a phone that answers by itself does so at once.
 */
const QUIET_MS = 20;
/** Wait before what Redis has refused to store is tried again, ms. */
const AGAIN_MS = 1_000;

/** The answer to a request on a call: undefined once it is accepted and stored. */
export type Verdict = Refusal | undefined;

/** Nobody knows what became of it: its commit got no answer, and another instance has the call since. */
const MAY_BE_DONE = refuse('CTIException', { reason: 'another instance has the call since: it may have been done' });

/** The event that publishes a refusal. */
type Publish = (refusal: Refusal, at: number) => NewCtiEvent | undefined;

interface Waiting {
  readonly input: CallInput | CallBirth;
  /** Unix ms, when it came. */
  readonly at: number;
  readonly settle?: (verdict: Verdict, call: Call | undefined) => void;
  /** The event that publishes a refusal of this input. */
  readonly refused?: Publish;
}

/** A request that was accepted and has led to commands. */
interface Errand {
  readonly request: CallRequest;
  readonly refused: Publish;
  /** Whoever asked knows that it was not carried out. */
  told: boolean;
}

/** What the inputs of a turn have come to. */
interface Stepped {
  call: Call | undefined;
  readonly events: NewCtiEvent[];
  readonly commands: Command[];
  readonly statuses: AgentStatusChange[];
  readonly verdicts: Verdict[];
}

/** Told by the switch; nobody waits for an answer. */
const isFact = ({ input, settle }: Waiting): boolean => 'channel' in input && input.kind !== 'arrived' && !settle;

/** The call has changed, and that is all. */
const isQuiet = ({ call, events, commands, statuses }: Stepped, before: Call | undefined): boolean =>
  call !== before &&
  call?.deleted === false &&
  call.timers === before?.timers &&
  events.length + commands.length + statuses.length === 0;

/** What has happened, or has been decided, and is so whether it could be stored or not; whoever asks, asks again. */
const isSo = ({ input, settle }: Waiting): boolean => !settle || ('channel' in input && input.kind !== 'arrived');

const isRequest = (input: CallInput | CallBirth): input is CallRequest =>
  'referenceID' in input && input.kind !== 'make';

const isBirth = (input: CallInput | CallBirth): input is CallBirth => input.kind === 'make' || input.kind === 'arrived';

/** What a runner needs of the engine. */
export interface RunnerHost {
  /** Stores; settles only when stored or when it will never be (fenced, conflict). Waits for a store that is away. */
  commit(call: Call, version: number, events: readonly NewCtiEvent[]): Promise<CommitResult>;
  perform(call: Call, commands: readonly Command[]): void;
  /** Unix ms. */
  now(): number;
  /** After each change, once it is stored; with the statuses that agents came to by it. */
  changed(call: Call, statuses: readonly AgentStatusChange[]): void;
  /** The call has ended and is stored as ended; the runner is of no more use. */
  retired(call: Call): void;
  /** It can no longer write: a newer owner has the shard, or someone else wrote this call. */
  lost(runner: CallRunner, result: CommitResult): void;
  /** It never began: its first state could not be stored, and will not be. The runner is of no more use. */
  unborn(runner: CallRunner): void;
  failed(callID: CallID, error: unknown): void;
  /** A change could not be stored, and waiting alone does not mend it; told once until one is. */
  notStored(callID: CallID, error: unknown): void;
}

/**
 * One live call: its state, and the queue of what happens to it. Everything that has queued up is stepped through in
 * order and stored in one commit; commands go out only after it.
 */
export class CallRunner {
  readonly callID: CallID;
  readonly companyId: CompanyId;
  readonly #host: RunnerHost;
  readonly #inbox: Waiting[] = [];
  /** What requests have led to, for as long as the switch may yet fail at it. */
  readonly #errands = new WeakMap<Command, Errand>();
  #call: Call | undefined;
  #version: number;
  #running = false;
  #underWay = 0;
  #stopped = false;
  /** The store has lost the call: it is stored once more, changed or not. */
  #again = false;
  /** Ends the wait of a turn that leads to nothing. */
  #company: (() => void) | undefined;
  /** Ends the wait before what could not be stored is tried again. */
  #endWait: (() => void) | undefined;

  constructor(
    host: RunnerHost,
    callID: CallID,
    companyId: CompanyId,
    found?: { readonly call: Call; readonly version: number },
  ) {
    this.#host = host;
    this.callID = callID;
    this.companyId = companyId;
    this.#call = found?.call;
    this.#version = found?.version ?? 0;
  }

  /** The call as it is stored; undefined until its first commit. */
  get call(): Call | undefined {
    return this.#call;
  }

  get waiting(): number {
    return this.#inbox.length;
  }

  /** So much waits that nothing more is taken. */
  get full(): boolean {
    return this.#inbox.length >= INBOX_LIMIT;
  }

  /** Nothing waits, and nothing is just being stored. */
  get idle(): boolean {
    return !this.#running && this.#inbox.length === 0;
  }

  /** Inputs that are not stored yet: those that wait, and those that are just being stored. */
  get unstored(): number {
    return this.#inbox.length + this.#underWay;
  }

  /** Queues an input. Returns false if the queue is full or the runner has stopped; nothing happens then. */
  push(waiting: Waiting): boolean {
    if (this.#stopped || this.full) return false;
    this.#inbox.push(waiting);
    this.#start();
    this.#company?.();
    return true;
  }

  /** Stores the call once more as it is. */
  storeAgain(): void {
    this.#again = true;
    this.#start();
    this.#company?.();
  }

  /** Not before whoever pushes has pushed all: what one read of a socket has brought is stored in one commit. */
  #start(): void {
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  /** Asterisk did not carry a command out: where a request led to it, that is undone, and whoever asked is told. */
  notDone(command: Command): void {
    const errand = this.#errands.get(command);
    if (!errand || errand.told || !isTold(command.do)) return;
    errand.told = true;
    const { request, refused } = errand;
    this.push({ input: { kind: 'not-done', request, command: command.do }, at: this.#host.now(), refused });
  }

  /** Lets go of the call without touching it. */
  stop(): void {
    this.#stopped = true;
    this.#company?.();
    this.#endWait?.();
    for (const w of this.#inbox.splice(0)) w.settle?.(undefined, undefined);
  }

  async #run(): Promise<void> {
    let told = false;
    while ((this.#inbox.length > 0 || this.#again) && !this.#stopped) {
      const batch = this.#inbox.splice(0);
      this.#underWay = batch.length;
      try {
        await this.#turn(batch);
        told = false;
      } catch (error) {
        // Once, and not with each try.
        if (!told) this.#host.notStored(this.callID, error);
        told = true;
        await this.#notStored(batch);
      }
    }
    this.#underWay = 0;
    this.#running = false;
  }

  /**
   * Redis has refused to store what the batch came to, which is no outage (a value of a wrong type, a broken counter). Those
   * who asked are told. What has happened is kept, and tried again until it is stored: a leg that has ended has ended.
   */
  async #notStored(batch: readonly Waiting[]): Promise<void> {
    const refusal = refuse(this.#call ? 'CTIException' : 'NotReady');
    for (const w of batch) w.settle?.(refusal, this.#call);
    if (this.#stopped) return;
    if (!this.#call) {
      this.stop();
      this.#host.unborn(this);
      return;
    }
    // Whoever waited for one has been told: he is not told again.
    this.#inbox.unshift(...batch.filter(isSo).map(({ settle: _, ...w }) => w));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, AGAIN_MS);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endWait = undefined;
  }

  async #turn(batch: Waiting[]): Promise<void> {
    const before = this.#call;
    const again = this.#again;
    this.#again = false;
    const turn: Stepped = { call: before, events: [], commands: [], statuses: [], verdicts: [] };
    for (const waiting of batch) this.#take(turn, waiting);
    if (!again && batch.every(isFact) && isQuiet(turn, before)) {
      await this.#moment();
      if (this.#stopped) return;
      const more = this.#inbox.splice(0);
      batch.push(...more);
      this.#underWay = batch.length;
      for (const waiting of more) this.#take(turn, waiting);
    }
    const { call, events, commands, statuses, verdicts } = turn;
    if (call && (call !== before || events.length > 0 || again)) {
      const result = await this.#commit(call, events, again);
      if (result.outcome !== 'stored') {
        const unknown = result.outcome === 'fenced' && result.perhaps ? MAY_BE_DONE : undefined;
        for (const w of batch) w.settle?.(unknown, undefined);
        this.stop();
        this.#host.lost(this, result);
        return;
      }
      this.#version = result.version;
      this.#call = call;
      this.#host.changed(call, statuses);
    }
    // What asks for something without changing the call (a phone to answer) is intended by the state that is stored.
    if (this.#isLateBirth(before, batch)) {
      // Whoever asked has been told that it did not happen: nobody's phone may ring for it now.
      this.push({ input: { kind: 'clear', referenceID: 0 }, at: this.#host.now() });
    } else if (call && commands.length > 0) {
      this.#host.perform(call, commands);
    }
    batch.forEach((w, i) => {
      w.settle?.(verdicts[i], this.#call);
    });
    if (call?.deleted) {
      this.stop();
      this.#host.retired(call);
    }
  }

  #take(turn: Stepped, { input, at, refused }: Waiting): void {
    const outcome = this.#step(turn.call, input, at);
    if (isRefused(outcome)) {
      turn.verdicts.push(outcome.refusal);
      const event = refused?.(outcome.refusal, at);
      if (event) turn.events.push(event);
      return;
    }
    turn.call = outcome.call;
    if (input.kind === 'not-done') {
      const event = refused?.(refuse('PBXError'), at);
      if (event) turn.events.push(event);
    } else if (refused && isRequest(input)) {
      this.#note({ request: input, refused, told: false }, outcome.commands);
    }
    turn.events.push(...outcome.events);
    turn.commands.push(...outcome.commands);
    turn.statuses.push(...outcome.statuses);
    turn.verdicts.push(undefined);
  }

  /** Until the next input comes, and no longer than {@link QUIET_MS}. */
  async #moment(): Promise<void> {
    if (this.#inbox.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, QUIET_MS);
      this.#company = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#company = undefined;
  }

  #note(errand: Errand, commands: readonly Command[]): void {
    for (const command of commands) this.#errands.set(command, errand);
  }

  #isLateBirth(before: Call | undefined, batch: readonly Waiting[]): boolean {
    const [first] = batch;
    if (before !== undefined || !first || this.#host.now() - first.at <= BIRTH_PATIENCE_MS) return false;
    return !(isBirth(first.input) && mayBeLate(first.input));
  }

  /** Stores; where that fails the call stays as it was. @param again it is stored because the store has lost it */
  async #commit(call: Call, events: readonly NewCtiEvent[], again: boolean): Promise<CommitResult> {
    try {
      return await this.#host.commit(call, this.#version, events);
    } catch (error) {
      this.#again ||= again;
      throw error;
    }
  }

  /** A step that throws is a defect of ours: it is logged with the call's id, the input left out, its request refused. */
  #step(call: Call | undefined, input: CallInput | CallBirth, at: number) {
    if (isBirth(input)) {
      if (call) return { call, events: [], commands: [], statuses: [] };
      return begin(input, at);
    }
    if (!call) throw new Error(`input ${input.kind} before the call began`);
    try {
      return step(call, input, at);
    } catch (error) {
      this.#host.failed(this.callID, error);
      return { refusal: refuse('Unknown') };
    }
  }
}
