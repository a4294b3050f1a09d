import type { Call } from '../calls/call.ts';
import { type CallID, type CompanyId, partyIDOf } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { Caller, CallPlacing, Ticket, TicketCall, TicketDesk, TicketHolder } from '../ports.ts';
import type { FloorEffect } from '../queues/floor.ts';
import type { CallNote } from '../queues/note.ts';
import type { Queue } from './directory.ts';
import type { FloorRunner } from './floor-runner.ts';
import type { RequestContext } from './methods/index.ts';
import { entryOf } from './waiting-calls.ts';

/** What tickets need of the engine. */
export interface TicketsDeps {
  readonly floor: (companyId: CompanyId) => FloorRunner | undefined;
  readonly queue: (companyId: CompanyId, id: string) => Queue | undefined;
  readonly place: (
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    chosenBy: NonNullable<RequestContext['chosenBy']>,
  ) => ReturnType<CallPlacing['place']>;
  /** Seconds that a phone rings where nothing else is said. */
  readonly ringTimeout: number;
  /** A call as it is stored, live or ended; `begun`: it is just being stored here. */
  readonly find: (companyId: CompanyId, callID: CallID) => Promise<Call | 'begun' | undefined>;
}

/**
 * Tickets in the terms of the floors. A ticket is told to a floor by the same notes as a call is, so that it keeps its
 * place among the calls that wait and no agent gets two of either.
 */
export class Tickets implements TicketDesk {
  readonly #deps: TicketsDeps;
  #holder: TicketHolder | undefined;

  constructor(deps: TicketsDeps) {
    this.#deps = deps;
  }

  serve(holder: TicketHolder): void {
    this.#holder = holder;
  }

  open(companyId: CompanyId): boolean {
    return this.#deps.floor(companyId) !== undefined;
  }

  tell(companyId: CompanyId, ticket: Ticket): void {
    this.#deps.floor(companyId)?.note(noteOf(ticket), []);
  }

  decline(companyId: CompanyId, callID: CallID, assignment: number): void {
    this.#deps.floor(companyId)?.push({ kind: 'declined', callID, assignment });
  }

  call(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    of: { readonly queue: string; readonly assignment: number },
  ): ReturnType<CallPlacing['place']> {
    const { queue: id, assignment } = of;
    const queue = this.#deps.queue(caller.companyId, id);
    const { ringTimeout = this.#deps.ringTimeout } = params;
    const entry = queue ? entryOf(queue) : { id, ringTimeout, wrapUp: 0 };
    return this.#deps.place(caller, callID, params, { queue: entry, assignment });
  }

  async becameOf(companyId: CompanyId, callID: CallID): Promise<TicketCall> {
    const call = await this.#deps.find(companyId, callID);
    if (!call) return { state: 'unknown', bridged: false, agentMissed: false };
    if (call === 'begun') return { state: 'live', bridged: false, agentMissed: false };
    const agent = call.parties[0]?.leg;
    return {
      state: call.deleted ? 'ended' : 'live',
      bridged: call.bridgedAt !== undefined,
      agentMissed: agent?.startedAt !== undefined && agent.answeredAt === undefined,
    };
  }

  standing(companyId: CompanyId, queue: string, since: number): { ahead: number; agents: number } {
    const floor = this.#deps.floor(companyId)?.floor;
    let ahead = 0;
    let agents = 0;
    for (const w of floor?.waiting.values() ?? []) {
      if (w.queue === queue && w.since < since && w.assigned === undefined && !w.rung) ahead += 1;
    }
    for (const a of floor?.agents.values() ?? []) if (a.state !== 'Logout' && a.queues.includes(queue)) agents += 1;
    return { ahead, agents };
  }

  /** All tickets of a company, as notes. */
  notes(companyId: CompanyId): readonly CallNote[] {
    return this.#holder?.tickets(companyId).map(noteOf) ?? [];
  }

  /** What a floor asks of a ticket. @returns whether it was one that took it */
  take(companyId: CompanyId, effect: FloorEffect): boolean {
    const holder = this.#holder;
    if (!holder) return false;
    const { callID } = effect;
    if (effect.do !== 'assign') {
      const queue = effect.do === 'to-queue' ? this.#deps.queue(companyId, effect.queue)?.id : undefined;
      return holder.sentOn(companyId, callID, queue);
    }
    const { dn, assignment } = effect;
    for (const agent of this.#deps.floor(companyId)?.floor.agents.values() ?? []) {
      if (agent.acquired?.callID !== callID || agent.acquired.assignment !== assignment) continue;
      return holder.assigned(companyId, callID, { dn, agentID: agent.agentID, assignment });
    }
    return false;
  }
}

/** A ticket in the floor's words. */
function noteOf({ callID, waiting, agent }: Ticket): CallNote {
  return {
    callID,
    ...(waiting && {
      waiting: {
        queue: waiting.queue,
        since: waiting.since,
        enteredAt: waiting.since,
        rung: waiting.offered,
        assignment: waiting.assignment,
        overflowed: waiting.overflowed,
      },
    }),
    parties: agent
      ? [
          {
            partyID: partyIDOf(callID, 1),
            dn: agent.dn,
            present: agent.present,
            assignment: agent.assignment,
            wrapUp: 0,
            answered: agent.taken,
            missed: agent.missed,
          },
        ]
      : [],
  };
}
