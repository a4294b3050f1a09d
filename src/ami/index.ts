export type { AmiList, AmiOutcome } from './action-table.ts';
export * from './actions.ts';
export {
  type ActionOptions,
  AmiClient,
  type AmiEventHandler,
  type AmiProblemHandler,
  type AmiState,
  type AmiStateHandler,
  type AmiStats,
} from './client.ts';
export type { AmiFields, AmiValue } from './encode.ts';
export { AmiError, type AmiErrorCode } from './errors.ts';
export { AmiMessage, type AmiMessageKind } from './message.ts';
export type { AmiClientOptions, AmiTlsOptions } from './options.ts';
