import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

/** Points of its own work at which an instance can be made to die (src/faults.ts). */
export type Point = 'after-commit' | 'after-floor-commit' | 'after-command';

/** How long the point may take to be reached, ms. */
const REACHED_MS = 15_000;

/** An instance dies at a point of its own work. @throws Error if it does not come to it */
export async function dieAt(world: World, machine: Machine, point: Point, random: Random): Promise<void> {
  const shards = await Promise.all(world.shards.map(async (s) => ((await world.holderOf(s)) === machine ? [s] : [])));
  const calls = (await world.attempt('RequestListCalls', {}))?.calls ?? [];
  const talking = calls.find(
    (c) =>
      shards.flat().includes(world.shardOf(c.callID)) &&
      c.parties.length === 2 &&
      c.parties.every((p) => p.partyState === 'Talk'),
  );
  const agent = talking?.parties.find((p) => p.thisDN.length === 4);
  machine.order(`${point}:${random.int(1, 5)}\n`);
  const until = performance.now() + REACHED_MS;
  while (machine.running && performance.now() < until) {
    const tries: Promise<unknown>[] = [
      world.attempt('RequestAgentLogin', { agentID: '7999', thisDN: '2999', agentState: 1 }),
      world.attempt('RequestAgentLogout', { agentID: '7999' }),
    ];
    if (talking && agent) {
      const acting = { callID: talking.callID, thisDN: agent.thisDN };
      world.afterwards = () => world.attempt('RequestUnmuteCall', acting);
      tries.push(world.attempt('RequestMuteCall', acting).then(() => world.attempt('RequestUnmuteCall', acting)));
    }
    // What is asked of one that dies is not waited for: another one may have to take over before it is answered.
    await Promise.race([Promise.all(tries), machine.process.ended()]);
    await delay(random.int(0, 20));
  }
  if (machine.running) throw new Error(`${point} was never reached`);
  await machine.process.ended();
}
