import { describe, expect, it } from 'vitest';
import {
  AgentID,
  CallID,
  CompanyId,
  callOfParty,
  EventID,
  isCallID,
  isPartyID,
  newCallID,
  nodeOfCallID,
  PartyID,
  partyIDOf,
} from '../../../src/cti/ids.ts';

const HEX = '4dce61ec399644029fab7e8251da9bf1';

describe('ids', () => {
  it('makes a callID from randomness and the node’s number, which can be read back', () => {
    for (const node of [0, 7, 42, 332, 999]) {
      const callID = newCallID(HEX, node);
      expect(callID).toBe(HEX + String(node).padStart(3, '0'));
      expect(nodeOfCallID(callID)).toBe(node);
      expect(CallID.parse(callID)).toBe(callID);
    }
  });

  it('refuses to make a callID from anything else', () => {
    for (const node of [-1, 1000, 1.5, Number.NaN]) expect(() => newCallID(HEX, node)).toThrow(RangeError);
    for (const hex of ['', HEX.slice(1), `${HEX}0`, HEX.toUpperCase(), `${HEX.slice(1)}g`]) {
      expect(() => newCallID(hex, 1)).toThrow(RangeError);
    }
  });

  it('knows no node for an id that is not ours', () => {
    expect(nodeOfCallID('no-such-call')).toBeUndefined();
    expect(nodeOfCallID(`${HEX}001\n`)).toBeUndefined();
  });

  it('numbers the parties of a call from 1 and finds the call of a party', () => {
    const callID = newCallID(HEX, 332);
    expect(partyIDOf(callID, 1)).toBe(`${HEX}332-1`);
    expect(callOfParty(partyIDOf(callID, 12))).toBe(callID);
    expect(PartyID.safeParse(`${HEX}332-3`).success).toBe(true);
    for (const n of [0, -1, 1.5, 1_000_000]) expect(() => partyIDOf(callID, n)).toThrow(RangeError);
    expect(isPartyID(callID)).toBe(false);
    expect(isPartyID(`${callID}-01`)).toBe(false);
    expect(isCallID(`${callID}-1`)).toBe(false);
  });

  it('keeps braces and blanks out of ids that become Redis keys', () => {
    for (const text of ['', 'a b', '{x}', 'x'.repeat(65)]) {
      expect(CompanyId.safeParse(text).success).toBe(false);
      expect(AgentID.safeParse(text).success).toBe(false);
    }
    expect(CompanyId.parse('30f80aa47cde4b10bd89484aeab63691')).toHaveLength(32);
    expect(AgentID.parse('1001')).toBe('1001');
  });

  it('numbers events with whole numbers from 1', () => {
    expect(EventID.safeParse(1).success).toBe(true);
    for (const id of [0, -1, 1.5, '1']) expect(EventID.safeParse(id).success).toBe(false);
  });
});
