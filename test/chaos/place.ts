import { setTimeout as delay } from 'node:timers/promises';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Random } from '../support/random.ts';
import { waitFor } from './people.ts';
import { Recorded } from './recordings.ts';
import { didOf, queueOf, type World, WRAP_UP_SECONDS } from './world.ts';

/** The states in which calls are when something breaks. */
export const STATES = [
  'ringing',
  'talking',
  'held',
  'consulting',
  'conference',
  'monitored',
  'recording',
  'recording-paused',
  'queued',
  'served',
] as const;
export type State = (typeof STATES)[number];
/** The tone that the parties of a recorded call send, hertz. */
const RECORDED_TONE = 700;
/** After a pause was accepted: how long Asterisk may take to be told, ms. */
const PAUSE_MS = 300;

/** A call that nobody touches: what must still be so of it whatever breaks. */
export interface Live {
  readonly callID: string;
  readonly state: State;
  /** Whose telephones are in it, by number. */
  readonly phones: ReadonlyMap<string, PhoneCall>;
  /** Who hears whom, by number; `music` is the music on hold. */
  readonly hears: Readonly<Record<string, readonly string[]>>;
  /** What is recorded of it: whoever is in it speaks all the time. */
  readonly recorded?: Recorded;
}

type Talking = Exclude<State, 'ringing' | 'queued' | 'served' | 'recording' | 'recording-paused'>;

/** How long an agent may take to be ready again once his after-call work is over, ms. */
const READY_MS = 30_000;

/**
 * One place in the contact centre: an agent, a colleague, a queue of its own, and a customer who is another one each time.
 * It has one call at a time, or none.
 */
export class Place {
  readonly n: number;
  readonly agent: string;
  readonly colleague: string;
  readonly agentID: string;
  live: Live | undefined;
  /** Somebody has acted here while things were broken: nobody knows what became of it. */
  disturbed = false;
  /** The agent is in after-call work, or was just before something broke. */
  wrappingUp = false;
  readonly #world: World;
  #customers = 0;

  constructor(world: World, n: number) {
    this.#world = world;
    this.n = n;
    const three = String(n).padStart(3, '0');
    this.agent = `1${three}`;
    this.colleague = `2${three}`;
    this.agentID = `7${three}`;
  }

  /** The number of the present customer. */
  get customer(): string {
    return `91128${String(this.n).padStart(3, '0')}${String(this.#customers % 10_000).padStart(4, '0')}`;
  }

  /** Everybody who belongs here. */
  get numbers(): readonly string[] {
    return [this.agent, this.colleague, this.customer];
  }

  get free(): boolean {
    return this.live === undefined && !this.disturbed && !this.wrappingUp;
  }

  /** From now on the customer is another one. */
  nextCustomer(): string {
    this.#world.people.answerAgain(this.customer);
    this.#customers += 1;
    return this.customer;
  }

