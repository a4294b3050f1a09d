import type { z } from 'zod';
import { isFree } from '../../../src/agents/agent.ts';
import type { AgentRequest } from '../../../src/agents/verbs.ts';
import { type CtiEventName, EVENT_SCHEMAS, type NewCtiEvent, type NewEventOf } from '../../../src/cti/events.ts';
import { AgentID, type CallID, CompanyId, newCallID, partyIDOf } from '../../../src/cti/ids.ts';
import {
  emptyFloor,
  type Floor,
  type FloorEffect,
  type FloorInput,
  isFloorRefused,
  type QueueSettings,
} from '../../../src/queues/floor.ts';
import type { NotedStatus, PartyNote } from '../../../src/queues/note.ts';
import { stepFloor } from '../../../src/queues/step.ts';

export const T0 = 1_700_000_000_000;
export const COMPANY = CompanyId.parse('acme');

/** The n-th call of a story. */
export const callOf = (n: number): CallID => newCallID(String(n).padStart(32, '0'), 0);

export const QUEUES: readonly QueueSettings[] = [
  { id: '8001' },
  { id: '8002', overflow: { afterSeconds: 20, to: { queue: '8001' } } },
  { id: '8003', overflow: { afterSeconds: 10, to: { number: '+911140000009' } } },
];

/** What a model call is: the notes that it would send. */
interface ModelCall {
  queue?: string;
  since: number;
  enteredAt: number;
  assignment: number;
  overflowed: boolean;
  parties: PartyNote[];
}

/**
 * A floor and the calls around it, as a story: calls come and go, take assignments and tell how they stand, the way the
 * real ones do. Every event is held against its schema, every floor against its storage.
 */
export class FloorStory {
  floor: Floor = emptyFloor(COMPANY);
  now = T0;
  readonly events: NewCtiEvent[] = [];
  readonly calls = new Map<CallID, ModelCall>();
  /** What the floor has asked and nobody has carried out yet. */
  readonly effects: FloorEffect[] = [];
  refusal: string | undefined;
  private heard = 0;
  private readonly queues: ReadonlyMap<string, QueueSettings>;

  constructor(queues: readonly QueueSettings[] = QUEUES) {
    this.queues = new Map(queues.map((q) => [q.id, q]));
  }

  after(ms: number): this {
    this.now += ms;
    return this;
  }

  happens(input: FloorInput): this {
    const outcome = stepFloor(this.floor, input, this.now, this.queues);
    this.refusal = isFloorRefused(outcome) ? outcome.refusal.name : undefined;
    if (isFloorRefused(outcome)) return this;
    this.floor = outcome.floor;
    for (const event of outcome.events) {
      this.events.push(event);
      const schema: z.ZodType = EVENT_SCHEMAS[event.messageID];
      const checked = schema.safeParse({ ...event, eventID: this.events.length });
      if (!checked.success) throw new Error(`${event.messageID}: ${checked.error.message}`);
    }
    this.effects.push(...outcome.effects);
    return this;
  }

  // ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────

  login(id: string, more: Partial<Extract<AgentRequest, { kind: 'login' }>> = {}): this {
    return this.happens({
      kind: 'login',
      agentID: AgentID.parse(`a${id}`),
      agentUUID: id.padStart(32, '0'),
      dn: id,
      queues: ['8001'],
      agentState: 1,
      calls: this.callsOfPhone(more.dn ?? id),
      referenceID: 0,
      ...more,
    });
  }
  ready(id: string, reasonCode?: number, referenceID = 0): this {
    return this.happens({ kind: 'ready', ...who(id), referenceID, ...(reasonCode !== undefined && { reasonCode }) });
  }
  notReady(id: string, reasonCode?: number, referenceID = 0): this {
    const reason = reasonCode !== undefined && { reasonCode };
    return this.happens({ kind: 'not-ready', ...who(id), referenceID, ...reason });
  }
  logout(id: string): this {
    return this.happens({ kind: 'logout', ...who(id), referenceID: 0 });
  }
  delay(id: string, seconds: number): this {
    return this.happens({ kind: 'delay', ...who(id), seconds, referenceID: 5 });
  }
  loses(dn: string): this {
    return this.happens({ kind: 'phone-lost', dn });
  }
  tick(): this {
    return this.happens({ kind: 'tick' });
  }

