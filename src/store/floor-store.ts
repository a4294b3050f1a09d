import { randomUUID } from 'node:crypto';
import type { Agent } from '../agents/agent.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CommitResult, FloorCommit, FloorStore } from '../ports.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';
import { COMMIT_CODE } from './commit-script.ts';
import { StoreFault } from './errors.ts';
import { COMMIT_FLOOR } from './floor-script.ts';
import type { Journal } from './journal.ts';
import type { Keys } from './keys.ts';
import { prepare, pushEvents } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';
import type { EventTail } from './tail.ts';

/** Agents and queues in Redis: each agent is one field of its company's hash. */
export class RedisFloorStore implements FloorStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #tail: EventTail;
  readonly #journal: Journal;
  readonly #maxEvents: number;
  readonly #writer = randomUUID();
  readonly #tokens = new WeakMap<FloorCommit, string>();
  #commits = 0;

  constructor(redis: RedisConnection, keys: Keys, tail: EventTail, journal: Journal, maxEvents: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#tail = tail;
    this.#journal = journal;
    this.#maxEvents = maxEvents;
  }

  async commitFloor(commit: FloorCommit): Promise<CommitResult> {
    const { companyId } = commit;
    const keys = this.#keys;
    const events = commit.events.map(prepare);
    const token = this.#tokenOf(commit);
    const agents = commit.agents.map(({ agentID, agent }) => [agentID, agent ? JSON.stringify(agent) : ''] as const);
    const waiting = commit.waiting.map(
      (w) => [`${w.queue}:${w.callID}`, w.since === undefined ? '' : String(w.since)] as const,
    );
    const args = [
      String(commit.fence),
      String(commit.version),
      token,
      String(this.#maxEvents),
      commit.whole ? '1' : '0',
    ];
    args.push(String(agents.length), ...agents.flat(), String(waiting.length), ...waiting.flat());
    pushEvents(args, events);
    const answer = list(
      await this.#redis.run(
        COMMIT_FLOOR,
        [
          keys.floor(companyId),
          keys.agents(companyId),
          keys.waiting(companyId),
          keys.fence(companyId, FLOOR_SHARD),
          keys.eventCounter(companyId),
          keys.events(companyId),
        ],
        args,
      ),
    );
    const code = whole(answer[0]);
    if (code === COMMIT_CODE.fenced) return { outcome: 'fenced' };
    const version = whole(answer[1]);
    if (code === COMMIT_CODE.conflict) return { outcome: 'conflict', version };
    if (code !== COMMIT_CODE.stored) throw new StoreFault(`the floor's commit script answered ${code}`);
    const lastEventID = whole(answer[2]);
    this.#journal.wrote(companyId, events, lastEventID, {
      floor: { companyId, fence: commit.fence, version, token, lastEventID, agents, waiting },
    });
    this.#tail.committed(companyId, events, lastEventID);
    return { outcome: 'stored', version, lastEventID };
  }

  async loadFloor(companyId: CompanyId): Promise<{ version: number; agents: Agent[]; waiting: string[] }> {
    const [version, agents, waiting] = await Promise.all([
      this.#redis.command(['HGET', this.#keys.floor(companyId), 'v']),
      this.#redis.command(['HVALS', this.#keys.agents(companyId)]),
      this.#redis.command(['ZRANGE', this.#keys.waiting(companyId), '0', '-1']),
    ]);
    return {
      version: whole(version ?? 0),
      // Only commitFloor() writes this hash, and it writes agents.
      agents: list(agents).map((json) => JSON.parse(text(json)) as Agent),
      waiting: list(waiting).map(text),
    };
  }

  /** The same object is the same commit, so that trying again after an outage is harmless. */
  #tokenOf(commit: FloorCommit): string {
    let token = this.#tokens.get(commit);
    if (token === undefined) {
      this.#commits += 1;
      token = `${this.#writer}-f${this.#commits}`;
      this.#tokens.set(commit, token);
    }
    return token;
  }
}
