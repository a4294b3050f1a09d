import { setTimeout as delay } from 'node:timers/promises';
import { type Random, randomOf } from '../support/random.ts';
import { agreement, keptTooLong } from './agreement.ts';
import { churn } from './churn.ts';
import type { Fault } from './fault.ts';
import { dropped, type Findings, heard, logged, stuckAgents, whole } from './invariants.ts';
import { waitFor } from './people.ts';
import { Place, STATES, type State } from './place.ts';
import type { RoundTally, Tally } from './tally.ts';
import type { World } from './world.ts';

/** Calls that are set up at the same time. */
const AT_ONCE = 12;
/** Of the places: agents in after-call work, and such as stay empty for calls that come while things are broken. */
const WRAPPING_UP = 0.1;
const EMPTY = 0.08;
/** How long control may take to be back, ms; and between two tries. */
const CONTROL_MS = 60_000;
const TRY_MS = 50;

export interface Plan {
  readonly seed: number;
  /** Calls that live when something breaks. */
  readonly calls: number;
  /** Seconds for which something may stay broken. */
  readonly broken: readonly number[];
  readonly faults: readonly Fault[];
  /** Number of the first round, from 0, and of all that are planned. */
  readonly first: number;
  readonly of: number;
  /** No round is begun once this is true. */
  readonly enough: () => boolean;
  readonly say: (line: string) => void;
}

const wrappingUpOf = (calls: number): number => Math.max(2, Math.round(calls * WRAPPING_UP));

/** How many places it takes for so many live calls. */
export const placesFor = (calls: number): number =>
  calls + wrappingUpOf(calls) + Math.max(2, Math.round(calls * EMPTY));

/** Breaks things again and again under live calls, and looks each time whether all is as it was. */
export class Rounds {
  readonly tally: Tally;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #places: readonly Place[];

  constructor(world: World, plan: Plan, tally: Tally) {
    this.#world = world;
    this.#plan = plan;
    this.tally = tally;
    this.#places = Array.from({ length: placesFor(plan.calls) }, (_, n) => new Place(world, n));
  }

