export type { OnRefused } from './dispatcher.ts';
export { RPC_ENDPOINTS } from './endpoints.ts';
export { type ApiKeyOptions, type ApiKeys, apiKeys } from './keys.ts';
export { DEFAULT_LIMITS, type RpcLimits, TokenBucket } from './limits.ts';
export { openRpcDocument } from './openrpc.ts';
export { createRpcServer, type RpcServer, type RpcServerDeps } from './server.ts';
