import type { NewCtiEvent } from '../../../src/cti/events.ts';
import { must } from './watched-switch.ts';

/** Events that announce a party; an inbound caller is announced by hearing that the other rings. */
const ANNOUNCES: ReadonlySet<string> = new Set(['EventDialing', 'EventRinging', 'EventOtherRinging']);
/** Events of one who is in a conversation. */
const IN_TALK: ReadonlySet<string> = new Set([
  ...['EventHeld', 'EventRetrieved', 'EventMuted', 'EventUnmuted', 'EventDtmfSent'],
  ...['EventPartyAdded', 'EventPartyChanged', 'EventPartyDeleted'],
]);

/** @returns false if it was on */
const turnOn = (set: Set<string>, key: string): boolean => !set.has(key) && set.add(key).has(key);

/** What subscribers were told of the parties of one call, and the order that they may rely on. */
export class Told {
  /** Parties that have been told to hold, and to be muted, and not to be so no more. */
  readonly held = new Set<string>();
  readonly muted = new Set<string>();
  readonly announced = new Set<string>();
  readonly released = new Set<string>();
  private readonly established = new Set<string>();
  /** Agents whose status was told when their phone rang. */
  private readonly rang = new Set<string>();

  /** A party came from another call, and was told to be in a conversation there. */
  adopted(party: string): void {
    this.established.add(party);
  }

  /** Dialing or Ringing, Established once, then what is only of those who talk, Released once. */
  hears(event: NewCtiEvent): void {
    if (!('partyRole' in event) || event.partyID === undefined) return;
    const { messageID, partyID: party } = event;
    // That of a customer or an outside number carries the status of the agent who called it.
    const status = event.agentStatus !== undefined && event.partyRole !== 'Customer' && event.partyRole !== 'ThirdPSTN';
    must(!this.released.has(party), `${messageID} for ${party}, which was released`);
    if (ANNOUNCES.has(messageID)) this.announced.add(party);
    if (IN_TALK.has(messageID))
      must(this.established.has(party), `${messageID} for ${party}, which is not established`);
    if (messageID === 'EventRinging' && status) this.rang.add(party);
    if (messageID === 'EventEstablished') {
      must(this.announced.has(party), `${party} established out of nothing`);
      must(turnOn(this.established, party), `${party} established twice over`);
    }
    if (messageID === 'EventReleased') {
      must(status || !this.rang.has(party), `${party} left, and what became of its status is not told`);
      this.released.add(party);
    }
    if (messageID === 'EventHeld') must(turnOn(this.held, party), `${party} held twice over`);
    if (messageID === 'EventRetrieved') must(this.held.delete(party), `${party} retrieved out of nothing`);
    if (messageID === 'EventMuted') must(turnOn(this.muted, party), `${party} muted twice over`);
    if (messageID === 'EventUnmuted') must(this.muted.delete(party), `${party} unmuted out of nothing`);
  }
}
