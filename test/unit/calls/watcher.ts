import { isDeepStrictEqual } from 'node:util';
import type { Call } from '../../../src/calls/call.ts';
import type { CallBirth, CallInput } from '../../../src/calls/input.ts';
import { isRefused, type Outcome, type Refused } from '../../../src/calls/output.ts';
import { isLeaving, isLive, type Party } from '../../../src/calls/party.ts';
import { begin, step } from '../../../src/calls/step.ts';
import type { NewCtiEvent } from '../../../src/cti/events.ts';
import { isCallID, partyIDOf } from '../../../src/cti/ids.ts';
import { ATTACHED_DATA_MAX_BYTES } from '../../../src/cti/json.ts';
import { deepFreeze, validate } from './flow.ts';
import { Told } from './told.ts';
import { must, WatchedSwitch } from './watched-switch.ts';

/** What others than a client ask of a call: they may come too late. */
const MAY_BE_LATE: ReadonlySet<CallInput['kind']> = new Set([
  'assign',
  'to-queue',
  'to-number',
  'overflow-failed',
  'give-away',
  'adopt',
]);

/**
 * Takes one call through whatever happens to it and knows, apart from the code, what a switch and a subscriber may
 * expect: which channels and bridges there are, which were asked to end, and who was told what. It throws at the first
 * thing that must not be.
 */
export class Watcher {
  call: Call;
  readonly events: NewCtiEvent[] = [];
  /** How often each event, each command, each refusal, and what others than a client ask of a call, has been seen. */
  readonly seen = new Map<string, number>();
  private readonly switch = new WatchedSwitch();
  private readonly told = new Told();
  private deleted = false;

  constructor(birth: CallBirth, now: number) {
    deepFreeze(birth);
    if (birth.kind === 'arrived') this.switch.channels.add(birth.channel);
    const outcome = begin(birth, now);
    must(isDeepStrictEqual(outcome, begin(birth, now)), 'the same birth gave two calls');
    this.call = outcome.call;
    this.hear(outcome, false);
  }

  /** Lets one thing happen, and checks everything. */
  happens(input: CallInput, now: number): void {
    this.switch.tells(input);
    const before = deepFreeze(this.call);
    const outcome: Outcome | Refused = step(before, deepFreeze(input), now);
    must(isDeepStrictEqual(outcome, step(before, input, now)), 'the same input gave two outcomes');
    if (isRefused(outcome)) {
      this.count(outcome.refusal.name);
      must('referenceID' in input || MAY_BE_LATE.has(input.kind), 'a fact or a timer was refused');
      return;
    }
    this.call = outcome.call;
    if (MAY_BE_LATE.has(input.kind)) this.count(input.kind);
    if (input.kind === 'adopt') {
      this.switch.takesOver(input);
      this.told.adopted(partyIDOf(this.call.callID, this.call.parties.length));
    }
    this.hear(outcome, 'recovered' in input && input.recovered === true);
    if (input.kind === 'give-away') this.letsGo(before);
    this.checkRequest(input, before, outcome.events);
    if (input.kind === 'leg-ended') this.checkOthers(input.channel, before);
  }

  /** A leg that goes to another call is no channel of this one any more. */
  private letsGo(before: Call): void {
    const given = this.call.parties.find((p) => p.leg.given);
    must(given !== undefined, 'given away, and nobody went');
    must(before.media.music.includes(given.leg.channel) === given.leg.given?.hearsMusic, 'music is told wrongly');
    this.switch.ended.add(given.leg.channel);
  }

  private count(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
  }

  private hear(outcome: Outcome, recovered: boolean): void {
    const { call } = outcome;
    must(isCallID(call.callID), 'the call lost its id');
    must(isDeepStrictEqual(JSON.parse(JSON.stringify(call)), call), 'the call does not survive its storage');
    must(JSON.stringify(call.attachedData).length <= ATTACHED_DATA_MAX_BYTES, 'attached data over 64 KiB');
    for (const event of outcome.events) {
      this.checkEvent(event, recovered);
      const carried = { ...event.attachedData, ...call.attachedData };
      must(isDeepStrictEqual(carried, event.attachedData), `${event.messageID} without the call's attached data`);
    }
    for (const command of outcome.commands) {
      this.count(command.do);
      this.switch.carriesOut(command, call);
    }
    this.checkParties();
  }

