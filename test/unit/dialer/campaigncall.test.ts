import { describe, expect, it } from 'vitest';
import {
  Campaigncall,
  type CampaigncallRecord,
  campaigncallID,
  shownCampaigncall,
  timestamp,
  withCampaigncall,
} from '../../../src/dialer/campaigncall.ts';
import type { DialerCall, Leg } from '../../../src/dialer/dialer-call.ts';
import { type DialerInput, stepDialerCall } from '../../../src/dialer/step.ts';
import { callID, callOf, type FlowSettings, flowOf, NOW } from '../../support/dialer-kit.ts';

/** Drives a call and keeps what its campaigncalls became. */
class Driven {
  call: DialerCall;
  now = NOW;
  readonly records = new Map<string, CampaigncallRecord>();
  /** Ids in the order in which they came about. */
  readonly ids: string[] = [];
  #placed = 0;
  #eventID = 0;
  readonly #flow;

  constructor(flow: FlowSettings = {}, numbers: readonly string[] = ['918000123456']) {
    this.#flow = flowOf(flow);
    this.call = callOf(this.#flow, { 'contact-numbers': numbers });
  }

  step(input: DialerInput): this {
    this.now += 1_000;
    const stepped = stepDialerCall(this.call, input, this.#flow.config, this.now);
    const { call, change } = withCampaigncall(this.call, stepped, input, this.#flow, '911140001000', this.now);
    this.call = call;
    if (!change) return this;
    if (!this.records.has(change.id)) {
      expect(change.fresh).toBe(true);
      this.ids.push(change.id);
    }
    this.records.set(change.id, JSON.parse(change.json) as CampaigncallRecord);
    return this;
  }

  get callID() {
    return callID(this.#placed);
  }

  claim(): this {
    this.#placed++;
    return this.step({ kind: 'claimed', callID: this.callID, agent: '1001' });
  }

  place(): this {
    return this.claim().step({ kind: 'placed', callID: this.callID });
  }

  answer(): this {
    this.#eventID++;
    return this.step({ kind: 'answered', eventID: this.#eventID, callID: this.callID });
  }

  leg(role: Leg['role'], change: Partial<Leg>): this {
    this.#eventID++;
    const leg: Leg = {
      partyID: `${this.callID}-${role === 'agent' ? 1 : 2}`,
      callID: this.callID,
      role,
      number: '918000123456',
      startedAt: this.now,
      endedAt: this.now,
      hangupCause: 'BY_CUSTOMER',
      q850: 16,
      remote: true,
      connectionStatus: 'Connected',
      ...change,
    };
    return this.step({ kind: 'leg-ended', eventID: this.#eventID, leg });
  }

  deleted(bridgedFor?: number, stopped = false): this {
    this.#eventID++;
    const endedAt = this.now;
    const end = {
      connectionStatus: bridgedFor === undefined ? 'Busy' : 'Connected',
      endedAt,
      ...(bridgedFor !== undefined && { bridgedAt: endedAt - bridgedFor }),
    };
    return this.step({ kind: 'deleted', eventID: this.#eventID, callID: this.callID, end, stopped });
  }

  talk(q850 = 16): this {
    const up = { answeredAt: this.now, bridgedAt: this.now };
    return this.place()
      .answer()
      .leg('customer', { ...up, q850 })
      .leg('agent', up)
      .deleted(20_000);
  }

  busy(): this {
    return this.place()
      .leg('customer', { connectionStatus: 'Busy', sipCode: 486, q850: 17 })
      .leg('agent', { answeredAt: this.now, remote: false })
      .deleted();
  }

  get all(): CampaigncallRecord[] {
    return this.ids.flatMap((id) => this.records.get(id) ?? []);
  }

  get last(): CampaigncallRecord {
    const last = this.all.at(-1);
    if (!last) throw new Error('there is no campaigncall');
    return last;
  }
}

describe('a campaigncall', () => {
  it('has exactly the seed’s fields, and its format of a moment', () => {
    const shown = shownCampaigncall(new Driven().talk().last);
    expect(Campaigncall.parse(shown)).toEqual(shown);
    expect(Object.keys(shown)).toEqual([
      'id',
      'campaign_id',
      'outplan_id',
      'outdial_id',
      'outdial_target_id',
      'queue_id',
      'activeflow_id',
      'reference_type',
      'reference_id',
      'status',
      'result',
      'source',
      'destination',
      'destination_index',
      'try_count',
      'tm_create',
      'tm_update',
    ]);
    expect(timestamp(Date.UTC(2022, 3, 29, 7, 1, 45, 808))).toBe('2022-04-29 07:01:45.808000');
  });

  it('goes from dialing, first without a call, to progressing and done', () => {
    const driven = new Driven();
    driven.claim();
    expect(driven.last).toMatchObject({ status: 'dialing', reference_type: 'none', reference_id: '', result: '' });
    driven.step({ kind: 'placed', callID: driven.callID });
    expect(driven.last).toMatchObject({ status: 'dialing', reference_type: 'call', reference_id: driven.callID });
    driven.answer();
    expect(driven.last).toMatchObject({ status: 'progressing', result: '' });
    const up = { answeredAt: driven.now, bridgedAt: driven.now };
    driven.leg('customer', up).leg('agent', up);
    expect(driven.last.status).toBe('progressing');
    driven.deleted(20_000);
    expect(driven.last).toMatchObject({ status: 'done', result: 'success', try_count: 1, destination_index: 0 });
    expect(driven.ids).toEqual([campaigncallID(driven.call.uuid, 0)]);
  });

  it('answered before its request was, is progressing all the same', () => {
    const driven = new Driven().claim().answer();
    expect(driven.last).toMatchObject({ status: 'progressing', reference_type: 'call' });
    driven.step({ kind: 'placed', callID: driven.callID });
    expect(driven.last).toMatchObject({ status: 'progressing' });
  });

  it('fails by every end but normal clearing after an answer', () => {
    expect(new Driven().talk(41).last.result).toBe('fail');
    expect(new Driven().busy().last.result).toBe('fail');
    const abandoned = new Driven({ firstLeg: 'customer' })
      .place()
      .leg('customer', { answeredAt: NOW, remote: false, hangupCause: 'BY_SYSTEM' })
      .leg('agent', { connectionStatus: 'User Not Answered', q850: 19 })
      .deleted();
    expect(abandoned.last).toMatchObject({ status: 'done', result: 'fail' });
    const lost = new Driven().place();
    lost.step({ kind: 'lost', callID: lost.callID });
    expect(lost.last).toMatchObject({ status: 'done', result: 'fail', reference_type: 'call' });
    const refused = new Driven().claim();
    refused.step({ kind: 'not-placed', callID: refused.callID, why: 'never' });
    expect(refused.last).toMatchObject({ status: 'done', result: 'fail', reference_type: 'none' });
  });

  it('is one for each number that is dialled, and each attempt', () => {
    const plan = { customerAttempts: { attempts: 2, intervals: [1] } };
    const driven = new Driven(plan, ['918000000001', '918000000002']).busy().busy().busy().talk();
    expect(driven.all.map((r) => [r.destination.target, r.destination_index, r.try_count, r.result])).toEqual([
      ['918000000001', 0, 1, 'fail'],
      ['918000000002', 1, 1, 'fail'],
      ['918000000001', 0, 2, 'fail'],
      ['918000000002', 1, 2, 'success'],
    ]);
    expect(new Set(driven.ids).size).toBe(4);
    expect(new Set(driven.all.map((r) => r.outdial_target_id))).toEqual(new Set([driven.call.uuid]));
  });

  it('stays one where a claim found no room, and ends with a stop', () => {
    const driven = new Driven().claim();
    driven.step({ kind: 'not-placed', callID: driven.callID, why: 'later' });
    expect(driven.last).toMatchObject({ status: 'dialing', reference_type: 'none' });
    expect(driven.last.callID).toBeUndefined();
    driven.claim();
    expect(driven.ids).toHaveLength(1);
    driven.step({ kind: 'not-placed', callID: driven.callID, why: 'later' }).step({ kind: 'stop' });
    expect(driven.last).toMatchObject({ status: 'done', result: 'fail' });
  });
});
