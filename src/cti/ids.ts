import { z } from 'zod';

/**
 * The identifiers of the vocabulary. Each is a branded type, so that a party's id cannot be passed for a call's.
 * Nothing here makes randomness: the caller brings it.
 */

const CALL_ID = /^[0-9a-f]{32}\d{3}$/;
const PARTY_ID = /^[0-9a-f]{32}\d{3}-[1-9]\d{0,5}$/;

/** Highest node number that fits the three digits at the end of a callID. */
export const MAX_NODE_NUMBER = 999;

/**
 * A call: 32 lower-case hex digits and the number of the Asterisk node that carries it, three digits
 * (the shape of seed 004's `4dce61ec399644029fab7e8251da9bf1332`).
 */
export const CallID = z.string().regex(CALL_ID).brand<'CallID'>();
export type CallID = z.infer<typeof CallID>;

/** A party of a call: the callID, a hyphen and a number from 1 that is never used twice in the call. */
export const PartyID = z.string().regex(PARTY_ID).brand<'PartyID'>();
export type PartyID = z.infer<typeof PartyID>;

/** A tenant. Braces are kept out because the id is the hash tag of every Redis key. */
export const CompanyId = z
  .string()
  .regex(/^[0-9A-Za-z_-]{1,64}$/)
  .brand<'CompanyId'>();
export type CompanyId = z.infer<typeof CompanyId>;

/** An agent's work number (seed 004: `1001`). */
export const AgentID = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z._@-]{0,63}$/)
  .brand<'AgentID'>();
export type AgentID = z.infer<typeof AgentID>;

/** The place of an event in its company's log: a whole number that grows and is assigned by the log. */
export const EventID = z.int().positive().brand<'EventID'>();
export type EventID = z.infer<typeof EventID>;

/**
 * Makes a callID.
 *
 * @param random32hex 32 lower-case hex digits of randomness (128 bits)
 * @param nodeNumber the node that carries the call, 0 to 999
 * @throws {RangeError} where either part does not have its shape: a programmer's mistake, never a client's
 */
export function newCallID(random32hex: string, nodeNumber: number): CallID {
  if (!Number.isInteger(nodeNumber) || nodeNumber < 0 || nodeNumber > MAX_NODE_NUMBER) {
    throw new RangeError(`node number ${nodeNumber} is not a whole number from 0 to ${MAX_NODE_NUMBER}`);
  }
  const callID = `${random32hex}${String(nodeNumber).padStart(3, '0')}`;
  if (!isCallID(callID)) throw new RangeError('a callID needs 32 lower-case hex digits');
  return callID;
}

/** Whether a text has the shape of our callIDs. */
export function isCallID(text: string): text is CallID {
  return CALL_ID.test(text);
}

/** Whether a text has the shape of our partyIDs. */
export function isPartyID(text: string): text is PartyID {
  return PARTY_ID.test(text);
}

/**
 * The node number at the end of a callID.
 *
 * @returns 0 to 999, or undefined for an id that is not of our shape: requests may name any id, and one that we never
 * made is refused as NotFoundCallID and not as a malformed request
 */
export function nodeOfCallID(callID: string): number | undefined {
  return isCallID(callID) ? Number(callID.slice(-3)) : undefined;
}

/**
 * The id of a call's n-th party.
 *
 * @param n from 1, in the order in which parties came into the call
 * @throws {RangeError} where n is not a whole number from 1 to 999999
 */
export function partyIDOf(callID: CallID, n: number): PartyID {
  const partyID = `${callID}-${n}`;
  if (!isPartyID(partyID)) throw new RangeError(`${n} is not the number of a party`);
  return partyID;
}

/** The call to which a party belongs. */
export function callOfParty(partyID: PartyID): CallID {
  const callID = partyID.slice(0, partyID.indexOf('-'));
  if (!isCallID(callID)) throw new RangeError('not a partyID');
  return callID;
}
