import type { CtiEvent } from '../cti/events.ts';

/** Who of the agents is free for a call of the dialler, as the event log tells it. */
export class Agents {
  /** The parties that a DN has in live calls. */
  readonly #parties = new Map<string, Set<string>>();
  readonly #away = new Set<string>();
  /** Agents who are being called by the dialler, with the callID. */
  readonly #called = new Map<string, string>();
  /** Order in which agents became idle; the lowest has been idle for longest. Of those alone who were ever asked for. */
  readonly #idleSince = new Map<string, number>();
  #turn = 0;

  /** @param wanted one of them, if the call asks for it @returns the longest idle of those who are free */
  free(agents: readonly string[], wanted?: string): string | undefined {
    let best: string | undefined;
    for (const dn of agents) {
      if (!this.#idleSince.has(dn)) this.#idleSince.set(dn, 0);
      if (wanted !== undefined && dn !== wanted) continue;
      if (this.#called.has(dn) || this.#away.has(dn) || (this.#parties.get(dn)?.size ?? 0) > 0) continue;
      if (best === undefined || this.#order(dn) < this.#order(best)) best = dn;
    }
    return best;
  }

  /** An agent is being called: nobody else's call goes there until it is over. */
  take(dn: string, callID: string): void {
    this.#called.set(dn, callID);
  }

  giveBack(dn: string, callID: string): void {
    if (this.#called.get(dn) !== callID) return;
    this.#called.delete(dn);
    this.#idle(dn);
  }

  /** Phones of which it is kept when they became idle. */
  get remembered(): number {
    return this.#idleSince.size;
  }

  /** Who is in a call was heard, and may be out of date. Who is being called by the dialler stays so. */
  forgetCalls(): void {
    this.#parties.clear();
  }

  /** The same of who is not ready. */
  forgetAway(): void {
    this.#away.clear();
  }

  /** A party that is in a live call already. */
  inCall(dn: string, partyID: string): void {
    const parties = this.#parties.get(dn) ?? new Set();
    parties.add(partyID);
    this.#parties.set(dn, parties);
  }

  /** An agent who is logged in, as he is now. */
  found(dn: string, ready: boolean): void {
    if (ready) this.#away.delete(dn);
    else this.#away.add(dn);
  }

  hear(event: CtiEvent): void {
    switch (event.messageID) {
      case 'EventDialing':
      case 'EventRinging':
      case 'EventEstablished':
        this.inCall(event.thisDN, event.partyID);
        break;
      case 'EventReleased':
        this.#left(event.thisDN, event.partyID);
        break;
      case 'EventCallDeleted':
        for (const [dn, parties] of this.#parties) {
          for (const id of parties) if (id.startsWith(event.callID)) this.#left(dn, id);
        }
        break;
      case 'EventAgentNotReady':
      case 'EventAgentLogout':
        this.#away.add(event.thisDN);
        break;
      case 'EventAgentReady':
        this.#away.delete(event.thisDN);
        break;
      case 'EventAgentLogin':
        this.found(event.thisDN, event.agentState === 1);
        break;
    }
  }

  #left(dn: string, partyID: string): void {
    const parties = this.#parties.get(dn);
    if (!parties?.delete(partyID) || parties.size > 0) return;
    this.#parties.delete(dn);
    this.#idle(dn);
  }

  #idle(dn: string): void {
    // Customers leave calls too, and there is no end of them.
    if (!this.#idleSince.has(dn)) return;
    this.#turn++;
    this.#idleSince.set(dn, this.#turn);
  }

  #order(dn: string): number {
    return this.#idleSince.get(dn) ?? 0;
  }
}
