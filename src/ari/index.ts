/** A client of the Asterisk REST Interface: events, requests, reconnection. */
export type { AriMethod, CarrierName, LatencyHook } from './carrier.ts';
export { DEFAULT_CARRIERS, kindOf, type RequestKind } from './carrier-policy.ts';
export { AriClient } from './client.ts';
export type { Download } from './download.ts';
export { AriError, type AriErrorKind, hasStatus } from './errors.ts';
export type { TlsOptions } from './http-carrier.ts';
export type { AriClientOptions, AriState, Resync } from './options.ts';
export type { CreateBridge } from './resources/bridges.ts';
export type {
  CreateChannel,
  Direction,
  ExternalMedia,
  HangupReason,
  OriginateChannel,
  VariableValue,
} from './resources/channels.ts';
export type { CallOptions, QueryValue, RequestOptions } from './resources/requester.ts';
export type { Created, PlayOptions, RecordOptions } from './resources/shared.ts';
export { EventRouter, type PrunedIds, type RoutedHandler } from './router.ts';
export type { AriStats, RequestOutcome } from './stats.ts';
export * from './types.generated.ts';
