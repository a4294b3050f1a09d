import type { Command } from '../../src/calls/command.ts';
import type { CallID } from '../../src/cti/ids.ts';
import type { Switch } from '../../src/ports.ts';

/**
 * A node that does what it is told, at once and without a fault, and keeps what comes of it. What phones do is told to
 * the engine by the test.
 */
export class SimulatedSwitch implements Switch {
  readonly node = 'pbx-1';
  serving = true;
  /** Everything that was asked for, in order. */
  readonly asked: Command[] = [];
  /** Hears of each command; a true answer leaves it undone. */
  fails: (callID: CallID, command: Command) => boolean = () => false;
  readonly #channels = new Set<string>();
  readonly #bridges = new Map<string, Set<string>>();
  readonly #music = new Set<string>();
  readonly #muted = new Set<string>();

  resync(): void {
    throw new Error('nothing is ever missed here');
  }

  perform(callID: CallID, commands: readonly Command[]): void {
    for (const command of commands) {
      this.asked.push(command);
      if (!this.fails(callID, command)) this.#carryOut(command);
    }
  }

  /** Who is there, in which bridge, with music, muted: what a refusal must leave alone. */
  get contents(): object {
    const bridges = [...this.#bridges].map(([bridge, channels]) => [bridge, [...channels].sort()]);
    return {
      channels: [...this.#channels].sort(),
      bridges: Object.fromEntries(bridges.sort()),
      music: [...this.#music].sort(),
      muted: [...this.#muted].sort(),
    };
  }

  #carryOut(command: Command): void {
    switch (command.do) {
      case 'dial':
        this.#channels.add(command.channel);
        if (command.bridge !== undefined) this.#place(command.channel, command.bridge);
        return;
      case 'hang-up':
        for (const all of [this.#channels, this.#music, this.#muted]) all.delete(command.channel);
        for (const channels of this.#bridges.values()) channels.delete(command.channel);
        return;
      case 'create-bridge':
        if (!this.#bridges.has(command.bridge)) this.#bridges.set(command.bridge, new Set());
        return;
      case 'destroy-bridge':
        this.#bridges.delete(command.bridge);
        return;
      case 'place':
        for (const channel of command.channels) this.#place(channel, command.bridge);
        return;
      case 'unplace':
        for (const channel of command.channels) this.#bridges.get(command.bridge)?.delete(channel);
        return;
      case 'start-music':
        this.#music.add(command.channel);
        return;
      case 'stop-music':
        this.#music.delete(command.channel);
        return;
      case 'mute':
        this.#muted.add(command.channel);
        return;
      case 'unmute':
        this.#muted.delete(command.channel);
        return;
      case 'snoop':
        this.#channels.add(command.snoop);
        return;
      default:
        return;
    }
  }

  #place(channel: string, bridge: string): void {
    for (const channels of this.#bridges.values()) channels.delete(channel);
    this.#bridges.get(bridge)?.add(channel);
  }
}
