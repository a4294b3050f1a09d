import { setTimeout as delay } from 'node:timers/promises';
import { type Random, randomOf } from '../support/random.ts';
import { churn } from './churn.ts';
import { FAULTS, type Fault } from './faults.ts';
import { agreement, dropped, type Findings, heard, logged, stuckAgents, whole } from './invariants.ts';
import { waitFor } from './people.ts';
import { Place, STATES } from './place.ts';
import { Tally } from './tally.ts';
import type { World } from './world.ts';

/** Calls that are set up at the same time. */
const AT_ONCE = 12;

export interface Plan {
  readonly rounds: number;
  readonly seed: number;
  /** Seconds for which something may stay broken. */
  readonly broken: readonly number[];
  readonly faults: readonly Fault[];
  readonly say: (line: string) => void;
}

/** The faults of a run: every one once before any comes again, in an order of the seed's choosing. */
export function faultsOf(seed: number, rounds: number, from: readonly Fault[] = FAULTS): Fault[] {
  const random = randomOf(seed);
  const faults: Fault[] = [];
  while (faults.length < rounds) faults.push(...random.shuffle(from));
  return faults.slice(0, rounds);
}

/** Breaks things again and again under live calls, and looks each time whether all is as it was. */
export class Rounds {
  readonly tally = new Tally();
  readonly #world: World;
  readonly #plan: Plan;
  readonly #places: readonly Place[];

  constructor(world: World, places: number, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.#places = Array.from({ length: places }, (_, n) => new Place(world, n));
  }

  async run(): Promise<void> {
    for (const [i, fault] of this.#plan.faults.entries()) {
      const began = performance.now();
      const random = randomOf(this.#plan.seed, i);
      const findings = await this.#round(fault, random);
      for (const finding of findings) this.tally.found(`round ${i + 1}, ${fault.name}: ${finding}`);
      const took = ((performance.now() - began) / 1000).toFixed(1);
      const back = this.tally.lastBack === undefined ? '' : `, control after ${this.tally.lastBack.toFixed(2)} s`;
      const verdict = findings.length === 0 ? 'good' : `${findings.length} FOUND\n  ${findings.join('\n  ')}`;
      this.#plan.say(`round ${i + 1} of ${this.#plan.rounds}: ${fault.name} (${took} s${back}): ${verdict}`);
    }
    await this.#end(randomOf(this.#plan.seed, this.#plan.rounds));
  }

  async #round(fault: Fault, random: Random): Promise<Findings> {
    const world = this.#world;
    const { tally } = this;
    const from = world.witness.position ?? 0;
    const findings: string[] = [];
    await this.#fill(random);
    const seconds = random.pick(this.#plan.broken);
    const chosen = this.#places.filter(() => random.chance(0.3));
    const untouched = this.#places.filter((p) => !chosen.includes(p) && p.live).flatMap((p) => p.live ?? []);
    const acting = chosen.map((p, n) =>
      churn(world, p, randomOf(this.#plan.seed, n, random.int(0, 2 ** 30)), seconds * 1000 + 500),
    );
    await delay(random.int(0, 300));
    tally.fault(fault.name, world.witness.open.size);
    await fault.run(world, random, seconds);
    const mended = performance.now();
    await world.inControl();
    await this.#controls(untouched.map((live) => live.callID));
    tally.back((performance.now() - mended) / 1000);
    await world.afterwards?.();
    world.afterwards = undefined;
    await Promise.allSettled(acting);
    if (fault.endsCalls) {
      for (const place of this.#places) if (place.live) place.disturbed = true;
    } else {
      const gone = dropped(untouched);
      tally.dropped += gone.length;
      findings.push(...gone);
      findings.push(...(await heard(untouched, random)));
    }
    for (const place of this.#places)
      if (!place.live && !place.disturbed && place.wrappingUp) findings.push(...(await caught(() => place.rested())));
    findings.push(
      ...(await this.#clear(
        this.#places.filter((p) => p.disturbed),
        random,
      )),
    );
    const settled = await agreement(world);
    tally.ghosts += settled.filter((one) => one.startsWith('ghost')).length;
    findings.push(...settled);
    findings.push(...(await stuckAgents(world, this.#places)));
    findings.push(...(await this.#judge(from)));
    const leaving = this.#places.filter((p) => p.live && random.chance(0.3));
    findings.push(...(await this.#clear(leaving, random)));
    if (findings.length > 0) await this.#sweep();
    return findings;
  }

  /** A request on a live call is carried out again. */
  async #controls(callIDs: readonly string[]): Promise<void> {
    const world = this.#world;
    await waitFor(
      async () => {
        for (const callID of callIDs) {
          if (!world.witness.open.has(callID)) continue;
          const done = await world.attempt('RequestUpdateAttachedData', {
            callID,
            attachedData: { controlled: 'yes' },
          });
          return done !== undefined;
        }
        return true;
      },
      'a live call obeys',
      60_000,
    );
  }

  async #fill(random: Random): Promise<void> {
    const free = this.#places.filter((p) => p.free);
    // Some places stay empty, for calls that come while things are broken.
    const filled = free.filter(() => random.chance(0.9));
    const states = filled.map((_, i) => STATES[(i + random.int(0, STATES.length - 1)) % STATES.length] ?? 'talking');
    for (let i = 0; i < filled.length; i += AT_ONCE) {
      const group = filled.slice(i, i + AT_ONCE);
      await Promise.all(group.map((place, n) => place.fill(states[i + n] ?? 'talking')));
    }
  }

  async #clear(places: readonly Place[], random: Random): Promise<Findings> {
    const findings: string[] = [];
    for (let i = 0; i < places.length; i += AT_ONCE) {
      const group = places.slice(i, i + AT_ONCE);
      const each = await Promise.all(group.map((place) => caught(() => place.clear(random))));
      findings.push(...each.flat());
    }
    return findings;
  }

  /** Events of the round, and the calls that have ended in it. */
  async #judge(from: number): Promise<Findings> {
    const { witness } = this.#world;
    const inLog = await logged(this.#world, from).catch((error: Error) => [error.message]);
    const wrong = [...inLog];
    const over: string[] = [];
    for (const [callID, events] of witness.calls) {
      wrong.push(...whole(callID, events));
      if (!witness.open.has(callID)) over.push(callID);
    }
    this.tally.calls += over.length;
    this.tally.lost += witness.lost;
    witness.lost = 0;
    witness.forget(over);
    witness.ids.length = 0;
    return wrong;
  }

  /** After something was found: whatever is left must not be found again in the next round. */
  async #sweep(): Promise<void> {
    const world = this.#world;
    for (const callID of world.witness.open) await world.attempt('RequestClearCall', { callID });
    await Promise.allSettled(world.people.phone.calls.map((c) => c.hangUp()));
    world.people.forgetAll();
    for (const place of this.#places) {
      place.live = undefined;
      place.disturbed = false;
      place.wrappingUp = false;
      await world.attempt('RequestAgentLogout', { agentID: place.agentID });
    }
    await delay(1_000);
  }

  async #end(random: Random): Promise<void> {
    const world = this.#world;
    const from = world.witness.position ?? 0;
    const findings = [
      ...(await this.#clear(
        this.#places.filter((p) => p.live),
        random,
      )),
    ];
    findings.push(...(await agreement(world)));
    findings.push(...(await this.#judge(from)));
    if (world.witness.open.size > 0) findings.push(`calls never ended: ${[...world.witness.open]}`);
    for (const finding of findings) this.tally.found(`at the end: ${finding}`);
  }
}

async function caught(work: () => Promise<void>): Promise<Findings> {
  try {
    await work();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
