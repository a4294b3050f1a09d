import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { Engine } from './engine/engine.ts';
import type { LeaseKeeper } from './engine/lease-keeper.ts';
import type { NodeBoard } from './engine/node-board.ts';
import type { Router } from './engine/router.ts';
import type { OpenNode } from './node.ts';
import type { Store } from './store/store.ts';
import type { CallAdmission } from './switch/admission.ts';
import type { AsteriskSwitch } from './switch/asterisk-switch.ts';
import type { SharedCount } from './switch/shared-count.ts';

/** Makes what the rooms count visible to Prometheus: read when asked, so that nothing is paid for it in between. */
export function watch(
  registry: Registry,
  engine: Engine,
  admission: CallAdmission,
  store: Store,
  nodes: readonly OpenNode[],
  board: NodeBoard,
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
  /** The sum over what this instance has open at a node; 0 where another instance owns it all. */
  const perSwitch = (name: string, help: string, read: (asterisk: AsteriskSwitch) => number): void =>
    perNode(name, help, (n) => [...n.switches].reduce((sum, s) => sum + read(s), 0));
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
  gauge(
    'ringmaster_redis_remembered',
    'Changes of the last seconds, kept in case Redis loses them',
    () => store.remembered,
  );
  gauge('ringmaster_redis_up', '1 while Redis answers', () => Number(store.healthy));
  if (store.sentinels) {
    const { sentinels } = store;
    gauge('ringmaster_redis_sentinels', 'Sentinels that answered when they were asked last', () => sentinels.answering);
    gauge('ringmaster_redis_failovers_total', 'How often another server was the master', () => sentinels.switches);
  }
  perNode('ringmaster_node_serving', '1 while the event socket is open and REST answers; 0 at a stand-by', (n) =>
    Number([...n.switches].some((s) => s.serving)),
  );
  perNode('ringmaster_node_reached', '1 while this instance reaches its ARI, whoever owns its shards', (n) =>
    Number(n.reachability.reach === 'steady' || n.reachability.reach === 'back'),
  );
  perNode('ringmaster_node_draining', '1 while an operator wants no new calls on it', (n) =>
    Number(board.isDraining(n.id)),
  );
  perNode('ringmaster_node_dead', '1 while it is taken for dead, its calls released', (n) => Number(n.pulse.dead));
  perNode('ringmaster_node_deaths_total', 'Times that it was taken for dead', (n) => n.pulse.deaths);
  perSwitch(
    'ringmaster_node_silent_resources',
    'Parts of REST that did not answer when last tried',
    (s) => s.silentResources.length,
  );
  perSwitch('ringmaster_node_busy_calls', 'Calls with commands under way', (s) => s.busyCalls);
  perSwitch(
    'ringmaster_node_ending_channels',
    'Channels that Asterisk was seen to hang up and that have not gone yet',
    (s) => s.endingChannels,
  );
  perSwitch('ringmaster_ari_reconnects_total', 'Event sockets lost and made anew', (s) => s.ari.stats.reconnects);
  perSwitch('ringmaster_ari_in_flight', 'REST requests under way', (s) => {
    const { inFlightHttp, inFlightWebSocket } = s.ari.stats;
    return inFlightHttp + inFlightWebSocket;
  });
  new Gauge({
    name: 'ringmaster_ari_requests_total',
    help: 'REST requests that have ended, by how',
    labelNames: ['node', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, switches } of nodes) {
        for (const { ari } of switches) {
          for (const [outcome, count] of Object.entries(ari.stats.requests)) this.inc({ node: id, outcome }, count);
        }
      }
    },
  });
  perSwitch(
    'ringmaster_ari_unknown_events_total',
    'Events of a type that is not known',
    (s) => s.ari.stats.unknownEvents,
  );
  perSwitch(
    'ringmaster_ari_nonsense_total',
    'Frames that are no message, and events that could not be understood',
    (s) => s.ari.stats.unparsableFrames + s.ari.stats.handlerErrors,
  );
  perNode('ringmaster_ami_ready', '1 while logged in to AMI', (n) => Number(n.ami.state === 'ready'));
}

/** The leases of the shards, and how they came and went. */
export function watchLeases(registry: Registry, keeper: LeaseKeeper, router: Router, shared: SharedCount): void {
  const registers = [registry];
  const { stats } = keeper;
  new Gauge({
    name: 'ringmaster_shard_held',
    help: '1 while this instance owns the shard',
    labelNames: ['shard'],
    registers,
    collect() {
      for (const shard of keeper.shards) this.set({ shard }, Number(keeper.holds(shard)));
    },
  });
  new Gauge({
    name: 'ringmaster_instances',
    help: 'Instances that give signs of life, this one included',
    registers,
    collect() {
      this.set(keeper.members.length);
    },
  });
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  counter('ringmaster_lease_renewals_total', 'Leases renewed', () => stats.renewals);
  counter(
    'ringmaster_lease_failures_total',
    'Leases that could not be renewed: Redis did not answer',
    () => stats.failures,
  );
  counter('ringmaster_shards_lost_total', 'Shards that another instance has taken from this one', () => stats.lost);
  counter(
    'ringmaster_shards_given_cut_off_total',
    'Shards handed over because their node was not reached from here',
    () => stats.givenCutOff,
  );
  counter('ringmaster_shards_given_total', 'Shards handed over to another instance', () => stats.givenAway);
  counter(
    'ringmaster_take_over_seconds_total',
    'Time from a lease being this instance’s to its shard serving, of all together',
    () => stats.takeOverSeconds,
  );
  new Counter({
    name: 'ringmaster_forwarded_requests_total',
    help: 'Requests that another instance was asked: answered, or refused here because no answer came in time',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(router.forwarded)) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: 'ringmaster_places_asked_total',
    help: 'Places asked for in Redis because other instances have shards too: taken, full, uncounted (a shard was on its way)',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(shared.asked)) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: 'ringmaster_shards_taken_total',
    help: 'Shards that this instance has taken: free, taken-over (their owner had gone), handed-over',
    labelNames: ['how'],
    registers,
    collect() {
      this.reset();
      for (const [how, count] of Object.entries(stats.taken)) this.inc({ how }, count);
    },
  });
}
