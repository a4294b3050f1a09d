import type { Leases, NodeOperations, NodeReport, NodeStatus } from '../ports.ts';
import type { KnownNode, NodeBoard } from './node-board.ts';

export interface NodeDeskDeps {
  readonly board: NodeBoard;
  readonly leases: Pick<Leases, 'drainNode' | 'resumeNode'>;
  /** What this instance has of a node; undefined where it owns nothing of it. */
  readonly report: (node: string) => NodeReport | undefined;
  /** Looks now how everything stands. */
  readonly refresh: () => Promise<void>;
  readonly log: { info(what: string, details: Readonly<Record<string, unknown>>): void };
}

/** What an operator sees of the nodes and does with them, and what the log tells of it. */
export class NodeDesk implements NodeOperations {
  readonly #deps: NodeDeskDeps;
  /** Nodes that were being drained at the last beat: whether a call of theirs was left. */
  readonly #draining = new Map<string, { emptied: boolean }>();

  constructor(deps: NodeDeskDeps) {
    this.#deps = deps;
  }

  list(): readonly NodeStatus[] {
    return this.#deps.board.nodes.map((node) => this.#statusOf(node));
  }

  async drain(node: string, by: string, reason: string | undefined): Promise<NodeStatus | undefined> {
    const known = this.#known(node);
    if (!known) return undefined;
    await this.#deps.leases.drainNode(node, by, reason);
    return await this.#seen(known);
  }

  async resume(node: string, by: string): Promise<NodeStatus | undefined> {
    const known = this.#known(node);
    if (!known) return undefined;
    await this.#deps.leases.resumeNode(node);
    if (this.#deps.board.isDraining(node)) this.#deps.log.info('an operator ends the drain of a node', { node, by });
    return await this.#seen(known);
  }

  /** After each sign of life: tells what has changed. */
  beat(): void {
    const { board, log } = this.#deps;
    for (const { id } of board.nodes) {
      const drain = board.drainOf(id);
      const before = this.#draining.get(id);
      if (!drain) {
        if (this.#draining.delete(id)) log.info('the node takes new calls again', { node: id });
        continue;
      }
      const calls = this.#callsOn(id);
      if (!before) {
        const { by, reason } = drain;
        log.info('the node is drained: no new calls, live ones go on', { node: id, by, reason, calls });
      }
      const emptied = calls === 0;
      if (emptied && !before?.emptied) log.info('the drained node has no calls any more', { node: id });
      this.#draining.set(id, { emptied });
    }
  }

  #known(node: string): KnownNode | undefined {
    return this.#deps.board.nodes.find((n) => n.id === node);
  }

  /** A node as it is once this instance has followed. */
  async #seen(node: KnownNode): Promise<NodeStatus> {
    // A round that is under way may have looked before; the next one has not.
    await this.#deps.refresh();
    await this.#deps.refresh();
    return this.#statusOf(node);
  }

  #callsOn(node: string): number {
    return (this.#deps.report(node)?.calls ?? 0) + this.#deps.board.callsElsewhere(node);
  }

  #statusOf({ id, limits }: KnownNode): NodeStatus {
    const { board } = this.#deps;
    const drain = board.drainOf(id);
    const here = this.#deps.report(id);
    const reports = [...(here ? [here] : []), ...board.othersOn(id)];
    const serving = reports.some((r) => r.serving);
    const state = reports.some((r) => r.dead) && !serving ? 'dead' : serving ? 'serving' : 'away';
    return {
      id,
      state: reports.length === 0 ? 'unowned' : serving && drain ? 'draining' : state,
      draining: drain !== undefined,
      ...(drain && { drain }),
      calls: this.#callsOn(id),
      limits,
      silent: [...new Set(reports.flatMap((r) => r.silent))].sort(),
      cutOff: board.cutOffFrom(id).sort(),
    };
  }
}
