import type { Command } from '../src/calls/command.ts';
import type { Fact } from '../src/calls/input.ts';
import type { CallID } from '../src/cti/ids.ts';
import type { Arrival, NodeContents, Switch, SwitchListener } from '../src/ports.ts';

/** What a simulated phone does when it is dialled. */
export type PhoneAnswer = 'answers' | 'rings' | 'busy';

interface SimulatedChannel {
  state: 'Down' | 'Ring' | 'Ringing' | 'Up';
  bridge: string | undefined;
  readonly arrival?: Arrival;
}

/**
 * One Asterisk that is simulated: it knows channels and bridges and nothing of media. For more calls than two cores carry
 * on a real one. It outlives its controllers, as Asterisk does: while nobody listens, phones go on answering and hanging
 * up, and what they did is in its contents.
 */
export class SimulatedNode implements Switch {
  serving = true;
  readonly channels = new Map<string, SimulatedChannel>();
  readonly bridges = new Map<string, Set<string>>();
  /** Commands that were carried out. */
  commands = 0;
  #listener: SwitchListener | undefined;
  readonly #answerOf: (endpoint: string) => PhoneAnswer;
  /** What is to happen next, in order. */
  #next: (() => void)[] = [];
  #running = false;
  #arrivals = 0;

  /** @param answerOf what the phone at a dial string does */
  constructor(
    readonly node: string,
    answerOf: (endpoint: string) => PhoneAnswer,
  ) {
    this.#answerOf = answerOf;
  }

  /** From now on this one is told, beginning with all that there is. */
  attach(listener: SwitchListener): void {
    this.#listener = listener;
    listener.onHealth(this.node, true);
    listener.onResync(this.node, this.contents());
  }

  /** Nothing is left that the node is about to do. */
  get idle(): boolean {
    return !this.#running;
  }

  /** Nobody is told any more. */
  detach(): void {
    this.#listener = undefined;
  }

  resync(): void {
    this.#soon(() => this.#listener?.onResync(this.node, this.contents()));
  }

  perform(_callID: CallID, commands: readonly Command[]): void {
    for (const command of commands) this.#soon(() => this.#carryOut(command));
  }

  /** A call that comes in on a trunk. @returns its channel */
  arrive(dialled: string, caller: string): string {
    this.#arrivals += 1;
    const channel = `${1_700_000_000 + this.#arrivals}.${this.#arrivals}`;
    const arrival: Arrival = { channel, origin: 'trunk', dialled, caller, endpoint: 'carrier' };
    this.channels.set(channel, { state: 'Ring', bridge: undefined, arrival });
    this.#soon(() => this.#listener?.onArrival(this.node, arrival));
    return channel;
  }

  /** The phone of a channel that rings answers. */
  answer(channel: string): void {
    const found = this.channels.get(channel);
    if (found?.state !== 'Ringing') return;
    found.state = 'Up';
    this.#tell({ kind: 'leg-answered', channel });
  }

  /** The far end of a channel hangs up. */
  hangUp(channel: string, q850 = 16): void {
    const found = this.channels.get(channel);
    if (!found) return;
    this.#leave(channel, found);
    this.channels.delete(channel);
    this.#tell({ kind: 'leg-ended', channel, q850 });
  }

  contents(): NodeContents {
    return {
      channels: [...this.channels].map(([channel, { state, arrival }]) => ({
        channel,
        state,
        ours: true,
        ...(arrival && { arrival }),
      })),
      bridges: [...this.bridges].map(([bridge, members]) => ({ bridge, channels: [...members] })),
      underWay: new Set(),
      startedAt: 0,
      busy: new Set(),
    };
  }

  #carryOut(command: Command): void {
    this.commands += 1;
    switch (command.do) {
      case 'dial':
        this.#dial(command);
        return;
      case 'answer': {
        const found = this.channels.get(command.channel);
        if (!found || found.state === 'Up') return;
        found.state = 'Up';
        this.#tell({ kind: 'leg-answered', channel: command.channel });
        return;
      }
      case 'hang-up':
        this.hangUp(command.channel, command.q850);
        return;
      case 'create-bridge':
        if (!this.bridges.has(command.bridge)) this.bridges.set(command.bridge, new Set());
        return;
      case 'destroy-bridge':
        for (const channel of this.bridges.get(command.bridge) ?? []) {
          const found = this.channels.get(channel);
          if (found) found.bridge = undefined;
        }
        this.bridges.delete(command.bridge);
        return;
      case 'place':
        for (const channel of command.channels) this.#join(channel, command.bridge);
        return;
      case 'unplace':
        for (const channel of command.channels) {
          const found = this.channels.get(channel);
          if (found?.bridge === command.bridge) this.#leave(channel, found);
        }
        return;
      case 'snoop':
        this.channels.set(command.snoop, { state: 'Up', bridge: undefined });
        this.#join(command.snoop, command.bridge);
        return;
      case 'start-recording':
        this.#tell({ kind: 'recording-started', channel: command.channel });
        return;
      default: // Media and signals to phones: nothing that a channel or a bridge shows.
    }
  }

  #dial(command: Extract<Command, { do: 'dial' }>): void {
    const { channel, endpoint, bridge } = command;
    if (this.channels.has(channel)) return;
    this.channels.set(channel, { state: 'Down', bridge: undefined });
    if (bridge !== undefined) this.#join(channel, bridge);
    const phone = this.#answerOf(endpoint);
    if (phone === 'busy') {
      this.#soon(() => this.#busy(channel));
      return;
    }
    this.#soon(() => {
      const found = this.channels.get(channel);
      if (found?.state !== 'Down') return;
      found.state = 'Ringing';
      this.#tell({ kind: 'leg-ringing', channel });
      if (phone === 'answers') this.#soon(() => this.answer(channel));
    });
  }

  #busy(channel: string): void {
    const found = this.channels.get(channel);
    if (!found) return;
    this.#leave(channel, found);
    this.channels.delete(channel);
    this.#tell({ kind: 'leg-ended', channel, q850: 17, sip: 486 });
  }

  #join(channel: string, bridge: string): void {
    const found = this.channels.get(channel);
    const members = this.bridges.get(bridge);
    if (!found || !members) return;
    this.#leave(channel, found);
    members.add(channel);
    found.bridge = bridge;
  }

  #leave(channel: string, found: SimulatedChannel): void {
    if (found.bridge !== undefined) this.bridges.get(found.bridge)?.delete(channel);
    found.bridge = undefined;
  }

  #tell(fact: Fact): void {
    this.#listener?.onFact(this.node, fact);
  }

  /** Asterisk answers later than it is asked, and in its own order. */
  #soon(work: () => void): void {
    this.#next.push(work);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    const now = this.#next;
    this.#next = [];
    for (const work of now) work();
    if (this.#next.length > 0) setImmediate(() => this.#run());
    else this.#running = false;
  }
}
