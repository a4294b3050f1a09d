import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Why a subscriber was cut. */
export type CutReason = 'slow' | 'expired' | 'log' | 'silent';

/** The RPC's metrics. No label takes a value that a client can choose. */
export interface RpcMetrics {
  readonly requests: Counter<'method' | 'outcome'>;
  readonly seconds: Histogram<'method'>;
  readonly unauthorized: Counter;
  readonly sockets: Gauge<'carrier'>;
  readonly subscriptions: Gauge;
  readonly events: Counter<'carrier'>;
  readonly cuts: Counter<'reason'>;
}

/** Makes the metrics and registers them. */
export function rpcMetrics(registry: Registry): RpcMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'ringmaster_rpc_requests_total',
      help: 'Requests by method (unknown: none of ours) and outcome: ok or the code of the refusal',
      labelNames: ['method', 'outcome'],
      registers,
    }),
    seconds: new Histogram({
      name: 'ringmaster_rpc_request_seconds',
      help: 'Time from a request’s dispatch to its answer',
      labelNames: ['method'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    unauthorized: new Counter({
      name: 'ringmaster_rpc_unauthorized_total',
      help: 'Requests and upgrades without a key or with a wrong one',
      registers,
    }),
    sockets: new Gauge({
      name: 'ringmaster_rpc_sockets',
      help: 'Open connections that carry events: websocket or sse',
      labelNames: ['carrier'],
      registers,
    }),
    subscriptions: new Gauge({
      name: 'ringmaster_rpc_subscriptions',
      help: 'Open subscriptions, replaying or live',
      registers,
    }),
    events: new Counter({
      name: 'ringmaster_rpc_events_sent_total',
      help: 'Events handed to subscribers’ connections',
      labelNames: ['carrier'],
      registers,
    }),
    cuts: new Counter({
      name: 'ringmaster_rpc_subscribers_cut_total',
      help: 'Connections cut: slow, expired (events fell out of the log before they were sent), log (unreadable), silent (no heartbeat)',
      labelNames: ['reason'],
      registers,
    }),
  };
}
