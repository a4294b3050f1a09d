import { describe, expect, it } from 'vitest';
import { LEGAL_MOVES, move, type Party } from '../../../src/calls/party.ts';
import type { PartyState } from '../../../src/cti/roles.ts';
import { type Story, story } from './flow.ts';

const STATES: readonly PartyState[] = ['Idle', 'Dialing', 'Ringing', 'Talk', 'Held'];

/** Seed 004's machine, written down a second time: the picture, not the code. */
const PICTURE: ReadonlySet<string> = new Set([
  'Idle-Dialing',
  'Idle-Ringing',
  'Dialing-Talk',
  'Ringing-Talk',
  'Talk-Held',
  'Held-Talk',
  'Dialing-Idle',
  'Ringing-Idle',
  'Talk-Idle',
  'Held-Idle',
]);

const inState = (state: PartyState): Party => ({ ...story().make().party('1001'), state });

describe('the table of legal moves', () => {
  for (const from of STATES) {
    for (const to of STATES) {
      const legal = from === to || PICTURE.has(`${from}-${to}`);
      it(`${from} → ${to} is ${legal ? 'legal' : 'thrown as a defect'}`, () => {
        expect(LEGAL_MOVES[from].includes(to)).toBe(legal && from !== to);
        const party = inState(from);
        if (legal) expect(move(party, to)).toEqual({ ...party, state: to });
        else expect(() => move(party, to)).toThrow(`illegal move ${from} -> ${to}`);
      });
    }
  }

  it('every state can be reached and left', () => {
    const reached = new Set<PartyState>(['Idle']);
    for (let grown = true; grown; ) {
      const before = reached.size;
      for (const from of [...reached]) for (const to of LEGAL_MOVES[from]) reached.add(to);
      grown = reached.size > before;
    }
    expect([...reached].toSorted()).toEqual(STATES.toSorted());
    for (const state of STATES.filter((s) => s !== 'Idle')) expect(LEGAL_MOVES[state]).toContain('Idle');
  });
});

describe('the states that a party goes through', () => {
  const states = (t: Story, dn: string, ...steps: readonly (() => unknown)[]): PartyState[] => [
    t.party(dn).state,
    ...steps.map((s) => {
      s();
      return t.party(dn).state;
    }),
  ];

  it('first of a call that we place', () => {
    const t = story().make();
    const steps = [() => t.answers('1001'), () => t.answers('+919800000001'), () => t.ends('1001')];
    expect(states(t, '1001', ...steps)).toEqual(['Dialing', 'Dialing', 'Talk', 'Idle']);
  });

  it('second of a call that we place', () => {
    const t = story().make().answers('1001');
    const dn = '+919800000001';
    expect(
      states(
        t,
        dn,
        () => t.rings(dn),
        () => t.answers(dn),
        () => t.ends(dn),
      ),
    ).toEqual(['Idle', 'Ringing', 'Talk', 'Idle']);
  });

  it('inbound caller', () => {
    const dn = '+919800000001';
    const t = story().arrives({ from: dn, to: '4000', reaches: '1001' });
    expect(
      states(
        t,
        dn,
        () => t.answers('1001'),
        () => t.answers(dn),
        () => t.ends(dn),
      ),
    ).toEqual(['Dialing', 'Dialing', 'Talk', 'Idle']);
  });
});
