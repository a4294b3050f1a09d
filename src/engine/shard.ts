import type { Call } from '../calls/call.ts';
import type { Command } from '../calls/command.ts';
import type { CallBirth, Fact, Found } from '../calls/input.ts';
import type { AgentStatusChange } from '../calls/output.ts';
import { placeInQueue } from '../calls/waiting.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Commit, CommitResult, Use } from '../ports.ts';
import { Backlog } from './backlog.ts';
import { BIRTH_PATIENCE_MS, CallRunner, mayBeLate, type RunnerHost, type Verdict } from './call-runner.ts';
import { CONGESTION } from './congestion.ts';
import type { ShardDeps } from './shard-deps.ts';
import { TimerQueue } from './timers.ts';
import { untilAnswered, untilStored } from './until-stored.ts';

/** What may wait for one channel while its leg changes calls, as much as may wait for a call. */
const HELD_LIMIT = 1_000;

/** A fact, and who wants to know that it is stored or came to nothing. */
interface Told {
  readonly fact: Fact;
  readonly settled?: (() => void) | undefined;
}

/** The live calls of one Stasis application on one node: who is in them, and the one way in which they change. */
export class Shard implements RunnerHost {
  readonly #deps: ShardDeps;
  readonly #runners = new Map<CallID, CallRunner>();
  readonly #byChannel = new Map<string, CallRunner>();
  /** What has been told of channels of which it is not certain yet whose they are. */
  readonly #held = new Map<string, Told[]>();
  readonly #timers: TimerQueue;
  readonly #emptied = new Set<() => void>();
  readonly #backlog: Backlog;
  #fenced = false;
  #settling = false;

