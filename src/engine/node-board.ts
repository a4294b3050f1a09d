import type { NodeDrain, NodeReport, Overview } from '../ports.ts';

/** A node of the configuration. */
export interface KnownNode {
  readonly id: string;
  readonly limits: { readonly calls: number; readonly callsPerSecond: number };
}

/** What is known of the nodes beyond what lives here: from the last sign of life. */
export class NodeBoard {
  readonly nodes: readonly KnownNode[];
  readonly #overview: () => Overview;
  readonly #me: string;

  /** @param me id of this instance */
  constructor(nodes: readonly KnownNode[], overview: () => Overview, me: string) {
    this.nodes = nodes;
    this.#overview = overview;
    this.#me = me;
  }

  /** Why a node takes no new calls, if an operator wants it so. */
  drainOf(node: string): NodeDrain | undefined {
    return this.#overview().draining.get(node);
  }

  isDraining(node: string): boolean {
    return this.#overview().draining.has(node);
  }

  /** What the other instances say of a node. */
  othersOn(node: string): NodeReport[] {
    return this.#overview().members.flatMap((m) => (m.id === this.#me ? [] : (m.says.nodes?.[node] ?? [])));
  }

  /** Whether another instance says that it reaches a node. */
  reachedElsewhere(node: string): boolean {
    return this.#overview().members.some(({ id, says }) => {
      const reach = id === this.#me ? undefined : says.reach?.[node];
      return reach === 'steady' || reach === 'back';
    });
  }

  /** Instances that say that they do not reach a node. */
  cutOffFrom(node: string): string[] {
    return this.#overview().members.flatMap(({ id, says }) => (says.reach?.[node] === 'cut' ? [id] : []));
  }

  /** Calls on a node that other instances run. */
  callsElsewhere(node: string): number {
    return this.othersOn(node).reduce((sum, report) => sum + report.calls, 0);
  }
}
