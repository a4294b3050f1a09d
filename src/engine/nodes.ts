import type { Call } from '../calls/call.ts';
import { type CallID, type CompanyId, newCallID } from '../cti/ids.ts';
import type { Admission, Switch } from '../ports.ts';
import type { CallRunner } from './call-runner.ts';
import type { Shard } from './shard.ts';

/** A node as the engine runs it. */
export interface EngineNode {
  readonly id: string;
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
  readonly callID: CallID;
  readonly unreachable?: 'no-node' | 'channel-limit';
}

/** The nodes whose calls this instance runs, and the calls on them. */
export class Nodes {
  readonly #nodes = new Map<string, RunningNode>();
  readonly #admission: Admission;
  readonly #randomHex: () => string;

  /** @param randomHex 32 lower-case hex digits of randomness */
  constructor(admission: Admission, randomHex: () => string) {
    this.#admission = admission;
    this.#randomHex = randomHex;
  }

  add(node: RunningNode): void {
    this.#nodes.set(node.id, node);
  }

  get(id: string): RunningNode | undefined {
    return this.#nodes.get(id);
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
    return newCallID(this.#randomHex(), node.number);
  }

  /** Takes a new call's place; why there is none, if so. */
  admit(callID: CallID, companyId: CompanyId, node: string, trunk: string | undefined): 'channel-limit' | undefined {
    return this.#admission.admit({ callID, companyId, node, ...(trunk !== undefined && { trunk }) });
  }

  /** The serving node with the fewest calls. */
  best(): RunningNode | undefined {
    let best: RunningNode | undefined;
    for (const n of this.#nodes.values()) {
      if (n.switch.serving && (!best || n.shard.size < best.shard.size)) best = n;
    }
    return best;
  }

  /** Where a new call goes, and why it must not be tried if so; undefined where there is no node at all. */
  place(companyId: CompanyId, trunk: string | undefined): Place | undefined {
    const best = this.best();
    const node = best ?? this.#nodes.values().next().value;
    if (!node) return undefined;
    const callID = this.newCallID(node);
    if (!best) return { node: node.id, callID, unreachable: 'no-node' };
    const limit = this.admit(callID, companyId, node.id, trunk);
    return { node: node.id, callID, ...(limit && { unreachable: limit }) };
  }
}
