import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ATTACHED_DATA_MAX_BYTES, attachedDataFault } from '../../../src/cti/json.ts';
import { isMethodName, METHOD_NAMES, METHODS } from '../../../src/cti/requests.ts';

const callID = '4dce61ec399644029fab7e8251da9bf1332';
const p = { callID, thisDN: '1001' };
const pair = { ...p, otherDN: '1002' };

/** The smallest params of every method, and the scope that it needs. */
const SMALLEST: Record<(typeof METHOD_NAMES)[number], [scope: string, params: Record<string, unknown>]> = {
  RequestMakeCall: ['call', { thisDN: '1001', otherDN: '+491701234567' }],
  RequestAnswerCall: ['call', p],
  RequestReleaseCall: ['call', p],
  RequestClearCall: ['call', { callID }],
  RequestHoldCall: ['call', p],
  RequestRetrieveCall: ['call', p],
  RequestMuteCall: ['call', p],
  RequestUnmuteCall: ['call', p],
  RequestSendDtmf: ['call', { ...p, dtmfDigits: '1234#' }],
  RequestUpdateAttachedData: ['call', { callID, attachedData: { orderID: '1', gone: null } }],
  RequestSingleStepTransfer: ['call', pair],
  RequestInitiateConsult: ['call', pair],
  RequestCancelConsult: ['call', p],
  RequestRetrieveConsult: ['call', p],
  RequestTransferConsult: ['call', p],
  RequestConferenceConsult: ['call', p],
  RequestSingleStepConference: ['call', pair],
  RequestDeleteFromConference: ['call', pair],
  RequestIntercept: ['supervise', pair],
  RequestBargein: ['supervise', pair],
  RequestMonitor: ['supervise', pair],
  RequestWhisper: ['supervise', pair],
  RequestStopSupervision: ['supervise', p],
  RequestStartRecording: ['call', { callID }],
  RequestStopRecording: ['call', { callID }],
  RequestPauseRecording: ['call', { callID }],
  RequestResumeRecording: ['call', { callID }],
  RequestGetCallInfo: ['read', { callID }],
  RequestListCalls: ['read', {}],
  RequestAgentLogin: ['agent', { agentID: '1001', thisDN: '1001' }],
  RequestAgentReady: ['agent', { agentID: '1001' }],
  RequestAgentNotReady: ['agent', { thisDN: '1001', reasonCode: 11 }],
  RequestAgentLogout: ['agent', { agentID: '1001' }],
  RequestDelayAfterCallWork: ['agent', { agentID: '1001', seconds: 30 }],
  RequestListAgents: ['read', {}],
  Subscribe: ['read', {}],
  Unsubscribe: ['read', { subscriptionID: 's1' }],
};

const accepts = (name: (typeof METHOD_NAMES)[number], params: unknown) =>
  METHODS[name].params.safeParse(params).success;

describe('the methods', () => {
  it.each(METHOD_NAMES)('%s takes its params, a referenceID and nothing unknown', (name) => {
    const [scope, params] = SMALLEST[name];
    expect(METHODS[name].scope).toBe(scope);
    expect(METHODS[name].params.safeParse(params).error?.issues).toBeUndefined();
    expect(accepts(name, { ...params, referenceID: 7 })).toBe(true);
    expect(accepts(name, { ...params, referenceID: 7.5 })).toBe(false);
    expect(accepts(name, { ...params, surprise: 1 })).toBe(false);
    for (const key of Object.keys(params)) {
      if (key === 'reasonCode') continue;
      const { [key]: _left, ...rest } = params;
      expect(accepts(name, rest), `without ${key}`).toBe(false);
    }
  });

  it('are all publishable as JSON Schema', () => {
    for (const name of METHOD_NAMES) {
      expect(z.toJSONSchema(METHODS[name].params, { io: 'input' }).type).toBe('object');
      expect(z.toJSONSchema(METHODS[name].result).type).toBe('object');
    }
  });

  it('are known by name, and what every object has is none', () => {
    expect(isMethodName('RequestMakeCall')).toBe(true);
    for (const name of ['toString', 'constructor', '__proto__', 'requestMakeCall', '']) {
      expect(isMethodName(name)).toBe(false);
    }
  });
});

