import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import { AgentID, type CompanyId, newCallID } from '../../src/cti/ids.ts';
import type { FloorCommit } from '../../src/ports.ts';
import { FLOOR_SHARD } from '../../src/queues/floor.ts';
import type { Store } from '../../src/store/store.ts';
import { company, newStore } from '../support/store-kit.ts';

const agent = (id: string, change: Partial<Agent> = {}): Agent => ({
  agentID: AgentID.parse(id),
  agentUUID: id.padStart(32, '0'),
  dn: id,
  queues: ['8001'],
  state: 'Ready',
  stateSince: 1,
  status: 'AVAILABLE',
  statusSince: 1,
  idleSince: 1,
  calls: [],
  ...change,
});
const CALL = newCallID('0'.repeat(32), 1);

describe('agents and queues in Redis', () => {
  let store: Store;
  let acme: CompanyId;

  beforeEach(async () => {
    store = newStore(inject('redisUrl')).store;
    acme = company('acme');
    await store.connected();
  });
  afterEach(() => store.close());

  const commit = (change: Partial<FloorCommit>): FloorCommit => ({
    companyId: acme,
    fence: 1,
    version: 0,
    agents: [],
    waiting: [],
    events: [],
    ...change,
  });
  const event = (agentID: string) => ({
    messageID: 'EventAgentReady' as const,
    companyId: acme,
    agentID: AgentID.parse(agentID),
    agentUUID: '0'.repeat(32),
    thisDN: agentID,
    creationTime: 5,
  });

  it('keeps what has changed, with its events, and gives it back', async () => {
    const first = await store.floors.commitFloor(
      commit({
        agents: [{ agentID: AgentID.parse('1001'), agent: agent('1001') }],
        waiting: [{ queue: '8001', callID: CALL, since: 7 }],
        events: [event('1001')],
      }),
    );
    expect(first).toEqual({ outcome: 'stored', version: 1, lastEventID: 1 });
    await store.floors.commitFloor(
      commit({ version: 1, agents: [{ agentID: AgentID.parse('1002'), agent: agent('1002') }] }),
    );
    const stored = await store.floors.loadFloor(acme);
    expect(stored.version).toBe(2);
    expect(stored.agents.toSorted((a, b) => (a.dn < b.dn ? -1 : 1))).toEqual([agent('1001'), agent('1002')]);
    expect(stored.waiting).toEqual([`8001:${CALL}`]);
    expect(await store.events.read(acme, 0, 10)).toMatchObject([{ eventID: 1, messageID: 'EventAgentReady' }]);

    await store.floors.commitFloor(
      commit({ version: 2, agents: [{ agentID: AgentID.parse('1001') }], waiting: [{ queue: '8001', callID: CALL }] }),
    );
    expect(await store.floors.loadFloor(acme)).toEqual({ version: 3, agents: [agent('1002')], waiting: [] });
  });

  it('stores the same commit once, and refuses another of the same version whole', async () => {
    const one = commit({ events: [event('1001')] });
    const stored = { outcome: 'stored', version: 1, lastEventID: 1 };
    expect(await store.floors.commitFloor(one)).toEqual(stored);
    expect(await store.floors.commitFloor(one)).toEqual(stored);
    const other = commit({ agents: [{ agentID: AgentID.parse('1009'), agent: agent('1009') }], events: [event('1')] });
    expect(await store.floors.commitFloor(other)).toEqual({ outcome: 'conflict', version: 1 });
    expect((await store.floors.loadFloor(acme)).agents).toEqual([]);
    expect(await store.events.lastEventID(acme)).toBe(1);
  });

  it('refuses an earlier owner', async () => {
    const earlier = await store.calls.takeShard(FLOOR_SHARD, [acme]);
    const later = await store.calls.takeShard(FLOOR_SHARD, [acme]);
    expect(await store.floors.commitFloor(commit({ fence: earlier }))).toEqual({ outcome: 'fenced' });
    expect(await store.floors.commitFloor(commit({ fence: later }))).toMatchObject({ outcome: 'stored' });
  });
});
