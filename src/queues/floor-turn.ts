import { type Agent, type AgentTurn, isBusy, withStatus } from '../agents/agent.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { AgentID, CallID, CompanyId } from '../cti/ids.ts';
import { agentOnPhone, type Floor, type FloorEffect, type FloorOutcome, type Queues, type Waiting } from './floor.ts';
import type { NotedStatus } from './note.ts';

/** One step of a floor in the making: it lives for the length of one step. What is not changed is not copied. */
export class FloorTurn implements AgentTurn {
  readonly events: NewCtiEvent[] = [];
  readonly effects: FloorEffect[] = [];
  readonly #floor: Floor;
  #agents: Map<AgentID, Agent> | undefined;
  #waiting: Map<CallID, Waiting> | undefined;

  constructor(
    floor: Floor,
    /** Unix ms. */
    readonly now: number,
    readonly queues: Queues,
    /** Events are made up from what a restart found. */
    readonly recovered = false,
  ) {
    this.#floor = floor;
  }

  get companyId(): CompanyId {
    return this.#floor.companyId;
  }

  get agents(): ReadonlyMap<AgentID, Agent> {
    return this.#agents ?? this.#floor.agents;
  }

  get waiting(): ReadonlyMap<CallID, Waiting> {
    return this.#waiting ?? this.#floor.waiting;
  }

  onPhone(dn: string): Agent | undefined {
    return agentOnPhone(this.agents.values(), dn);
  }

  put(agent: Agent): void {
    if (this.agents.get(agent.agentID) === agent) return;
    this.#agents ??= new Map(this.#floor.agents);
    this.#agents.set(agent.agentID, agent);
  }

  forget(agentID: AgentID): void {
    this.#agents ??= new Map(this.#floor.agents);
    this.#agents.delete(agentID);
  }

  wait(waiting: Waiting): void {
    this.#waiting ??= new Map(this.#floor.waiting);
    this.#waiting.set(waiting.callID, waiting);
  }

  waitsNoMore(callID: CallID): void {
    if (!this.waiting.has(callID)) return;
    this.#waiting ??= new Map(this.#floor.waiting);
    this.#waiting.delete(callID);
  }

  /**
   * Takes over a status that a call gave. One who has left the call has the status of an agent without one, and keeps
   * beside it what the call gave last: how it ended for him.
   */
  status({ dn, status }: NotedStatus): void {
    const agent = this.onPhone(dn);
    if (!agent) return;
    const told = { ...agent, callStatus: status, callStatusSince: this.now };
    this.put(isBusy(agent) ? withStatus(told, status, this.now) : told);
  }

  tell(event: NewCtiEvent): void {
    this.events.push(this.recovered ? { ...event, recovered: true as const } : event);
  }

  ask(effect: FloorEffect): void {
    this.effects.push(effect);
  }

  outcome(agent?: Agent): FloorOutcome {
    const changed = this.#agents !== undefined || this.#waiting !== undefined;
    const floor = changed ? { companyId: this.companyId, agents: this.agents, waiting: this.waiting } : this.#floor;
    return { floor, events: this.events, effects: this.effects, ...(agent && { agent }) };
  }
}
