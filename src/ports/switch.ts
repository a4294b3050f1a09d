import type { Command } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { NodeLoad } from './nodes.ts';

/** A channel that the dialplan handed over. */
export interface Arrival {
  readonly channel: string;
  /** Arguments of Stasis(app,…): `inbound,<dialled>` from a trunk, `dialled,<dialled>` from a phone of ours. */
  readonly origin: 'trunk' | 'phone';
  readonly dialled: string;
  /** Caller's number as the network gave it, `anonymous` if it gave none. */
  readonly caller: string;
  /** Name of the PJSIP endpoint that it came in on. */
  readonly endpoint: string;
}

/** What the switch tells the engine, synchronously and in the node's own order. It never waits for the engine. */
export interface SwitchListener {
  onArrival(node: string, arrival: Arrival): void;
  onFact(node: string, fact: Fact): void;
  /** After every (re)connection: all channels of ours that the node has, and the bridges with who is in them. */
  onResync(node: string, found: NodeContents): void;
  /**
   * A command was not carried out: Asterisk refused it, failed or did not answer. It is the object that was handed over.
   */
  onCommandFailed(node: string, callID: CallID, command: Command): void;
  onHealth(node: string, serving: boolean): void;
  /**
   * The node is dead, and with it every call that was on it: told again and again for as long as it is. It is away before
   * it is dead; what it has, if it comes back, is told by `onResync`.
   */
  onNodeDied(node: string): void;
  /** Phones of a node that can be reached, by endpoint: told after every (re)connection, and kept up to date. */
  onPhones(node: string, reachable: ReadonlySet<string>): void;
  /** A phone cannot be reached on this node any more. */
  onPhoneLost(node: string, endpoint: string): void;
}

/** What a node really has, at the moment of a resynchronisation. */
export interface NodeContents {
  readonly channels: readonly {
    readonly channel: string;
    /** Asterisk's channel state: Down, Ring, Ringing, Up, … */
    readonly state: string;
    /** It is in our application. */
    readonly ours: boolean;
    /** Its phone has put the other side on hold; absent where that is not known. */
    readonly onHold?: boolean;
    /** How it came, if the dialplan handed it to us. */
    readonly arrival?: Arrival;
  }[];
  readonly bridges: readonly { readonly bridge: string; readonly channels: readonly string[] }[];
  /** Channels that are just being dialled: that they are not listed says nothing about them. */
  readonly underWay: ReadonlySet<string>;
  /** When Asterisk was started, Unix ms; 0 if it does not say. Calls from before have died with what ran then. */
  readonly startedAt: number;
  /** Calls whose commands are still being carried out. */
  readonly busy: ReadonlySet<string>;
}

/** One Asterisk node, in the calls' terms. */
export interface Switch {
  readonly node: string;
  /** Its event socket is open and its REST answers. */
  readonly serving: boolean;
  /**
   * Carries out a call's commands, in order. Never throws and never waits: what fails comes back as a fact about the
   * leg that it concerns.
   */
  perform(callID: CallID, commands: readonly Command[]): void;
  /** Something that was told could not be kept: has the node tell anew what it has, as after a reconnection. */
  resync(): void;
}

/** Says whether one more call may begin, before anybody's phone rings. */
export interface Admission {
  /**
   * Takes a place for a call.
   *
   * @returns undefined if it may begin, else why not: `channel-limit` (calls at once or calls per second of node,
   *   trunk or company), `no-node`
   */
  admit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): 'channel-limit' | undefined;
  /** Gives the place back, once the call has ended. Giving back what was never taken does nothing. */
  release(callID: CallID): void;
  /**
   * Takes a place on a trunk for one more leg of a call that has its own place already.
   *
   * @returns why not, if the trunk has no room
   */
  admitLeg(callID: CallID, trunk: string): 'channel-limit' | undefined;
  /**
   * Says which trunks the legs of a call are on now, one entry for each leg: places that no leg uses any more are given
   * back, and legs that were found alive have theirs whatever the limits say.
   */
  legsOf(callID: CallID, trunks: readonly string[]): void;
  /** How much a node carries, as far as is counted here, and whether one more may begin now; takes nothing. */
  load(node: string): NodeLoad;
  /** Gives a call that was found alive at a start its place, whatever the limits say. */
  readmit(call: { callID: CallID; companyId: CompanyId; node: string; trunk?: string }): void;
}
