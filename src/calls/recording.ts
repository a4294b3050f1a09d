import { refuse } from '../cti/errors.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { Call, Recording, RecordingPlan } from './call.ts';
import type { Command } from './command.ts';
import type { CallRequest, Fact } from './input.ts';
import { talkers } from './layout.ts';
import type { Refused } from './output.ts';
import { isLeaving, isLive, isUp, type Party } from './party.ts';

/**
 * Recording of a call. It hangs on one leg, the customer's where there is one: what that leg sends is on the left, what
 * it is sent on the right. A leg keeps its recording through hold, consultation, transfer and conference, so that a call
 * has one file, with the customer on one side and everybody he talks to on the other.
 */

/** What is needed of a turn. */
export interface RecordingTurn {
  readonly call: Call;
  update(change: Partial<Call>): void;
  ask(command: Command): void;
}

/** The recording that a call is born with. */
export const plannedRecording = (plan: RecordingPlan | undefined): { recording?: Recording } =>
  plan === undefined ? {} : { recording: { ...plan, state: 'waiting' } };

/**
 * The name under which a recording is kept: its company is a folder, so that one company's name leads to no other's
 * files; the digits spread the files, because Asterisk reads a whole folder to find one.
 */
export const recordingName = (companyId: CompanyId, uuid: string): string =>
  `ringmaster/${companyId}/${uuid.slice(0, 2)}/${uuid}`;

type Asked<K extends CallRequest['kind']> = Extract<CallRequest, { kind: K }>;

const wrongState = (reason: string): Refused => ({ refusal: refuse('InvalidAgentState', { reason }) });

/**
 * RequestStartRecording.
 *
 * @returns a refusal (InvalidAgentState) before the conversation, while the call is over or being recorded already, or
 *   for the moment in which the leg that was recorded is leaving
 */
export function startRecording(turn: RecordingTurn, { uuid, url }: Asked<'start-recording'>): Refused | undefined {
  const { call } = turn;
  const was = call.recording;
  if (was?.state === 'on' || was?.state === 'paused') return wrongState('the call is being recorded');
  const before = call.parties.find((p) => p.leg.channel === was?.channel);
  if (was?.state === 'stopped' && before && isLeaving(before))
    return wrongState('a leg that is recorded is just leaving');
  const carrier = carrierOf(call);
  if (call.bridgedAt === undefined || !carrier || talkers(call).length < 2) return wrongState('nobody is talking yet');
  begin(turn, was ?? { uuid, url, state: 'waiting' }, carrier);
  return undefined;
}

/** RequestStopRecording; one that waits to begin does not begin. Refused (InvalidAgentState) where there is none. */
export function stopRecording(turn: RecordingTurn): Refused | undefined {
  const { recording } = turn.call;
  if (recording?.state === 'waiting') {
    turn.update({ recording: { ...recording, state: 'stopped' } });
    return undefined;
  }
  const channel = channelOf(turn.call, 'on', 'paused');
  if (!recording || channel === undefined) return wrongState('the call is not being recorded');
  turn.update({ recording: { ...recording, state: 'stopped' } });
  turn.ask({ do: 'stop-recording', channel });
  return undefined;
}

/** RequestPauseRecording. Refused (InvalidAgentState) where nothing is being recorded. */
export function pauseRecording(turn: RecordingTurn): Refused | undefined {
  const { recording } = turn.call;
  const channel = channelOf(turn.call, 'on');
  if (recording?.state === 'paused') return wrongState('the recording is paused already');
  if (!recording || channel === undefined) return wrongState('the call is not being recorded');
  turn.update({ recording: { ...recording, state: 'paused' } });
  turn.ask({ do: 'pause-recording', channel });
  return undefined;
}

/** RequestResumeRecording. Refused (InvalidAgentState) where the recording is not paused. */
export function resumeRecording(turn: RecordingTurn): Refused | undefined {
  const { recording } = turn.call;
  const channel = channelOf(turn.call, 'paused');
  if (!recording || channel === undefined) return wrongState('the recording is not paused');
  if (recording.stale) {
    renew(turn, recording, channel);
    return undefined;
  }
  turn.update({ recording: { ...recording, state: 'on' } });
  turn.ask({ do: 'resume-recording', channel });
  return undefined;
}

/** What the switch says of a recording. A failed one is over; what was written before stays. */
export function recordingFact(
  turn: RecordingTurn,
  fact: Extract<Fact, { kind: 'recording-started' | 'recording-failed' }>,
): void {
  const { recording } = turn.call;
  if (!recording || recording.channel !== fact.channel || recording.state === 'waiting') return;
  if (fact.kind === 'recording-started') {
    if (!recording.written) turn.update({ recording: { ...recording, written: true } });
    return;
  }
  const { written, ...rest } = recording;
  const keeps = written === true && fact.nothingWritten !== true;
  turn.update({ recording: { ...rest, state: 'stopped', ...(keeps && { written }) } });
}

