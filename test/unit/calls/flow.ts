import type { z } from 'zod';
import type { Call, RecordingPlan } from '../../../src/calls/call.ts';
import type { Command } from '../../../src/calls/command.ts';
import type { CallBirth, CallInput, Destination, Fact, MakeCall } from '../../../src/calls/input.ts';
import { type AgentStatusChange, isRefused } from '../../../src/calls/output.ts';
import type { NotStarted, Party } from '../../../src/calls/party.ts';
import { begin, step } from '../../../src/calls/step.ts';
import { type CtiEventName, EVENT_SCHEMAS, type NewCtiEvent, type NewEventOf } from '../../../src/cti/events.ts';
import { type CallID, CompanyId, newCallID } from '../../../src/cti/ids.ts';
import type { AttachedData } from '../../../src/cti/json.ts';

/** Unix ms at which every story begins. */
export const T0 = 1_700_000_000_000;
export const COMPANY: CompanyId = CompanyId.parse('acme');
export const CALL: CallID = newCallID('0123456789abcdef0123456789abcdef', 1);
/** The channel on which a caller of these stories arrives. */
export const CALLER_CHANNEL = '1700000000.42';

/** Numbers with a plus or of six digits and more are the PSTN's; shorter ones are extensions. */
const kindOf = (dn: string): Destination['kind'] => (/^(\+|\d{6})/.test(dn) ? 'customer' : 'user');

export function destination(dn: string, unreachable?: NotStarted): Destination {
  const kind = kindOf(dn);
  return {
    dn,
    kind,
    endpoint: kind === 'user' ? `PJSIP/${dn}` : `PJSIP/${dn}@trunk`,
    ...(kind === 'customer' && { trunk: 'trunk', callerId: '+911140000000' }),
    ...(unreachable !== undefined && { unreachable }),
  };
}

/** How a leg ends, as ChannelDestroyed says it. */
export type End = Omit<Extract<Fact, { kind: 'leg-ended' }>, 'kind' | 'channel' | 'recovered'>;

export const BUSY: End = { sip: 486, q850: 17 };
export const DECLINES: End = { sip: 603, q850: 21 };
export const NO_ANSWER: End = { q850: 19, ringTimedOut: true };
export const CANCELS: End = { sip: 487, q850: 127 };
export const NORMAL: End = { q850: 16 };

interface Make {
  agent?: string;
  customer?: string;
  firstLeg?: MakeCall['firstLeg'];
  ref?: number;
  ANI?: string;
  attachedData?: AttachedData;
  agentUnreachable?: NotStarted;
  customerUnreachable?: NotStarted;
  recording?: RecordingPlan;
}

interface Arrive {
  from: string;
  to: string;
  /** Where the route leads; null if there is none. */
  reaches: string | null;
  unreachable?: NotStarted;
  recording?: RecordingPlan;
}

/** RequestMakeCall as the engine hands it over. */
export function makeCall(m: Make): MakeCall {
  const target = m.customer ?? '+919800000001';
  return {
    kind: 'make',
    callID: CALL,
    companyId: COMPANY,
    node: 'a1',
    callType: kindOf(target) === 'user' ? 'Internal' : 'Outbound',
    makeCallType: 'Regular',
    firstLeg: m.firstLeg ?? 'agent',
    agent: destination(m.agent ?? '1001', m.agentUnreachable),
    target: destination(target, m.customerUnreachable),
    ringTimeout: 30,
    attachedData: m.attachedData ?? {},
    referenceID: m.ref ?? 0,
    ...(m.ANI !== undefined && { ANI: m.ANI }),
    ...(m.recording && { recording: m.recording }),
  };
}

