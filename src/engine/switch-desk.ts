import type { Command } from '../calls/command.ts';
import type { Fact, Found } from '../calls/input.ts';
import { type CallID, isCallID } from '../cti/ids.ts';
import type { Arrival, NodeContents } from '../ports.ts';
import type { Arrivals } from './arrivals.ts';
import { AttendedTransfers } from './attended.ts';
import { CONGESTION } from './congestion.ts';
import type { Nodes } from './nodes.ts';
import type { Reach } from './reach.ts';
import { callIn, Findings, orphans } from './reconcile.ts';
import type { Shard } from './shard.ts';
import { partOfCall, WHOLE } from './shard-part.ts';

type TransferRequested = Extract<Fact, { kind: 'leg-transfer-requested' }>;

/** What is needed to take what the switches tell. */
export interface SwitchDeskDeps {
  readonly nodes: Nodes;
  readonly reach: Pick<Reach, 'aimed'>;
  readonly arrivals: Pick<Arrivals, 'take' | 'turnAway'>;
  /** Whether a call may begin now. */
  readonly mayChoose: () => boolean;
  readonly log: { error(what: string, error: unknown, callID?: CallID): void };
}

/** What a dead node has of any call. */
const NOTHING_LEFT: Found = {
  kind: 'found',
  channels: {},
  bridges: {},
  onHold: {},
  underWay: [],
  busy: false,
  nodeDied: true,
};

/** Leads what the switches tell to the calls that it concerns. Nodes are named as their switches name themselves. */
export class SwitchDesk {
  readonly #deps: SwitchDeskDeps;
  readonly #attended = new AttendedTransfers();
  /** Channels of calls that were released because their node had died, with their calls, by node. */
  readonly #buried = new Map<string, Map<string, CallID>>();

  constructor(deps: SwitchDeskDeps) {
    this.#deps = deps;
  }

  /** Something happened to a channel. */
  fact(nodeId: string, fact: Fact): void {
    const shard = this.#deps.nodes.get(nodeId)?.shard;
    if (!shard || (fact.kind === 'leg-transfer-requested' && this.#attended.begin(shard, fact))) return;
    if (fact.kind === 'leg-transfer-requested') this.#transfer(shard, fact);
    else shard.fact(fact);
  }

  /** A transfer that a phone asks for; while others are asked whether there is room, what its line tells waits. */
  #transfer(shard: Shard, fact: TransferRequested): void {
    const { reach, log } = this.#deps;
    const { channel } = fact;
    const call = shard.callOf(channel);
    const runner = call && shard.runner(call.callID);
    const aimed = reach.aimed(call, fact);
    if (!(aimed instanceof Promise)) {
      shard.fact(aimed.it, aimed.settled);
      return;
    }
    // Without an aim it is declined: where nobody could be asked, and on a line that is just changing calls.
    const known = aimed.catch((error: unknown) => {
      log.error('whether there is room for a transfer could not be asked', error, call?.callID);
    });
    if (!runner || shard.holds(channel)) {
      shard.fact(fact);
      void known.then((kept) => kept?.settled());
      return;
    }
    shard.hold(channel);
    void known.then((kept) => {
      if (shard.closed) kept?.settled();
      else shard.followWith(channel, runner, kept ? { fact: kept.it, settled: kept.settled } : { fact });
    });
  }

  /** A call's command was not carried out. */
  commandFailed(nodeId: string, callID: CallID, command: Command): void {
    this.#deps.nodes.get(nodeId)?.shard.runner(callID)?.notDone(command);
  }

  /** The dialplan has handed over a channel. */
  arrival(nodeId: string, arrival: Arrival): void {
    const { nodes, arrivals, mayChoose } = this.#deps;
    const node = nodes.get(nodeId);
    if (!node || node.shard.owns(arrival.channel)) return;
    const callID = nodes.newCallID(node);
    // A caller who is turned away so can be brought in by the carrier over another node.
    if (mayChoose() && !nodes.isDraining(node.id)) arrivals.take(node, callID, arrival);
    else arrivals.turnAway(node, callID, arrival, CONGESTION);
  }

  /** What a node really has: each call is told its part, and what is nobody's is ended. */
  resync(nodeId: string, found: NodeContents): void {
    const node = this.#deps.nodes.get(nodeId);
    if (!node) return;
    const buried = this.#buried.get(nodeId) ?? new Map<string, CallID>();
    this.#buried.delete(nodeId);
    for (const { channel } of found.channels) {
      const callID = buried.get(channel);
      // It was not dead after all: whoever is on it has been told to be gone.
      if (callID !== undefined) node.switch.perform(callID, [{ do: 'hang-up', channel, q850: 16 }]);
    }
    const findings = new Findings(found);
    for (const call of node.shard.calls()) node.shard.resume(call.callID, findings.of(call));
    const { index, of } = node.part ?? WHOLE;
    const claimed = (id: string): boolean => {
      const callID = callIn(id);
      // Bridges are the whole node's: those of another shard's calls are not ours to judge.
      const another = callID !== undefined && partOfCall(callID, of) !== index;
      return another || buried.has(id) || node.shard.owns(id) || node.shard.isOf(id, callID);
    };
    const left = orphans(found, claimed);
    for (const channel of left.channels) {
      const callID = callIn(channel);
      if (callID !== undefined && isCallID(callID)) node.switch.perform(callID, [{ do: 'hang-up', channel, q850: 16 }]);
    }
    for (const bridge of left.bridges) {
      const callID = callIn(bridge);
      if (callID !== undefined && isCallID(callID)) node.switch.perform(callID, [{ do: 'destroy-bridge', bridge }]);
    }
    for (const c of found.channels) if (c.arrival && !buried.has(c.channel)) this.arrival(nodeId, c.arrival);
  }

  /**
   * A node is dead: its calls are told that nothing of them is left there. Told again it concerns those that have come up
   * since, and those whose end is not stored yet are not told twice.
   */
  died(nodeId: string): void {
    const node = this.#deps.nodes.get(nodeId);
    if (!node) return;
    const buried = this.#buried.get(nodeId) ?? new Map<string, CallID>();
    this.#buried.set(nodeId, buried);
    for (const call of node.shard.calls()) {
      if (!node.shard.runner(call.callID)?.idle) continue;
      for (const { leg } of call.parties) {
        if (leg.state !== 'planned' && leg.state !== 'ended') buried.set(leg.channel, call.callID);
      }
      for (const snoop of Object.keys(call.media.snoops)) buried.set(snoop, call.callID);
      node.shard.resume(call.callID, NOTHING_LEFT);
    }
  }

  /** A shard is not here any more. */
  forget(nodeId: string): void {
    this.#buried.delete(nodeId);
  }
}
