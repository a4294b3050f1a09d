import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DialerCall, type Leg, RUNNING, shownStatus } from '../../../src/dialer/dialer-call.ts';
import { type DialerInput, MAX_FAULTS } from '../../../src/dialer/step.ts';
import { callID, flowOf, Life, NOW } from '../../support/dialer-kit.ts';
import { stories } from '../../support/properties.ts';

const NUMBERS = { 'contact-numbers': ['918000123456', '918000123457'] };
const retrying = () =>
  flowOf({
    agentAttempts: { attempts: 3, intervals: [10, 20] },
    customerAttempts: { attempts: 2, intervals: [60] },
  });
const trail = (call: DialerCall): string[] => call.history.map((h) => h.status);

describe('the life of a call of the dialler', () => {
  it('ends COMPLETED after a conversation', () => {
    const life = new Life(flowOf());
    expect(life.call).toMatchObject({ status: 'UNPROCESSED', phase: 'waiting', dueAt: NOW });
    expect(life.claim().call).toMatchObject({ status: 'IN_PROGRESS', phase: 'placing' });
    expect(new Life(flowOf()).attempt('talk')).toMatchObject({ status: 'COMPLETED', phase: 'ended' });
  });

  it('is PARTIAL_COMPLETE where the agent leaves first, SHORT_HANGUP where it is over at once', () => {
    expect(new Life(flowOf()).attempt('agent-left').status).toBe('PARTIAL_COMPLETE');
    expect(new Life(flowOf()).attempt('short').status).toBe('SHORT_HANGUP');
    expect(new Life(flowOf({ shortCall: 0 })).attempt('short').status).toBe('COMPLETED');
  });

  it('begins SCHEDULED where its start is to come', () => {
    const call = new Life(flowOf(), { 'start-time': '2026-04-28T12:00:00+05:30' }).call;
    expect(call).toMatchObject({ status: 'SCHEDULED', dueAt: NOW + 30 * 60_000 });
  });

  it('tries the numbers in order at once: all of them are one attempt', () => {
    const life = new Life(retrying(), NUMBERS);
    expect(life.attempt('customer-away')).toMatchObject({
      status: 'IN_PROGRESS',
      phase: 'waiting',
      index: 1,
      urgent: true,
      customerAttempts: 0,
      dueAt: life.now,
    });
    expect(life.attempt('talk')).toMatchObject({ status: 'COMPLETED', urgent: true, index: 1 });
    expect(life.call.legs.map((l) => l.connectionStatus)).toEqual(['Busy', 'Connected', 'Connected', 'Connected']);
  });

  it('schedules the customer again by plan, from the first number on, and gives up after the last attempt', () => {
    const life = new Life(retrying(), NUMBERS);
    life.attempt('customer-away');
    expect(life.attempt('customer-away')).toMatchObject({
      status: 'CUSTOMER_REATTEMPT_SCHEDULED',
      index: 0,
      dueAt: life.now + 60_000,
      urgent: false,
    });
    life.attempt('customer-away');
    expect(life.attempt('customer-away')).toMatchObject({ status: 'CUSTOMER_FAILURE', phase: 'ended' });
    expect(trail(life.call)).toEqual([
      'UNPROCESSED',
      'IN_PROGRESS',
      'CUSTOMER_REATTEMPT_SCHEDULED',
      'IN_PROGRESS',
      'CUSTOMER_FAILURE',
    ]);
  });

  it('schedules the agent again by plan with the number that it had, and gives up after the last attempt', () => {
    const life = new Life(retrying(), NUMBERS);
    life.attempt('customer-away');
    expect(life.attempt('agent-away')).toMatchObject({
      status: 'AGENT_REATTEMPT_SCHEDULED',
      dueAt: life.now + 10_000,
      index: 1,
    });
    expect(life.attempt('agent-away')).toMatchObject({ dueAt: life.now + 20_000 });
    expect(life.attempt('agent-away')).toMatchObject({ status: 'AGENT_FAILURE', agentAttempts: 3 });
  });

  it('does not count against anybody what failed on our side, and gives up after too many times: FAILURE', () => {
    const life = new Life(flowOf());
    for (let i = 1; i <= MAX_FAULTS; i++) {
      expect(life.attempt('ours')).toMatchObject({ status: 'REATTEMPT_SCHEDULED', agentAttempts: 0, faults: i });
      expect(life.call.dueAt).toBeGreaterThan(life.now);
    }
    expect(life.attempt('ours').status).toBe('FAILURE');
  });

  it('is FAILURE where Ringmaster refuses it for good', () => {
    const life = new Life(flowOf()).claim();
    expect(life.step({ kind: 'not-placed', callID: life.callID, why: 'never' }).status).toBe('FAILURE');
  });

  it('waits as before where there is no room for it yet', () => {
    const life = new Life(flowOf());
    const before = life.call;
    life.claim();
    const after = life.step({ kind: 'not-placed', callID: life.callID, why: 'later' });
    expect(after).toEqual({ ...before, dueAt: after.dueAt, changedAt: after.changedAt });
    expect(after.dueAt).toBeGreaterThan(NOW);
  });

  it('is refused by its account when its time comes', () => {
    for (const status of ['ACCOUNT_VALIDITY_EXPIRED', 'INSUFFICIENT_BALANCE'] as const) {
      expect(new Life(flowOf()).step({ kind: 'refused', status })).toMatchObject({ status, phase: 'ended' });
    }
  });

  it('is PARTIAL_COMPLETE where its flow is stopped: at once if it waits, else after its attempt', () => {
    expect(new Life(flowOf()).step({ kind: 'stop' }).status).toBe('PARTIAL_COMPLETE');
    const live = new Life(retrying()).place();
    expect(live.step({ kind: 'stop' }).phase).toBe('live');
    expect(live.leg('agent', { connectionStatus: 'User Not Answered' }).deleted('x', undefined, true).status).toBe(
      'PARTIAL_COMPLETE',
    );
    for (const how of ['customer-away', 'ours'] as const) {
      expect(new Life(retrying(), NUMBERS).attempt(how, true).status).toBe('PARTIAL_COMPLETE');
    }
    expect(new Life(retrying()).attempt('talk', true).status).toBe('COMPLETED');
  });

  it('shows PAUSE while its flow is paused, and RESUME after that until something happens to it', () => {
    const life = new Life(flowOf());
    expect(shownStatus(life.call, RUNNING)).toBe('UNPROCESSED');
    expect(shownStatus(life.call, { state: 'paused', since: NOW + 1 })).toBe('PAUSE');
    const resumed = { state: 'running', since: NOW + 2 } as const;
    expect(shownStatus(life.call, resumed)).toBe('RESUME');
    life.now = NOW + 3;
    expect(shownStatus(life.claim().call, resumed)).toBe('IN_PROGRESS');
    expect(shownStatus(life.call, { state: 'paused', since: NOW + 4 })).toBe('IN_PROGRESS');
  });

  it('is not tried again where all trace of it is lost: somebody may have been called', () => {
    const life = new Life(retrying(), { 'contact-numbers': ['918000123456', '918000123457'] }).place();
    expect(life.step({ kind: 'lost', callID: life.callID })).toMatchObject({ status: 'FAILURE', phase: 'ended' });
  });

  describe('as it is stored, where the log has lost what it told', () => {
    const told = (life: Life, how: 'talk' | 'customer-away' | 'agent-away'): DialerInput => {
      const seen = new Life(retrying());
      const after = seen.attempt(how);
      const legs = after.legs.map((l) => ({
        ...l,
        callID: life.callID,
        partyID: `${life.callID}${l.partyID.slice(-2)}`,
      }));
      const talked = how === 'talk' && { bridgedAt: NOW + 5_000 };
      const end = { connectionStatus: talked ? 'Connected' : 'Busy', endedAt: NOW + 25_000, ...talked };
      return { kind: 'found', callID: life.callID, legs, answered: how === 'talk', end, stopped: false };
    };

    it.each([
      ['talk', 'COMPLETED'],
      ['customer-away', 'CUSTOMER_REATTEMPT_SCHEDULED'],
      ['agent-away', 'AGENT_REATTEMPT_SCHEDULED'],
    ] as const)('ends as it did: %s', (how, status) => {
      const life = new Life(retrying()).place();
      const found = life.step(told(life, how));
      expect([found.status, found.placing]).toEqual([status, undefined]);
    });

    it('has each leg once, whichever way it was told of', () => {
      const life = new Life(retrying()).place();
      life.leg('customer', { connectionStatus: 'Busy', sipCode: 486 });
      expect(life.step(told(life, 'customer-away')).legs.map((l) => l.role)).toEqual(['customer', 'agent']);
    });

    it('goes on where it lives, with those who have left and the answer that was missed', () => {
      const life = new Life(retrying()).claim();
      const [agent] = new Life(retrying()).attempt('agent-away').legs;
      if (!agent) throw new Error('no leg');
      const found = { kind: 'found', callID: life.callID, legs: [agent], answered: true, stopped: false } as const;
      expect(life.step(found)).toMatchObject({ phase: 'live', legs: [agent], placing: { answered: true } });
      const before = life.call;
      expect(life.step(found)).toBe(before);
      // What comes after the hole counts, and what is told a second time does not.
      life.leg('agent', { connectionStatus: 'User Not Answered' });
      expect(life.call.legs).toHaveLength(1);
    });
  });

  it('leaves alone what is over, older or told already', () => {
    const life = new Life(retrying());
    const once = life.attempt('agent-away');
    expect(life.step({ kind: 'placed', callID: life.callID })).toBe(once);
    expect(life.step({ kind: 'lost', callID: life.callID })).toBe(once);
    life.claim();
    const claimed = life.call;
    expect(life.step({ kind: 'placed', callID: callID(1) })).toBe(claimed);
    expect(life.step({ kind: 'claimed', callID: callID(9), agent: '1001' })).toBe(claimed);
    const end = { connectionStatus: 'Failed', endedAt: NOW };
    expect(life.step({ kind: 'deleted', eventID: 1, callID: life.callID, end, stopped: false })).toBe(claimed);
    const done = new Life(flowOf()).attempt('talk');
    const over = new Life(flowOf());
    over.call = done;
    expect(over.step({ kind: 'stop' })).toBe(done);
  });
});

