import type { Call } from '../../../src/calls/call.ts';
import type { Command, RecordingCommand } from '../../../src/calls/command.ts';
import type { Adopt, CallInput } from '../../../src/calls/input.ts';
import { isLeaving } from '../../../src/calls/party.ts';

/** Throws with the reason where something that must hold does not. */
export function must(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Error(reason);
}

type RecordingState = 'on' | 'paused' | 'off';

/** From which states each command of a recording may come, and what it leads to. */
const RECORDING_MOVES: Readonly<Record<RecordingCommand['do'], readonly [readonly RecordingState[], RecordingState]>> =
  {
    'start-recording': [['off'], 'on'],
    'renew-recording': [['on', 'paused'], 'on'],
    'stop-recording': [['on', 'paused'], 'off'],
    'pause-recording': [['on'], 'paused'],
    'resume-recording': [['paused'], 'on'],
  };

/**
 * What a switch has been asked for by one call, apart from what the call knows: which channels and bridges there are,
 * who is in which, hears music, is muted or recorded, and who was asked to end. It throws at the first command that no
 * switch could carry out, or that would be heard wrongly.
 */
export class WatchedSwitch {
  readonly channels = new Set<string>();
  readonly ended = new Set<string>();
  readonly leaving = new Set<string>();
  /** The bridge of each channel that was put in one. */
  readonly inBridge = new Map<string, string>();
  readonly muted = new Set<string>();
  private readonly bridges = new Map<string, 'there' | 'gone'>();
  /** Bridges that mix whoever is in them. */
  private readonly mixing = new Set<string>();
  /** Snoop channels, which are nobody's leg. */
  private readonly snoops = new Map<string, 'there' | 'gone'>();
  private readonly music = new Set<string>();
  /** What the leg that is recorded was last asked for, and whether Asterisk has said that it writes. */
  private readonly recordings = new Map<string, RecordingState>();
  written = false;

  /** Takes down what the switch says. */
  tells(input: CallInput): void {
    // Of a channel that is not there the switch can say nothing, and what it says all the same changes nothing.
    if (input.kind === 'leg-ended' && this.channels.has(input.channel)) this.ended.add(input.channel);
    if (input.kind === 'recording-failed') this.recordings.set(input.channel, 'off');
    if (input.kind === 'recording-started' && this.recordings.has(input.channel)) this.written = true;
  }

  /** A leg that comes from another call is a channel of this one, as it was there. */
  takesOver({ guest }: Adopt): void {
    this.channels.add(guest.leg.channel);
    if (guest.hearsMusic) this.music.add(guest.leg.channel);
  }

