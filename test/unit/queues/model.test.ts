import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBusy } from '../../../src/agents/agent.ts';
import { stories, usualStories } from '../../support/properties.ts';
import { callOf, FloorStory, QUEUES } from './floor-story.ts';

/**
 * Agents and calls do what they like, in any order, and what the floor asks reaches the calls late; after every step
 * nothing may be that must not be, and in the end nobody is lost.
 */

type Done =
  | { readonly is: 'login' | 'ready' | 'not-ready' | 'logout' | 'loses'; readonly agent: number }
  | { readonly is: 'waits' | 'hands on'; readonly call: number; readonly queue: number }
  | { readonly is: 'direct'; readonly call: number; readonly agent: number }
  | { readonly is: 'answers' | 'misses' | 'over' | 'note'; readonly call: number }
  | { readonly is: 'obey'; readonly times: number }
  | { readonly is: 'restart' | 'tick' };

const AGENTS = 4;
const CALLS = 7;
const agent = fc.nat({ max: AGENTS - 1 });
const call = fc.integer({ min: 1, max: CALLS });

const done: fc.Arbitrary<Done> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constantFrom('login', 'ready' as const), agent }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('not-ready', 'logout', 'loses' as const), agent }) },
  { weight: 6, arbitrary: fc.record({ is: fc.constant('waits' as const), call, queue: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('direct' as const), call, agent }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('hands on' as const), call, queue: fc.nat({ max: 2 }) }) },
  {
    weight: 18,
    arbitrary: fc.record({
      is: fc.constantFrom('answers', 'answers', 'misses', 'misses', 'over', 'note' as const),
      call,
    }),
  },
  { weight: 6, arbitrary: fc.record({ is: fc.constant('obey' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constantFrom('tick', 'restart' as const) }) },
);
const doings = fc.array(fc.tuple(done, fc.nat({ max: 9_000 })), { maxLength: 60, size: 'max' });

const dn = (n: number): string => String(1001 + n);

/** A call's number is never used twice: what is over does not come back, another call takes its place. */
class Slots {
  private readonly numbers = new Map<number, number>();
  private last = 0;

  now(slot: number): number {
    return this.numbers.get(slot) ?? 0;
  }
  next(slot: number): number {
    this.last += 1;
    this.numbers.set(slot, this.last);
    return this.last;
  }
}

function happens(s: FloorStory, given: Done, slots: Slots, seen: Map<string, number>): void {
  const d = 'call' in given ? { ...given, call: slots.now(given.call) } : given;
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  switch (d.is) {
    case 'login':
      return void s.login(dn(d.agent), { queues: d.agent % 2 ? ['8001', '8002'] : ['8001', '8003'] });
    case 'ready':
      return void s.ready(dn(d.agent));
    case 'not-ready':
      return void s.notReady(dn(d.agent), 11);
    case 'logout':
      return void s.logout(dn(d.agent));
    case 'loses':
      return void s.loses(dn(d.agent));
    case 'waits': {
      const queue = QUEUES[d.queue]?.id;
      if (!s.calls.has(callOf(d.call)) && 'call' in given) s.waits(slots.next(given.call), queue);
      return;
    }
    case 'direct': {
      const inCall = [...s.calls.values()].some((c) => c.parties.some((p) => p.present && p.dn === dn(d.agent)));
      if (!s.calls.has(callOf(d.call)) && !inCall && 'call' in given) s.direct(slots.next(given.call), dn(d.agent));
      return;
    }
    case 'answers':
    case 'misses': {
      const waits = s.calls.get(callOf(d.call))?.queue !== undefined;
      if (!waits || !s.present(d.call)) return;
      count(d.is);
      return void (d.is === 'answers' ? s.answers(d.call, d.call % 2 ? 5 : 0) : s.misses(d.call));
    }
    case 'hands on': {
      const queue = QUEUES[d.queue]?.id;
      const talks = s.calls.get(callOf(d.call))?.queue === undefined && s.present(d.call) !== undefined;
      if (!talks || queue === undefined) return;
      count('hands on');
      return void s.handsOn(d.call, queue);
    }
    case 'over':
      if (s.calls.has(callOf(d.call))) s.over(d.call);
      return;
    case 'note':
      return void s.note(d.call);
    case 'obey':
      count('obeyed');
      return void s.obey(d.times);
    case 'restart':
      return void s.restart();
    case 'tick':
      return void s.tick();
  }
}