  agent(id: string) {
    const agent = this.floor.agents.get(AgentID.parse(`a${id}`));
    if (!agent) throw new Error(`there is no agent a${id}`);
    return agent;
  }

  // ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A caller waits from now on. */
  waits(n: number, queue = '8001'): this {
    this.calls.set(callOf(n), {
      queue,
      since: this.now,
      enteredAt: this.now,
      assignment: 0,
      overflowed: false,
      parties: [],
    });
    return this.note(n);
  }

  /** A call of no queue, with this phone in it. */
  direct(n: number, dn: string): this {
    const parties = [this.newParty(n, 1, dn)];
    this.calls.set(callOf(n), { since: 0, enteredAt: 0, assignment: 0, overflowed: false, parties });
    return this.note(n);
  }

  /** Carries the oldest thing out that the floor has asked for, or all of it. */
  obey(times = Number.POSITIVE_INFINITY): this {
    for (let i = 0; i < times && this.effects.length > 0; i += 1) {
      const effect = this.effects.shift();
      if (effect) this.carryOut(effect);
    }
    return this;
  }

  private carryOut(effect: FloorEffect): void {
    const call = this.calls.get(effect.callID);
    const rung = call?.parties.some((p) => p.present) ?? false;
    const decline = () =>
      this.happens({
        kind: 'declined',
        callID: effect.callID,
        ...('assignment' in effect && { assignment: effect.assignment }),
      });
    if (call?.queue === undefined || rung) return void decline();
    if (effect.do === 'to-queue') {
      Object.assign(call, { queue: effect.queue, enteredAt: this.now, overflowed: false });
    } else {
      if (effect.assignment <= call.assignment || (effect.do === 'assign' && effect.queue !== call.queue)) {
        return void decline();
      }
      call.assignment = effect.assignment;
      if (effect.do === 'to-number') call.overflowed = true;
      const dn = effect.do === 'assign' ? effect.dn : effect.number;
      const n = call.parties.length + 1;
      call.parties.push({ ...this.newParty(0, n, dn, effect.callID), assignment: effect.assignment, wrapUp: 0 });
    }
    this.noteOf(effect.callID);
  }

  private newParty(n: number, party: number, dn: string, callID = callOf(n)): PartyNote {
    return { partyID: partyIDOf(callID, party), dn, present: true, wrapUp: 0, answered: false, missed: false };
  }

  /** Who is rung or talks in a call, if somebody does. */
  present(n: number): PartyNote | undefined {
    return this.calls.get(callOf(n))?.parties.find((p) => p.present);
  }

  /** The one who is rung answers: the caller waits no more. */
  answers(n: number, wrapUp = 0): this {
    const call = this.calls.get(callOf(n));
    if (!call) return this;
    delete call.queue;
    this.change(n, { answered: true, wrapUp });
    return this.note(n);
  }
  /** The one who is rung does not come: the caller waits again. */
  misses(n: number): this {
    this.change(n, { present: false, missed: true });
    return this.note(n);
  }
  /** The agent hands the call to a queue, and has gone. */
  handsOn(n: number, queue: string): this {
    const call = this.calls.get(callOf(n));
    this.change(n, { present: false });
    if (call) Object.assign(call, { queue, since: this.now, enteredAt: this.now, overflowed: false });
    return this.note(n);
  }
  /** Everybody leaves. */
  over(n: number): this {
    const call = this.calls.get(callOf(n));
    if (call) delete call.queue;
    this.change(n, { present: false });
    this.note(n);
    this.calls.delete(callOf(n));
    return this;
  }

