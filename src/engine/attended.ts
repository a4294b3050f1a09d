import { mayAdopt, mayGive } from '../calls/attended.ts';
import { type Call, partyByChannel } from '../calls/call.ts';
import { givenParty } from '../calls/give-away.ts';
import type { Fact } from '../calls/input.ts';
import { isLive, type Party } from '../calls/party.ts';
import type { CallID } from '../cti/ids.ts';
import type { CallRunner } from './call-runner.ts';
import type { Shard } from './shard.ts';

type Asked = Extract<Fact, { kind: 'leg-transfer-requested' }>;

/** Q.850 16, normal clearing. */
const NORMAL = 16;

/** Two calls of an agent's phone, and what is to become of them. */
interface Joining {
  readonly shard: Shard;
  readonly asked: Asked;
  /** The call in which the phone asked: it goes on. */
  readonly goesOn: CallRunner;
  /** The call that the phone named: it ends. */
  readonly ends: CallRunner;
  /** The agent's channel in the call that ends. */
  readonly secondLine: string;
  /** Who moves from the call that ends to the one that goes on. */
  readonly guest: Party;
  /** DN of the one to whom it goes. */
  readonly to: string;
}

/**
 * Attended transfers on the phone, between two of its calls. Two calls are two values in the store, so that it takes two
 * commits: the call that ends gives its party away, then the other adopts it. What the switch tells meanwhile of the two
 * legs that matter waits, and is told to the call that goes on: no hang-up is lost.
 */
export class AttendedTransfers {
  /** Calls that are just being joined. */
  readonly #joining = new Set<CallID>();

  /** Takes a transfer over. @returns false where it is none that can be; the call itself then declines it */
  begin(shard: Shard, asked: Asked): boolean {
    const joining = this.#between(shard, asked);
    if (!joining) return false;
    const { goesOn, ends, guest } = joining;
    this.#joining.add(goesOn.callID).add(ends.callID);
    shard.hold(guest.leg.channel);
    shard.hold(asked.channel);
    void this.#join(joining);
    return true;
  }

  /** The two calls, where they are two of the same agent and each a call of two. */
  #between(shard: Shard, asked: Asked): Joining | undefined {
    const { replaces } = asked;
    if (replaces === undefined) return undefined;
    const [goesOn, ends] = [runnerOf(shard, asked.channel), runnerOf(shard, replaces)];
    if (!goesOn?.call || !ends?.call || goesOn === ends || goesOn.companyId !== ends.companyId) return undefined;
    if (this.#joining.has(goesOn.callID) || this.#joining.has(ends.callID)) return undefined;
    const agent = partyByChannel(goesOn.call, asked.channel);
    const again = partyByChannel(ends.call, replaces);
    if (!agent || !again || agent.dn !== again.dn) return undefined;
    const guest = mayGive(ends.call, again);
    const other = guest && mayAdopt(goesOn.call, agent, guest.dn);
    return guest && other && { shard, asked, goesOn, ends, secondLine: replaces, guest, to: other.dn };
  }

  async #join(joining: Joining): Promise<void> {
    const { shard, asked, goesOn, ends, guest } = joining;
    const { channel } = guest.leg;
    const given = await giveAway(joining);
    // It waits in the queue before anything that is told of the two legs.
    const adopting = given && adopt(joining, given);
    shard.follow(channel, given ? goesOn : ends);
    shard.follow(asked.channel, goesOn);
    const adopted = await adopting;
    this.#joining.delete(goesOn.callID);
    this.#joining.delete(ends.callID);
    if (adopted) return;
    if (given && !shard.closed) {
      // Nobody is left to talk to it.
      shard.forget(channel);
      shard.perform(given, [{ do: 'hang-up', channel, q850: NORMAL }]);
    }
    const { replaces: _, ...declined } = asked;
    shard.fact(declined);
  }
}

const runnerOf = (shard: Shard, channel: string): CallRunner | undefined => {
  const callID = shard.callOf(channel)?.callID;
  return callID === undefined ? undefined : shard.runner(callID);
};

const legIn = (call: Call | undefined, channel: string) => call && partyByChannel(call, channel);

/** @returns the call as it is once it has given its party away; undefined where it has not */
function giveAway({ shard, ends, secondLine, guest, to }: Joining): Promise<Call | undefined> {
  return new Promise((resolve) => {
    const taken = ends.push({
      input: { kind: 'give-away', by: secondLine, to },
      at: shard.now(),
      settle: (_, call) => resolve(legIn(call, guest.leg.channel)?.leg.given ? call : undefined),
    });
    if (!taken) resolve(undefined);
  });
}

/** @returns whether the guest is in the call now */
function adopt({ shard, asked, goesOn, guest }: Joining, given: Call): Promise<boolean> {
  const { channel } = guest.leg;
  const newest = legIn(given, channel) ?? guest;
  return new Promise((resolve) => {
    const taken = goesOn.push({
      input: { kind: 'adopt', by: asked.channel, guest: givenParty(newest) },
      at: shard.now(),
      settle: (_, call) => {
        const party = legIn(call, channel);
        // One that has ended meanwhile has been dealt with in the call.
        resolve(party !== undefined && (isLive(party) || party.released));
      },
    });
    if (!taken) resolve(false);
  });
}