  /** Lets a command be carried out. @param call as it is once it has asked for it */
  carriesOut(command: Command, call: Call): void {
    switch (command.do) {
      case 'create-bridge':
        must(!this.bridges.has(command.bridge), 'a bridge created twice');
        this.bridges.set(command.bridge, 'there');
        if (command.mixesAlways) this.mixing.add(command.bridge);
        return;
      case 'destroy-bridge':
        must(this.bridges.get(command.bridge) === 'there', 'a bridge destroyed that is not there');
        must(
          [...this.channels].every((c) => this.ended.has(c)),
          'a bridge destroyed under a live leg',
        );
        this.bridges.set(command.bridge, 'gone');
        return;
      case 'place':
        must(this.bridges.get(command.bridge) === 'there', 'placed in a bridge that is not there');
        for (const c of command.channels) {
          this.checkChannel(c, 'place');
          must(!this.music.has(c), 'placed in a bridge with music on');
          this.inBridge.set(c, command.bridge);
        }
        return;
      case 'dial':
        must(!this.channels.has(command.channel), 'dialled twice');
        must(!this.ended.has(command.channel), 'dialled after its end');
        this.channels.add(command.channel);
        if (command.bridge !== undefined) {
          must(this.bridges.get(command.bridge) === 'there', 'dialled into a bridge that is not there');
          must(this.inBridge.size > 0 || this.isOneAmongHolders(call), 'dialled into a bridge where nobody waits');
          this.inBridge.set(command.channel, command.bridge);
        } else {
          const alone = this.channels.size === 1 || isApart(command.channel, call);
          must(alone, 'a second leg dialled into no bridge');
        }
        return;
      case 'hang-up':
        if (this.snoops.has(command.channel)) {
          must(this.snoops.get(command.channel) === 'there', 'a snoop channel hung up twice');
          this.snoops.set(command.channel, 'gone');
          return;
        }
        this.checkChannel(command.channel, 'hang-up');
        this.leaving.add(command.channel);
        return;
      case 'unplace':
        for (const channel of command.channels) {
          this.checkChannel(channel, command.do);
          must(this.inBridge.delete(channel), 'taken out of a bridge where it is not');
        }
        return;
      case 'start-music':
        this.checkChannel(command.channel, command.do);
        must(!this.music.has(command.channel), 'music twice over');
        must(!this.inBridge.has(command.channel), 'music for one who is in a bridge');
        this.music.add(command.channel);
        return;
      case 'stop-music':
        this.checkChannel(command.channel, command.do);
        must(this.music.delete(command.channel), 'an end to music that is not there');
        return;
      case 'mute':
        this.checkChannel(command.channel, command.do);
        must(!this.muted.has(command.channel), 'muted twice over');
        this.muted.add(command.channel);
        return;
      case 'unmute':
        this.checkChannel(command.channel, command.do);
        must(this.muted.delete(command.channel), 'unmuted without having been muted');
        return;
      case 'snoop':
        this.checkChannel(command.of, command.do);
        this.checkChannel(command.listener, command.do);
        must(!this.snoops.has(command.snoop), 'a snoop channel made twice');
        this.snoops.set(command.snoop, 'there');
        return;
      case 'start-recording':
      case 'renew-recording':
      case 'stop-recording':
      case 'pause-recording':
      case 'resume-recording':
        this.checkChannel(command.channel, command.do);
        this.checkRecording(command);
        return;
      case 'answer-transfer':
        // A phone that asks while it is being hung up is told so, as long as it is there.
        must(this.channels.has(command.channel) && !this.ended.has(command.channel), 'an answer to no phone');
        return;
      default:
        this.checkChannel(command.channel, command.do);
    }
  }

  /** One leg is recorded at a time, and what is paused is not recorded by any way but its resumption. */
  private checkRecording({ do: what, channel }: RecordingCommand): void {
    const was = this.recordings.get(channel) ?? 'off';
    const elsewhere = [...this.recordings].some(([c, is]) => c !== channel && is !== 'off' && !this.ended.has(c));
    must(!elsewhere, `${what} beside the recording of another leg`);
    const [from, now] = RECORDING_MOVES[what];
    must(from.includes(was), `${what} while it is ${was}`);
    this.recordings.set(channel, now);
  }

  private checkChannel(channel: string, what: string): void {
    must(this.channels.has(channel), `${what} for a channel that was never there`);
    must(!this.ended.has(channel), `${what} for a channel that has ended`);
    must(!this.leaving.has(channel), `${what} for a channel that was asked to end`);
  }

  /** Everybody holds but one, who has music and may bring in somebody to talk to. */
  private isOneAmongHolders(call: Call): boolean {
    const there = call.parties.filter((p) => p.leg.state === 'up' && !isLeaving(p));
    const [one, ...more] = there.filter((p) => p.state !== 'Held');
    return one !== undefined && more.length === 0 && this.music.has(one.leg.channel);
  }

  /** A bridge that passes on what two send each other never has to change to mixing: one of them could then be deaf. */
  checkBridges(): void {
    for (const bridge of this.bridges.keys()) {
      const stay = [...this.inBridge].filter(([c, b]) => b === bridge && !this.ended.has(c) && !this.leaving.has(c));
      must(stay.length < 3 || this.mixing.has(bridge), `${stay.length} in a bridge that does not always mix`);
    }
  }

  /** What must hold once every leg has ended. */
  checkEnd(): void {
    for (const [bridge, is] of this.bridges) must(is === 'gone', `bridge ${bridge} was never destroyed`);
  }
}

/** Rung where nobody hears it: a supervisor, and whoever is rung for one who waits in a queue with music. */
function isApart(channel: string, { queue, parties }: Call): boolean {
  const party = parties.find((p) => p.leg.channel === channel);
  return party?.purpose === 'supervisor' || (party !== undefined && queue?.rung === party.partyID);
}
