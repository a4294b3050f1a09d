import { AGENT_STATUSES } from './agent-status.ts';
import { CONNECTION_STATUSES } from './connection-status.ts';
import { CONTACT_REASONS, CONTACT_STATUSES } from './contact-status.ts';
import { ERRORS } from './errors.ts';
import { EVENT_MEANINGS } from './event-meanings.ts';
import { FLOW_STATUSES } from './flow-status.ts';
import { EMAIL_STATUSES, SMS_STATUSES } from './message-status.ts';

/**
 * The platform's vocabulary in one place: every word that an event, an answer or a webhook may carry, with the seed's
 * wording where it has any. Published as JSON Schema (docs/api/vocabulary.schema.json).
 */

export { AGENT_STATUSES, AgentStatus } from './agent-status.ts';
export { CONNECTION_STATUSES, ConnectionStatus } from './connection-status.ts';
export { CONTACT_REASONS, CONTACT_STATUSES, ContactReason, ContactStatus } from './contact-status.ts';
export { ERRORS, type ErrorKey } from './errors.ts';
export { EVENT_MEANINGS } from './event-meanings.ts';
export { CTI_EVENT_NAMES, CtiEvent, type CtiEventName, EVENT_SCHEMAS } from './events.ts';
export { FLOW_STATUSES, FlowStatus } from './flow-status.ts';
export { EMAIL_STATUSES, EmailStatus, SMS_STATUSES, SmsStatus } from './message-status.ts';

/** One word: what stands on the wire, and what it says. */
export interface Word {
  readonly value: string | number;
  /** For a number: its name. */
  readonly name?: string;
  readonly meaning: string;
}

/** One set of words: a field on the wire has one of them. */
export interface WordList {
  readonly title: string;
  readonly description: string;
  readonly words: readonly Word[];
}

const words = (meanings: Readonly<Record<string, string>>): Word[] =>
  Object.entries(meanings).map(([value, meaning]) => ({ value, meaning }));

/** Every list of the vocabulary. */
export const VOCABULARY = {
  FlowStatus: {
    title: 'Flow Status',
    description: 'What became of a call of a dialler flow, or of a masking request (seed 000).',
    words: Object.entries(FLOW_STATUSES).map(([value, { meaning }]) => ({ value, meaning })),
  },
  ConnectionStatus: {
    title: 'Call Connection Status',
    description: 'How a leg of a call ended (seed 000).',
    words: words(CONNECTION_STATUSES),
  },
  AgentStatus: {
    title: 'Agent Status',
    description: 'What an agent is doing, or has just done (seed 000; the meanings are ours).',
    words: words(AGENT_STATUSES),
  },
  SmsStatus: {
    title: 'SMS Status',
    description: 'What became of an SMS (seed 000). Not sent by this service.',
    words: words(SMS_STATUSES),
  },
  EmailStatus: {
    title: 'Email Status',
    description: 'What became of an email (seed 000). Not sent by this service.',
    words: words(EMAIL_STATUSES),
  },
  ContactStatus: {
    title: 'Contact State',
    description: 'Where a callback or task request is (seed 001; two of the meanings are ours).',
    words: words(CONTACT_STATUSES),
  },
  ContactReason: {
    title: 'State Reason Code',
    description: 'Why a callback or task request is there (seed 001; what its tables break off is completed).',
    words: words(CONTACT_REASONS),
  },
  CtiEventName: {
    title: 'CTI event',
    description: 'The messageID of an event (seed 004; the meanings are ours).',
    words: words(EVENT_MEANINGS),
  },
  ErrorCode: {
    title: 'Error code',
    description: 'Why a request was refused (seed 004 and JSON-RPC 2.0; the meanings are ours).',
    words: Object.values(ERRORS).map(({ code, name, meaning }) => ({ value: code, name, meaning })),
  },
} as const satisfies Record<string, WordList>;
