import { type AriClient, AriError, hasStatus } from '../ari/index.ts';
import type { Command, Dial, RecordingCommand } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import type { CallID } from '../cti/ids.ts';
import { Dialler, KEEP_IDENTITY } from './dialling.ts';
import { DIGIT_TIMES, DigitSender } from './digits.ts';
import { isNoBridge } from './doubt.ts';
import { TransferAnswers } from './transfer-answers.ts';

/** Makes a ringing phone answer by itself; AMI's PJSIPNotify, because ARI has nothing for it. */
export type NotifyTalk = (channel: string) => Promise<void>;

/** A command that could not be carried out; the object is the one that was handed over. */
export type CommandFailed = (callID: CallID, command: Command, error: unknown) => void;

/** Q.850 16: how a leg that was never dialled ends when it is hung up. */
const NORMAL = 16;
/** Q.850 38, network out of order. */
const OUT_OF_ORDER = 38;

/**
 * Without `dtmf_events` Asterisk joins two legs natively, past itself, and tells of no digit that is pressed (seen on
 * 22.10.1 after a hold).
 */
const BRIDGE_TYPE = 'mixing,dtmf_events';
/**
 * The one type that has the softmix technology alone and keeps it. Its name speaks of video; where no phone has any it
 * differs in nothing else (read in Asterisk's source, and seen: no phone is sent a re-INVITE).
 */
const CONFERENCE_TYPE = 'video_sfu';

type Place = Extract<Command, { do: 'place' }>;
/** What a performer carries out: recordings are the recorder's. */
export type Task = Exclude<Command, RecordingCommand>;

interface CallQueue {
  readonly commands: Task[];
  /** The channel whose REFER is just being answered. */
  answering?: string;
  running: boolean;
}

/**
 * Carries out commands: in order within a call, side by side between calls. A hang-up waits for nobody: it overtakes
 * what its call still waits for.
 */
export class Performer {
  /** Wants to see every event of Asterisk's. */
  readonly transferAnswers = new TransferAnswers();
  readonly #ari: AriClient;
  readonly #dialler: Dialler;
  readonly #digits: DigitSender;
  readonly #notifyTalk: NotifyTalk;
  readonly #tell: (fact: Fact) => void;
  readonly #failed: CommandFailed;
  readonly #queues = new Map<CallID, CallQueue>();

  constructor(ari: AriClient, app: string, notifyTalk: NotifyTalk, tell: (fact: Fact) => void, failed: CommandFailed) {
    this.#ari = ari;
    this.#dialler = new Dialler(ari, app, tell);
    this.#digits = new DigitSender((channel, digits) => ari.channels.dtmf(channel, digits, DIGIT_TIMES));
    this.#notifyTalk = notifyTalk;
    this.#tell = tell;
    this.#failed = failed;
  }

  /** Calls with commands under way. */
  get busy(): number {
    return this.#queues.size;
  }