describe('params', () => {
  const make = SMALLEST.RequestMakeCall[1];

  it('have the contract’s defaults', () => {
    expect(METHODS.RequestMakeCall.params.parse(make)).toEqual({
      ...make,
      makeCallType: 'Regular',
      firstLeg: 'agent',
    });
  });

  it('take only a cursor that an answer may have given', () => {
    expect(accepts('RequestListCalls', { cursor: `001732000000000-${callID}` })).toBe(true);
    for (const cursor of ['', 'next', callID, `1-${callID}`]) {
      expect(accepts('RequestListCalls', { cursor })).toBe(false);
    }
  });

  it('limit the ring timeout to 1 to 600 whole seconds', () => {
    for (const ringTimeout of [1, 600]) expect(accepts('RequestMakeCall', { ...make, ringTimeout })).toBe(true);
    for (const ringTimeout of [0, 601, 1.5, '30']) {
      expect(accepts('RequestMakeCall', { ...make, ringTimeout })).toBe(false);
    }
  });

  it('take numbers, extensions and users, and nothing that a dial string could mistake', () => {
    for (const otherDN of ['1', '*98', '#31#491701234567', '+491701234567', 'anna.berg_2-x', '9'.repeat(64)]) {
      expect(accepts('RequestMakeCall', { ...make, otherDN }), otherDN).toBe(true);
    }
    const wrong = [
      '',
      ' ',
      '1 2',
      '+',
      '1+2',
      '-1',
      '1@x',
      'PJSIP/1',
      '1&2',
      '1,2',
      '$(X)',
      '1\n',
      '9'.repeat(65),
      1001,
    ];
    for (const otherDN of wrong) expect(accepts('RequestMakeCall', { ...make, otherDN }), String(otherDN)).toBe(false);
  });

  it('take any opaque callID, so that an unknown one is NotFoundCallID', () => {
    for (const id of ['no-such-call', '0', callID]) expect(accepts('RequestClearCall', { callID: id })).toBe(true);
    for (const id of ['', 'a b', '{x}', 'x'.repeat(65), 5, null]) {
      expect(accepts('RequestClearCall', { callID: id })).toBe(false);
    }
  });

  it('take 1 to 64 DTMF digits', () => {
    for (const dtmfDigits of ['0', '*#ABCD', '1'.repeat(64)]) {
      expect(accepts('RequestSendDtmf', { ...p, dtmfDigits })).toBe(true);
    }
    for (const dtmfDigits of ['', 'E', 'a', '1 2', '1'.repeat(65)]) {
      expect(accepts('RequestSendDtmf', { ...p, dtmfDigits })).toBe(false);
    }
  });

  it('need an agent by number or by phone', () => {
    expect(accepts('RequestAgentReady', {})).toBe(false);
    expect(accepts('RequestAgentReady', { reasonCode: 0 })).toBe(false);
  });

  it('name the events of a subscription from the vocabulary', () => {
    expect(accepts('Subscribe', { events: ['EventRinging'], after: 0 })).toBe(true);
    for (const params of [{ events: [] }, { events: ['EventSnow'] }, { after: -1 }, { after: 1.5 }]) {
      expect(accepts('Subscribe', params)).toBe(false);
    }
  });
});

describe('attached data', () => {
  const takes = (attachedData: unknown) => accepts('RequestUpdateAttachedData', { callID, attachedData });

  it('is any JSON object', () => {
    expect(takes({ a: 1, b: 'x', c: null, d: [true, { e: [] }] })).toBe(true);
    for (const data of [[], 'x', 1, null]) expect(takes(data)).toBe(false);
  });

  it('is at most 64 KiB, counted in UTF-8', () => {
    const frame = JSON.stringify({ a: '' }).length;
    expect(takes({ a: 'x'.repeat(ATTACHED_DATA_MAX_BYTES - frame) })).toBe(true);
    expect(takes({ a: 'x'.repeat(ATTACHED_DATA_MAX_BYTES - frame + 1) })).toBe(false);
    expect(takes({ a: 'ü'.repeat(ATTACHED_DATA_MAX_BYTES / 2) })).toBe(false);
  });

  it('may not nest so deep that it exhausts a stack', () => {
    const nested = (levels: number) => JSON.parse(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`);
    expect(takes(nested(15))).toBe(true);
    expect(takes(nested(16))).toBe(true);
    expect(takes(nested(17))).toBe(false);
    expect(takes(nested(100_000))).toBe(false);
  });

  it('says what is wrong with what JSON cannot carry', () => {
    expect(attachedDataFault({ a: Number.NaN })).toContain('number');
    expect(attachedDataFault({ a: undefined })).toContain('undefined');
    expect(attachedDataFault({ a: 1n })).toContain('bigint');
    expect(attachedDataFault({ a: 1 })).toBeUndefined();
  });
});
