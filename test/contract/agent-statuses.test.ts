import { afterEach, beforeEach, describe, expect, inject, it, test, vi } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import { AGENT_STATUSES, type AgentStatus } from '../../src/cti/agent-status.ts';
import type { CtiEventName } from '../../src/cti/events.ts';
import { EngineWorld } from '../support/engine-world.ts';
import { LiveStory } from '../support/live-story.ts';
import {
  AGENT,
  CUSTOMER,
  GUEST,
  RESTING_CARRIERS,
  type Resting,
  STATUS_STORIES,
  type StatusStory,
  SUPERVISOR,
} from '../support/status-stories.ts';

/** All 44 agent statuses: on the event in the company's log, and in the agent's record in Redis. */

// Each goes through a whole service of its own, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const WAIT = { timeout: 30_000, interval: 20 };
const idOf = (dn: string): string => `a${dn}`;

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.open(inject('redisUrl'));
});
afterEach(() => world.close());

const login = (dn: string, more: object = {}) =>
  world.grant('RequestAgentLogin', { agentID: idOf(dn), thisDN: dn, agentState: 1, ...more });

/** The first event that carries the status, and the whole log up to it. */
async function carrierOf(status: AgentStatus, name: CtiEventName, thisDN: string): Promise<void> {
  await world.eventsUntil(
    (e) => 'agentStatus' in e && e.agentStatus === status && e.messageID === name && e.thisDN === thisDN,
  );
}

describe('a status that a call gives', () => {
  it.each(Object.entries(STATUS_STORIES) as [AgentStatus, StatusStory][])(
    '%s',
    async (status, { story, of, carriedBy }) => {
      for (const dn of [AGENT, GUEST, SUPERVISOR]) await login(dn);
      const before = Date.now();
      await story(new LiveStory(world)).happens();
      await carrierOf(status, ...carriedBy);
      for (const dn of of) {
        const {
          callStatusSince,
          calls,
          status: current,
          statusSince,
        } = await vi.waitFor(async () => {
          const record = await world.agent(idOf(dn));
          expect(record).toMatchObject({ callStatus: status });
          return record as Agent;
        }, WAIT);
        expect(callStatusSince).toBeGreaterThanOrEqual(before);
        // It is the current one while the agent is in the call; one who has left it is what he was before.
        expect(current).toBe(calls.length > 0 ? status : 'AVAILABLE');
        const { agents } = (await world.grant('RequestListAgents', {})) as unknown as {
          agents: Record<string, unknown>[];
        };
        expect(agents.find((a) => a['agentID'] === idOf(dn))).toMatchObject({
          agentStatus: current,
          agentStatusSince: statusSince,
          callStatus: status,
          callStatusSince,
        });
      }
    },
  );
});

describe('a status of an agent without a call', () => {
  const RESTING: { readonly [S in Resting]: () => Promise<unknown> } = {
    PAUSED: async () => {
      await login(AGENT);
      await world.grant('RequestAgentNotReady', { agentID: idOf(AGENT), reasonCode: 11 });
    },
    AVAILABLE: async () => {
      await login(AGENT, { agentState: 2 });
      await world.grant('RequestAgentReady', { agentID: idOf(AGENT) });
    },
    ACQUIRED: async () => {
      await new LiveStory(world).make({ agent: AGENT, customer: CUSTOMER }).answers(AGENT).happens();
      await login(AGENT);
    },
    RELEASED: async () => {
      await login(AGENT);
      await world.grant('RequestAgentLogout', { agentID: idOf(AGENT) });
    },
  };

  it.each(Object.entries(RESTING) as [Resting, () => Promise<unknown>][])('%s', async (status, happens) => {
    const before = Date.now();
    await happens();
    await carrierOf(status, RESTING_CARRIERS[status], AGENT);
    const agent = await world.agent(idOf(AGENT));
    expect(agent).toMatchObject({ status });
    expect(agent?.statusSince).toBeGreaterThanOrEqual(before);
  });

  test('with those that calls give they are the seed’s 44', () => {
    const all = [...Object.keys(RESTING), ...Object.keys(STATUS_STORIES)];
    expect(all.toSorted()).toEqual(Object.keys(AGENT_STATUSES).toSorted());
    expect(all).toHaveLength(44);
  });
});