/** A channel that the dialplan handed over: inbound from the PSTN, or dialled by an agent on the phone itself. */
export function callArrived(a: Arrive): CallBirth {
  const target = a.reaches === null ? undefined : destination(a.reaches, a.unreachable);
  const outbound = target?.kind === 'customer' ? 'Outbound' : 'Internal';
  return {
    kind: 'arrived',
    callID: CALL,
    companyId: COMPANY,
    node: 'a1',
    channel: CALLER_CHANNEL,
    callType: kindOf(a.from) === 'customer' ? 'Inbound' : outbound,
    callerDN: a.from,
    dialledDN: a.to,
    ringTimeout: 20,
    ...(target && { target }),
    ...(a.recording && { recording: a.recording }),
  };
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/** Throws unless the event is exactly what subscribers may receive. */
export function validate(event: NewCtiEvent, eventID: number): void {
  const schema: z.ZodType = EVENT_SCHEMAS[event.messageID];
  const checked = schema.safeParse({ ...event, eventID });
  if (!checked.success) {
    throw new Error(`${event.messageID} fails its schema: ${checked.error.message}\n${JSON.stringify(event)}`);
  }
}

/** One call, told as what happened to it, and asked what it said and what it wanted of the switch. */
export class Story {
  now = T0;
  readonly events: NewCtiEvent[] = [];
  readonly commands: Command[] = [];
  readonly statuses: AgentStatusChange[] = [];
  refusal: string | undefined;
  private current: Call | undefined;
  private heard = 0;
  private seen = 0;

  get call(): Call {
    if (!this.current) throw new Error('the story has not begun');
    return this.current;
  }

  make(m: Make = {}): this {
    return this.born(makeCall(m));
  }

  arrives(a: Arrive): this {
    return this.born(callArrived(a));
  }

  /** A call that is begun as nobody of these stories does by himself. */
  born(birth: CallBirth): this {
    return this.take(begin(deepFreeze(birth), this.now));
  }

  /** Lets time pass. */
  after(ms: number): this {
    this.now += ms;
    return this;
  }

  rings(dn: string): this {
    return this.happens({ kind: 'leg-ringing', channel: this.channel(dn) });
  }
  earlyMedia(dn: string): this {
    return this.happens({ kind: 'leg-early-media', channel: this.channel(dn) });
  }
  answers(dn: string): this {
    return this.happens({ kind: 'leg-answered', channel: this.channel(dn) });
  }
  /** ChannelDestroyed; without codes a normal clearing. */
  ends(dn: string, end: End = NORMAL): this {
    return this.happens({ kind: 'leg-ended', channel: this.channel(dn), ...end });
  }
  timer(): this {
    return this.happens({ kind: 'timer', name: 'treatment' });
  }

  /** RequestAnswerCall. */
  picksUp(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'answer', thisDN, referenceID: ref });
  }
  /** RequestReleaseCall. */
  releases(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'release', thisDN, referenceID: ref });
  }
  /** RequestClearCall. */
  clears(ref = 0): this {
    return this.happens({ kind: 'clear', referenceID: ref });
  }
  /** RequestUpdateAttachedData. */
  attaches(attachedData: AttachedData, ref = 0, thisDN?: string): this {
    const who = thisDN !== undefined && { thisDN };
    return this.happens({ kind: 'attach-data', attachedData, referenceID: ref, ...who });
  }

  happens(input: CallInput): this {
    return this.take(step(deepFreeze(this.call), deepFreeze(input), this.now));
  }

  protected take(outcome: ReturnType<typeof step>): this {
    this.refusal = isRefused(outcome) ? outcome.refusal.name : undefined;
    if (isRefused(outcome)) return this;
    for (const event of outcome.events) {
      this.events.push(event);
      validate(event, this.events.length);
    }
    this.commands.push(...outcome.commands);
    this.statuses.push(...outcome.statuses);
    // Every call goes through Redis between two steps: so do these.
    this.current = JSON.parse(JSON.stringify(outcome.call)) as Call;
    return this;
  }

  party(dn: string): Party {
    const found = this.call.parties.find((p) => p.dn === dn);
    if (!found) throw new Error(`nobody in this call is ${dn}`);
    return found;
  }

  channel(dn: string): string {
    return this.party(dn).leg.channel;
  }

  /** What subscribers were told since this was last asked, as `EventRinging(1001)`. */
  told(): string[] {
    const news = this.events.slice(this.heard);
    this.heard = this.events.length;
    return news.map((e) => ('thisDN' in e && e.thisDN !== undefined ? `${e.messageID}(${e.thisDN})` : e.messageID));
  }

  /** What was asked of the switch since this was last asked, as `dial 1001`. */
  asked(): string[] {
    const news = this.commands.slice(this.seen);
    this.seen = this.commands.length;
    return news.map((c) => this.inWords(c));
  }

  /** Forgets what has been told and asked so far. */
  fromHere(): this {
    this.told();
    this.asked();
    return this;
  }

  private inWords(command: Command): string {
    const who = (channel: string) => this.call.parties.find((p) => p.leg.channel === channel)?.dn ?? channel;
    switch (command.do) {
      case 'dial':
        return `dial ${who(command.channel)}${command.bridge === undefined ? '' : ' into the bridge'}`;
      case 'place':
        return `place ${command.channels.map(who).join(' ')}`;
      case 'create-bridge':
      case 'destroy-bridge':
        return command.do;
      case 'hang-up':
        return `hang-up ${who(command.channel)} ${command.q850}`;
      case 'play-tone':
        return `play-tone ${who(command.channel)} ${command.tone}`;
      case 'unplace':
        return `unplace ${command.channels.map(who).join(' ')}`;
      case 'send-dtmf':
        return `send-dtmf ${who(command.channel)} ${command.digits}`;
      case 'snoop':
        return `snoop ${who(command.of)}${command.whisper ? ' whispering' : ''}`;
      default:
        return `${command.do} ${who(command.channel)}`;
    }
  }

  /** The one event of this name, for this DN where one is given. */
  event<Name extends CtiEventName>(name: Name, thisDN?: string): NewEventOf<Name> {
    const found = this.events.filter(
      (e): e is NewEventOf<Name> =>
        e.messageID === name && (thisDN === undefined || ('thisDN' in e && e.thisDN === thisDN)),
    );
    const [only] = found;
    if (!only || found.length > 1) throw new Error(`${found.length} times ${name}(${thisDN ?? ''})`);
    return only;
  }

  released(dn: string): NewEventOf<'EventReleased'> {
    return this.event('EventReleased', dn);
  }
}

export const story = (): Story => new Story();