  async run(): Promise<void> {
    const { faults, first, of, seed, enough, say } = this.#plan;
    for (const [i, fault] of faults.entries()) {
      if (enough()) break;
      const round: RoundTally = { fault: fault.name, states: {}, live: 0, took: {}, found: [] };
      const began = performance.now();
      try {
        await this.#round(fault, randomOf(seed, first + i), round);
      } catch (error) {
        round.found.push(`the round could not be finished: ${(error as Error).message}`);
      }
      if (round.found.length > 0) await this.#sweep();
      this.tally.rounds.push(round);
      const took = Object.entries(round.took).map(([what, s]) => `${what} ${s.toFixed(1)}`);
      const back = round.back === undefined ? 'control was not back' : `control after ${round.back.toFixed(2)} s`;
      const verdict = round.found.length === 0 ? 'good' : `${round.found.length} FOUND\n  ${round.found.join('\n  ')}`;
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      say(
        `round ${first + i + 1} of ${of}: ${fault.name}, ${round.live} calls: ${back} (${seconds} s: ${took.join(', ')}): ${verdict}`,
      );
    }
    this.tally.left.push(...(await this.#end(randomOf(seed, first + faults.length))));
    const { recordings, versions } = this.#world;
    this.tally.recordings.judged += recordings.judged;
    this.tally.recordings.shortest = Math.max(this.tally.recordings.shortest, recordings.shortest);
    this.tally.versions.judged += versions.judged;
    this.tally.versions.commits += versions.commits;
    this.tally.versions.unknown += versions.unknown;
  }

  async #round(fault: Fault, random: Random, round: RoundTally): Promise<void> {
    const world = this.#world;
    const { found } = round;
    let at = performance.now();
    const took = (what: string): void => {
      const now = performance.now();
      round.took[what] = (now - at) / 1000;
      at = now;
    };
    const from = world.witness.position ?? 0;
    found.push(...(await world.have(fault.instances, random.pick([0, 1]))));
    took('instances');
    await this.#fill(random);
    took('calls');
    const seconds = random.pick(this.#plan.broken);
    const chosen = this.#places.filter(() => random.chance(0.3));
    const untouched = this.#places.filter((p) => !chosen.includes(p)).flatMap((p) => p.live ?? []);
    const acting = chosen.map((p, n) =>
      churn(world, p, randomOf(this.#plan.seed, n, random.int(0, 2 ** 30)), seconds * 1000 + 500),
    );
    await delay(random.int(0, 300));
    const states = { ...this.#states(), 'in after-call work': await this.#wrappingUp() };
    Object.assign(round, { live: world.witness.open.size, states });
    // Who heard from the one goes on at the other.
    if (fault.instances === 2 && random.chance(0.5)) world.witness.move();
    const mend = await fault.run(world, random, seconds);
    took('broken');
    const controlled = untouched.map((live) => live.callID);
    round.back = await this.#controls(controlled);
    at = performance.now() - round.back * 1000;
    took('control');
    if (mend) {
      await mend();
      took('mending');
      round.whole = await this.#controls(controlled);
      took('whole');
    }
    await world.afterwards?.();
    world.afterwards = undefined;
    await Promise.allSettled(acting);
    found.push(...(await world.atRest()));
    await world.versions.goOn();
    took('acting');
    await this.#look(fault, untouched, random, round);
    took('looking');
    found.push(
      ...(await this.#clear(
        this.#places.filter((p) => p.disturbed),
        random,
      )),
    );
    took('clearing');
    const settled = await agreement(world);
    this.tally.ghosts += settled.filter((one) => one.startsWith('ghost')).length;
    found.push(...settled);
    found.push(...(await stuckAgents(world, this.#places)));
    const kept = await keptTooLong(world);
    this.tally.ghosts += kept.length;
    found.push(...kept);
    took('agreeing');
    found.push(...(await this.#judge(from)));
    took('judging');
    const leaving = this.#places.filter((p) => p.live && random.chance(0.3));
    found.push(...(await this.#clear(leaving, random)));
    took('leaving');
  }

  /** What has become of those whom we left alone. */
  async #look(fault: Fault, untouched: readonly NonNullable<Place['live']>[], random: Random, round: RoundTally) {
    const { found } = round;
    if (fault.endsCalls) {
      for (const place of this.#places) if (place.live) place.disturbed = true;
    } else {
      const gone = dropped(untouched);
      this.tally.dropped += gone.length;
      found.push(...gone);
      found.push(...(await heard(untouched, random)));
      for (const place of this.#places) found.push(...(await caught(() => place.goOn())));
    }
    found.push(...(await this.#rested()));
  }

  /** After-call work ends by itself, where nobody has disturbed it. */
  async #rested(): Promise<Findings> {
    const resting = this.#places.filter((p) => !p.live && !p.disturbed && p.wrappingUp);
    return (await inGroups(resting.map((place) => () => caught(() => place.rested())))).flat();
  }

  /** Waits until a request on a live call of each shard is carried out at every instance. @returns seconds */
  async #controls(callIDs: readonly string[]): Promise<number> {
    const world = this.#world;
    const began = performance.now();
    await world.inControl();
    const obeys = async (machine: World['machines'][number], shard: string): Promise<boolean> => {
      const callID = callIDs.find((id) => world.witness.open.has(id) && world.shardOf(id) === shard);
      if (callID === undefined) return true;
      // What is only kept says nothing of control where Asterisk is out of reach.
      if ((await world.holderOf(shard))?.deaf) return false;
      const attachedData = { controlled: 'yes' };
      return await world.callAt(machine, 'RequestUpdateAttachedData', { callID, attachedData }).then(
        () => true,
        () => false,
      );
    };
    await Promise.all(
      world.there.flatMap((machine) =>
        world.shards.map((shard) =>
          waitFor(
            () => obeys(machine, shard),
            `a live call of ${shard} obeys where machine ${machine.name} is asked`,
            CONTROL_MS,
            TRY_MS,
          ),
        ),
      ),
    );
    return (performance.now() - began) / 1000;
  }

  /** How many calls are in which state. */
  #states(): Record<string, number> {
    const states: Record<string, number> = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const { live } of this.#places) if (live) states[live.state] = (states[live.state] ?? 0) + 1;
    return states;
  }

  /** Agents who are in after-call work now. */
  async #wrappingUp(): Promise<number> {
    const { agents } = await this.#world.call('RequestListAgents', {});
    return agents.filter((a) => a.expirationTime !== undefined).length;
  }

  /** Fills the places, each state as often as the others. Those in after-call work come last, since it is soon over. */
  async #fill(random: Random): Promise<void> {
    const { calls } = this.#plan;
    const states = this.#states();
    const least = (): State => {
      const [state] = [...STATES].toSorted((a, b) => (states[a] ?? 0) - (states[b] ?? 0));
      return state ?? 'talking';
    };
    const free = random.shuffle(this.#places.filter((p) => p.free));
    const missing = Math.max(0, calls - this.#places.filter((p) => p.live).length);
    const work = free.splice(0, missing).map((place) => {
      const state = least();
      states[state] = (states[state] ?? 0) + 1;
      return () => place.fill(state);
    });
    await inGroups(work);
    const resting = free.splice(0, Math.max(0, wrappingUpOf(calls) - (await this.#wrappingUp())));
    await inGroups(resting.map((place) => () => place.wrapUp()));
  }

  async #clear(places: readonly Place[], random: Random): Promise<Findings> {
    const findings = await inGroups(places.map((place) => () => caught(() => place.clear(random))));
    return findings.flat();
  }

  /** Events of the round, and the calls that have ended in it. */
  async #judge(from: number): Promise<Findings> {
    const world = this.#world;
    const { witness } = world;
    const wrong = [...(await logged(world, from).catch((error: Error) => [error.message]))];
    const over: string[] = [];
    for (const [callID, events] of witness.calls) {
      wrong.push(...whole(callID, events));
      if (!witness.open.has(callID)) over.push(callID);
    }
    this.tally.calls += over.length;
    this.tally.lost += witness.lost;
    witness.lost = 0;
    const firstEvents = new Map(over.map((id) => [id, witness.of(id)[0]?.eventID ?? 0]));
    const recordings = new Map(over.map((id) => [id, recordingOf(witness.of(id))]));
    wrong.push(...(await world.recordings.judge(recordings, world.fetchRecording)));
    wrong.push(...(await world.versions.judge(firstEvents)));
    witness.forget(over);
    witness.ids.length = 0;
    return wrong;
  }

  /** After something was found: whatever is left must not be found again in the next round. */
  async #sweep(): Promise<void> {
    const world = this.#world;
    await world.mend();
    await world.inControl().catch(() => undefined);
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

  async #end(random: Random): Promise<Findings> {
    const world = this.#world;
    const from = world.witness.position ?? 0;
    const findings = [
      ...(await this.#clear(
        this.#places.filter((p) => p.live),
        random,
      )),
      ...(await this.#rested()),
    ];
    findings.push(...(await agreement(world)));
    findings.push(...(await this.#judge(from)));
    if (world.witness.open.size > 0) findings.push(`calls never ended: ${[...world.witness.open]}`);
    return findings.map((one) => `at the end: ${one}`);
  }
}

/** The recording that a call's end names. */
function recordingOf(events: readonly { readonly messageID: string }[]): string | undefined {
  const end = events.find((e) => e.messageID === 'EventCallDeleted');
  return end && 'recordUUID' in end ? String(end.recordUUID) : undefined;
}

async function inGroups<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const done: T[] = [];
  for (let i = 0; i < work.length; i += AT_ONCE) {
    done.push(...(await Promise.all(work.slice(i, i + AT_ONCE).map((one) => one()))));
  }
  return done;
}

async function caught(work: () => Promise<void>): Promise<Findings> {
  try {
    await work();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