  private checkEvent(event: NewCtiEvent, recovered: boolean): void {
    this.events.push(event);
    this.count(event.messageID);
    validate(event, this.events.length);
    must(!this.deleted, `${event.messageID} after EventCallDeleted`);
    must((event.recovered === true) === recovered, `${event.messageID}: recovered is not told rightly`);
    must((this.events.length === 1) === (event.messageID === 'EventCallCreated'), 'EventCallCreated is not the first');
    if (event.messageID === 'EventCallDeleted') {
      this.deleted = true;
      must(event.recordUrl === undefined || this.switch.written, 'a recording told of that Asterisk never wrote');
    }
    this.told.hears(event);
  }

  private checkParties(): void {
    const { parties, timers, deleted } = this.call;
    const live = parties.filter(isLive);
    must(deleted === this.deleted, 'deleted without EventCallDeleted, or told without being so');
    must(deleted === (live.length === 0), deleted ? 'deleted under a live leg' : 'all legs ended, and not deleted');
    for (const p of live) {
      must(
        p.leg.state === 'planned' || this.switch.channels.has(p.leg.channel),
        `${p.dn} lives on a channel never dialled`,
      );
    }
    must(!deleted || timers.length === 0, 'a timer outlives the call');
    if (live.length < parties.length || (parties.length === 1 && !deleted)) {
      if (!this.goesOn(live)) for (const p of live) must(this.isLetGo(p), `the call is over, and ${p.dn} stays`);
    }
    for (const p of live) if (p.state === 'Talk' && p.leg.state === 'up' && !isLeaving(p)) this.checkSound(p, live);
    for (const p of live) if (p.leg.state === 'up' && !isLeaving(p)) this.checkHold(p, live);
    this.switch.checkBridges();
    this.checkConsult();
    this.checkQueue();
    this.checkSupervision();
  }

  /** Nobody hears one who holds or is muted; what subscribers were told is what is so. */
  private checkHold(party: Party, live: readonly Party[]): void {
    const { place, muted } = this.call.media;
    const { channel, heldByPhone } = party.leg;
    must(this.told.held.has(party.partyID) === (party.state === 'Held'), `${party.dn}: subscribers were not told so`);
    must(this.told.muted.has(party.partyID) === (party.muted === true), `${party.dn}: muted, and not told, or not so`);
    must(muted.includes(channel) === (party.muted === true), `${party.dn} is heard, or not, against its mute`);
    must(this.switch.muted.has(channel) === (party.muted === true), `${party.dn}: the switch was not told of its mute`);
    must(
      !heldByPhone || party.state !== 'Talk' || this.waitsInQueue(party),
      `${party.dn} talks on a phone that is on hold`,
    );
    const swapped = this.call.consult?.swapped === true && this.call.consult.host === party.partyID;
    if (party.state !== 'Held' || (swapped && !heldByPhone)) return;
    const near = live.filter((p) => p !== party && p.leg.state === 'up' && !isLeaving(p));
    const heard = place[channel] !== undefined && near.some((p) => place[p.leg.channel] === place[channel]);
    must(!heard, `${party.dn} holds and is heard`);
  }