  /** The calls with commands under way. */
  busyCalls(): ReadonlySet<string> {
    return new Set(this.#queues.keys());
  }

  /** Channels that are being dialled, or wait to be. */
  underWay(): ReadonlySet<string> {
    const channels = new Set(this.#dialler.channels());
    for (const queue of this.#queues.values()) {
      for (const c of queue.commands) if (c.do === 'dial') channels.add(c.channel);
    }
    return channels;
  }

  entered(channel: string): void {
    this.#dialler.entered(channel);
  }

  /** Whether no event comes any more, though requests are still answered: another client has the event socket. */
  deaf(deaf: boolean): void {
    this.#dialler.deaf = deaf;
  }

  ended(channel: string): void {
    this.#dialler.ended(channel);
    this.#digits.drop(channel);
  }

  perform(callID: CallID, commands: readonly Task[]): void {
    let queue = this.#queues.get(callID);
    if (!queue) {
      queue = { commands: [], running: false };
      this.#queues.set(callID, queue);
    }
    for (const command of commands) {
      if (command.do === 'hang-up' && !isToAnswer(queue, command.channel)) this.#hangUp(callID, queue, command);
      else queue.commands.push(command);
    }
    if (!queue.running) void this.#run(callID, queue);
  }

  async #run(callID: CallID, queue: CallQueue): Promise<void> {
    queue.running = true;
    for (;;) {
      this.#beginDials(queue);
      const command = queue.commands.shift();
      if (!command) break;
      const next = queue.commands[0];
      try {
        if (command.do === 'place' && next?.do === 'dial' && next.bridge === command.bridge) {
          queue.commands.shift();
          await this.#placeWithDial(command, next);
        } else if (command.do === 'hang-up') {
          this.#hangUp(callID, queue, command);
        } else if (command.do === 'send-dtmf') {
          // Digits take their time: what the call asks for next does not wait for them.
          this.#carryOut(command).catch((error: unknown) => this.#failed(callID, command, error));
        } else if (command.do === 'answer-transfer') {
          queue.answering = command.channel;
          await this.#answerTransfer(command.channel, command.taken);
        } else {
          await this.#carryOut(command);
        }
      } catch (error) {
        this.#failed(callID, command, error);
      }
      delete queue.answering;
    }
    queue.running = false;
    this.#queues.delete(callID);
  }

  /** Those who wait in a bridge join it together with the leg that is rung into it: one request instead of two. */
  async #placeWithDial(place: Place, dial: Dial): Promise<void> {
    if (!(await this.#dialler.dial(dial, place.channels))) await this.#carryOut(place);
  }

  /** A leg whose dial waits only for its bridge is created meanwhile: two round trips fewer until its phone rings. */
  #beginDials(queue: CallQueue): void {
    for (const command of queue.commands) {
      if (command.do === 'dial') this.#dialler.begin(command);
      else if (command.do !== 'create-bridge' && command.do !== 'place') return;
    }
  }

  #hangUp(callID: CallID, queue: CallQueue, command: Extract<Command, { do: 'hang-up' }>): void {
    const { channel } = command;
    const waiting = queue.commands.findIndex((c) => c.do === 'dial' && c.channel === channel);
    if (waiting >= 0 && !this.#dialler.isUnderWay(channel)) {
      queue.commands.splice(waiting, 1);
      this.#tell({ kind: 'leg-ended', channel, q850: NORMAL });
      return;
    }
    this.#dialler.cancel(channel);
    this.#digits.drop(channel);
    this.transferAnswers
      .end(channel, () => this.#ari.channels.hangup(channel, command.q850))
      .then(
        ({ gone }) => {
          // A channel that was gone already has told its end, or never will: told again, it is ignored.
          if (gone) this.#tell({ kind: 'leg-ended', channel, q850: NORMAL });
        },
        (error) => this.#failed(callID, command, error),
      );
  }

  #carryOut(command: Task): Promise<unknown> {
    switch (command.do) {
      case 'dial':
        return this.#dialler.dial(command);
      case 'send-dial':
        return this.#dialler.send(command.channel, command.ringTimeout);
      case 'ring':
        return this.#unlessGone(this.#ari.channels.ring(command.channel));
      case 'answer':
        return this.#orHangUp(command.channel, this.#ari.channels.answer(command.channel));
      case 'answer-phone':
        return this.#notifyTalk(command.channel);
      case 'create-bridge':
        return this.#ari.bridges.create({
          bridgeId: command.bridge,
          type: command.mixesAlways ? CONFERENCE_TYPE : BRIDGE_TYPE,
        });
      case 'destroy-bridge':
        return this.#ari.bridges.destroy(command.bridge);
      case 'place':
        return Promise.all(
          command.channels.map((c) =>
            this.#orHangUp(c, this.#ari.bridges.addChannel(command.bridge, c, KEEP_IDENTITY)),
          ),
        );
      case 'unplace':
        return Promise.all(
          command.channels.map((c) => this.#unlessGone(this.#ari.bridges.removeChannel(command.bridge, c))),
        );
      case 'start-music':
        return this.#unlessGone(this.#ari.channels.startMoh(command.channel));
      case 'stop-music':
        return this.#unlessGone(this.#ari.channels.stopMoh(command.channel));
      case 'mute':
        return this.#unlessGone(this.#ari.channels.mute(command.channel, 'in'));
      case 'unmute':
        return this.#unlessGone(this.#ari.channels.unmute(command.channel, 'in'));
      case 'send-dtmf':
        return this.#unlessGone(this.#digits.send(command.channel, command.digits));
      case 'snoop':
        return this.#orHangUp(command.listener, this.#listen(command));
      case 'play-tone':
        return this.#unlessGone(this.#playTone(command.channel, command.tone));
      case 'answer-transfer':
        return this.#answerTransfer(command.channel, command.taken);
      case 'hang-up':
        return this.#ari.channels.hangup(command.channel, command.q850);
    }
  }

  /** NOTIFY with a final status, 200 or 603: the phone then knows what became of its REFER. */
  #answerTransfer(channel: string, taken: boolean): Promise<void> {
    const states = taken ? 'channel_answered' : 'channel_declined';
    return this.#unlessGone(
      this.transferAnswers.answer(channel, () => this.#ari.channels.transferProgress(channel, states)),
    );
  }

  async #playTone(channel: string, tone: string): Promise<void> {
    await this.#ari.channels.progress(channel);
    await this.#ari.channels.play(channel, { playbackId: `${channel}-tone`, media: `tone:${tone}` });
  }

  /**
   * Where the one who is to be heard is just being hung up, Asterisk answers 500, as it does where it cannot listen at
   * all: either way the listener's end, for network out of order, tells so.
   */
  async #listen(command: Extract<Command, { do: 'snoop' }>): Promise<void> {
    try {
      await this.#dialler.snoop(command);
    } catch (error) {
      if (!hasStatus(error, 500)) throw error;
      await this.#ari.channels.hangup(command.listener, OUT_OF_ORDER);
    }
  }

  /** What fails because the channel has gone is no failure: its end is told by ChannelDestroyed. */
  async #unlessGone(request: Promise<unknown>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** A leg that cannot be put where it belongs is no use to anybody: it is hung up, and its end tells the rest. */
  async #orHangUp(channel: string, request: Promise<unknown>): Promise<void> {
    try {
      await request;
    } catch (error) {
      // Without its bridge the leg is well, and waits for it.
      if (isNoBridge(error)) throw error;
      if (isGone(error)) return;
      const { gone } = await this.#ari.channels.hangup(channel, OUT_OF_ORDER);
      // An answer is told as failed (500) where the phone hangs up before it is through: seen on 22.10.1.
      if (!gone) throw error;
    }
  }
}

/** A phone that waits for the answer to its REFER has it before it is hung up: Asterisk would tell it 503. */
const isToAnswer = (queue: CallQueue, channel: string): boolean =>
  queue.answering === channel || queue.commands.some((c) => c.do === 'answer-transfer' && c.channel === channel);

/** 422: what a bridge says of a channel that is leaving the application (seen on 22.10.1 of a snoop channel hung up). */
const GONE: ReadonlySet<number> = new Set([404, 409, 412, 422]);

/**
 * The channel does not exist any more (404; a bridge asked to take it says 400 "Channel not found"), or is on its way
 * out of the application (409, 412; 422 from a bridge).
 */
function isGone(error: unknown): boolean {
  if (!(error instanceof AriError)) return false;
  if (error.status === 400) return error.reason === 'Channel not found';
  return GONE.has(error.status ?? 0);
}