  /** Has a call come into this state, and stay there. */
  async fill(state: State): Promise<void> {
    this.nextCustomer();
    const how = {
      ringing: () => this.#ringing(),
      queued: () => this.#queued(),
      served: () => this.#served(),
      recording: () => this.#recording(false),
      'recording-paused': () => this.#recording(true),
    } as const;
    this.live = await (state in how ? how[state as keyof typeof how]() : this.#talking(state as Talking));
  }

  async #ringing(): Promise<Live> {
    const { agent, customer } = this;
    const { people, witness } = this.#world;
    people.ringOn(customer);
    const { callID } = await this.#world.call('RequestMakeCall', {
      thisDN: agent,
      otherDN: customer,
      ringTimeout: 600,
    });
    await witness.event(callID, 'EventOtherRinging', agent);
    const phones = new Map([[agent, await people.talking(agent)]]);
    const [ringing] = people.at(customer);
    if (!ringing) throw new Error(`${customer} does not ring`);
    return { callID, state: 'ringing', phones: phones.set(customer, ringing), hears: {} };
  }

  async #talking(state: Talking): Promise<Live> {
    const { agent, customer, colleague } = this;
    const { people, witness } = this.#world;
    const { callID } = await this.#world.call('RequestMakeCall', { thisDN: agent, otherDN: customer });
    await witness.event(callID, 'EventEstablished', customer);
    const phones = new Map([
      [agent, await people.talking(agent)],
      [customer, await people.talking(customer)],
    ]);
    const two = { [agent]: [customer], [customer]: [agent] };
    const withColleague = async (): Promise<void> => {
      await witness.event(callID, 'EventEstablished', colleague);
      phones.set(colleague, await people.talking(colleague));
    };
    switch (state) {
      case 'talking':
        return { callID, state, phones, hears: two };
      case 'held':
        await this.#world.call('RequestHoldCall', { callID, thisDN: agent });
        await witness.event(callID, 'EventHeld', agent);
        return { callID, state, phones, hears: { [customer]: ['music'] } };
      case 'monitored':
        await this.#world.call('RequestMonitor', { callID, thisDN: colleague, otherDN: agent });
        await withColleague();
        return { callID, state, phones, hears: { ...two, [colleague]: [agent, customer] } };
      case 'consulting':
      case 'conference':
        await this.#world.call('RequestInitiateConsult', { callID, thisDN: agent, otherDN: colleague });
        await withColleague();
        if (state === 'consulting') {
          const hears = { [agent]: [colleague], [colleague]: [agent], [customer]: ['music'] };
          return { callID, state, phones, hears };
        }
        await this.#world.call('RequestConferenceConsult', { callID, thisDN: agent });
        await witness.event(callID, 'EventPartyAdded');
        return {
          callID,
          state,
          phones,
          hears: { [agent]: [colleague, customer], [colleague]: [agent, customer], [customer]: [agent, colleague] },
        };
    }
  }

  /** @param paused the recording has begun, and rests */
  async #recording(paused: boolean): Promise<Live> {
    const live = await this.#talking('talking');
    const { callID, phones } = live;
    const customer = phones.get(this.customer);
    if (!customer) throw new Error(`${this.customer} is not in his call`);
    for (const phone of phones.values()) {
      await phone.sendTone(RECORDED_TONE);
      await phone.speak(true);
    }
    const { recordings } = this.#world;
    const asked = customer.sentMs;
    const { recordUUID } = await this.#world.call('RequestStartRecording', { callID });
    await recordings.running(recordUUID);
    const recorded = new Recorded(callID, recordUUID, customer, { asked, done: customer.sentMs });
    recordings.add(recorded);
    if (paused) {
      const pausing = customer.sentMs;
      await this.#world.call('RequestPauseRecording', { callID });
      await delay(PAUSE_MS);
      recorded.step(false, { asked: pausing, done: customer.sentMs });
    }
    return { ...live, recorded, state: paused ? 'recording-paused' : 'recording' };
  }

  /** A recording that rests goes on. */
  async goOn(): Promise<void> {
    const { live } = this;
    const customer = live?.phones.get(this.customer);
    if (live?.state !== 'recording-paused' || !customer || this.disturbed) return;
    let asked = customer.sentMs;
    const granted = async (): Promise<boolean> => {
      asked = customer.sentMs;
      const refusal = await this.#world.call('RequestResumeRecording', { callID: live.callID }).then(
        () => undefined,
        (error: Error) => error,
      );
      // That its node is away can be found out only now: refused, nothing is done, and whoever wants it asks again.
      if (refusal && refusal.message !== 'PBXError') throw refusal;
      return refusal === undefined;
    };
    await waitFor(granted, `the recording of call ${live.callID} goes on`);
    live.recorded?.step(true, { asked, done: customer.sentMs + PAUSE_MS });
    this.live = { ...live, state: 'recording' };
  }

  /** The customer calls the place's queue. @returns the call that comes of it */
  async #callIn(): Promise<string> {
    const { customer } = this;
    const { people, witness } = this.#world;
    people.call(customer, didOf(this.n));
    const find = (): string | undefined => [...witness.open].find((id) => this.#world.isOf(id, customer));
    await witness.until(`${customer} has come in`, () => find() !== undefined);
    const callID = find();
    if (callID === undefined) throw new Error(`${customer} has gone again`);
    return callID;
  }

  async #queued(): Promise<Live> {
    const callID = await this.#callIn();
    const caller = await this.#world.people.talking(this.customer);
    return {
      callID,
      state: 'queued',
      phones: new Map([[this.customer, caller]]),
      hears: { [this.customer]: ['music'] },
    };
  }

  async #served(): Promise<Live> {
    const { agent, customer, agentID } = this;
    const { people, witness } = this.#world;
    await this.#world.call('RequestAgentLogin', {
      agentID,
      thisDN: agent,
      agentState: 1,
      thisQueues: [queueOf(this.n)],
    });
    const callID = await this.#callIn();
    await witness.event(callID, 'EventEstablished', customer);
    return {
      callID,
      state: 'served',
      phones: new Map([
        [agent, await people.talking(agent)],
        [customer, await people.talking(customer)],
      ]),
      hears: { [agent]: [customer], [customer]: [agent] },
    };
  }

  /** The agent has served somebody, and is in after-call work. */
  async wrapUp(): Promise<void> {
    this.nextCustomer();
    const { callID, phones } = await this.#served();
    await phones.get(this.customer)?.hangUp();
    await this.#world.witness.event(callID, 'EventCallDeleted');
    this.wrappingUp = true;
  }

  /** The agent's after-call work ends by itself. */
  async rested(): Promise<void> {
    const { agentID } = this;
    let state = '';
    await waitFor(
      async () => {
        const answer = await this.#world.attempt('RequestListAgents', {});
        const agent = answer?.agents.find((a) => a.agentID === agentID);
        state = JSON.stringify(agent);
        return agent?.state === 'Ready' && agent.callID === undefined;
      },
      `agent ${agentID} is ready again`,
      READY_MS + WRAP_UP_SECONDS * 1000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${state}`);
    });
    this.wrappingUp = false;
    await this.#world.call('RequestAgentLogout', { agentID });
  }

  async #end({ callID, state, phones }: Live, random: Random): Promise<void> {
    const way = random.pick(['agent', 'customer', 'clear', 'release'] as const);
    // Of a call that somebody has disturbed, nobody knows who is left in it.
    if (way === 'release' && state !== 'queued' && !this.disturbed) {
      await this.#world.call('RequestReleaseCall', { callID, thisDN: this.agent });
    } else if (way === 'agent' || way === 'customer') {
      const who = way === 'agent' && phones.has(this.agent) ? this.agent : this.customer;
      await phones.get(who)?.hangUp();
    }
    // Who leaves a meeting, or a call that somebody listens to, need not end it.
    await this.#world.attempt('RequestClearCall', { callID });
  }

  /** Ends what goes on here, one way or the other, and waits until nobody is on the telephone any more. */
  async clear(random: Random): Promise<void> {
    const { live } = this;
    const { people, witness } = this.#world;
    if (live && witness.open.has(live.callID)) {
      await this.#end(live, random);
      await witness.event(live.callID, 'EventCallDeleted');
    }
    if (this.disturbed) {
      for (const callID of witness.open) {
        if (this.numbers.some((number) => this.#world.isOf(callID, number))) {
          await this.#world.attempt('RequestClearCall', { callID });
        }
      }
    }
    const mine = () => this.numbers.flatMap((number) => people.at(number));
    if (this.disturbed && mine().some((c) => c.direction === 'out')) {
      // A caller whom nobody serves waits with the dialplan.
      await Promise.all(mine().map((c) => (c.direction === 'out' ? c.hangUp() : undefined)));
    }
    await waitFor(() => mine().length === 0, `the telephones of place ${this.n} are at rest`).catch((error: Error) => {
      const left = mine().map((c) => `${c.dialled} from ${c.callerNumber}: ${c.history}`);
      throw new Error(`${error.message}: ${left.join('; ')}`);
    });
    people.answerAgain(this.customer);
    this.live = undefined;
    if (this.disturbed) {
      this.disturbed = false;
      this.wrappingUp = false;
      await this.#world.attempt('RequestAgentLogout', { agentID: this.agentID });
    } else if (live?.state === 'served') {
      this.wrappingUp = true;
    }
  }
}
