import type { Call } from '../calls/call.ts';
import { type CallID, type CompanyId, newCallID, nodeOfCallID } from '../cti/ids.ts';
import type { Admission, NodeLoad, Switch } from '../ports.ts';
import type { CallRunner } from './call-runner.ts';
import type { NodeBoard } from './node-board.ts';
import { freest } from './placement.ts';
import type { Shard } from './shard.ts';
import { inPart, partOfCall, type ShardPart, WHOLE } from './shard-part.ts';

/** A node as the engine runs it: with several shards a node, one of its shards. */
export interface EngineNode {
  readonly id: string;
  /** How the switch names itself to the engine; default the node's id. */
  readonly key?: string;
  /** Which of the node's shards it is, and of how many; default the only one. */
  readonly part?: ShardPart;
  /** Carried in every callID. */
  readonly number: number;
  /** Stasis application. */
  readonly app: string;
  readonly switch: Switch;
}

/** A node whose shard is ours. */
export interface RunningNode extends EngineNode {
  readonly shard: Shard;
}

/** Where a new call goes, and why it must not be tried if so. */
export interface Place {
  readonly node: string;
  /** Of the running node. */
  readonly key: string;
  readonly callID: CallID;
  readonly unreachable?: 'no-node' | 'channel-limit';
}

/** The name of a shard, in leases, keys and logs. */
export const shardName = ({ app, id }: { readonly app: string; readonly id: string }): string => `${app}@${id}`;

/** How the switch of a node, or of one of its shards, names itself to the engine. */
export const keyOf = (node: EngineNode): string => node.key ?? node.id;

type Board = Pick<NodeBoard, 'isDraining' | 'callsElsewhere'>;

/** The nodes whose calls this instance runs, and the calls on them. */
export class Nodes {
  readonly #nodes = new Map<string, RunningNode>();
  readonly #admission: Admission;
  readonly #randomHex: () => string;
  readonly #board: Board | undefined;

  /**
   * @param randomHex 32 lower-case hex digits of randomness
   * @param board absent: no node is ever drained, and there are no other instances
   */
  constructor(admission: Admission, randomHex: () => string, board?: Board) {
    this.#admission = admission;
    this.#randomHex = randomHex;
    this.#board = board;
  }

  add(node: RunningNode): void {
    this.#nodes.set(keyOf(node), node);
  }

  remove(key: string): void {
    this.#nodes.delete(key);
  }

  get(key: string): RunningNode | undefined {
    return this.#nodes.get(key);
  }

  /** Where a call lives here. */
  holding(callID: string): RunningNode | undefined {
    for (const n of this.#nodes.values()) if (n.shard.runner(callID)) return n;
    return undefined;
  }

  /** The shard in which a call lives here. */
  shardOf(callID: string): Shard | undefined {
    return this.holding(callID)?.shard;
  }

  /** The node, or the one of its shards, that a callID names; undefined where that is not here. */
  ofCall(callID: CallID): RunningNode | undefined {
    const number = nodeOfCallID(callID);
    for (const n of this.#nodes.values()) {
      const { index, of } = n.part ?? WHOLE;
      if (n.number === number && partOfCall(callID, of) === index) return n;
    }
    return undefined;
  }

  /** Ids of the nodes of which something runs here. */
  get ids(): ReadonlySet<string> {
    return new Set([...this.#nodes.values()].map((n) => n.id));
  }

  get size(): number {
    return this.#nodes.size;
  }

  all(): Iterable<RunningNode> {
    return this.#nodes.values();
  }

  /** A figure of all shards together. */
  sum(figure: (shard: Shard) => number): number {
    let n = 0;
    for (const node of this.#nodes.values()) n += figure(node.shard);
    return n;
  }

  /** A live call of a company's, or undefined: another company's calls are not there. */
  live(companyId: CompanyId, callID: string): CallRunner | undefined {
    for (const n of this.#nodes.values()) {
      const runner = n.shard.runner(callID);
      if (runner) return runner.companyId === companyId ? runner : undefined;
    }
    return undefined;
  }

  *callsOf(companyId: CompanyId): Iterable<Call> {
    for (const n of this.#nodes.values()) {
      for (const call of n.shard.calls()) if (call.companyId === companyId && !call.deleted) yield call;
    }
  }

  newCallID(node: RunningNode): CallID {
    return newCallID(inPart(this.#randomHex(), node.part ?? WHOLE), node.number);
  }

  /** Takes a new call's place; why there is none, if so. */
  admit(callID: CallID, companyId: CompanyId, node: string, trunk: string | undefined): 'channel-limit' | undefined {
    return this.#admission.admit({ callID, companyId, node, ...(trunk !== undefined && { trunk }) });
  }

  /** Whether a new call may begin on a node, if there is room. */
  takesCalls(node: RunningNode): boolean {
    return node.switch.serving && !node.shard.settling && !this.isDraining(node.id);
  }

  /** An operator wants no new calls on it. */
  isDraining(id: string): boolean {
    return this.#board?.isDraining(id) ?? false;
  }

  /** What a node carries, over all instances as far as they have told. */
  loadOf(id: string): NodeLoad {
    const { calls, limit, room } = this.#admission.load(id);
    const all = calls + (this.#board?.callsElsewhere(id) ?? 0);
    return { calls: all, ...(limit !== undefined && { limit }), room: room && (limit === undefined || all < limit) };
  }

  /** Where a new call should go, with what that node carries; undefined where none takes any. */
  best(): { readonly node: RunningNode; readonly load: NodeLoad } | undefined {
    const taking: { node: RunningNode; load: NodeLoad }[] = [];
    // Of a node's shards, the one with the fewest calls.
    for (const node of [...this.#nodes.values()].sort((a, b) => a.shard.size - b.shard.size)) {
      if (this.takesCalls(node)) taking.push({ node, load: this.loadOf(node.id) });
    }
    return freest(taking);
  }

  /**
   * Where a new call goes, and why it must not be tried if so; undefined where there is no node at all, or all that there
   * are take no new calls.
   */
  place(companyId: CompanyId, trunk: string | undefined): Place | undefined {
    const best = this.best()?.node;
    const node = best ?? [...this.#nodes.values()].find((n) => !this.isDraining(n.id));
    if (!node) return undefined;
    const callID = this.newCallID(node);
    const key = keyOf(node);
    if (!best) return { node: node.id, key, callID, unreachable: 'no-node' };
    const limit = this.admit(callID, companyId, node.id, trunk);
    return { node: node.id, key, callID, ...(limit && { unreachable: limit }) };
  }
}
