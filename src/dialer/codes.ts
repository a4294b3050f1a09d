import type { FlowStatus } from '../cti/flow-status.ts';

/** The 22 answers of the Make Call API (seed 002), with its codes and messages. */
export const API_CODES = {
  INVALID_FORMAT: { code: 400, message: 'Invalid Format' },
  CHECKSUM_REPEATED: { code: 201, message: 'Checksum Repeated' },
  EMPTY_CALL_LIST: { code: 302, message: 'Empty Call List' },
  FAILURE: { code: 500, message: 'Failure' },
  INVALID_FLOW_ID: { code: 301, message: 'Invalid Flow ID' },
  IP_NOT_WHITELISTED: { code: 401, message: 'IP Not Whitelisted' },
  PHONE_NOT_WHITELISTED: { code: 402, message: 'Phone Not Whitelisted' },
  INVALID_SECURITY_ID: { code: 202, message: 'Invalid Security ID' },
  SUCCESS: { code: 200, message: 'Success' },
  INVALID_API_VERSION: { code: 203, message: 'API Version not Supported' },
  INVALID_GATEWAY_ID: { code: 204, message: 'Invalid SMS Gateway' },
  INVALID_CONTACT_NUMBER: { code: 205, message: 'Invalid Contact Number' },
  FAILURE_FROM_GATEWAY: { code: 206, message: 'Failure from Gateway' },
  DID_NOT_MAPPED: { code: 207, message: 'DID Not Mapped' },
  NO_MASK_AVAILABLE: { code: 208, message: 'No Mask Available' },
  PARTIAL_SUCCESS: { code: 209, message: 'Partial Success' },
  INVALID_MANDATORY_PARAMETERS: { code: 210, message: 'Invalid Mandatory Parameters' },
  MAX_DATA_LIST_SIZE_EXCEEDED: { code: 303, message: 'Max Data List Size Exceeded' },
  VALIDITY_EXPIRED: { code: 211, message: 'Validity Expired' },
  INSUFFICIENT_BALANCE: { code: 212, message: 'Insufficient Balance' },
  INVALID_FLOW_VERSION: { code: 304, message: 'Invalid Flow Version' },
  NO_DATA_AVAILABLE: { code: 213, message: 'No Data Available' },
} as const;

export type ApiCode = keyof typeof API_CODES;

/** The head of every answer. */
export const answerHead = (name: ApiCode) => ({
  'api-response-code': API_CODES[name].code,
  'api-response-message': API_CODES[name].message,
});

/** Refusals of a call that have an answer of their own where all calls of the request are refused so. */
const OF_ALL: { readonly [S in FlowStatus]?: ApiCode } = {
  PHONE_NOT_WHITELISTED: 'PHONE_NOT_WHITELISTED',
  INVALID_CONTACT_NUMBER: 'INVALID_CONTACT_NUMBER',
  ACCOUNT_VALIDITY_EXPIRED: 'VALIDITY_EXPIRED',
  INSUFFICIENT_BALANCE: 'INSUFFICIENT_BALANCE',
};

/**
 * The answer to a request whose calls have been looked at one by one.
 *
 * @param refused the refused calls' statuses
 * @param accepted how many calls were accepted
 */
export function codeOfCalls(accepted: number, refused: readonly FlowStatus[]): ApiCode {
  if (refused.length === 0) return 'SUCCESS';
  if (accepted > 0) return 'PARTIAL_SUCCESS';
  const [first] = refused;
  const same = first !== undefined && refused.every((s) => s === first) ? OF_ALL[first] : undefined;
  return same ?? 'FAILURE';
}
