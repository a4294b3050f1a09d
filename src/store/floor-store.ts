import type { Agent } from '../agents/agent.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CommitResult, FloorCommit, FloorStore } from '../ports.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';
import type { Committer } from './committer.ts';
import { COMMIT_FLOOR } from './floor-script.ts';
import { prepare } from './logged-event.ts';
import { list, text, whole } from './reply.ts';

/** Agents and queues in Redis: each agent is one field of its company's hash. */
export class RedisFloorStore implements FloorStore {
  readonly #committer: Committer;

  constructor(committer: Committer) {
    this.#committer = committer;
  }

  commitFloor(commit: FloorCommit): Promise<CommitResult> {
    const { companyId, fence } = commit;
    const { keys, maxEvents } = this.#committer;
    const token = this.#committer.tokenOf(commit);
    const agents = commit.agents.map(({ agentID, agent }) => [agentID, agent ? JSON.stringify(agent) : ''] as const);
    const waiting = commit.waiting.map(
      (w) => [`${w.queue}:${w.callID}`, w.since === undefined ? '' : String(w.since)] as const,
    );
    const head = [String(fence), String(commit.version), token, String(maxEvents), commit.whole ? '1' : '0'];
    return this.#committer.store({
      companyId,
      commit,
      script: COMMIT_FLOOR,
      keys: [
        keys.floor(companyId),
        keys.agents(companyId),
        keys.waiting(companyId),
        keys.fence(companyId, FLOOR_SHARD),
      ],
      args: [...head, String(agents.length), ...agents.flat(), String(waiting.length), ...waiting.flat()],
      events: commit.events.map(prepare),
      of: (version, lastEventID) => ({ floor: { companyId, fence, version, token, lastEventID, agents, waiting } }),
    });
  }

  async loadFloor(companyId: CompanyId): Promise<{ version: number; agents: Agent[]; waiting: string[] }> {
    const { redis, keys } = this.#committer;
    const [version, agents, waiting] = await Promise.all([
      redis.command(['HGET', keys.floor(companyId), 'v']),
      redis.command(['HVALS', keys.agents(companyId)]),
      redis.command(['ZRANGE', keys.waiting(companyId), '0', '-1']),
    ]);
    return {
      version: whole(version ?? 0),
      // Only commitFloor() writes this hash, and it writes agents.
      agents: list(agents).map((json) => JSON.parse(text(json)) as Agent),
      waiting: list(waiting).map(text),
    };
  }
}
