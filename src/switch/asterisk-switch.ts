import { type AmiClient, pjsipNotify } from '../ami/index.ts';
import { AriClient, type AriEvent, type AriState, type Channel, hasStatus, type Resync } from '../ari/index.ts';
import type { Command } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import type { CallID } from '../cti/ids.ts';
import type { Switch, SwitchListener } from '../ports.ts';
import { CANARY_EVENT, Canary } from './canary.ts';
import { Doubt, isNoBridge, isUnanswered } from './doubt.ts';
import { type CommandFailed, Performer, type Task } from './performer.ts';
import { asteriskRecordings, isRecordingCommand, Recorder } from './recorder.ts';
import { arrivalOf, factOf, RingTimeouts } from './translate.ts';

/** Channels that are asked at the same time whether they are on hold. */
const HOLDS_AT_ONCE = 16;

/** Events that calls have no use for: a filter at Asterisk saves two thirds of the traffic of a call. */
const UNUSED_EVENTS = [
  'ChannelCreated',
  'ChannelVarset',
  'ChannelDialplan',
  'ChannelConnectedLine',
  'ChannelCallerId',
  'ChannelEnteredBridge',
  'ChannelLeftBridge',
  'BridgeCreated',
  'BridgeDestroyed',
  'PlaybackStarted',
  'PlaybackFinished',
  'StasisEnd',
] as const;

/** Where a node's REST interface is, and as which application it is used. */
export interface AriAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly app: string;
}

/** The node, who is told of it, and what holds it back. */
export interface AsteriskSwitchOptions {
  /** How it names itself to its listener. */
  readonly node: string;
  readonly ari: AriAccess;
  /** For what ARI lacks; started and closed by its owner. */
  readonly ami: AmiClient;
  readonly listener: SwitchListener;
  readonly onError: (what: string, error: unknown, callID?: string) => void;
  /** Where it answers a promise, the node's lists are asked for only then; events wait meanwhile. */
  readonly beforeLists?: () => Promise<void> | undefined;
  /** Where it answers a promise, what is to be changed at the node waits for it. */
  readonly gate?: () => Promise<void> | undefined;
  /** Another client has taken over the application. */
  readonly onReplaced?: () => void;
}

/** The application that a channel is in, and the arguments that it came with; empty outside of all. */
const stasisOf = ({ dialplan }: Channel): string[] =>
  dialplan.app_name === 'Stasis' ? dialplan.app_data.split(',') : [];

/** One Asterisk node in the calls' terms: facts out, commands in. */
export class AsteriskSwitch implements Switch {
  readonly node: string;
  readonly ari: AriClient;
  readonly #listener: SwitchListener;
  readonly #performer: Performer;
  readonly #recorder: Recorder;
  readonly #ringTimeouts = new RingTimeouts();
  readonly #app: string;
  readonly #onError: AsteriskSwitchOptions['onError'];
  readonly #onReplaced: () => void;
  readonly #canary: Canary;
  readonly #doubt: Doubt;
  #serving = false;
  #closed = false;
  #handedOver = false;
  #dead = false;

