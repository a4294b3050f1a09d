import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import type { Command } from '../../../src/calls/command.ts';
import { type CallID, CompanyId } from '../../../src/cti/ids.ts';
import { Directory } from '../../../src/engine/directory.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Caller, CallStore, Commit, CommitResult, PlacingOutcome } from '../../../src/ports.ts';
import { bareEngine } from '../../support/bare-engine.ts';
import { stories } from '../../support/properties.ts';
import { roomForAll } from './stubs.ts';

/** Calls under chosen ids whose birth Redis takes late, while instances die: whom the node has rung. */

const ACME = CompanyId.parse('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'dialler', scopes: new Set(['call']) };
const NODE = 'pbx-1';
const PARAMS = {
  thisDN: '1001',
  otherDN: '911140001001',
  makeCallType: 'Regular',
  firstLeg: 'customer',
  ringTimeout: 5,
} as const;
const AWAY = new Error('away');
const hex = (): string => randomBytes(16).toString('hex');

/** What instances share: it is away at times, and may store what it does not answer. */
class Redis implements CallStore {
  away = false;
  /** The next commit is stored, and its answer is lost; Redis is away from then on. */
  losesReply = false;
  readonly #calls = new Map<string, { call: Call; version: number; by: Commit }>();
  #fence = 0;

  async commit(commit: Commit): Promise<CommitResult> {
    const { call, version, fence } = commit;
    if (this.away) throw AWAY;
    if (fence < this.#fence) return { outcome: 'fenced' };
    const there = this.#calls.get(call.callID);
    const stored = there?.version ?? 0;
    if (there?.by === commit) return { outcome: 'stored', version: stored, lastEventID: 0 };
    if (stored !== version) return { outcome: 'conflict', version: stored };
    this.#calls.set(call.callID, { call, version: version + 1, by: commit });
    if (this.losesReply) {
      this.losesReply = false;
      this.away = true;
      throw AWAY;
    }
    return { outcome: 'stored', version: version + 1, lastEventID: 0 };
  }

  async append(): Promise<void> {}

  async load(_company: CompanyId, callID: string) {
    if (this.away) throw AWAY;
    return this.#calls.get(callID);
  }

  async loadLive() {
    if (this.away) throw AWAY;
    return [...this.#calls.values()].filter(({ call }) => !call.deleted);
  }

  async takeShard(): Promise<number> {
    if (this.away) throw AWAY;
    this.#fence += 1;
    return this.#fence;
  }
}

/** A node that outlives the instances, and one who asks for one call until he knows that it was begun. */
class World {
  readonly redis = new Redis();
  /** Numbers that were rung, in order. */
  readonly rung: string[] = [];
  answer: PlacingOutcome | undefined;
  /** Ids under which it was asked for. */
  readonly ids = new Set<CallID>();
  readonly #made = new Map<string, string>();
  readonly #dialled = new Set<string>();
  #engine: Engine | undefined;
  #died: (() => void) | undefined;

  async open(): Promise<void> {
    const engine = bareEngine({
      directory: new Directory(
        [
          {
            companyId: ACME,
            extensions: { pattern: /^1\d{3}$/, endpoint: 'PJSIP/{dn}' },
            numbers: { pattern: /^\d{7,15}$/ },
            trunk: 'carrier',
            routes: [],
          },
        ],
        [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
      ),
      admission: roomForAll,
      now: Date.now,
      store: this.redis,
      isPassing: (error) => error === AWAY,
      randomHex: hex,
    });
    const perform = (_callID: CallID, commands: readonly Command[]): void => {
      if (this.#engine === engine) for (const command of commands) this.#carryOut(engine, command);
    };
    const node = { id: NODE, number: 1, app: 'ringmaster' };
    while (!(await this.#adds(engine, node, perform))) await sleep(250);
    this.#engine = engine;
    const channels = [...this.#made.keys()].map((channel) => ({ channel, state: 'Down', ours: true }));
    const nothing = { bridges: [], underWay: new Set<string>(), startedAt: 0, busy: new Set<string>() };
    engine.onResync(NODE, { channels, ...nothing });
  }

  async #adds(
    engine: Engine,
    node: { id: string; number: number; app: string },
    perform: (callID: CallID, commands: readonly Command[]) => void,
  ): Promise<boolean> {
    try {
      await engine.addNode({ ...node, switch: { node: NODE, serving: true, perform, resync: () => undefined } });
      return true;
    } catch {
      return false;
    }
  }

  async kill(): Promise<void> {
    const dead = this.#engine;
    this.#engine = undefined;
    this.#died?.();
    dead?.close();
    await this.open();
  }

  /** As the dialler does by the port's word: under another id only where this asking, and no earlier one, has begun it. */
  async ask(): Promise<void> {
    let callID: CallID | undefined;
    for (let unsure = false; ; await sleep(250)) {
      const engine = this.#engine;
      callID ??= engine?.chooseCallID();
      if (!engine || !callID) continue;
      this.ids.add(callID);
      const answer = await this.#askOnce(engine, callID);
      if (answer && 'result' in answer) {
        this.answer = answer;
        return;
      }
      if (answer?.refusal.name === 'NotReady' && !(unsure && answer.unasked)) {
        callID = undefined;
        unsure = false;
      } else unsure = true;
    }
  }

  #askOnce(engine: Engine, callID: CallID): Promise<PlacingOutcome | undefined> {
    const died = new Promise<undefined>((resolve) => {
      this.#died = () => resolve(undefined);
    });
    return Promise.race([engine.place(CALLER, callID, PARAMS).catch(() => undefined), died]);
  }

  #carryOut(engine: Engine, command: Command): void {
    if (command.do === 'dial') {
      const { channel, endpoint } = command;
      if (!this.#dialled.has(channel)) this.#made.set(channel, endpoint);
      queueMicrotask(() => engine.onFact(NODE, { kind: 'leg-made', channel }));
    }
    if (command.do === 'send-dial') {
      const number = this.#made.get(command.channel);
      if (number === undefined || this.#dialled.has(command.channel)) return;
      this.#dialled.add(command.channel);
      this.rung.push(number);
    }
    if (command.do === 'hang-up') {
      const { channel } = command;
      this.#made.delete(channel);
      queueMicrotask(() => engine.onFact(NODE, { kind: 'leg-ended', channel, q850: 16 }));
    }
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const RUNG = ['PJSIP/911140001001@carrier'];

type Step = 'away' | 'back' | 'loses-reply' | 'kill' | 'wait';

async function tell(steps: readonly Step[]): Promise<World> {
  const world = new World();
  await world.open();
  const [first, ...rest] = steps;
  const take = (step: Step): void => {
    if (step === 'away') world.redis.away = true;
    if (step === 'back') world.redis.away = false;
    if (step === 'loses-reply') world.redis.losesReply = true;
    if (step === 'kill') void world.kill();
  };
  if (first) take(first);
  void world.ask();
  for (const step of rest) {
    await vi.advanceTimersByTimeAsync(step === 'wait' ? 4_000 : 300);
    take(step);
  }
  world.redis.losesReply = false;
  world.redis.away = false;
  // What may have been dialled is let alone until its ring timeout and 3 s more.
  await vi.advanceTimersByTimeAsync(30_000);
  return world;
}

describe('a call that is stored late because Redis was away', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for again under its id meanwhile, and rung however late it is stored', async () => {
    const world = await tell(['away', 'wait', 'wait', 'back']);
    expect(world.answer).toHaveProperty('result');
    expect([world.ids.size, world.rung]).toEqual([1, RUNG]);
  });

  it('is rung once where the instance dies after it was stored, and before it was answered', async () => {
    const world = await tell(['loses-reply', 'wait', 'kill']);
    expect(world.answer).toHaveProperty('result');
    expect([world.ids.size, world.rung]).toEqual([1, RUNG]);
  });

  it('is rung once, whatever happens to Redis and to the instances, and however often', async () => {
    const step = fc.constantFrom<Step>('away', 'back', 'loses-reply', 'kill', 'wait');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const world = await tell(steps);
        expect(world.answer).toHaveProperty('result');
        expect(world.rung).toEqual(RUNG);
      }),
      stories(300),
    );
  });
});
