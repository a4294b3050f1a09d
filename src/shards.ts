import type { Logger } from 'pino';
import type { Engine } from './engine/engine.ts';
import type { ShardHost, TakenHow } from './engine/lease-host.ts';
import type { LeaseKeeper } from './engine/lease-keeper.ts';
import type { Faults } from './faults.ts';
import type { NodeShard, OpenNode } from './node.ts';
import { FLOOR_SHARD } from './queues/floor.ts';
import type { AsteriskSwitch } from './switch/asterisk-switch.ts';

/** A shard's switch, from its first socket to its end. */
interface Open {
  readonly asterisk: AsteriskSwitch;
  /** Lets the node's lists be read: the calls are loaded. */
  readonly admit: () => void;
  /** When the switch serves, or has been waited for long enough. */
  readonly started: Promise<void>;
}

/** What lives at the instance that has the agents and queues. */
export interface WithFloor {
  /** Before they are served. */
  loading(): Promise<void>;
  /** Once they are. */
  opened(): void;
  /** They are not here any more. */
  closed(): Promise<void>;
}

/** How often it is looked whether a shard's commands are all out, ms, and how long at most. */
const SETTLING_MS = { every: 10, longest: 2_000 };

/** Opens and closes the shards that this instance owns: their calls in the engine, their event sockets at the nodes. */
export class Shards implements ShardHost {
  readonly #engine: Engine;
  readonly #logger: Logger;
  readonly #shards: ReadonlyMap<string, NodeShard>;
  readonly #open = new Map<string, Open>();
  readonly #faults: Faults | undefined;
  #keeper: LeaseKeeper | undefined;
  #withFloor: WithFloor | undefined;
  /** The fence under which the agents and queues are here, or on their way; undefined while they are not. */
  #floor: number | undefined;

  /** @param faults of tests alone: what is to go wrong */
  constructor(engine: Engine, nodes: readonly OpenNode[], logger: Logger, faults?: Faults) {
    this.#engine = engine;
    this.#logger = logger;
    this.#faults = faults;
    this.#shards = new Map(nodes.flatMap((n) => n.shards.map((s) => [s.name, s] as const)));
  }

  /** All that there are: those of calls, and the one of agents and queues. */
  get names(): readonly string[] {
    return [...this.#shards.keys(), FLOOR_SHARD];
  }

  /** Who keeps the leases; before anything is opened. */
  keptBy(keeper: LeaseKeeper): void {
    this.#keeper = keeper;
  }

  /** Names what lives where the agents and queues do; before anything is opened. */
  withFloor(hooks: WithFloor): void {
    this.#withFloor = hooks;
  }

  hasSocket(shard: string): boolean {
    return this.#shards.has(shard);
  }

  nodeOf(shard: string): string | undefined {
    return this.#shards.get(shard)?.node.id;
  }

  stands(shard: string): boolean {
    return this.#open.get(shard)?.asterisk.connected ?? false;
  }

  prepare(shard: string): void {
    const found = this.#shards.get(shard);
    if (found && !this.#open.has(shard)) this.#openSwitch(found);
  }

  async begin(shard: string, fence: number, how: TakenHow): Promise<void> {
    const found = this.#shards.get(shard);
    if (!found) {
      await this.#beginFloor(fence);
      return;
    }
    const open = this.#open.get(shard) ?? this.#openSwitch(found);
    const { key, app, part, node } = found;
    const commands = this.#faults?.commands(open.asterisk) ?? open.asterisk;
    let arriving = true;
    await this.#engine.addNode(
      { id: node.id, number: node.number, key, part, app, switch: commands, arriving: () => arriving },
      fence,
    );
    if (this.#open.get(shard) !== open) {
      this.#engine.removeNode(key);
      return;
    }
    if (how === 'handed-over') open.asterisk.handedOver();
    open.admit();
    await open.started;
    arriving = false;
  }

  reopen(shard: string): void {
    this.#open.get(shard)?.asterisk.reopen();
  }

  compare(shard: string): void {
    this.#open.get(shard)?.asterisk.resync();
  }

  async settle(shard: string, cutOff: boolean): Promise<boolean> {
    const found = this.#shards.get(shard);
    if (!found) return await this.#engine.settleFloors();
    const asterisk = this.#open.get(shard)?.asterisk;
    // What is stored from here on is carried out by the next owner, and must not reach the node from two sides.
    if (asterisk && cutOff) void found.node.closeSwitch(asterisk, true);
    const until = performance.now() + SETTLING_MS.longest;
    // What is stored leads to commands, and those to facts that are stored.
    while (performance.now() < until) {
      const stored = await this.#engine.settleNode(found.key);
      if (stored && (cutOff || (asterisk?.idle ?? true))) return true;
      await new Promise((resolve) => setTimeout(resolve, SETTLING_MS.every));
    }
    this.#logger.warn({ shard, calls: asterisk?.busyCalls }, 'commands are still under way in a shard that goes');
    return false;
  }

  async close(shard: string): Promise<void> {
    const found = this.#shards.get(shard);
    if (!found) {
      this.#floor = undefined;
      this.#engine.closeFloors();
      await this.#withFloor?.closed().catch((err: unknown) => {
        this.#logger.error({ err, shard }, 'what lived with the agents could not be closed in order');
      });
      return;
    }
    const open = this.#open.get(shard);
    this.#open.delete(shard);
    this.#engine.removeNode(found.key);
    if (open) await found.node.closeSwitch(open.asterisk);
  }

  /** The lease may go while it is waited for: what is let go of meanwhile is not opened after all. */
  async #beginFloor(fence: number): Promise<void> {
    this.#floor = fence;
    await this.#withFloor?.loading();
    if (this.#floor !== fence) return;
    await this.#engine.openFloors(fence);
    if (this.#floor === fence) this.#withFloor?.opened();
  }

  #openSwitch(shard: NodeShard): Open {
    let admit = (): void => undefined;
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    let waiting = true;
    void admitted.then(() => {
      waiting = false;
    });
    const asterisk = shard.node.openSwitch(shard, {
      beforeLists: () => (waiting ? admitted : undefined),
      gate: () => this.#keeper?.unsure(),
      onReplaced: () => this.#keeper?.replaced(shard.name),
    });
    const started = shard.node.startSwitch(asterisk);
    const open: Open = { asterisk, admit, started };
    this.#open.set(shard.name, open);
    return open;
  }
}
