import { beforeEach, describe, expect, it } from 'vitest';
import { NodeBoard } from '../../../src/engine/node-board.ts';
import { NodeDesk } from '../../../src/engine/node-desk.ts';
import type { Member, NodeDrain, NodeReach, NodeReport } from '../../../src/ports.ts';

const LIMITS = { calls: 100, callsPerSecond: 10 };
const report = (change: Partial<NodeReport> = {}): NodeReport => ({
  serving: true,
  calls: 0,
  room: true,
  silent: [],
  dead: false,
  ...change,
});

describe('what an operator sees of the nodes and does with them', () => {
  let stored: Map<string, NodeDrain>;
  let seen: ReadonlyMap<string, NodeDrain>;
  let here: Map<string, NodeReport>;
  let others: Record<string, NodeReport>;
  let reach: Record<string, NodeReach>;
  let said: unknown[][];
  let desk: NodeDesk;
  let board: NodeBoard;

  beforeEach(() => {
    stored = new Map();
    seen = new Map();
    here = new Map([['a', report({ calls: 2 })]]);
    others = {};
    reach = {};
    said = [];
    const members = (): Member[] => [
      { id: 'me', says: { leaving: false, nodes: { a: report({ calls: 99 }) }, reach: { a: 'cut', b: 'steady' } } },
      { id: 'other', says: { leaving: false, nodes: others, reach } },
      { id: 'older', says: { leaving: false } },
    ];
    const nodes = ['a', 'b'].map((id) => ({ id, limits: LIMITS }));
    board = new NodeBoard(nodes, () => ({ members: members(), leases: [], draining: seen }), 'me');
    desk = new NodeDesk({
      board,
      leases: {
        drainNode: async (node, by, reason) => {
          if (!stored.has(node)) stored.set(node, { since: 5, by, ...(reason !== undefined && { reason }) });
        },
        resumeNode: async (node) => void stored.delete(node),
      },
      report: (id) => here.get(id),
      refresh: async () => {
        seen = new Map(stored);
        desk.beat();
      },
      log: { info: (what, { node, calls }) => said.push([what, node, ...(calls === undefined ? [] : [calls])]) },
    });
  });

  it('which instances do not reach a node, and whether another one does', () => {
    reach = { a: 'back', b: 'unsure' };
    expect(desk.list().map((n) => n.cutOff)).toEqual([['me'], []]);
    expect(['a', 'b'].map((id) => board.reachedElsewhere(id))).toEqual([true, false]);
    reach = { a: 'cut', b: 'steady' };
    expect(desk.list().map((n) => n.cutOff)).toEqual([['me', 'other'], []]);
    expect(['a', 'b'].map((id) => board.reachedElsewhere(id))).toEqual([false, true]);
  });

  it('each node with what all instances have of it; what this one has is not counted twice', () => {
    others = { a: report({ calls: 3, silent: ['bridges'] }), b: report({ serving: false, dead: true }) };
    expect(desk.list()).toEqual([
      { id: 'a', state: 'serving', draining: false, calls: 5, limits: LIMITS, silent: ['bridges'], cutOff: ['me'] },
      { id: 'b', state: 'dead', draining: false, calls: 0, limits: LIMITS, silent: [], cutOff: [] },
    ]);
  });

  it.each([
    ['away', report({ serving: false }), undefined, false],
    ['unowned', undefined, undefined, false],
    ['serving', report({ serving: false, dead: true }), report(), false],
    ['draining', report(), undefined, true],
    ['away', report({ serving: false }), undefined, true],
  ] as const)('as %s', (state, mine, theirs, drained) => {
    here = new Map(mine ? [['a', mine]] : []);
    others = theirs ? { a: theirs } : {};
    if (drained) seen = new Map([['a', { since: 1, by: 'x' }]]);
    expect(desk.list()[0]).toMatchObject({ state, draining: drained });
  });

  it('drains and resumes, twice as once, and answers how the node is then', async () => {
    const status = { id: 'a', state: 'draining', drain: { since: 5, by: 'ann', reason: 'kernel' } };
    expect(await desk.drain('a', 'ann', 'kernel')).toMatchObject(status);
    expect(await desk.drain('a', 'bob', undefined)).toMatchObject(status);
    expect(await desk.resume('a', 'bob')).toMatchObject({ state: 'serving', draining: false });
    expect(await desk.resume('a', 'bob')).toMatchObject({ state: 'serving', draining: false });
    expect(said.map(([what]) => what)).toEqual([
      'the node is drained: no new calls, live ones go on',
      'an operator ends the drain of a node',
      'the node takes new calls again',
    ]);
  });

  it('knows no node that is not configured, and stores nothing for it', async () => {
    expect([await desk.drain('c', 'ann', undefined), await desk.resume('c', 'ann')]).toEqual([undefined, undefined]);
    expect(stored.size).toBe(0);
  });

  it('says once that it begins, that the last call has gone, at whatever instance, and that it ends', async () => {
    others = { a: report({ calls: 1 }) };
    await desk.drain('a', 'ann', undefined);
    here.set('a', report());
    desk.beat();
    others = { a: report() };
    desk.beat();
    desk.beat();
    await desk.resume('a', 'ann');
    expect(said).toEqual([
      ['the node is drained: no new calls, live ones go on', 'a', 3],
      ['the drained node has no calls any more', 'a'],
      ['an operator ends the drain of a node', 'a'],
      ['the node takes new calls again', 'a'],
    ]);
  });
});