  constructor(options: AsteriskSwitchOptions) {
    this.node = options.node;
    this.#listener = options.listener;
    // What fails because it was let go of is nobody's business any more.
    this.#onError = (what, error, callID) => {
      if (!this.#closed) options.onError(what, error, callID);
    };
    this.#onReplaced = options.onReplaced ?? (() => undefined);
    this.#app = options.ari.app;
    this.ari = new AriClient({
      node: options.node,
      ...options.ari,
      disallow: UNUSED_EVENTS,
      onEvent: (event) => this.#onEvent(event),
      onResync: (resync) => this.#onResync(resync),
      onState: (state) => this.#onState(state),
      onError: (error) => this.#onError('ari', error),
      ...(options.beforeLists && { beforeLists: options.beforeLists }),
      ...(options.gate && { gate: options.gate }),
    });
    this.#canary = new Canary({
      ari: this.ari,
      app: this.#app,
      onChange: () => this.#judge(),
      onSilent: (resource, error) => this.#onError(`REST does not answer: ${resource}`, error),
      onDeaf: () => this.ari.reconnect('it stands, and no event comes over it'),
    });
    this.#doubt = new Doubt({
      answers: () => this.serving,
      ask: () => this.ari.reconnect('nobody knows whether all that was asked of it was done'),
      now: () => performance.now(),
    });
    const tell = (fact: Fact): void => this.#tell(fact);
    const failed: CommandFailed = (callID, command, error) => {
      this.#onError(`command ${command.do}`, error, callID);
      if (isUnanswered(error) || isNoBridge(error)) this.#doubt.raise();
      if (!this.#closed) this.#listener.onCommandFailed(this.node, callID, command);
    };
    this.#performer = new Performer(
      this.ari,
      options.ari.app,
      (channel) => pjsipNotify(options.ami, { channel }, [['Event', 'talk']]),
      tell,
      failed,
    );
    this.#recorder = new Recorder(asteriskRecordings(options.ami, this.ari), tell, failed, options.gate);
  }

  get serving(): boolean {
    return this.#serving && !this.#closed;
  }

  /** Parts of REST that did not answer when last tried. */
  get silentResources(): readonly string[] {
    return this.#canary.silent;
  }

  /** Commands under way, for the metrics. */
  get busyCalls(): number {
    return this.#performer.busy + this.#recorder.busy;
  }

  /** Channels that Asterisk was seen to hang up and that have not gone yet, for the metrics. */
  get endingChannels(): number {
    return this.#ringTimeouts.size;
  }

  /** Starts connecting; goes on for ever. Resolves when the node serves, rejects if it does not within the time. */
  async start(timeoutMs: number): Promise<void> {
    this.#canary.start();
    await this.ari.connect(timeoutMs);
    await this.#canary.round();
  }

  /**
   * Another instance has finished all that it had begun here: what is created is dialled too, though Asterisk shows it as
   * Down until it rings. Holds for the next lists.
   */
  handedOver(): void {
    this.#handedOver = true;
  }

  /** Opens the event socket again, after another client has taken it over. */
  reopen(): void {
    void this.ari.connect();
  }

  /** The event socket stands, or is just being made. */
  get connected(): boolean {
    return this.ari.state === 'ready' || this.ari.state === 'resyncing';
  }

  /** The node is dead: nothing is asked of it until it is there again, and its calls are told so. */
  died(): void {
    if (this.connected || this.#closed) return;
    this.#dead = true;
    this.#listener.onNodeDied(this.node);
  }

  /** Commands under way that change something. */
  get idle(): boolean {
    return this.busyCalls === 0;
  }

  /** Ends everything; nothing is told and nothing is sent from here on. @param abrupt nor does anything arrive that was */
  async close(abrupt = false): Promise<void> {
    this.#closed = true;
    this.#canary.close();
    this.#doubt.settle();
    this.#recorder.close();
    await this.ari.close(abrupt);
  }

  resync(): void {
    this.ari.reconnect('what it told could not be kept');
  }

  perform(callID: CallID, commands: readonly Command[]): void {
    if (this.#closed || this.#dead) return;
    const tasks: Task[] = [];
    for (const command of commands) {
      if (isRecordingCommand(command)) this.#recorder.perform(callID, command);
      else tasks.push(command);
    }
    if (tasks.length > 0) this.#performer.perform(callID, tasks);
  }

  #onEvent(event: AriEvent): void {
    if (this.#closed) return;
    if (event.type === 'StasisStart') {
      this.#performer.entered(event.channel.id);
      const arrival = arrivalOf(event.channel, event.args);
      if (arrival) {
        this.#listener.onArrival(this.node, arrival);
        void this.#watch(arrival.channel);
      }
      return;
    }
    if (event.type === 'ChannelUserevent' && event.eventname === CANARY_EVENT) {
      this.#canary.heard();
      return;
    }
    if (event.type === 'ChannelDestroyed') {
      this.#performer.ended(event.channel.id);
      this.#recorder.ended(event.channel.id);
    }
    this.#performer.transferAnswers.saw(event);
    const fact = factOf(event, this.#ringTimeouts);
    if (fact) this.#listener.onFact(this.node, fact);
  }

  /**
   * Asks for a channel's events for as long as it lives. A leg that we dial has this by its creation; of one that the
   * dialplan handed over Asterisk tells nothing after StasisEnd, and its end would never be heard of.
   */
  async #watch(channel: string): Promise<void> {
    try {
      await this.ari.applications.subscribe(this.#app, `channel:${channel}`);
    } catch (error) {
      // 422: there is no such channel any more. Its caller has gone before we could ask.
      if (hasStatus(error, 404) || hasStatus(error, 422)) this.#tell({ kind: 'leg-ended', channel });
      else {
        this.#onError('watching a channel', error);
        // Its end would never be heard of: it is watched again with what the node then tells.
        this.#doubt.raise();
      }
    }
  }

  /** Facts of our own making are told after the current turn of the loop, as those of the socket are. */
  #tell(fact: Fact): void {
    queueMicrotask(() => {
      if (!this.#closed) this.#listener.onFact(this.node, fact);
    });
  }

  async #onResync(resync: Resync): Promise<void> {
    // What is not answered from here on is in doubt again.
    this.#doubt.settle();
    const { status } = await this.ari.asterisk.info(['status']);
    const startedAt = Date.parse(status?.startup_time ?? '') || 0;
    const onHold = await this.#holds(
      resync.channels.filter((c) => c.state === 'Up' && stasisOf(c)[0] === this.#app),
      resync.signal,
    );
    const channels = resync.channels.map((c) => {
      const [app, ...args] = stasisOf(c);
      const ours = app === this.#app;
      // What entered while the socket was cut has no StasisStart for us: being listed says the same.
      if (ours) this.#performer.entered(c.id);
      const arrival = ours ? arrivalOf(c, args) : undefined;
      if (arrival) void this.#watch(arrival.channel);
      const held = onHold.get(c.id);
      return {
        channel: c.id,
        state: c.state,
        ours,
        ...(held !== undefined && { onHold: held }),
        ...(arrival && { arrival }),
      };
    });
    const existing = new Set(channels.map((c) => c.channel));
    this.#ringTimeouts.retain(existing);
    this.#performer.transferAnswers.retain(existing);
    const bridges = resync.bridges.map((b) => ({ bridge: b.id, channels: b.channels }));
    const underWay = new Set([...this.#performer.underWay(), ...resync.ended]);
    if (this.#handedOver) for (const c of channels) if (c.ours && c.state === 'Down') underWay.add(c.channel);
    this.#handedOver = false;
    if (this.#closed) return;
    this.#listener.onResync(this.node, {
      channels,
      bridges,
      underWay,
      startedAt,
      busy: this.#performer.busyCalls(),
    });
  }

  /**
   * Whether the phones of these channels hold the other side (re-INVITE sendonly): Asterisk tells that by an event, which
   * is lost where nobody listens, and keeps it with the media (seen on 22.10.1).
   */
  async #holds(channels: readonly Channel[], signal: AbortSignal): Promise<ReadonlyMap<string, boolean>> {
    const holds = new Map<string, boolean>();
    const left = channels.filter((c) => c.name.startsWith('PJSIP/')).map((c) => c.id);
    const ask = async (): Promise<void> => {
      for (let channel = left.pop(); channel !== undefined; channel = left.pop()) {
        try {
          holds.set(channel, (await this.ari.channels.getVariable(channel, 'CHANNEL(rtp,hold)', { signal })) === '1');
        } catch (error) {
          // 404, 500: gone meanwhile. What is not known is left as it was.
          if (!hasStatus(error, 404) && !hasStatus(error, 500)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: HOLDS_AT_ONCE }, ask));
    return holds;
  }

  #onState(state: AriState): void {
    if (state === 'resyncing') this.#dead = false;
    if (state === 'ready') void this.#canary.round();
    else this.#canary.forget();
    if (state === 'replaced') {
      this.#performer.deaf(true);
      this.#onReplaced();
    } else if (state === 'ready') {
      this.#performer.deaf(false);
    }
    this.#judge();
  }

  #judge(): void {
    const serving = this.ari.state === 'ready' && this.#canary.answers;
    if (serving === this.#serving || this.#closed) return;
    this.#serving = serving;
    this.#listener.onHealth(this.node, serving);
    this.#doubt.look();
  }
}