  private change(n: number, change: Partial<PartyNote>): void {
    const call = this.calls.get(callOf(n));
    if (call) call.parties = call.parties.map((p) => (p.present ? { ...p, ...change } : p));
  }

  /** The call tells how it stands. */
  note(n: number, ...statuses: NotedStatus[]): this {
    return this.noteOf(callOf(n), statuses);
  }

  noteFor(callID: CallID) {
    const { queue, parties, ...call } = this.calls.get(callID) ?? { parties: [] };
    const rung = parties.some((p) => p.present);
    return {
      callID,
      parties,
      ...(queue !== undefined && 'since' in call && { waiting: { ...call, queue, rung } }),
    };
  }

  private noteOf(callID: CallID, statuses: readonly NotedStatus[] = []): this {
    return this.happens({ kind: 'notes', notes: [{ note: this.noteFor(callID), statuses }] });
  }

  /** The process is killed, and starts again with what was stored; what the floor had asked for is lost. */
  restart(ended: readonly CallID[] = []): this {
    this.effects.length = 0;
    const agents = JSON.parse(JSON.stringify([...this.floor.agents])) as [AgentID, never][];
    this.floor = { ...emptyFloor(COMPANY), agents: new Map(agents) };
    return this.happens({
      kind: 'recover',
      live: [...this.calls.keys()].map((callID) => this.noteFor(callID)),
      over: ended.map((callID) => this.noteFor(callID)),
    });
  }

  private callsOfPhone(dn: string): CallID[] {
    return [...this.calls].filter(([, c]) => c.parties.some((p) => p.present && p.dn === dn)).map(([id]) => id);
  }

  // ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────

  /** Events since this was last asked, as `EventAgentReady(1001)`. */
  told(): string[] {
    const news = this.events.slice(this.heard);
    this.heard = this.events.length;
    return news.map((e) => `${e.messageID}(${'thisDN' in e ? e.thisDN : ''})`);
  }

  last<N extends CtiEventName>(name: N): NewEventOf<N> {
    const found = this.events.findLast((e): e is NewEventOf<N> => e.messageID === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  }

  /** Phones that the floor wants rung, with the call's number. */
  asked(): string[] {
    return this.effects.map((e) => `${e.do} ${Number(e.callID.slice(0, 32))} ${to(e)}`);
  }

  /** What must hold after every step. Throws where it does not. */
  check(): void {
    const acquired = new Map<string, string>();
    for (const agent of this.floor.agents.values()) {
      if (!agent.acquired) continue;
      const key = `${agent.acquired.callID}#${agent.acquired.assignment}`;
      if (acquired.has(key)) throw new Error(`${agent.agentID} and ${acquired.get(key)} have one assignment`);
      acquired.set(key, agent.agentID);
    }
    for (const w of this.floor.waiting.values()) {
      if (w.assigned || w.rung || w.sentOn) continue;
      const idle = [...this.floor.agents.values()].find((a) => isFree(a) && a.queues.includes(w.queue));
      if (idle) throw new Error(`${idle.agentID} is idle while a call of his queue waits`);
    }
    for (const agent of this.floor.agents.values()) {
      const busy = agent.state !== 'Logout' && (agent.acquired !== undefined || agent.calls.length > 0);
      const resting = { Logout: 'RELEASED', Ready: 'AVAILABLE', NotReady: 'PAUSED' }[agent.state];
      if (!busy && agent.status !== resting) throw new Error(`${agent.agentID} is ${agent.status} with no call`);
      if (busy && ['AVAILABLE', 'PAUSED', 'RELEASED'].includes(agent.status) && agent.acquired) {
        throw new Error(`${agent.agentID} is ${agent.status} while acquired`);
      }
      if (agent.afterCall && agent.state !== 'NotReady') throw new Error('after-call work and not NotReady');
    }
  }
}

const who = (id: string) => ({ agentID: AgentID.parse(`a${id}`) });

const to = (e: FloorEffect): string => (e.do === 'assign' ? e.dn : e.do === 'to-queue' ? e.queue : e.number);
