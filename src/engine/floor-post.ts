import type { Call } from '../calls/call.ts';
import type { AgentStatusChange } from '../calls/output.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { Member, Peers } from '../ports.ts';
import type { FloorEffect } from '../queues/floor.ts';
import { noteOf } from './call-note.ts';
import type { ToldNote } from './floors.ts';

/** What the post needs to know of who is where. */
export interface FloorPostDeps {
  readonly peers: Peers | undefined;
  /** Who has the agents and queues; undefined while nobody has, or this instance. */
  readonly owner: () => Member | undefined;
  /** This instance has them. */
  readonly isHere: () => boolean;
  /** Who has a call, if it is another instance. */
  readonly ownerOfCall: (callID: string) => Member | undefined;
  /** The calls that live here. */
  readonly calls: () => Iterable<Call>;
}

/** Between two looks at who has the agents and queues, and before a failed letter is sent again, ms. */
const LOOK_MS = 500;
const AGAIN_MS = 250;
/** Notes in one letter. */
const LETTER = 500;
/** How long an answer may take, ms. */
const PATIENCE_MS = 3_000;
/** Statuses that may wait with one call's note; the newest count. */
const STATUSES = 100;

/**
 * Between the calls here and the agents and queues of another instance: notes go there in order and until they have come
 * to be known there; what is asked of calls that live elsewhere goes to their owners. A new owner is told of every call.
 */
export class FloorPost {
  readonly #deps: FloorPostDeps;
  /** Notes to be sent, one for each call. */
  readonly #notes = new Map<string, ToldNote>();
  readonly #timer: NodeJS.Timeout;
  /** To whom everything has been told. */
  #told: string | undefined;
  #sending = false;
  #closed = false;

  constructor(deps: FloorPostDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Notes that have not been taken yet. */
  get waiting(): number {
    return this.#notes.size;
  }

  /** A call has changed, as it is stored now. */
  note(call: Call, statuses: readonly AgentStatusChange[]): void {
    if (!this.#deps.peers) return;
    this.#put({ companyId: call.companyId, note: noteOf(call), statuses });
    if (!this.#sending) void this.#send();
  }

  /** Asks something of a call that does not live here. @returns whether it was done; `unknown` where no answer came */
  async effect(companyId: CompanyId, effect: FloorEffect): Promise<boolean | 'unknown'> {
    const { peers, ownerOfCall } = this.#deps;
    const url = ownerOfCall(effect.callID)?.says.url;
    if (!peers || url === undefined) return false;
    const answer = await peers.ask(url, { ask: 'effect', companyId, callID: effect.callID, effect }, PATIENCE_MS);
    if (answer.outcome === 'unknown') return 'unknown';
    return answer.outcome === 'answered' && isTaken(answer.body);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#notes.clear();
  }

  #put(posted: ToldNote): void {
    const { callID } = posted.note;
    const earlier = this.#notes.get(callID);
    const statuses = [...(earlier?.statuses ?? []), ...posted.statuses].slice(-STATUSES);
    this.#notes.set(callID, { ...posted, statuses });
  }

  #look(): void {
    const owner = this.#deps.owner();
    if (!owner) {
      this.#told = undefined;
      // What could not be sent to who had them before is known here, and will be old when another one has them.
      if (this.#deps.isHere()) this.#notes.clear();
      return;
    }
    if (this.#told !== owner.id) {
      this.#told = owner.id;
      // What still waits of a call may be from long before.
      for (const call of this.#deps.calls()) this.note(call, []);
    }
    if (this.#notes.size > 0 && !this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    const { peers, owner } = this.#deps;
    this.#sending = true;
    // What one turn of the loop brings goes in one letter.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#notes.size > 0 && !this.#closed) {
      const url = owner()?.says.url;
      if (!peers || url === undefined) break;
      const letter = [...this.#notes].slice(0, LETTER);
      for (const [callID] of letter) this.#notes.delete(callID);
      const answer = await peers.ask(url, { ask: 'notes', notes: letter.map(([, posted]) => posted) }, PATIENCE_MS);
      if (answer.outcome === 'answered') continue;
      for (const [callID, posted] of letter) {
        const later = this.#notes.get(callID);
        this.#notes.set(callID, posted);
        if (later) this.#put(later);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    this.#sending = false;
  }
}

const isTaken = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'taken' in body && body.taken === true;
