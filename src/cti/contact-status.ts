import { z } from 'zod';

/** Where a contact of the contacts API is (seed 001). Two of the meanings are ours for want of any. */
export const CONTACT_STATUSES = {
  Queued: 'The request is successfully submitted to the contact center.',
  Reserved: 'The request is successfully routed to an agent.',
  Handled:
    'A callback: the request is successfully routed to an agent. A task: it is successfully completed by an agent.',
  Discarded: 'The request was not carried out; the reason says why. It must be sent again, if it still matters.',
} as const;

export type ContactStatus = keyof typeof CONTACT_STATUSES;
export const ContactStatus = z.enum(Object.keys(CONTACT_STATUSES) as [ContactStatus, ...ContactStatus[]]);

/**
 * Why a contact is where it is, in seed 001's words (the cancels’ are put together from its two tables). The seed breaks
 * the long names off at a line's end: this is the one place where they are completed.
 */
export const CONTACT_REASONS = {
  EXTERNALLY_HANDLED:
    'A callback was submitted, or has been routed to an agent; a task has been completed by an agent.',
  EXTERNALLY_ROUTED: 'A task was submitted, or has been routed to an agent.',
  TASK_RENOTIFY_REQUESTED: 'The request resubmission to the contact center is under process.',
  NOTIFICATION_INVALID_NEW_TASK_MESSAGE: 'The message in the route request is invalid.',
  NOTIFICATION_MEDIA_ROUTING_DISABLED: 'The routing is disabled.',
  NOTIFICATION_NO_SCRIPT: 'The routing script does not exist.',
  NOTIFICATION_INVALID_MRD_ID: 'The Media Routing Domain (MRD) ID does not exist. Only applicable for callback.',
  NOTIFICATION_INVALID_SCRIPT_SELECTOR: 'The dialed number or script selector does not exist.',
  NOTIFICATION_ROUTER_RELEASED:
    'The task is released as the script indicates that the request be dropped. Possible script misconfiguration.',
  NOTIFICATION_UNKNOWN_ERROR: 'Unknown routing problem.',
  NOTIFICATION_CCE_CONNECTION_LOST: 'The connection is either lost or is not established.',
  NOTIFICATION_CCE_CCP_FAILED: 'While the callback was queued, the platform either failed or restarted.',
  NOTIFICATION_INVALID_VALUES:
    'The task could not be submitted due to invalid values in the notification, such as one over the maximum field length.',
  NOTIFICATION_RATE_LIMITED: 'The incoming rate of requests exceeded the allowed number of contacts.',
  NOTIFICATION_CCE_CALLBACK_CANCELLED:
    'Queued: the cancel of a callback was initiated. Discarded: the callback was cancelled successfully.',
  NOTIFICATION_CCE_TASK_CANCELLED:
    'Queued: the cancel of a task was initiated. Discarded: the task was cancelled successfully.',
} as const;

export type ContactReason = keyof typeof CONTACT_REASONS;
export const ContactReason = z.enum(Object.keys(CONTACT_REASONS) as [ContactReason, ...ContactReason[]]);

/** What a cancel is told by, for each kind of contact. */
export const CANCELLED = {
  callback: 'NOTIFICATION_CCE_CALLBACK_CANCELLED',
  task: 'NOTIFICATION_CCE_TASK_CANCELLED',
} as const satisfies Record<string, ContactReason>;
