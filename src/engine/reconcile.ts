import type { Call } from '../calls/call.ts';
import type { Found } from '../calls/input.ts';
import { isSnoop } from '../calls/resume.ts';
import type { NodeContents } from '../ports.ts';

/** A node's contents, ready to be asked for one call's part of them. */
export class Findings {
  readonly #contents: NodeContents;
  readonly #states: ReadonlyMap<string, string>;
  readonly #onHold: ReadonlyMap<string, boolean>;
  readonly #snoops = new Map<string, string[]>();
  readonly #bridges = new Map<string, { bridge: string; channels: readonly string[] }[]>();

  constructor(contents: NodeContents) {
    this.#contents = contents;
    this.#states = new Map(contents.channels.map((c) => [c.channel, c.state]));
    this.#onHold = new Map(contents.channels.flatMap((c) => (c.onHold === undefined ? [] : [[c.channel, c.onHold]])));
    for (const { channel } of contents.channels) {
      const callID = isSnoop(channel) ? callIn(channel) : undefined;
      if (callID !== undefined) this.#snoops.set(callID, [...(this.#snoops.get(callID) ?? []), channel]);
    }
    for (const b of contents.bridges) {
      const callID = callIn(b.bridge);
      if (callID !== undefined) this.#bridges.set(callID, [...(this.#bridges.get(callID) ?? []), b]);
    }
  }

  /** What concerns one call: its legs, its snoops, its bridges. */
  of(call: Call): Found {
    const legs = call.parties.map((p) => p.leg.channel);
    const ids = [...legs, ...(this.#snoops.get(call.callID) ?? [])];
    const channels = known(ids, this.#states);
    return {
      kind: 'found',
      channels,
      onHold: known(legs, this.#onHold),
      bridges: Object.fromEntries((this.#bridges.get(call.callID) ?? []).map((b) => [b.bridge, b.channels])),
      underWay: ids.filter((id) => this.#contents.underWay.has(id)),
      busy: this.#contents.busy.has(call.callID),
      nodeDied: call.startedAt < this.#contents.startedAt,
    };
  }
}

/** What is known of these ids. */
const known = <T>(ids: readonly string[], values: ReadonlyMap<string, T>): Record<string, T> =>
  Object.fromEntries(
    ids.flatMap((id) => {
      const value = values.get(id);
      return value === undefined ? [] : [[id, value] as const];
    }),
  );

/** Empty bridges and channels of ours that no live call claims: what a crash between two commands leaves behind. */
export function orphans(
  found: NodeContents,
  claimed: (id: string) => boolean,
): { channels: string[]; bridges: string[] } {
  return {
    channels: found.channels
      .filter((c) => c.ours && !c.arrival && !claimed(c.channel) && !found.underWay.has(c.channel))
      .map((c) => c.channel),
    bridges: found.bridges
      .filter((b) => b.channels.length === 0 && callIn(b.bridge) !== undefined && !claimed(b.bridge))
      .map((b) => b.bridge),
  };
}

/** Ids of our channels and bridges begin with their call's: 32 hex digits and three of the node, then a hyphen. */
const OUR_ID = /^([0-9a-f]{32}\d{3})-[bs]?\d+$/;

/** The call that an id of ours names, or undefined where it is none of ours. */
export const callIn = (id: string): string | undefined => OUR_ID.exec(id)?.[1];