  /** Two who talk, or one to whom somebody is on the way, or will be when the last to be tried has gone. */
  private goesOn(live: readonly Party[]): boolean {
    const staying = live.filter((p) => !isLeaving(p) && p.partyID !== this.call.supervision?.supervisor);
    const talking = staying.filter((p) => p.state === 'Talk' || p.state === 'Held').length;
    const { transfer } = this.call;
    // Whoever is on his way out of a call that is handed on leads to the next who is rung, once he has gone.
    const awaited =
      live.some((p) => p.partyID === transfer?.to && (p.leg.state !== 'up' || isLeaving(p))) ||
      live.some((p) => p.partyID === transfer?.by && isLeaving(p));
    // A host waits in a queue for the sake of his customer.
    const waits = this.call.consult === undefined && staying.some((p) => this.waitsInQueue(p));
    return talking >= 2 || (talking === 1 && awaited) || waits;
  }

  /** Whoever talks hears somebody, or music, or a tone; one whose call is being handed on waits for the next. */
  private checkSound(party: Party, live: readonly Party[]): void {
    const { place, music } = this.call.media;
    const { channel, treatment } = party.leg;
    if (music.includes(channel)) {
      must(place[channel] === undefined, `${party.dn} hears music in a bridge`);
      return;
    }
    must(place[channel] !== undefined, `${party.dn} talks and is in no bridge`);
    must(this.switch.inBridge.has(channel), `${party.dn} was never put where it is`);
    const near = live.some(
      (p) => p.partyID !== party.partyID && !isLeaving(p) && place[p.leg.channel] === place[channel],
    );
    const listens = Object.values(this.call.media.snoops).some((s) => s.listener === channel);
    must(near || listens || treatment !== undefined || this.call.transfer !== undefined, `${party.dn} talks to nobody`);
  }

  /** Host and guest are among themselves. */
  private checkConsult(): void {
    const { consult, media, parties } = this.call;
    const party = (id: string | undefined) => parties.find((p) => p.partyID === id);
    const [host, guest] = [party(consult?.host), party(consult?.guest)];
    if (!host || !guest || [host, guest].some((p) => !isLive(p) || isLeaving(p))) return;
    if (this.call.queue?.rung === guest.partyID) {
      must(media.music.includes(host.leg.channel), 'the host waits without music');
      must(media.place[guest.leg.channel] === undefined, 'who is rung for a queue is heard before he answers');
      return;
    }
    if (consult?.swapped) {
      must(media.music.includes(guest.leg.channel), 'the guest whom the host holds has no music');
      return;
    }
    const bridge = media.place[host.leg.channel] ?? media.place[guest.leg.channel];
    const oneHolds = host.state === 'Held' || guest.state === 'Held';
    must(oneHolds || media.place[host.leg.channel] === media.place[guest.leg.channel], 'host and guest are apart');
    must(bridge !== undefined || (host.state === 'Held' && guest.state === 'Held'), 'host and guest are nowhere');
    for (const p of parties) {
      const place = media.place[p.leg.channel];
      const apart = p === host || p === guest || isLeaving(p) || place === undefined || place !== bridge;
      must(apart, `${p.dn} hears what host and guest say`);
    }
  }

  /** Who waits hears music, and nobody else waits for him but one who is rung. */
  private checkQueue(): void {
    const { queue, parties, media, consult } = this.call;
    const waiting = parties.find((p) => p.partyID === queue?.party);
    if (!queue || !waiting || waiting.leg.state !== 'up' || isLeaving(waiting)) return;
    must(media.music.includes(waiting.leg.channel), `${waiting.dn} waits without music`);
    const rung = parties.find((p) => p.partyID === queue.rung);
    must(!rung || isLive(rung), 'one is noted as rung who has ended');
    must(rung?.leg.state !== 'up' || isLeaving(rung), 'one has answered who is noted as rung');
    must(!consult || (consult.host === waiting.partyID && consult.guest === queue.rung), 'a queue is asked by nobody');
  }

  /** One who waits in a queue, whether or not his phone has answered yet. */
  private waitsInQueue(party: Party): boolean {
    return this.call.queue?.party === party.partyID;
  }

