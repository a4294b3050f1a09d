import { expect, it, vi } from 'vitest';
import { CompanyId } from '../../../src/cti/ids.ts';
import { FloorRunner } from '../../../src/engine/floor-runner.ts';
import type { FloorCommit } from '../../../src/ports.ts';

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
