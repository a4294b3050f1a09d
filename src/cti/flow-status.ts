import { z } from 'zod';

/** What a Flow Status says: its number in seed 000, the seed's wording, and whether the words are ours for want of any. */
export interface FlowStatusEntry {
  readonly number: number;
  readonly meaning: string;
  readonly ours?: true;
}

/**
 * Seed 000's 39 Flow Statuses, in its words (its slips of the pen mended). The seed numbers them 1 to 40 without a 26,
 * and leaves four without a text.
 */
export const FLOW_STATUSES = {
  PHONE_NOT_WHITELISTED: {
    number: 1,
    meaning:
      'This status will appear when the flow is in testing state and the number which is used for testing is not whitelisted.',
  },
  INTERNATIONAL_CALLS_DISABLED: {
    number: 2,
    meaning:
      'This status will appear when the phone number through which the call is offered is international and the international call facility is disabled for the account',
  },
  INVALID_CONTACT_NUMBER: {
    number: 3,
    meaning:
      'This status will appear when the phone number received in the request does not fulfil the regex criteria of phone number',
  },
  UNPROCESSED: { number: 4, meaning: 'This status will appear when the number is loaded but is not processed' },
  IN_PROGRESS: {
    number: 5,
    meaning: 'This status will appear when the number is processed and the execution is in progress state',
  },
  REJECTED: {
    number: 6,
    meaning: 'This status will appear in case any unknown error takes place while API processing',
  },
  INVALID_CALL_START_TIME: {
    number: 7,
    meaning: 'This status will appear when the provided start time mentioned in the outbound request is in the past',
  },
  COMPLETED: { number: 8, meaning: 'This status will appear when the execution of the call is completed end to end' },
  PARTIAL_COMPLETE: {
    number: 9,
    meaning:
      'This status will appear if flow is stopped in between by the user (for outbound). If agent disconnected then partial completed (for dialer)',
  },
  REATTEMPT_SCHEDULED: {
    number: 10,
    meaning: 'This status will appear if the call is not picked up by customer and reattempt is scheduled',
  },
  SCHEDULED: {
    number: 11,
    meaning: 'This status will appear when the number is loaded and the start date is in future',
  },
  NCPR_CHECK_FAILED: {
    number: 12,
    meaning:
      'This status will appear when the phone number uploaded is in DND number list and the outbound flow is marketing (also the number is not whitelisted)',
  },
  FAILURE: { number: 13, meaning: 'This status will appear when there is any kind of failure in the flow execution' },
  MASK_ALLOCATED: {
    number: 14,
    meaning: 'This status will appear in the Masking number API, if a Masking number is successfully allocated',
  },
  MASK_NOT_AVAILABLE: {
    number: 15,
    meaning: 'This status will appear in the Masking number API, if a Masking number is not allocated',
  },
  INVALID_VALIDITY: {
    number: 16,
    meaning: 'This status will appear in the Masking number API, provided validity is invalid',
  },
  REQUIRE_MASKED_NUMBER: {
    number: 17,
    meaning: 'This status will appear in the Masking number API, the number to be mask is not provided',
  },
  SHORT_HANGUP: {
    number: 18,
    meaning:
      'This status will appear when in the flow execution, short hang up takes place that is the call is answered, followed by immediate hangup',
  },
  PHONE_BLACKLISTED: { number: 19, meaning: 'This status will appear when the phone number is in the blacklist' },
  INVALID_CALL_START_TIME_FORMAT: {
    number: 20,
    meaning:
      'This status will appear when the provided start time mentioned in the outbound request is in the invalid format',
  },
  PAUSE: { number: 21, meaning: 'This status will appear when the loaded flow execution is paused' },
  RESUME: { number: 22, meaning: 'the first status after a pause is lifted', ours: true },
  MAX_CAPACITY_REACHED: {
    number: 23,
    meaning: 'the flow’s or the account’s capacity is used up and the call was refused',
    ours: true,
  },
  INSUFFICIENT_BALANCE: {
    number: 24,
    meaning: 'This status will appear when there is no sufficient balance in the account to initiate a call',
  },
  ACCOUNT_VALIDITY_EXPIRED: {
    number: 25,
    meaning: 'This status will appear when the validity of the account is expired',
  },
  AGENT_FAILURE: {
    number: 27,
    meaning:
      'This status is for Dialer flows, when all the agent reattempts are exhausted and still the agent has not picked up the call',
  },
  AGENT_REATTEMPT_SCHEDULED: {
    number: 28,
    meaning: 'This status is for Dialer flows, when the agent has not picked up the call and the call is rescheduled',
  },
  CUSTOMER_FAILURE: {
    number: 29,
    meaning:
      'This status is for Dialer flows, when all the customer reattempts are exhausted and still the customer has not picked up the call',
  },
  CUSTOMER_REATTEMPT_SCHEDULED: {
    number: 30,
    meaning:
      'This status is for Dialer flows, when the customer has not picked up the call and the call is rescheduled',
  },
  INVALID_FLOW_VARIABLE_VALIDATION_TYPE: {
    number: 31,
    meaning: 'a validation of the flow is of an unknown type',
    ours: true,
  },
  FLOW_VARIABLE_CRITERIA_UNDEFINED: { number: 32, meaning: 'a validation of the flow has no criterion', ours: true },
  FLOW_VARIABLE_CONTAINS_CRITERIA_FAILED: {
    number: 33,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘contains’ criteria',
  },
  FLOW_VARIABLE_DOES_NOT_CONTAINS_CRITERIA_FAILED: {
    number: 34,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘does not contains’ criteria',
  },
  FLOW_VARIABLE_LIST_CRITERIA_FAILED: {
    number: 35,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘list’ criteria',
  },
  FLOW_VARIABLE_REGEX_CRITERIA_FAILED: {
    number: 36,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘regex’ criteria',
  },
  FLOW_VARIABLE_LENGTH_CRITERIA_FAILED: {
    number: 37,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘length’ criteria',
  },
  FLOW_VARIABLE_EMAIL_VALIDATION_FAILED: {
    number: 38,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘email validation’ criteria',
  },
  FLOW_VARIABLE_URL_CRITERIA_FAILED: {
    number: 39,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy ‘URL’ criteria',
  },
  FLOW_VARIABLE_VALIDATION_FAILED: {
    number: 40,
    meaning:
      'This status will appear when the user has configured some flow variable validations in the flow and the value received in the outbound request does not satisfy validation criteria',
  },
} as const satisfies Record<string, FlowStatusEntry>;

export type FlowStatus = keyof typeof FLOW_STATUSES;

/** A Flow Status, as the dialler's answers and webhooks carry it. */
export const FlowStatus = z.enum(Object.keys(FLOW_STATUSES) as [FlowStatus, ...FlowStatus[]]);