  /** Who only listens is with nobody, and hears the agent; whoever supervises has an agent to supervise. */
  private checkSupervision(): void {
    const { supervision, media, parties } = this.call;
    const party = (id: string | undefined) => parties.find((p) => p.partyID === id);
    const [supervisor, target] = [party(supervision?.supervisor), party(supervision?.target)];
    if (!supervisor || !target || !isLive(supervisor) || isLeaving(supervisor)) return;
    must(isLive(target), 'the agent has left, and his supervisor stays');
    if (supervisor.leg.state !== 'up') {
      must(media.place[supervisor.leg.channel] === undefined, 'a supervisor hears before he answers');
      return;
    }
    if (supervision?.mode !== 'monitor' && supervision?.mode !== 'whisper') return;
    const snoops = Object.values(media.snoops);
    must(snoops.length === 1 && snoops[0]?.of === target.leg.channel, 'the supervisor does not hear his agent');
    must(snoops[0]?.whisper === (supervision.mode === 'whisper'), 'the supervisor is heard wrongly');
    const bridge = media.place[supervisor.leg.channel];
    for (const p of parties) {
      must(p === supervisor || media.place[p.leg.channel] !== bridge, `${p.dn} hears who only listens`);
    }
  }

  /** Asked to end, or hearing the tone with a timer that ends it. */
  private isLetGo(party: Party): boolean {
    const waits = party.leg.treatment !== undefined && this.call.timers.some((t) => t.name === 'treatment');
    return this.switch.leaving.has(party.leg.channel) || waits;
  }

  private checkRequest(input: CallInput, before: Call, events: readonly NewCtiEvent[]): void {
    if (!('referenceID' in input)) return;
    const { referenceID } = input;
    for (const e of events) must(e.referenceID === referenceID, `${e.messageID} does not say which request it is of`);
    const live = this.call.parties.filter(isLive);
    if (input.kind === 'clear') must(live.every(isLeaving), 'cleared, and somebody stays');
    if (input.kind === 'release') {
      const left = before.parties.find((p) => p.dn === input.thisDN && isLive(p));
      const now = this.call.parties.find((p) => p.partyID === left?.partyID);
      must(now !== undefined && (isLeaving(now) || !isLive(now)), 'released, and stays');
      const own = left?.partyID !== before.supervision?.supervisor;
      const stayed = before.parties.filter((p) => p !== left && isLive(p) && !isLeaving(p)).map((p) => p.partyID);
      const stay = live.filter((p) => !isLeaving(p)).map((p) => p.partyID);
      must(own || isDeepStrictEqual(stay, stayed), 'a supervisor takes somebody with him');
    }
  }

  /** The end of a leg that was in no conversation, or was on its way out of one, takes nobody else out. */
  private checkOthers(channel: string, before: Call): void {
    const left = before.parties.find((p) => p.leg.channel === channel);
    const talks = (p: Party): boolean => (p.state === 'Talk' || p.state === 'Held') && p.leg.state === 'up';
    if (!left || !isLive(left) || (talks(left) && !isLeaving(left))) return;
    for (const p of before.parties) {
      // A supervisor goes with his agent.
      if (p === left || !talks(p) || isLeaving(p) || p.partyID === before.supervision?.supervisor) continue;
      const now = this.call.parties.find((q) => q.partyID === p.partyID);
      must(now !== undefined && isLive(now) && !isLeaving(now), `${p.dn} is let go because ${left.dn} does not come`);
    }
  }

  /** The channels that a switch would still have. */
  liveChannels(): string[] {
    return [...this.switch.channels].filter((c) => !this.switch.ended.has(c));
  }

  /** What must hold once the switch has confirmed every end. */
  checkEnd(): void {
    must(this.deleted, 'every leg has ended, and the call has not');
    this.switch.checkEnd();
    for (const party of this.told.announced) {
      must(this.told.released.has(party), `${party} was announced and never released`);
    }
    for (const c of this.switch.channels) {
      const known = this.call.parties.some((p) => p.leg.channel === c && this.told.released.has(p.partyID));
      must(known, `channel ${c} was dialled or arrived, and nobody was told of its end`);
    }
  }
}
