import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorKey, errorEventOf, errorKeyOf, refuse } from '../../../src/cti/errors.ts';

/** The list of seed 004, and JSON-RPC's and our own. */
const CODES = `Unknown 301000, AgentMonitoredBy 301001, SupervisorMonitoring 301002, SupervisorInCall 301003,
  NotFoundCallID 301004, InvalidCallType 301005, InvalidAgentState 301006, CallHasObserver 301007,
  ConferenceToTransfer 301008, TargetPartyIsSelf 301009, HeldInProcess 301010, NotFoundOtherParty 301011,
  TargetPartyInCall 301012, PartyIsObserver 301013, NotFoundAgent 301014, CustomerAddByConference 301015,
  NotFoundParty 301016, NotEnoughMeetmeRoom 301017, InvalidParams 301018, PBXError 301019, CTIException 301020,
  NotFoundChannel 301021, SocketToJSon 301022, MessageIDNotMatch 301025, RegisterDNNotMatch 301026,
  RequestTooFast 301027, Unknown 302000, NotFoundAgentID 302001, Unknown 303000, AgentIsInBargedInScene 303001,
  AgentIsInMonitorScene 303002, AgentIsInInterceptScene 303003, AgentIsInConsultScene 303004,
  AgentIsInConferenceScene 303005, Parse error -32700, Invalid Request -32600, Method not found -32601,
  Forbidden -32003, EventsExpired -32010, NotReady -32011`
  .split(',')
  .map((entry) => entry.trim());

describe('the codes', () => {
  it('are the seed’s, JSON-RPC’s and ours', () => {
    expect(Object.values(ERRORS).map(({ code, name }) => `${name} ${code}`)).toEqual(CODES);
  });

  it('can be found by number', () => {
    for (const [key, { code }] of Object.entries(ERRORS)) expect(errorKeyOf(code)).toBe(key);
    expect(errorKeyOf(301023)).toBeUndefined();
  });

  it('make refusals as values', () => {
    expect(refuse('NotFoundCallID')).toEqual({ code: 301004, name: 'NotFoundCallID' });
    expect(refuse('UnknownSupervisorError', { why: 'x' })).toEqual({
      code: 303000,
      name: 'Unknown',
      data: { why: 'x' },
    });
  });

  it('are published by the event of their subject', () => {
    const expected = {
      party: 'EventPartyError',
      supervisor: 'EventPartyError',
      agent: 'EventAgentError',
      rpc: undefined,
    };
    for (const key of Object.keys(ERRORS) as ErrorKey[]) {
      expect(errorEventOf(ERRORS[key].code)).toBe(expected[ERRORS[key].subject]);
    }
  });
});