describe('numbers that must not be called any more', () => {
  const THREE = { 'contact-numbers': ['918000123456', '918000123457', '918000123458'] };
  const BLACK = 'PHONE_BLACKLISTED' as const;
  const barred = (life: Life, ...faults: ('PHONE_BLACKLISTED' | 'NCPR_CHECK_FAILED' | undefined)[]) =>
    life.step({ kind: 'barred', faults });

  it('are left out, and the next one has its turn', () => {
    const life = new Life(retrying(), THREE);
    expect(barred(life, BLACK, undefined, undefined)).toMatchObject({
      phase: 'waiting',
      status: 'UNPROCESSED',
      numbers: ['918000123457', '918000123458'],
      index: 0,
    });
    life.attempt('customer-away');
    expect(barred(life, BLACK, undefined)).toMatchObject({ numbers: ['918000123458'], index: 0, customerAttempts: 0 });
  });

  it('end the attempt where it was the turn of the last one', () => {
    const life = new Life(retrying(), NUMBERS);
    life.attempt('customer-away');
    expect(barred(life, undefined, BLACK)).toMatchObject({
      status: 'CUSTOMER_REATTEMPT_SCHEDULED',
      numbers: ['918000123456'],
      index: 0,
      customerAttempts: 1,
    });
  });

  it('end the call with the first one’s fault where none remains, and never one that is being placed', () => {
    const life = new Life(retrying(), NUMBERS);
    expect(barred(life, 'NCPR_CHECK_FAILED', BLACK)).toMatchObject({ status: 'NCPR_CHECK_FAILED', phase: 'ended' });
    const placed = new Life(retrying(), NUMBERS).place();
    expect(barred(placed, BLACK, BLACK)).toMatchObject({ phase: 'live', numbers: NUMBERS['contact-numbers'] });
    const fine = new Life(retrying(), NUMBERS);
    expect(barred(fine, undefined, undefined)).toBe(fine.call);
  });
});

