import { describe, expect, it, vi } from 'vitest';
import { AgentID, CompanyId } from '../../../src/cti/ids.ts';
import { type FloorHost, FloorRunner } from '../../../src/engine/floor-runner.ts';
import type { CommitResult, FloorCommit } from '../../../src/ports.ts';

const ACME = CompanyId.parse('acme');

it('takes off the list at its start whoever an earlier owner had waiting and is gone, where nothing else changes', async () => {
  const commits: Omit<FloorCommit, 'fence'>[] = [];
  const runner = new FloorRunner(
    {
      now: () => 0,
      commitFloor: async (commit) => {
        commits.push(commit);
        return { outcome: 'stored', version: commit.version + 1, lastEventID: 0 };
      },
      effect: () => undefined,
      floorLost: () => expect.fail('the floor is ours'),
      floorFailed: (_company, error) => {
        throw error;
      },
    },
    ACME,
    new Map([['8001', { id: '8001' }]]),
    { version: 3, agents: [], waiting: ['8001:gone'] },
  );
  runner.push({ kind: 'recover', live: [], over: [] });
  await vi.waitFor(() => expect(runner.idle).toBe(true));
  expect(commits.map((c) => [c.version, c.waiting])).toEqual([[3, [{ queue: '8001', callID: 'gone' }]]]);
  // Once, and not with every step that changes nothing.
  runner.push({ kind: 'tick' });
  await vi.waitFor(() => expect(runner.idle).toBe(true));
  expect(commits).toHaveLength(1);
  runner.stop();
});

describe('a request that is just being stored as the floor is let go of', () => {
  /** Its answer, where the commit comes to this. */
  async function answerOf(result: CommitResult) {
    let settle: (result: CommitResult) => void = () => undefined;
    const host: FloorHost = {
      now: () => 0,
      commitFloor: () =>
        new Promise((resolve) => {
          settle = resolve;
        }),
      effect: () => undefined,
      floorLost: () => expect.fail('it was let go of before'),
      floorFailed: (_company, error) => {
        throw error;
      },
    };
    const runner = new FloorRunner(host, ACME, new Map(), { version: 0, agents: [], waiting: [] });
    const asked = runner.request({
      kind: 'login',
      agentID: AgentID.parse('a1'),
      agentUUID: 'u1',
      dn: '1001',
      calls: [],
      referenceID: 0,
    });
    runner.stop();
    settle(result);
    return await asked;
  }

  it('is answered as what it came to where it was stored', async () => {
    expect(await answerOf({ outcome: 'stored', version: 1, lastEventID: 1 })).toMatchObject({ agent: { dn: '1001' } });
  });

  it.each([
    [{ outcome: 'fenced' }, 'NotReady'],
    [{ outcome: 'fenced', perhaps: true }, 'CTIException'],
  ] as const)('and as not done, or perhaps done, where it was not: %j', async (result, name) => {
    expect(await answerOf(result)).toMatchObject({ refusal: { name } });
  });
});