/** No phone is rung or talked on twice: what the floor has brought about, seen from the calls. */
function nobodyTwice(s: FloorStory): void {
  const where = new Map<string, string>();
  for (const [callID, c] of s.calls) {
    for (const p of c.parties) {
      if (!p.present || p.assignment === undefined || p.dn.startsWith('+')) continue;
      if (where.has(p.dn)) throw new Error(`${p.dn} is in ${where.get(p.dn)} and ${callID}`);
      where.set(p.dn, callID);
    }
  }
}

function run(story: readonly (readonly [Done, number])[], seen = new Map<string, number>()): FloorStory {
  const s = new FloorStory();
  const slots = new Slots();
  for (const [d, ms] of story) {
    s.after(ms);
    happens(s, d, slots, seen);
    s.check();
    nobodyTwice(s);
  }
  return s;
}

/** Numbers of the calls that live. */
const numbers = (s: FloorStory): number[] => [...s.calls.keys()].map((id) => Number(id.slice(0, 32)));

describe('whatever agents and calls do', () => {
  it('no agent is in two calls of queues, and none is idle while a call of his queues waits', () => {
    fc.assert(
      fc.property(doings, (story) => void run(story)),
      stories(2_000),
    );
  });

  it('in the end every caller is served, in the order of waiting', () => {
    fc.assert(
      fc.property(doings, (story) => {
        const s = run(story);
        // Everybody stops what he does; one agent for all queues comes, and serves whoever still waits.
        for (const n of numbers(s)) if (s.calls.get(callOf(n))?.queue === undefined) s.over(n);
        for (let n = 0; n < AGENTS; n += 1) s.logout(dn(n));
        // Overflows, which are tried once for each queue, come to nothing.
        for (let i = 0; i < 5; i += 1) {
          s.tick().obey();
          for (const n of numbers(s)) if (s.present(n)) s.misses(n);
        }
        const waiting = [...s.calls].map(([callID, c]) => ({ callID, since: c.since }));
        const order = waiting.sort((a, b) => a.since - b.since || (a.callID < b.callID ? -1 : 1)).map((w) => w.callID);
        s.login('1099', { queues: QUEUES.map((q) => q.id) });
        const served: string[] = [];
        for (let i = 0; i < order.length; i += 1) {
          s.obey();
          const at = [...s.calls.keys()].find((id) =>
            s.calls.get(id)?.parties.some((p) => p.present && p.dn === '1099'),
          );
          if (at === undefined) break;
          served.push(at);
          s.answers(Number(at.slice(0, 32))).over(Number(at.slice(0, 32)));
          s.check();
        }
        expect(served).toEqual(order);
        expect(s.floor.waiting.size).toBe(0);
        expect([...s.floor.agents.values()].filter(isBusy)).toEqual([]);
      }),
      stories(1_000),
    );
  });

  it('the stories are not idle: assignments are obeyed, answered and missed in many of them', () => {
    const seen = new Map<string, number>();
    for (const story of fc.sample(doings, usualStories(300))) run(story, seen);
    expect(seen.get('answers') ?? 0).toBeGreaterThan(50);
    expect(seen.get('misses') ?? 0).toBeGreaterThan(50);
    expect(seen.get('obeyed') ?? 0).toBeGreaterThan(300);
    expect(seen.get('hands on') ?? 0).toBeGreaterThan(10);
  });
});