/** Ends a turn: a recording that waits begins when its moment has come, and one whose leg has ended is over. */
export function settleRecording(turn: RecordingTurn): void {
  const { call } = turn;
  const { recording } = call;
  if (!recording || recording.state === 'stopped') return;
  if (recording.state !== 'waiting') {
    const channel = channelOf(call, 'on', 'paused');
    if (channel !== undefined) follow(turn, recording, channel);
    else stop(turn, recording);
    return;
  }
  const carrier = carrierOf(call);
  if (carrier && isTime(call, carrier, recording)) begin(turn, recording, carrier);
}

/**
 * After a time in which nobody listened: asks again for what may not have reached Asterisk. What is paused is paused
 * again rather than begun again, so that nothing of it is ever recorded.
 */
export function askRecordingAgain(turn: RecordingTurn): void {
  const { call } = turn;
  const { recording } = call;
  if (recording?.channel === undefined) return;
  const leg = call.parties.find((p) => p.leg.channel === recording.channel);
  if (!leg || !isLive(leg) || isLeaving(leg)) return;
  const { channel } = recording;
  if (recording.state === 'paused') turn.ask({ do: 'pause-recording', channel });
  else if (recording.state === 'stopped') turn.ask({ do: 'stop-recording', channel });
  else if (!recording.written) turn.ask(startCommand(call, recording, channel));
}

function isTime(call: Call, carrier: Party, recording: Recording): boolean {
  if (call.bridgedAt !== undefined) return talkers(call).length >= 2;
  return recording.begins === 'early' && carrier.role === 'Customer' && carrier.leg.earlyMedia === true;
}

function begin(turn: RecordingTurn, recording: Recording, carrier: Party): void {
  const { channel } = carrier.leg;
  const early = recording.early === true || !isUp(carrier);
  const { heard: _h, stale: _s, ...before } = recording;
  const [heard, another] = partnersOf(turn.call, channel);
  const alone = heard !== undefined && another === undefined;
  const begun: Recording = {
    ...before,
    state: 'on',
    channel,
    ...(early && { early }),
    ...(alone && { heard }),
  };
  turn.update({ recording: begun });
  turn.ask(startCommand(turn.call, begun, channel));
}

/**
 * Renews a recording whose leg has come to talk to somebody else. Debian's Asterisk 22.10.1 (docs/decisions/0012) leaves
 * what the next one says out of a running recording until the sequence numbers of his RTP have passed those of the one
 * before, which takes up to eleven minutes; a recording that is begun anew takes them as they come. In a conference
 * Asterisk mixes, and it does not matter. What is paused is renewed when it goes on: until then nothing may be written.
 */
function follow(turn: RecordingTurn, recording: Recording, channel: string): void {
  const [heard, another] = partnersOf(turn.call, channel);
  if (heard === undefined || another !== undefined || heard === recording.heard) return;
  const followed: Recording = { ...recording, heard };
  if (recording.heard === undefined) turn.update({ recording: followed });
  else if (recording.state === 'paused') turn.update({ recording: { ...followed, stale: true } });
  else renew(turn, followed, channel);
}

function renew(turn: RecordingTurn, { stale: _, ...recording }: Recording, channel: string): void {
  turn.update({ recording: { ...recording, state: 'on' } });
  turn.ask({ do: 'renew-recording', channel, name: recordingName(turn.call.companyId, recording.uuid) });
}

/** The channels that a leg is together with, and those that are about to leave it. */
function partnersOf({ parties, media }: Call, channel: string): readonly string[] {
  const bridge = media.place[channel];
  if (bridge === undefined) return [];
  return parties
    .filter((p) => isLive(p) && p.leg.state !== 'planned' && p.leg.channel !== channel)
    .filter((p) => isLeaving(p) || media.place[p.leg.channel] === bridge)
    .map((p) => p.leg.channel);
}

const startCommand = (call: Call, { uuid }: Recording, channel: string) =>
  ({ do: 'start-recording', channel, name: recordingName(call.companyId, uuid) }) as const;

function stop(turn: RecordingTurn, recording: Recording): void {
  turn.update({ recording: { ...recording, state: 'stopped' } });
}

/** The leg to record: the customer's, else the first that is up. */
function carrierOf(call: Call): Party | undefined {
  const there = call.parties.filter((p) => isLive(p) && !isLeaving(p) && p.leg.state !== 'planned');
  return there.find((p) => p.role === 'Customer') ?? there.find(isUp);
}

/** The channel of a recording in one of these states, if its leg is still one that can be told something. */
function channelOf(call: Call, ...states: readonly Recording['state'][]): string | undefined {
  const { recording } = call;
  if (recording === undefined || !states.includes(recording.state)) return undefined;
  const leg = call.parties.find((p) => p.leg.channel === recording.channel);
  return leg && isLive(leg) && !isLeaving(leg) ? leg.leg.channel : undefined;
}
