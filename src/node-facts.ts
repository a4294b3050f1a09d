import { recordingName } from './calls/recording.ts';
import type { Engine } from './engine/engine.ts';
import type { NodeBoard } from './engine/node-board.ts';
import type { Router } from './engine/router.ts';
import type { OpenNode } from './node.ts';
import type { Admission, NodeReach, NodeReport, Readiness, RecordingFiles } from './ports.ts';

/** What this instance has of a node; undefined where it owns nothing of it. */
export function reportOf(node: OpenNode, engine: Engine, admission: Admission): NodeReport | undefined {
  const switches = [...node.switches];
  if (switches.length === 0) return undefined;
  return {
    serving: switches.some((s) => s.serving),
    calls: engine.callsOn(node.id),
    room: admission.load(node.id).room,
    silent: [...new Set(switches.flatMap((s) => s.silentResources))],
    dead: node.pulse.dead,
  };
}

/** The reports on all nodes of which this instance owns something, by node. */
export function reportsOf(
  nodes: readonly OpenNode[],
  engine: Engine,
  admission: Admission,
): Record<string, NodeReport> {
  const reports: Record<string, NodeReport> = {};
  for (const node of nodes) {
    const report = reportOf(node, engine, admission);
    if (report) reports[node.id] = report;
  }
  return reports;
}

/** Which nodes this instance reaches, as far as it has looked. */
export function reachesOf(nodes: readonly OpenNode[]): Record<string, NodeReach> {
  const reaches: Record<string, NodeReach> = {};
  for (const { id, reachability } of nodes) if (reachability.reach) reaches[id] = reachability.reach;
  return reaches;
}

/**
 * What /readyz tells: of each node how this instance's part of it is, if it has one. A stand-by is ready where it can ask
 * another instance.
 */
export function readinessOf(
  engine: Engine,
  router: Router,
  nodes: readonly OpenNode[],
  board: NodeBoard,
  redis: boolean,
): Readiness {
  const told = engine.readiness(redis);
  const states = nodes.map(({ id, pulse }) => {
    const here = pulse.dead ? 'dead' : told.nodes[id];
    return [id, here ?? (board.isDraining(id) ? 'draining' : 'standby')] as const;
  });
  const ready = told.ready || (redis && !told.draining && router.canForward);
  return { ...told, ready, nodes: Object.fromEntries(states) };
}

/** Recordings lie on the node that carried the call: an id does not tell which, so each is asked. */
export function recordingFiles(nodes: readonly OpenNode[]): RecordingFiles {
  return {
    async open(companyId, recordUUID, signal) {
      const name = recordingName(companyId, recordUUID);
      let away: unknown;
      for (const node of nodes) {
        try {
          const found = await node.recordings.open(name, signal);
          if (found) return { size: found.size, samples: found.body };
        } catch (error) {
          away = error;
        }
      }
      // Where one node could not be asked, nobody knows that there is no such recording.
      if (away !== undefined) throw away;
      return undefined;
    },
  };
}
