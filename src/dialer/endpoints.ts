import { z } from 'zod';
import { ConnectionStatus } from '../cti/connection-status.ts';
import { FlowStatus } from '../cti/flow-status.ts';
import type { Endpoint, EndpointAnswer } from '../http/endpoint.ts';
import { API_CODES } from './codes.ts';
import { MaskBody, UnmaskBody } from './masking.ts';
import { MakeCallBody } from './shapes.ts';

/** What the HTTP endpoints of the Make Call API take and answer (docs/dialer.md). The handlers are in routes.ts. */

const BASE = '/kairos-apis/outbounddialer';
const codes = Object.values(API_CODES);
const head = {
  'api-response-code': z
    .literal(codes.map((c) => c.code))
    .describe(codes.map((c) => `${c.code} ${c.message}`).join('; ')),
  'api-response-message': z.enum(codes.map((c) => c.message)),
};
const moment = z.iso.datetime();
const leg = z.strictObject({
  cdrId: z.string(),
  startTime: moment.nullable(),
  ringingStartTime: moment.nullable(),
  connectTime: moment.nullable(),
  endTime: moment.nullable(),
  calleeNumber: z.string(),
  didNumber: z.string().nullable(),
  hangupCause: z.int().describe('Q.850.'),
  duration: z.int().describe('Milliseconds from the answer to the end.'),
  dtmfPressed: z.string(),
  incoming: z.boolean(),
  calleeType: z.enum(['VISITOR', 'HARD_PHONE']),
  remoteHangup: z.boolean(),
  is_ringing: z.boolean(),
  callConnectionStatus: ConnectionStatus,
});
const refusal = z.strictObject(head);
const answer = (fields: Record<string, z.ZodType>): EndpointAnswer => ({
  means: 'Every answer but those below; `api-response-code` says what became of it.',
  body: z.strictObject({ ...head, ...fields }),
});
const noJson = {
  400: { means: 'The body is no JSON.', body: refusal },
  413: { means: 'The body is over `dialer.bodyLimit`.', body: refusal },
};
const flowParams = z.strictObject({ flow: z.string().describe('The flow-id.') });
const flowOrder = (name: string, summary: string, fields: Record<string, z.ZodType>): Endpoint => ({
  method: 'POST',
  path: `${BASE}/flows/:flow/${name}`,
  group: 'Make Call API',
  summary,
  access: 'account',
  params: flowParams,
  answers: { 200: answer({ 'flow-id': z.string().optional(), ...fields }) },
});
const flowState = {
  state: z.enum(['running', 'paused', 'stopped']).optional(),
  waiting: z.int().optional().describe('Calls that wait.'),
};

const ms = (what: string) => z.int().optional().describe(`${what}, milliseconds.`);
const average = (what: string) => z.int().nullable().describe(`${what}, milliseconds; null where there was none.`);
const ledgerWindow = (what: string) =>
  z
    .strictObject({
      from: moment.describe('Beginning of the first hour that is counted.'),
      placed: z.int().describe('Customers called.'),
      answered: z.int(),
      connected: z.int().describe('Put through to an agent, however late.'),
      abandoned: z.int().describe('Answered, and not put through within `connect-within`.'),
      'abandoned-share': z.number().describe('Of the answered.'),
      'given-up-early': z.int().describe('Not answered, and given up after less than `least-ring`.'),
      'average-ring': average('From the start to the answer'),
      'average-answer-to-agent': average('From the answer to the agent'),
      'average-talk': average('From then to the end'),
    })
    .optional()
    .describe(what);

export const DIALER_ENDPOINTS = {
  create: {
    method: 'POST',
    path: `${BASE}/create`,
    group: 'Make Call API',
    summary: 'Asks for calls',
    access: 'account',
    body: MakeCallBody,
    answers: {
      200: answer({
        'request-id': z.uuid().optional(),
        'call-details': z
          .array(
            z.strictObject({
              'client-identifier': z.string(),
              'phonon-uuid': z.uuid(),
              status: FlowStatus.optional().describe('Left out where all calls were accepted.'),
            }),
          )
          .optional()
          .describe('In the request’s order.'),
      }),
      ...noJson,
    },
  },
  status: {
    method: 'GET',
    path: `${BASE}/status/:id`,
    group: 'Make Call API',
    summary: 'What became of a request, or of one call',
    access: 'account',
    params: z.strictObject({ id: z.string().describe('The request-id, or a call’s phonon-uuid.') }),
    answers: {
      200: answer({
        'request-id': z.uuid().optional(),
        'call-details': z
          .array(
            z.strictObject({
              'client-identifier': z.string(),
              'phonon-uuid': z.uuid(),
              'flow-id': z.string(),
              status: FlowStatus,
              'agent-attempts': z.int(),
              'customer-attempts': z.int(),
              'next-attempt': moment.optional(),
              history: z.array(z.strictObject({ status: FlowStatus, at: moment })),
              'answer-to-agent': z
                .int()
                .nullable()
                .optional()
                .describe('Milliseconds from the customer’s last answer to the agent; null where none came.'),
              callDetails: z.array(leg),
            }),
          )
          .optional(),
      }),
    },
  },
  pause: flowOrder('pause', 'Lets what waits in a flow wait', flowState),
  resume: flowOrder('resume', 'Lets a flow go on', flowState),
  stop: flowOrder('stop', 'Ends what waits in a flow; live calls go on', flowState),
  ledger: {
    ...flowOrder('ledger', 'What was counted of a flow that calls the customer first', {
      'flow-id': z.string().optional(),
      mode: z.enum(['progressive', 'predictive']).optional(),
      'max-abandoned': z.number().optional(),
      'connect-within': ms('From the answer to the agent at most'),
      'least-ring': ms('Ringing before an unanswered customer may be given up'),
      'ring-timeout': ms('Ringing that the flow is set to'),
      'last-24-hours': ledgerWindow('The last 24 hours and what has passed of this one.'),
      'last-30-days': ledgerWindow('The last 30 days and what has passed of this hour.'),
    }),
    method: 'GET',
  },
  mask: {
    method: 'POST',
    path: '/kairos-apis/masking/allocate',
    group: 'Number masking',
    summary: 'Gives two numbers one of the flow’s, through which they reach each other',
    access: 'account',
    body: MaskBody,
    answers: {
      200: answer({
        status: FlowStatus.optional(),
        'masked-number': z.string().optional(),
        'valid-until': moment.optional(),
      }),
      ...noJson,
    },
  },
  unmask: {
    method: 'POST',
    path: '/kairos-apis/masking/release',
    group: 'Number masking',
    summary: 'Takes a pair’s number back before its validity ends',
    access: 'account',
    body: UnmaskBody,
    answers: { 200: answer({ status: FlowStatus.optional() }), ...noJson },
  },
  replay: flowOrder('webhooks/replay', 'Delivers once more the messages that were set aside', {
    messages: z.int().optional(),
  }),
} satisfies Record<string, Endpoint>;