  constructor(deps: ShardDeps) {
    this.#deps = deps;
    this.#backlog = new Backlog(deps);
    this.#timers = new TimerQueue(deps.now, (callID, name) => {
      this.#runners.get(callID)?.push({ input: { kind: 'timer', name }, at: deps.now() });
    });
  }

  get size(): number {
    return this.#runners.size;
  }

  /** True while commits wait for a store that does not answer. */
  get storeAway(): boolean {
    return this.#backlog.storeAway;
  }

  /** Everything here has been let go. */
  get closed(): boolean {
    return this.#fenced;
  }

  /** It is on its way to another instance: what is heard is still dealt with, and nothing is begun or asked for. */
  get settling(): boolean {
    return this.#settling;
  }

  /** From now on nothing new is taken but what the switch tells; @returns whether all that has come is stored */
  settle(): boolean {
    this.#settling = true;
    for (const r of this.#runners.values()) if (!r.idle) return false;
    return this.#held.size === 0;
  }

  /** Calls' inputs that are not stored yet. */
  get waiting(): number {
    let n = 0;
    for (const r of this.#runners.values()) n += r.unstored;
    return n;
  }

  /** Calls with a timer running. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Channels whose events are led to a call. */
  get channels(): number {
    return this.#byChannel.size;
  }

  runner(callID: string): CallRunner | undefined {
    return this.#runners.get(callID as CallID);
  }

  *calls(): Iterable<Call> {
    for (const r of this.#runners.values()) if (r.call) yield r.call;
  }

  owns(channel: string): boolean {
    return this.#byChannel.has(channel) || this.#held.has(channel);
  }

  /** True if an id of ours is a live call's, and no channel that the call has given away. */
  isOf(id: string, callID: string | undefined): boolean {
    const call = this.runner(callID ?? '');
    return call !== undefined && !call.call?.parties.some((p) => p.leg.channel === id && p.leg.given);
  }

  /**
   * Begins a call; the answer comes when it is stored, or when that has taken too long: then there is no call. A call that is
   * dialled once has no such limit: whoever asks for it asks until he knows, so it is carried out however late it is stored.
   */
  begin(birth: CallBirth): Promise<{ verdict: Verdict; call: Call | undefined }> {
    const runner = new CallRunner(this, birth.callID, birth.companyId);
    this.#runners.set(birth.callID, runner);
    if (birth.kind === 'arrived') this.#byChannel.set(birth.channel, runner);
    return new Promise((resolve) => {
      const late = mayBeLate(birth)
        ? undefined
        : setTimeout(() => resolve({ verdict: undefined, call: undefined }), BIRTH_PATIENCE_MS);
      const settle = (verdict: Verdict, call: Call | undefined): void => {
        clearTimeout(late);
        resolve({ verdict, call });
      };
      runner.push({ input: birth, at: this.#deps.now(), settle });
    });
  }

  /** Takes up a call that was found in the store. */
  adopt(call: Call, version: number): void {
    const runner = new CallRunner(this, call.callID, call.companyId, { call, version });
    this.#runners.set(call.callID, runner);
    const trunk = call.parties.find((p) => p.leg.trunk !== undefined)?.leg.trunk;
    this.#deps.admission.readmit({
      callID: call.callID,
      companyId: call.companyId,
      node: call.node,
      shard: this.#deps.shard,
      ...(trunk !== undefined && { trunk }),
    });
    this.changed(call, []);
  }

  /** The call that a channel is in. */
  callOf(channel: string): Call | undefined {
    return this.#byChannel.get(channel)?.call;
  }

  /**
   * A fact about a channel; one that belongs to no live call is nobody's business.
   *
   * @param settled told once it is stored, or has come to nothing
   */
  fact(fact: Fact, settled?: () => void): void {
    const held = this.#held.get(fact.channel);
    if (held && held.length < HELD_LIMIT) held.push({ fact, settled });
    else if (held || !this.#push(fact, settled)) settled?.();
  }

  /** @returns whether its call has taken it */
  #push(fact: Fact, settle: (() => void) | undefined): boolean {
    const runner = this.#byChannel.get(fact.channel);
    if (!runner) return false;
    if (this.full || runner.full) {
      this.#backlog.miss(runner.callID);
      return false;
    }
    const taken = runner.push({ input: fact, at: this.#deps.now(), ...(settle && { settle }) });
    if (taken) this.#backlog.took();
    return taken;
  }

  /** The store is away, and so much waits for it that nothing more is taken. */
  get full(): boolean {
    return this.#backlog.full;
  }

  /** Facts that there was no room for. */
  get missed(): number {
    return this.#backlog.missed;
  }

  /** From now on what is told of a channel waits, until it is said whose it is ({@link follow}). */
  hold(channel: string): void {
    this.#held.set(channel, []);
  }

  /** What is told of a channel, and what has waited, goes to this call; to nobody where it has ended meanwhile. */
  follow(channel: string, runner: CallRunner): void {
    const waited = this.#held.get(channel) ?? [];
    this.#held.delete(channel);
    if (this.#runners.get(runner.callID) === runner) this.#byChannel.set(channel, runner);
    else this.#byChannel.delete(channel);
    for (const { fact, settled } of waited) this.fact(fact, settled);
  }

  /** Whether what is told of a channel waits. */
  holds(channel: string): boolean {
    return this.#held.has(channel);
  }

  /** The same as {@link follow}, with a fact that comes before everything that has waited. */
  followWith(channel: string, runner: CallRunner, first: Told): void {
    this.#held.get(channel)?.unshift(first);
    this.follow(channel, runner);
  }

  /** What is told of a channel, and what has waited, is nobody's business any more. */
  forget(channel: string): void {
    for (const { settled } of this.#held.get(channel) ?? []) settled?.();
    this.#held.delete(channel);
    this.#byChannel.delete(channel);
  }

  /** Tells a call what its node really has. */
  resume(callID: CallID, found: Found): void {
    this.#runners.get(callID)?.push({ input: found, at: this.#deps.now() });
  }

  /** Stores every call once more as it is: the store has lost them. */
  storeAgain(): void {
    for (const r of this.#runners.values()) r.storeAgain();
  }

  /** Waits until no call is left. */
  whenEmpty(): Promise<void> {
    if (this.#runners.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.add(resolve));
  }

  /** Lets go of all calls without touching them: they live on in Asterisk and in the store. */
  close(): void {
    this.#fenced = true;
    // First, so that the calls keep their places at whoever has the shard next.
    this.#deps.admission.disown(this.#deps.shard);
    for (const r of this.#runners.values()) r.stop();
    this.#runners.clear();
    this.#byChannel.clear();
    this.#held.clear();
    this.#timers.close();
    this.#backlog.close();
    this.#tellEmptied();
  }

  // ── RunnerHost ────────────────────────────────────────────────────────────────────────────────────────────────

  async commit(call: Call, version: number, events: readonly NewCtiEvent[]): Promise<CommitResult> {
    const { shard, fence, store, isPassing } = this.#deps;
    const tries = {
      gone: () => this.#fenced,
      isPassing,
      onAway: (error: unknown) => this.#backlog.away(error),
      onAnswer: () => this.#backlog.answered(),
    };
    for (let commit: Commit = { companyId: call.companyId, shard, fence, call, version, events }; ; ) {
      const same = commit;
      const result = await untilStored(() => store.commit(same), tries);
      if (result.outcome !== 'conflict' || result.version >= version) return result;
      // Nobody writes a lower version: Redis has lost what it had. What is here is newer, and the fence is ours.
      this.#deps.log.error('Redis has lost changes of this call; they are stored again', result, call.callID);
      commit = { ...commit, version: result.version };
    }
  }

  perform(call: Call, commands: readonly Command[]): void {
    this.#deps.switch.perform(call.callID, commands);
  }

  now(): number {
    return this.#deps.now();
  }

  changed(call: Call, statuses: readonly AgentStatusChange[]): void {
    const runner = this.#runners.get(call.callID);
    if (!runner) return;
    this.#deps.onChanged(call, statuses);
    for (const p of call.parties) {
      if (this.#held.has(p.leg.channel)) continue;
      if (p.leg.state === 'ended') this.#leave(runner, p.leg.channel);
      else if (p.leg.state !== 'planned') this.#byChannel.set(p.leg.channel, runner);
    }
    this.#timers.replace(call.callID, call.timers);
    this.#deps.admission.usesOf(call.callID, usesOf(call));
  }

  retired(call: Call): void {
    const runner = this.#runners.get(call.callID);
    this.#runners.delete(call.callID);
    for (const p of call.parties) this.#leave(runner, p.leg.channel);
    this.#timers.replace(call.callID, []);
    this.#deps.admission.release(call.callID);
    if (this.#runners.size === 0) this.#tellEmptied();
  }

  unborn(runner: CallRunner): void {
    if (this.#runners.get(runner.callID) !== runner) return;
    this.#runners.delete(runner.callID);
    this.#deps.admission.release(runner.callID);
    for (const [channel, of] of this.#byChannel) {
      if (of !== runner) continue;
      this.#byChannel.delete(channel);
      // Nobody would ever answer him.
      this.#deps.switch.perform(runner.callID, [{ do: 'hang-up', channel, q850: CONGESTION }]);
    }
    if (this.#runners.size === 0) this.#tellEmptied();
  }

  lost(runner: CallRunner, result: CommitResult): void {
    if (result.outcome === 'fenced') {
      if (!this.#fenced) {
        this.close();
        this.#deps.onFenced(this.#deps.shard);
      }
      return;
    }
    this.#deps.log.error('another instance wrote this call', result, runner.callID);
    const channels = runner.call?.parties.map((p) => p.leg.channel) ?? [];
    for (const c of channels) this.#leave(runner, c);
    this.#runners.delete(runner.callID);
    this.#deps.admission.release(runner.callID);
    void this.#reload(runner.companyId, runner.callID);
  }

  failed(callID: CallID, error: unknown): void {
    this.#deps.log.error('a step failed', error, callID);
  }

  notStored(callID: CallID, error: unknown): void {
    this.#deps.log.error('a change of this call could not be stored', error, callID);
  }

  /** Takes up what another has written. What was told of the call meanwhile is asked of the node. */
  async #reload(companyId: CompanyId, callID: CallID): Promise<void> {
    const { store, isPassing, log } = this.#deps;
    try {
      const found = await untilAnswered(() => store.load(companyId, callID), { gone: () => this.#fenced, isPassing });
      if (!found || found.call.deleted || this.#fenced) return;
      this.adopt(found.call, found.version);
      this.#deps.switch.resync();
    } catch (error) {
      log.error('a call could not be read back', error, callID);
    }
  }

  /** A channel is this call's no more; one that another call has taken over is that call's. */
  #leave(runner: CallRunner | undefined, channel: string): void {
    if (this.#byChannel.get(channel) === runner) this.#byChannel.delete(channel);
  }

  #tellEmptied(): void {
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }
}

/** The trunks that a call's legs use, and are to use, and the queue in which it has a place. */
function usesOf(call: Call): Use[] {
  const uses: Use[] = [];
  for (const { leg } of call.parties) {
    if (leg.trunk !== undefined && leg.state !== 'ended') uses.push({ trunk: leg.trunk });
  }
  const queue = placeInQueue(call);
  if (queue !== undefined) uses.push({ queue });
  return uses;
}
