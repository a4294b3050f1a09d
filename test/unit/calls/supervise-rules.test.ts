import { describe, expect, it } from 'vitest';
import { SUPERVISION_RULES } from '../../../src/calls/supervise-rules.ts';
import {
  AGENT,
  type Conferring,
  CUSTOMER,
  conference,
  GUEST,
  OUTSIDER,
  RIVAL,
  SUPERVISOR,
  supervised,
  talking,
} from './conferring.ts';

describe('which rule is broken', () => {
  const internal = () => talking().adds(AGENT, GUEST).answers(GUEST).ends(CUSTOMER);
  const cases: Record<string, [string, Conferring][]> = {
    TargetPartyIsSelf: [['himself', talking().supervises('monitor', AGENT, AGENT)]],
    NotFoundOtherParty: [['a stranger', talking().supervises('monitor', SUPERVISOR, GUEST)]],
    CustomerAddByConference: [['an outside party', conference(OUTSIDER).supervises('monitor', SUPERVISOR, OUTSIDER)]],
    NotFoundAgent: [['the customer', talking().supervises('bargein', SUPERVISOR, CUSTOMER)]],
    PartyIsObserver: [['the supervisor', supervised('monitor').supervises('monitor', RIVAL, SUPERVISOR)]],
    InvalidAgentState: [
      ['one who rings', talking().adds(AGENT, GUEST).rings(GUEST).supervises('monitor', SUPERVISOR, GUEST)],
      ['one who leaves', talking().releases(AGENT).supervises('monitor', SUPERVISOR, AGENT)],
    ],
    SupervisorMonitoring: [
      ['in another call', talking().supervises('monitor', SUPERVISOR, AGENT, 0, { elsewhere: 'supervising' })],
      ['here', internal().supervises('monitor', SUPERVISOR, AGENT).supervises('monitor', SUPERVISOR, GUEST)],
    ],
    SupervisorInCall: [
      ['in another', talking().supervises('monitor', SUPERVISOR, AGENT, 0, { elsewhere: 'in-call' })],
      ['in this one', internal().supervises('monitor', GUEST, AGENT)],
      ['leaving', supervised('monitor').stops(SUPERVISOR).supervises('monitor', SUPERVISOR, AGENT)],
    ],
    AgentIsInBargedInScene: [['interrupted', supervised('bargein').supervises('monitor', RIVAL, AGENT)]],
    AgentIsInInterceptScene: [
      ['to be taken', talking().supervises('intercept', SUPERVISOR, AGENT).supervises('bargein', RIVAL, AGENT)],
    ],
    AgentMonitoredBy: [
      ['monitored', supervised('monitor').supervises('whisper', RIVAL, AGENT)],
      ['coached', supervised('whisper').supervises('monitor', RIVAL, AGENT)],
    ],
    AgentIsInMonitorScene: [
      ['monitored', supervised('monitor').supervises('bargein', RIVAL, AGENT)],
      ['coached', supervised('whisper').supervises('intercept', RIVAL, AGENT)],
    ],
    CallHasObserver: [
      ['observed', internal().supervises('monitor', SUPERVISOR, AGENT).supervises('monitor', RIVAL, GUEST)],
    ],
    AgentIsInConsultScene: [
      ['host', talking().consults(AGENT, GUEST).supervises('monitor', SUPERVISOR, AGENT)],
      ['guest', talking().consults(AGENT, GUEST).answers(GUEST).supervises('bargein', SUPERVISOR, GUEST)],
      ['consulting since', supervised('monitor').consults(AGENT, GUEST).supervises('bargein', SUPERVISOR, AGENT)],
    ],
    AgentIsInConferenceScene: [
      ['in conference', conference().supervises('monitor', SUPERVISOR, AGENT)],
      ['somebody rings', talking().adds(AGENT, GUEST).supervises('bargein', SUPERVISOR, AGENT)],
      ['since', supervised('monitor').adds(AGENT, GUEST).supervises('intercept', SUPERVISOR, AGENT)],
    ],
    NotEnoughMeetmeRoom: [['too many', crowded().supervises('monitor', SUPERVISOR, AGENT)]],
  };

  it('every rule has its case', () => {
    expect(Object.keys(cases)).toEqual(SUPERVISION_RULES.map((r) => r.code));
  });

  it.each(Object.entries(cases).flatMap(([code, of]) => of.map(([what, s]) => [code, what, s] as const)))(
    '%s: %s',
    (code, _, s) => {
      expect(s.refusal).toBe(code);
    },
  );

  it.each([AGENT, RIVAL])('stopping what one does not do (%s)', (dn) => {
    const s = supervised('monitor').stops(dn);
    expect(s.refusal).toBe(dn === AGENT ? 'Unknown' : 'NotFoundParty');
  });

  it('moving between monitor and whisper is allowed in a consultation and in a conference', () => {
    expect(
      supervised('monitor').consults(AGENT, GUEST).supervises('whisper', SUPERVISOR, AGENT).refusal,
    ).toBeUndefined();
    expect(supervised('whisper').adds(AGENT, GUEST).supervises('monitor', SUPERVISOR, AGENT).refusal).toBeUndefined();
  });
});

/** A call that has had as many parties as one may have. */
function crowded(): Conferring {
  const s = talking();
  while (s.refusal === undefined) s.adds(AGENT, GUEST, 0, 'unavailable');
  return s;
}
