import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CallID } from '../cti/ids.ts';
import type { Flow } from './book.ts';
import type { DialerCall, OpenCampaigncall } from './dialer-call.ts';
import { legsOfPlacing } from './outcome.ts';
import { type DialerInput, isOver } from './step.ts';

/** An address of a campaigncall (seed 003). */
const Address = z.strictObject({
  type: z.literal('tel'),
  target: z.string().describe('the number'),
  target_name: z.string(),
  name: z.string(),
  detail: z.string(),
});

const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
  .describe('UTC, YYYY-MM-DD HH:MM:SS.ffffff');

/** One dialled call of a dialer flow, with the fields of seed 003. */
export const Campaigncall = z.strictObject({
  id: z.string(),
  campaign_id: z.string().describe('the flow'),
  outplan_id: z.string().describe('the flow’s attempt plan, which has the flow’s id'),
  outdial_id: z.string().describe('the request: the list of calls'),
  outdial_target_id: z.string().describe('the phonon-uuid: the entry of the list'),
  queue_id: z.string().describe('the flow’s queue; empty where it names agents'),
  activeflow_id: z.string().describe('the run of the flow in this call; empty before there is a call'),
  reference_type: z.enum(['none', 'call']),
  reference_id: z.string().describe('the callID; empty before there is a call'),
  status: z.enum(['dialing', 'progressing', 'done']),
  result: z.enum(['', 'success', 'fail']),
  source: Address,
  destination: Address,
  destination_index: z.int().min(0).describe('which of the call’s numbers, from 0'),
  try_count: z.int().min(1).describe('the attempt, from 1; alternate numbers belong to one attempt'),
  tm_create: moment,
  tm_update: moment,
});
export type Campaigncall = z.infer<typeof Campaigncall>;

/** A campaigncall as it is stored: `callID` is known from the claim on, before there is a call to refer to. */
export type CampaigncallRecord = Campaigncall & { readonly callID?: CallID };

/** A campaigncall to be stored with the change that it tells of. */
export interface CampaigncallChange {
  readonly id: string;
  readonly json: string;
  /** It may be a new one. */
  readonly fresh: boolean;
}

/** Normal clearing (Q.850). */
const NORMAL_CLEARING = 16;

/** The id of the n-th campaigncall of a call of the dialler: known before it is placed, and the same at every instance. */
export const campaigncallID = (uuid: string, n: number): string =>
  asUuid(createHash('sha256').update(`campaigncall ${uuid} ${n}`).digest('hex'));

/** 32 hex digits and more, written as a UUID. */
const asUuid = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC. @param ms Unix ms */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().replace('T', ' ').slice(0, -1)}000`;

/** What clients are shown. */
export function shownCampaigncall({ callID: _, ...shown }: CampaigncallRecord): Campaigncall {
  return shown;
}

/**
 * What a step of a call of the dialler means for its campaigncall. Each number that is dialled is one campaigncall, from
 * its claim to the end of its call; a claim that came to nothing keeps its own for the next.
 *
 * @param before the call before the step
 * @param after the call after it
 * @param source the number that is shown, if any
 * @param now Unix ms
 * @returns the call with what it must remember, and what to store with it
 */
export function withCampaigncall(
  before: DialerCall,
  after: DialerCall,
  input: DialerInput,
  flow: Flow,
  source: string | undefined,
  now: number,
): { call: DialerCall; change?: CampaigncallChange } {
  const open: OpenCampaigncall | undefined =
    before.campaigncall ?? (input.kind === 'claimed' ? { n: before.campaigncalls ?? 0, createdAt: now } : undefined);
  if (!open) return { call: after };
  const over = isOver(input) || after.phase === 'ended';
  const state = over ? stateAtEnd(before, after, input) : stateOf(after);
  // A leg that ends says nothing yet: the end of the call does.
  if (input.kind === 'leg-ended' && before.phase === 'live') return { call: after };
  const record = recordOf(before, open, flow, { ...state, source, now });
  const { campaigncall: _, ...rest } = after;
  const call = over ? { ...rest, campaigncalls: open.n + 1 } : { ...after, campaigncall: open };
  return { call, change: { id: record.id, json: JSON.stringify(record), fresh: input.kind === 'claimed' } };
}

/** The campaigncall of a call that waits to be placed for the first time. */
export function firstCampaigncall(call: DialerCall, flow: Flow, source: string | undefined): CampaigncallRecord {
  const open = { n: 0, createdAt: call.acceptedAt };
  return recordOf(call, open, flow, { status: 'dialing', result: '', source, now: call.acceptedAt });
}

interface State {
  readonly status: Campaigncall['status'];
  readonly result: Campaigncall['result'];
  readonly callID?: CallID;
  /** Ringmaster has the call. */
  readonly placed?: boolean;
}

function stateOf({ phase, placing }: DialerCall): State {
  if (!placing) return { status: 'dialing', result: '' };
  const answered = placing.answered === true;
  return {
    status: answered ? 'progressing' : 'dialing',
    result: '',
    callID: placing.callID,
    placed: phase === 'live',
  };
}

/** Success: the customer answered, the end was normal clearing, and he is not called again. */
function stateAtEnd(before: DialerCall, after: DialerCall, input: DialerInput): State {
  const { placing } = before;
  const legs = placing ? legsOfPlacing({ ...after, placing }) : [];
  const customer = legs.find((l) => l.role === 'customer');
  const talked = customer?.answeredAt !== undefined && (customer.bridgedAt !== undefined || customer.remote);
  const told = isOver(input) && input.kind !== 'lost';
  const success = told && after.phase === 'ended' && talked && customer.q850 === NORMAL_CLEARING;
  const placed = placing !== undefined && (told || before.phase === 'live');
  return {
    status: 'done',
    result: success ? 'success' : 'fail',
    ...(placing && { callID: placing.callID }),
    placed,
  };
}

const tel = (target: string): Campaigncall['source'] => ({
  type: 'tel',
  target,
  target_name: '',
  name: '',
  detail: '',
});

function recordOf(
  call: DialerCall,
  open: OpenCampaigncall,
  flow: Flow,
  of: State & { readonly source: string | undefined; readonly now: number },
): CampaigncallRecord {
  const { callID, placed } = of;
  return {
    id: campaigncallID(call.uuid, open.n),
    campaign_id: flow.config.id,
    outplan_id: flow.config.id,
    outdial_id: call.requestId,
    outdial_target_id: call.uuid,
    queue_id: flow.config.queue ?? '',
    activeflow_id: placed && callID !== undefined ? asUuid(callID) : '',
    reference_type: placed ? 'call' : 'none',
    reference_id: placed && callID !== undefined ? callID : '',
    status: of.status,
    result: of.result,
    source: tel(of.source ?? ''),
    destination: tel(call.numbers[call.index] ?? ''),
    destination_index: call.index,
    try_count: call.customerAttempts + call.agentAttempts + 1,
    tm_create: timestamp(open.createdAt),
    tm_update: timestamp(of.now),
    ...(callID !== undefined && { callID }),
  };
}