describe('whose fault the end of a call is', () => {
  const customerFirst = (change = {}) => flowOf({ firstLeg: 'customer', ...change });

  it('customer first: no answer is the customer’s, an answer with no agent is the agent’s', () => {
    const away = new Life(customerFirst()).place();
    expect(away.leg('customer', { connectionStatus: 'Ring Timeout' }).deleted('Ring Timeout').status).toBe(
      'CUSTOMER_FAILURE',
    );
    const noAgent = new Life(customerFirst()).place();
    noAgent.leg('agent', { connectionStatus: 'User Busy' });
    noAgent.leg('customer', { connectionStatus: 'Connected', answeredAt: NOW });
    expect(noAgent.deleted('Connected').status).toBe('AGENT_FAILURE');
  });

  it('a customer who hangs up at once, before any agent, is a short hang-up; one who waited is the agent’s', () => {
    const ends = (after: number) => {
      const life = new Life(customerFirst()).place();
      life.leg('customer', {
        connectionStatus: 'Hang Up',
        answeredAt: NOW,
        endedAt: NOW + after,
        hangupCause: 'BY_CUSTOMER',
      });
      life.leg('agent', { connectionStatus: 'Hang Up' });
      return life.deleted('Hang Up').status;
    };
    expect([ends(500), ends(10_000)]).toEqual(['SHORT_HANGUP', 'AGENT_FAILURE']);
  });

  it('an agent who leaves while the customer’s phone rings has left', () => {
    const life = new Life(flowOf()).place();
    life.leg('agent', { connectionStatus: 'Connected', answeredAt: NOW, hangupCause: 'BY_AGENT' });
    life.leg('customer', { connectionStatus: 'Hang Up', hangupCause: 'BY_AGENT' });
    expect(life.deleted('Hang Up').status).toBe('PARTIAL_COMPLETE');
  });

  it('an agent’s phone that is not there is the agent’s, a number that may not be dialled the customer’s', () => {
    const agent = new Life(flowOf()).place().leg('agent', { connectionStatus: 'Channel Unavailable' });
    expect(agent.deleted('Channel Unavailable').status).toBe('AGENT_FAILURE');
    const number = new Life(flowOf()).place().leg('customer', { connectionStatus: 'Invalid Number' });
    expect(number.deleted('Invalid Number').status).toBe('CUSTOMER_FAILURE');
  });

  it('one who was called and has gone while nobody listened may have been rung; under a node that died nobody was', () => {
    const unseen = (change: Partial<Leg>) => {
      const life = new Life(customerFirst()).place();
      life.leg('customer', { connectionStatus: 'Failed', q850: 0, ...change });
      return life.deleted('Failed').status;
    };
    expect(unseen({ remote: true })).toBe('CUSTOMER_FAILURE');
    expect(unseen({ remote: false })).toBe('REATTEMPT_SCHEDULED');
    expect(unseen({ remote: true, q850: 38 })).toBe('REATTEMPT_SCHEDULED');
  });

  it('a limit of ours and a dead node are ours, a failure that the carrier reports is the customer’s', () => {
    const busy = new Life(flowOf()).place().leg('customer', { connectionStatus: 'Channel Busy' });
    expect(busy.deleted('Channel Busy').status).toBe('REATTEMPT_SCHEDULED');
    const died = new Life(flowOf({ firstLeg: 'customer', agents: [], queue: '8001' })).place();
    died.leg('customer', { connectionStatus: 'Failed', answeredAt: NOW, hangupCause: 'BY_SYSTEM' });
    expect(died.deleted('Failed')).toMatchObject({ status: 'REATTEMPT_SCHEDULED', agentAttempts: 0 });
    const carrier = new Life(flowOf()).place();
    carrier.leg('agent', { connectionStatus: 'Connected', answeredAt: NOW });
    carrier.leg('customer', { connectionStatus: 'Failed', sipCode: 488 });
    expect(carrier.deleted('Failed').status).toBe('CUSTOMER_FAILURE');
  });
});

it('always ends, and never tries more often than planned', () => {
  const how = fc.constantFrom('talk', 'agent-away', 'customer-away', 'agent-left', 'short', 'ours' as const);
  fc.assert(
    fc.property(fc.array(how, { minLength: 60, maxLength: 60 }), (ends) => {
      const life = new Life(retrying(), NUMBERS);
      let placed = 0;
      for (const end of ends) {
        if (life.call.phase === 'ended') break;
        life.attempt(end);
        placed++;
      }
      expect(life.call.phase).toBe('ended');
      expect(life.call.agentAttempts).toBeLessThanOrEqual(3);
      expect(life.call.customerAttempts).toBeLessThanOrEqual(2);
      // Two agents missed, three numbers not reached and the last one, with faults of ours in between.
      expect(placed).toBeLessThanOrEqual((2 + 4) * (MAX_FAULTS + 1) + 1);
      expect(life.call.history.every((h, i, all) => i === 0 || h.at >= (all[i - 1]?.at ?? 0))).toBe(true);
    }),
    stories(),
  );
});
