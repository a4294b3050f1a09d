import type { Directory } from './directory.ts';
import type { FloorRunner } from './floor-runner.ts';

/** What is needed to tell agents of their phones. */
export interface LostPhonesDeps {
  readonly directory: Directory;
  /** Nodes that there are. */
  readonly nodeCount: () => number;
  readonly floors: () => Iterable<FloorRunner>;
}

/** Which phones can be reached on which node, and the agents whose phone is on none. */
export class LostPhones {
  readonly #deps: LostPhonesDeps;
  /** Phones that can be reached, by node. */
  readonly #phones = new Map<string, ReadonlySet<string>>();

  constructor(deps: LostPhonesDeps) {
    this.#deps = deps;
  }

  /** The phones that a node can reach, by endpoint. */
  reachable(node: string, endpoints: ReadonlySet<string>): void {
    this.#phones.set(node, endpoints);
    this.tell();
  }

  /** A phone cannot be reached any more where it was. */
  lost(endpoint: string): void {
    this.#tell((e) => e === endpoint);
  }

  /** Tells the floors of all agents whose phone is lost, as far as that can be said. */
  tell(): void {
    // Only when every node has told can a phone be said to be nowhere.
    if (this.#phones.size === this.#deps.nodeCount()) this.#tell(() => true);
  }

  #tell(concerns: (endpoint: string) => boolean): void {
    for (const floor of this.#deps.floors()) {
      for (const agent of floor.floor.agents.values()) {
        if (agent.state === 'Logout') continue;
        const endpoint = this.#deps.directory.endpointOf(floor.companyId, agent.dn);
        if (endpoint === undefined || !concerns(endpoint)) continue;
        if ([...this.#phones.values()].some((reachable) => reachable.has(endpoint))) continue;
        floor.push({ kind: 'phone-lost', dn: agent.dn });
      }
    }
  }
}
