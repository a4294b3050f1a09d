import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { Engine } from './engine/engine.ts';
import type { OpenNode } from './node.ts';
import type { Store } from './store/store.ts';
import type { CallAdmission } from './switch/admission.ts';

/** Makes what the rooms count visible to Prometheus: read when asked, so that nothing is paid for it in between. */
export function watch(
  registry: Registry,
  engine: Engine,
  admission: CallAdmission,
  store: Store,
  nodes: readonly OpenNode[],
): void {
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const perNode = (name: string, help: string, read: (node: OpenNode) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['node'],
      registers: [registry],
      collect() {
        for (const node of nodes) this.set({ node: node.id }, read(node));
      },
    });
  };
  gauge('ringmaster_live_calls', 'Calls that live now', () => engine.liveCalls);
  gauge('ringmaster_inputs_waiting', 'Facts and requests that wait to be stored', () => engine.waiting);
  gauge('ringmaster_facts_missed_total', 'What Asterisk told and there was no room for', () => engine.missed);
  gauge('ringmaster_admitted_calls', 'Calls that hold a place under the limits', () => admission.size);
  gauge('ringmaster_timers', 'Calls with a timer running', () => engine.timers);
  gauge('ringmaster_channels', 'Channels whose events are led to a call', () => engine.channels);
  gauge('ringmaster_redis_up', '1 while Redis answers', () => Number(store.healthy));
  perNode('ringmaster_node_serving', '1 while the event socket is open and REST answers', (n) =>
    Number(n.switch.serving),
  );
  perNode('ringmaster_node_busy_calls', 'Calls with commands under way', (n) => n.switch.busyCalls);
  perNode(
    'ringmaster_node_ending_channels',
    'Channels that Asterisk was seen to hang up and that have not gone yet',
    (n) => n.switch.endingChannels,
  );
  perNode('ringmaster_ari_reconnects_total', 'Event sockets lost and made anew', (n) => n.switch.ari.stats.reconnects);
  perNode('ringmaster_ari_in_flight', 'REST requests under way', (n) => {
    const { inFlightHttp, inFlightWebSocket } = n.switch.ari.stats;
    return inFlightHttp + inFlightWebSocket;
  });
  new Gauge({
    name: 'ringmaster_ari_requests_total',
    help: 'REST requests that have ended, by how',
    labelNames: ['node', 'outcome'],
    registers: [registry],
    collect() {
      for (const node of nodes) {
        const { requests } = node.switch.ari.stats;
        for (const [outcome, count] of Object.entries(requests)) this.set({ node: node.id, outcome }, count);
      }
    },
  });
  perNode(
    'ringmaster_ari_unknown_events_total',
    'Events of a type that is not known',
    (n) => n.switch.ari.stats.unknownEvents,
  );
  perNode(
    'ringmaster_ari_nonsense_total',
    'Frames that are no message, and events that could not be understood',
    (n) => n.switch.ari.stats.unparsableFrames + n.switch.ari.stats.handlerErrors,
  );
  perNode('ringmaster_ami_ready', '1 while logged in to AMI', (n) => Number(n.ami.state === 'ready'));
}
