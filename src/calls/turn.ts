import type { AgentStatus } from '../cti/agent-status.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { PartyState } from '../cti/roles.ts';
import { type Call, type TimerName, withParty } from './call.ts';
import type { Command } from './command.ts';
import { settleMedia } from './media.ts';
import type { AgentStatusChange, Outcome } from './output.ts';
import type { Leg, Party } from './party.ts';
import { move } from './party.ts';
import { settleRecording } from './recording.ts';

/**
 * One step in the making: collects the next call, the events and the commands while the capabilities do their work.
 * It lives for the length of one `step` and never leaves it.
 */
export class Turn {
  readonly events: NewCtiEvent[] = [];
  readonly commands: Command[] = [];
  readonly statuses: AgentStatusChange[] = [];
  /** See {@link settleMedia}. */
  soundUnknown = false;
  #statusOf: (AgentStatusChange & { readonly anyone?: boolean }) | undefined;
  /** Channels to dial at the end of the turn, in order. */
  readonly dials: string[] = [];

  constructor(
    public call: Call,
    /** Unix ms. */
    readonly now: number,
    /** Events of this turn are made up from what a restart found. */
    readonly recovered = false,
  ) {}

  /** The newest self of a party; parties are never removed while the call lives. */
  party(partyID: string): Party {
    const found = this.call.parties.find((p) => p.partyID === partyID);
    if (!found) throw new Error(`no party ${partyID} in call ${this.call.callID}`);
    return found;
  }

  update(change: Partial<Call>): void {
    this.call = { ...this.call, ...change };
  }

  /** What was noted of the call is over. */
  forget(what: 'consult' | 'conference' | 'transfer' | 'supervision'): void {
    const { [what]: _, ...call } = this.call;
    this.call = call;
  }

  /** Stores a party's newer self and returns it. */
  put(party: Party): Party {
    this.call = withParty(this.call, party);
    return party;
  }

  leg(party: Party, change: Partial<Leg>): Party {
    return this.put({ ...party, leg: { ...party.leg, ...change } });
  }

  move(party: Party, state: PartyState): Party {
    return this.put(move(party, state));
  }

  /**
   * Sets an agent's status (agent-status.md). It is kept with the agent, and carried by the next event of this turn that
   * speaks for that agent, if there is one. Parties who are not agents have none.
   */
  status(party: Party, status: AgentStatus): void {
    if (party.role !== 'Agent' && party.role !== 'Supervisor') return;
    const change = { dn: party.dn, status };
    this.statuses.push(change);
    this.#statusOf = change;
  }

  /**
   * Sets an agent's status that is carried by the very next event, whomever it speaks for: what happens to the
   * customer's leg of an agent's own call, or to an outside number that he adds, is told by their events.
   *
   * @param kept false where the agent has left already: then it is told, and not kept with him
   */
  statusOnNext(party: Party, status: AgentStatus, kept: boolean): void {
    const change = { dn: party.dn, status };
    if (kept) this.statuses.push(change);
    this.#statusOf = { ...change, anyone: true };
  }

  tell(event: NewCtiEvent): void {
    const set = this.#statusOf;
    const carries = set !== undefined && 'thisDN' in event && (set.anyone || event.thisDN === set.dn);
    if (carries) this.#statusOf = undefined;
    this.events.push({
      ...event,
      ...(carries && { agentStatus: set.status }),
      ...(this.recovered && { recovered: true as const }),
    });
  }

  ask(command: Command): void {
    this.commands.push(command);
  }

  /** Dials a planned leg when the turn ends, into the bridge that the layout names for it. */
  dial(party: Party): Party {
    this.dials.push(party.leg.channel);
    return this.leg(party, { state: 'dialled', startedAt: this.now });
  }

  setTimer(name: TimerName, at: number): void {
    this.update({ timers: [...this.call.timers.filter((t) => t.name !== name), { name, at }] });
  }

  clearTimer(name: TimerName): void {
    if (this.call.timers.some((t) => t.name === name)) {
      this.update({ timers: this.call.timers.filter((t) => t.name !== name) });
    }
  }

  outcome(): Outcome {
    settleMedia(this);
    settleRecording(this);
    return { call: this.call, events: this.events, commands: this.commands, statuses: this.statuses };
  }
}
