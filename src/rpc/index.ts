export type { OnRefused } from './dispatcher.ts';
export { RPC_ENDPOINTS } from './endpoints.ts';
export { type ApiKeyOptions, type ApiKeys, apiKeys, type Operators, operatorKeys } from './keys.ts';
export { DEFAULT_LIMITS, type RpcLimits, TokenBucket } from './limits.ts';
export { NODE_ENDPOINTS } from './node-endpoints.ts';
export { openRpcDocument } from './openrpc.ts';
export { PeerClient } from './peer-client.ts';
export { PeerServer } from './peer-server.ts';
export { createRpcServer, type RpcServer, type RpcServerDeps } from './server.ts';
