import { type CompanyConfig, checkConfig, formatProblem } from '../../src/config.ts';
import type { CallID } from '../../src/cti/ids.ts';
import { acceptEntry, type Room } from '../../src/dialer/accept.ts';
import { newDialerCall } from '../../src/dialer/birth.ts';
import { Book, type Flow } from '../../src/dialer/book.ts';
import type { DialerCall, Leg } from '../../src/dialer/dialer-call.ts';
import { type DialerInput, stepDialerCall } from '../../src/dialer/step.ts';

export const SECURITY_ID = 'a'.repeat(64);
export const NOW = Date.UTC(2026, 3, 28, 6, 0, 0);

export interface FlowSettings {
  id?: string;
  agents?: string[];
  [key: string]: unknown;
}

/** A book with one account and the flows given, each with what differs from the least that is a flow. */
export function bookOf(flows: readonly FlowSettings[] = [{}], account: Record<string, unknown> = {}): Book {
  return new Book([companyOf(flows, account)]);
}

export function companyOf(flows: readonly FlowSettings[] = [{}], account: Record<string, unknown> = {}): CompanyConfig {
  const settings = {
    nodes: [
      {
        id: 'pbx-1',
        ari: { url: 'http://127.0.0.1:8088/ari', username: 'u', password: 'p' },
        ami: { username: 'u', secret: 's' },
      },
    ],
    trunks: ['carrier-a', 'carrier-b', 'carrier-c'].map((id) => ({ id, endpoint: `PJSIP/{number}@${id}` })),
    companies: [
      {
        companyId: 'acme',
        keys: [{ name: 'all', key: '0123456789abcdef', scopes: ['call'] }],
        extensions: { pattern: '^1\\d{3}$', endpoint: 'PJSIP/{dn}' },
        trunk: 'carrier-a',
        queues: [{ id: '8001' }, { id: '8002' }],
        dialer: {
          accounts: [
            {
              id: 'main',
              securityId: SECURITY_ID,
              ips: ['127.0.0.1', '10.1.0.0/16'],
              flows: flows.map((f) => ({ id: 'flow0001', agents: ['1001'], ...f })),
              ...account,
            },
          ],
        },
      },
    ],
  };
  const result = checkConfig(JSON.stringify(settings), 'ringmaster.yaml', {});
  if (result.problems !== undefined) throw new Error(result.problems.map(formatProblem).join('\n'));
  const [company] = result.config.companies;
  if (!company) throw new Error('no company');
  return company;
}

export function flowOf(flow: FlowSettings = {}, account: Record<string, unknown> = {}): Flow {
  const found = bookOf([flow], account).account(SECURITY_ID)?.flows.get('flow0001');
  if (!found) throw new Error('no flow');
  return found;
}

export const room = (change: Partial<Room> = {}): Room => ({ balance: undefined, waiting: 100, ...change });

/** A call of a flow, just accepted. */
export function callOf(flow: Flow, entry: Record<string, unknown> = {}): DialerCall {
  const accepted = acceptEntry({ 'contact-numbers': ['918000123456'], ...entry }, flow, room(), NOW);
  return newDialerCall(accepted, flow, { uuid: 'uuid-1', requestId: 'request-1' }, NOW);
}

export const callID = (n: number): CallID => `${String(n).padStart(32, '0')}001` as CallID;

type LegChange = Partial<Leg> & Pick<Leg, 'connectionStatus'>;

/** Drives a call through its life, as the events of calls placed one after the other would. */
export class Life {
  call: DialerCall;
  now = NOW;
  #placed = 0;
  #eventID = 0;
  readonly #flow: Flow;

  constructor(flow: Flow, entry: Record<string, unknown> = {}) {
    this.#flow = flow;
    this.call = callOf(flow, entry);
  }

  get callID(): CallID {
    return callID(this.#placed);
  }

  step(input: DialerInput): DialerCall {
    this.call = stepDialerCall(this.call, input, this.#flow.config, this.now);
    return this.call;
  }

  claim(): this {
    this.#placed++;
    this.step({ kind: 'claimed', callID: this.callID, agent: '1001' });
    return this;
  }

  place(): this {
    this.claim();
    this.step({ kind: 'placed', callID: this.callID });
    return this;
  }

  leg(role: Leg['role'], change: LegChange): this {
    this.#eventID++;
    this.step({
      kind: 'leg-ended',
      eventID: this.#eventID,
      leg: {
        partyID: `${this.callID}-${role === 'agent' ? 1 : 2}`,
        callID: this.callID,
        role,
        number: role === 'agent' ? '1001' : '918000123456',
        startedAt: this.now,
        endedAt: this.now + 20_000,
        hangupCause: 'BY_SYSTEM',
        q850: 16,
        remote: true,
        ...change,
      },
    });
    return this;
  }

  deleted(connectionStatus: string, bridgedFor?: number, stopped = false): DialerCall {
    this.#eventID++;
    this.now += 30_000;
    return this.step({
      kind: 'deleted',
      eventID: this.#eventID,
      callID: this.callID,
      stopped,
      end: {
        connectionStatus,
        endedAt: this.now,
        ...(bridgedFor !== undefined && { bridgedAt: this.now - bridgedFor }),
      },
    });
  }

  /** A whole call that ends so. */
  attempt(how: 'talk' | 'agent-away' | 'customer-away' | 'agent-left' | 'short' | 'ours', stopped = false): DialerCall {
    this.place();
    const up = { answeredAt: this.now + 5_000, bridgedAt: this.now + 5_000, connectionStatus: 'Connected' as const };
    switch (how) {
      case 'talk':
        this.leg('customer', { ...up, hangupCause: 'BY_CUSTOMER' }).leg('agent', { ...up, hangupCause: 'BY_CUSTOMER' });
        return this.deleted('Connected', 15_000, stopped);
      case 'agent-left':
        this.leg('agent', { ...up, hangupCause: 'BY_AGENT' }).leg('customer', { ...up, hangupCause: 'BY_AGENT' });
        return this.deleted('Connected', 15_000, stopped);
      case 'short':
        this.leg('customer', { ...up, hangupCause: 'BY_CUSTOMER' }).leg('agent', { ...up, hangupCause: 'BY_CUSTOMER' });
        return this.deleted('Connected', 1_000, stopped);
      case 'agent-away':
        this.leg('agent', { connectionStatus: 'User Not Answered' });
        return this.deleted('User Not Answered', undefined, stopped);
      case 'customer-away':
        this.leg('customer', { connectionStatus: 'Busy', sipCode: 486 });
        this.leg('agent', { connectionStatus: 'Connected', answeredAt: this.now + 1 });
        return this.deleted('Busy', undefined, stopped);
      case 'ours':
        this.leg('agent', { connectionStatus: 'Failed' });
        return this.deleted('Failed', undefined, stopped);
    }
  }
}
