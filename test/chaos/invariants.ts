import type { CtiEvent } from '../../src/cti/events.ts';
import { type Hears, hearing, type Speaker } from '../support/hearing.ts';
import type { Random } from '../support/random.ts';
import type { Live, Place } from './place.ts';
import type { World } from './world.ts';

/** What was found wrong, in words; nothing is the only good answer. */
export type Findings = readonly string[];

/** Conversations that are listened to in one round; each leg has a tone of its own. */
const LISTENED_TO = 12;
/** Tones of legs, hertz: what a detector tells apart, without the music on hold and the fallback's tone. */
const TONES = Array.from({ length: 60 }, (_, i) => 350 + 50 * i).filter((hz) => hz !== 1700 && hz !== 3000);
/** How long it may take until everybody hears whom he should, ms. */
const REST_MS = 20_000;

/** Nobody whom we left alone was hung up on. */
export function dropped(untouched: readonly Live[]): Findings {
  return untouched.flatMap((live) =>
    [...live.phones].flatMap(([number, phone]) =>
      phone.end
        ? [`${live.state} call ${live.callID}: ${number} was hung up on (${phone.end.by} ${phone.end.how})`]
        : [],
    ),
  );
}

/** Everybody whom we left alone hears whom he heard before, and nobody else. */
export async function heard(untouched: readonly Live[], random: Random): Promise<Findings> {
  const sample = random.shuffle(untouched.filter((live) => Object.keys(live.hears).length > 0)).slice(0, LISTENED_TO);
  const tones = random.shuffle(TONES);
  const speakers: Record<string, Speaker> = {};
  const expected: Record<string, readonly string[]> = {};
  for (const live of sample) {
    for (const [number, call] of live.phones) {
      const tone = tones.pop();
      if (tone === undefined) break;
      await call.sendTone(tone);
      await call.speak(true);
      speakers[number] = { call, tone };
      expected[number] = live.hears[number] ?? [];
    }
  }
  const wrong = (found: Hears): Findings =>
    sample.flatMap((live) =>
      [...live.phones.keys()].flatMap((number) => {
        const wanted = [...(expected[number] ?? [])].toSorted();
        const is = found[number] ?? [];
        if (speakers[number] === undefined || is.join() === wanted.join()) return [];
        return [`${live.state} call ${live.callID}: ${number} hears [${is.join(' ')}], not [${wanted.join(' ')}]`];
      }),
    );
  const ears = hearing(speakers);
  const until = performance.now() + REST_MS;
  let found = wrong(await ears.now());
  while (found.length > 0 && performance.now() < until) found = wrong(await ears.now());
  for (const live of sample) if (!live.recorded) for (const call of live.phones.values()) await call.speak(false);
  return found;
}

/** The events of a call that has ended are whole; of one that goes on, as far as they have come. */
export function whole(callID: string, events: readonly CtiEvent[]): Findings {
  const wrong: string[] = [];
  const names = events.map((e) => e.messageID);
  const count = (name: string): number => names.filter((n) => n === name).length;
  const ended = count('EventCallDeleted') > 0;
  if (names[0] !== 'EventCallCreated' || count('EventCallCreated') !== 1)
    wrong.push('does not begin with its creation');
  if (ended && (count('EventCallDeleted') !== 1 || names.at(-1) !== 'EventCallDeleted'))
    wrong.push('does not end once');
  const announced = new Set<string>();
  const released = new Map<string, number>();
  for (const e of events) {
    if (!('partyID' in e) || e.partyID === undefined) continue;
    if (released.has(e.partyID)) wrong.push(`${e.partyID} speaks after its release`);
    announced.add(e.partyID);
    if (e.messageID !== 'EventReleased') continue;
    released.set(e.partyID, (released.get(e.partyID) ?? 0) + 1);
    if (e.billsec < 0 || e.answersec < 0 || e.billsec > 1800) wrong.push(`lasted ${e.answersec} + ${e.billsec} s`);
  }
  if (ended) {
    for (const partyID of announced) {
      if (released.get(partyID) !== 1) wrong.push(`${partyID} was released ${released.get(partyID) ?? 0} times`);
    }
  }
  if (wrong.length === 0) return [];
  const told = events.map((e) => `${e.eventID} ${e.messageID}${'thisDN' in e ? `(${e.thisDN})` : ''}`);
  return [`call ${callID}: ${[...new Set(wrong)].join(', ')}: ${told.join(', ')}`];
}

/** The log holds exactly what the witness heard: no gap, and nothing twice. */
export async function logged(world: World, from: number): Promise<Findings> {
  const { witness, redis } = world;
  const entries = (await redis.xRange(world.keyOf('events'), `${from + 1}-0`, '+')) ?? [];
  const last = entries.at(-1);
  if (last)
    await witness.until('the witness has heard the end of the log', () => (witness.position ?? 0) >= idOf(last));
  const wrong = witness.complaints.splice(0);
  let expected = from;
  for (const entry of entries) {
    expected += 1;
    if (idOf(entry) === expected) continue;
    wrong.push(`the log has ${idOf(entry)} where ${expected} belongs`);
    expected = idOf(entry);
  }
  const heardNow = witness.ids.filter((id) => id > from && id <= (last ? idOf(last) : from));
  if (heardNow.length !== entries.length)
    wrong.push(`the log has ${entries.length}, the witness heard ${heardNow.length}`);
  return wrong;
}

const idOf = (entry: { id: string }): number => Number.parseInt(entry.id, 10);

/** Nobody is thought to be in a call that is over, or reserved for one. */
export async function stuckAgents(world: World, places: readonly Place[]): Promise<Findings> {
  const { agents } = await world.call('RequestListAgents', {});
  return agents.flatMap((agent) => {
    const place = places.find((p) => p.agentID === agent.agentID);
    const busy = place !== undefined && (place.wrappingUp || place.live?.state === 'served' || place.disturbed);
    if (agent.callID === undefined || busy || world.witness.open.has(agent.callID)) return [];
    return [`agent ${agent.agentID} is thought to be in ${agent.callID}: ${JSON.stringify(agent)}`];
  });
}
