import { z } from 'zod';

/**
 * Seed 000's SMS statuses, in its words (slips of the pen mended). This service carries voice; the statuses belong to
 * the platform's vocabulary.
 */
export const SMS_STATUSES = {
  DELIVERED: 'This status is obtained when the SMS is delivered to the customer successfully.',
  EXPIRED:
    'From operator’s side: this status is given by operator. Or: if no status is obtained from the operator’s side within a period of 3 days, then we (in our system) mark it as ‘expired’.',
  FAILED:
    'When invalid gatewayID/contact number, or the operator didn’t give success on the SEND request. Or: the operator gives Failed status in DR.',
  INVALID_NUMBER: 'When any phone number is not satisfying the regex criteria of mobile number.',
  REJECTED: 'This status is received from the operator’s end.',
  SENT_TO_QUEUE:
    'When the system triggers the SMS and it is in the queue of sending SMS. Or: when no final status is obtained from the operator’s end.',
  UNDELIVERED: 'This status is received from the operator’s end.',
  OTHER:
    'Different operators have their different statuses, so whenever any miscellaneous status (other than those mentioned in the report) is obtained from the operator’s end, this status is obtained.',
} as const;

export type SmsStatus = keyof typeof SMS_STATUSES;
export const SmsStatus = z.enum(Object.keys(SMS_STATUSES) as [SmsStatus, ...SmsStatus[]]);

/** Seed 000's email statuses, in its words (slips of the pen mended); Rejected and Complaint have none there, theirs are ours. */
export const EMAIL_STATUSES = {
  Success: 'This status is obtained when the Email is successfully sent',
  Delivered: 'This status is obtained when the Email is successfully delivered',
  Failure: 'This status is obtained when the Email failed to be sent due to any reason',
  'Empty Email List': 'This status is obtained when there are no recipients in the Email',
  'Invalid Data': 'This status is obtained when there is any invalid data in any parameter of the Email',
  'Invalid From Email':
    'This status is obtained when the ‘from recipient’ is invalid (does not follow the standard Email Format)',
  'Invalid To Email':
    'This status is obtained when the ‘to recipient’ is invalid (does not follow the standard Email Format)',
  Sent: 'This status is obtained when the Email is sent from the system',
  Bounced: 'This status is obtained when the Email message cannot be delivered to an email address',
  Rejected: 'the Email was refused by the receiving side',
  Complaint: 'the recipient reported the Email as unwanted',
  Opened: 'This status is obtained when the Email is opened by the recipient',
  Clicked: 'This status is obtained when the user has clicked on the link present in the Email',
} as const;

export type EmailStatus = keyof typeof EMAIL_STATUSES;
export const EmailStatus = z.enum(Object.keys(EMAIL_STATUSES) as [EmailStatus, ...EmailStatus[]]);
