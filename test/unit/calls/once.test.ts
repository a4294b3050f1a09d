import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import type { Command } from '../../../src/calls/command.ts';
import type { CallInput, Fact, Found } from '../../../src/calls/input.ts';
import { isRefused } from '../../../src/calls/output.ts';
import { begin, step } from '../../../src/calls/step.ts';
import { stories } from '../../support/properties.ts';
import { makeCall } from './flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';
const BUSY = { q850: 17, sip: 486 } as const;
const T0 = 1_700_000_000_000;

/**
 * An Asterisk that outlives whoever controls it: what was made stays until it is dialled, what was dialled rings until it
 * is refused, and a second dial ends the first.
 */
class Node {
  readonly invites: string[] = [];
  /** Dials that ended another. */
  cut = 0;
  readonly #channels = new Map<string, 'made' | 'dialled'>();

  /** What comes of a command. */
  carryOut(command: Command): Fact[] {
    if (command.do === 'dial') {
      expect(command.hold).toBe(true);
      if (!this.#channels.has(command.channel)) this.#channels.set(command.channel, 'made');
      return [{ kind: 'leg-made', channel: command.channel }];
    }
    if (command.do === 'send-dial') {
      const { channel } = command;
      if (this.#channels.get(channel) === 'dialled') this.cut++;
      else if (this.#channels.get(channel) === 'made') {
        this.#channels.set(channel, 'dialled');
        this.invites.push(channel);
      }
      return [];
    }
    if (command.do !== 'hang-up') return [];
    this.#channels.delete(command.channel);
    return [{ kind: 'leg-ended', channel: command.channel, q850: 16 }];
  }

  /** Those whom it rings refuse. */
  refuse(): Fact[] {
    const rung = [...this.#channels].filter(([, state]) => state === 'dialled').map(([channel]) => channel);
    for (const channel of rung) this.#channels.delete(channel);
    return rung.map((channel) => ({ kind: 'leg-ended', channel, ...BUSY }));
  }

  get found(): Found {
    return {
      kind: 'found',
      channels: Object.fromEntries([...this.#channels.keys()].map((channel) => [channel, 'Down'])),
      bridges: {},
      onHold: {},
      underWay: [],
      busy: false,
      nodeDied: false,
    };
  }
}

/** A controller that dies now and then: its state is kept, what it was about to do and to hear is lost. */
class Controller {
  readonly node = new Node();
  now = T0;
  call: Call;
  commands: Command[];
  #facts: Fact[] = [];

  constructor() {
    const made = begin(
      { ...makeCall({ agent: AGENT, customer: CUSTOMER, firstLeg: 'customer' }), once: true },
      this.now,
    );
    this.call = made.call;
    this.commands = [...made.commands];
  }

  take(input: CallInput): void {
    const outcome = step(this.call, input, this.now);
    if (isRefused(outcome)) throw new Error('refused');
    this.call = outcome.call;
    this.commands.push(...outcome.commands);
  }

  /** The next thing that happens; `false` where nothing does. */
  advance(): boolean {
    const command = this.commands.shift();
    if (command) {
      this.#facts.push(...this.node.carryOut(command));
      return true;
    }
    const fact = this.#facts.shift();
    if (fact) {
      this.take(fact);
      return true;
    }
    this.#facts.push(...this.node.refuse());
    if (this.#facts.length > 0) return true;
    const [timer] = this.call.timers;
    if (!timer) return false;
    this.now = Math.max(this.now, timer.at);
    this.take({ kind: 'timer', name: timer.name });
    return true;
  }

  /** @param refused whether those whom it rings refuse while nobody listens */
  die(refused: boolean): void {
    this.commands = [];
    this.#facts = [];
    if (refused) this.node.refuse();
    this.now += 5_000;
    this.take(this.node.found);
  }
}

describe('a leg that is dialled once', () => {
  const customer = (c: Controller) => c.call.parties.find((p) => p.dn === CUSTOMER)?.leg;

  it('is made, stored as dialled, and dialled', () => {
    const c = new Controller();
    expect(c.commands).toMatchObject([{ do: 'dial', hold: true }]);
    c.advance();
    expect(c.commands).toEqual([]);
    c.advance();
    expect(customer(c)).toMatchObject({ state: 'dialled', sent: 'yes' });
    expect(c.commands).toEqual([{ do: 'send-dial', channel: customer(c)?.channel, ringTimeout: 30 }]);
  });

  it('is made anew where its channel was never made, or did not last', () => {
    const c = new Controller();
    c.die(false);
    expect(c.commands.filter((x) => x.do === 'dial')).toHaveLength(1);
    expect(c.call.deleted).toBe(false);
  });

  it('is dialled where its channel stands there and no dial was stored', () => {
    const c = new Controller();
    c.advance();
    c.die(false);
    expect(c.commands.map((x) => x.do)).toEqual(['send-dial']);
  });

  it('has ended where its channel is gone after its dial was stored', () => {
    const c = new Controller();
    for (let i = 0; i < 3; i++) c.advance();
    c.die(true);
    expect(c.call.deleted).toBe(true);
    expect(customer(c)).toMatchObject({ state: 'ended', end: { by: 'far-end' } });
  });

  it('is let alone where it may ring, until Asterisk would have ended it', () => {
    const c = new Controller();
    c.advance();
    c.advance();
    // The dial was stored, and lost.
    c.die(false);
    expect([c.commands, customer(c)?.sent]).toEqual([[], 'perhaps']);
    expect(c.call.timers).toEqual([{ name: 'dial', at: c.now + 33_000 }]);
    c.take({ kind: 'leg-ringing', channel: customer(c)?.channel ?? '' });
    c.take({ kind: 'timer', name: 'dial' });
    expect(c.commands).toEqual([]);
  });

  it('is not made anew where it was to be hung up, or its node has died', () => {
    const c = new Controller();
    c.take({ kind: 'clear', referenceID: 0 });
    c.die(false);
    expect(c.call.deleted).toBe(true);
    const d = new Controller();
    d.take({ ...d.node.found, nodeDied: true });
    expect([d.call.deleted, customer(d)?.end?.nodeDied]).toEqual([true, true]);
  });

  it('rings exactly once, wherever its controller dies and however often', () => {
    const deaths = fc.array(fc.record({ after: fc.integer({ min: 0, max: 6 }), refused: fc.boolean() }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(deaths, (all) => {
        const c = new Controller();
        for (const { after, refused } of all) {
          for (let i = 0; i < after; i++) c.advance();
          if (!c.call.deleted) c.die(refused);
        }
        while (c.advance());
        expect(c.call.deleted).toBe(true);
        expect([c.node.invites, c.node.cut]).toEqual([[customer(c)?.channel], 0]);
      }),
      stories(2_000),
    );
  });
});
