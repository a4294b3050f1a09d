import { type AriClient, AriError, hasStatus } from '../ari/index.ts';
import type { Command, Dial } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import { OUR_LEG } from './translate.ts';

/** How long a created channel may take to enter the application, ms. */
const ENTER_TIMEOUT_MS = 5_000;
/** Wait between two questions whether a channel has entered, and before it is told so, ms. */
const ASK_MS = 20;
/** Q.850 38, network out of order: what a leg that could not be put in its place is hung up with. */
const OUT_OF_ORDER = 38;

/**
 * Which number a phone is shown is ours to say: left alone, Asterisk shows every phone that enters a bridge the identity
 * of the one who is there already, over the number that it was dialled with.
 */
export const KEEP_IDENTITY = { inhibitConnectedLineUpdates: true } as const;

interface Dialling {
  cancelled: boolean;
  entered: (() => void) | undefined;
  /** The channel exists and has entered the application, or is not wanted any more. */
  created: Promise<void> | undefined;
}

/**
 * Dials legs: create, wait until the channel has entered the application, put it in its bridge, dial. Asterisk answers
 * 409 to a dial that comes before StasisStart, about one time in ten, so the event is waited for.
 */
export class Dialler {
  readonly #ari: AriClient;
  readonly #app: string;
  readonly #tell: (fact: Fact) => void;
  /** Legs between their create and their dial. */
  readonly #dialling = new Map<string, Dialling>();
  #deaf = false;

  constructor(ari: AriClient, app: string, tell: (fact: Fact) => void) {
    this.#ari = ari;
    this.#app = app;
    this.#tell = tell;
  }

  channels(): Iterable<string> {
    return this.#dialling.keys();
  }

  /** While no event comes, whether a channel has entered the application is asked for: what was begun is finished. */
  set deaf(deaf: boolean) {
    this.#deaf = deaf;
    if (deaf) for (const [channel, dialling] of this.#dialling) void this.#ask(channel, dialling);
  }

  /** StasisStart of a channel that we created. */
  entered(channel: string): void {
    this.#dialling.get(channel)?.entered?.();
  }

  /** The channel is gone: whoever waits for it need not. */
  ended(channel: string): void {
    const dialling = this.#dialling.get(channel);
    if (!dialling) return;
    dialling.cancelled = true;
    dialling.entered?.();
  }

  /** Stops a dialling: its channel is hung up as soon as it is known to exist. Does nothing for any other channel. */
  cancel(channel: string): void {
    this.ended(channel);
  }

  /** True from {@link begin} or {@link dial} until the dialling has settled. */
  isUnderWay(channel: string): boolean {
    return this.#dialling.has(channel);
  }

  /**
   * Creates the channel ahead of its dial, so that it enters the application while its bridge is being made. Whoever
   * begins must dial: what becomes of the channel is told there.
   */
  begin(command: Dial): void {
    this.#begun(command);
  }

  /**
   * Dials, or stops short of it where that is held. Settles once the dial has been accepted or has failed; a failure has
   * then been told as the leg's end.
   *
   * @param others channels that join the bridge in the same request
   * @returns whether the others have been put in the bridge
   */
  async dial(command: Dial, others: readonly string[] = []): Promise<boolean> {
    const { channel } = command;
    const dialling = this.#begun(command);
    let joined = others.length === 0;
    try {
      await dialling.created;
      if (dialling.cancelled) {
        // The hang-up may have overtaken the create: what exists now must go.
        await this.#ari.channels.hangup(channel);
        return joined;
      }
      if (command.bridge !== undefined) joined = await this.#join(command.bridge, channel, others);
      if (command.hold) this.#tell({ kind: 'leg-made', channel });
      else await this.#ari.channels.dial(channel, { timeout: command.ringTimeout });
    } catch (error) {
      await this.#failed(channel, dialling, error);
    } finally {
      this.#dialling.delete(channel);
    }
    return joined;
  }

  /**
   * Dials a channel that was made and held. Settles once that has been accepted or has failed; a failure has then been told
   * as the leg's end.
   */
  async send(channel: string, ringTimeout: number): Promise<void> {
    try {
      await this.#ari.channels.dial(channel, { timeout: ringTimeout });
    } catch (error) {
      // Gone: ChannelDestroyed tells the rest.
      if (hasStatus(error, 404)) return;
      // It may have gone out: whether it has is read from what the node has, once it can be asked (calls/once.ts).
      if (isUnheard(error)) this.#ari.reconnect('a dial was not answered');
      else await this.#failed(channel, undefined, error);
    }
  }

  /** Puts the leg in its bridge, and the others with it where all can be: one that cannot must not keep the leg out. */
  async #join(bridge: string, channel: string, others: readonly string[]): Promise<boolean> {
    if (others.length > 0) {
      try {
        await this.#ari.bridges.addChannel(bridge, [...others, channel], KEEP_IDENTITY);
        return true;
      } catch (error) {
        if (!(error instanceof AriError) || error.kind !== 'status') throw error;
      }
    }
    await this.#ari.bridges.addChannel(bridge, channel, KEEP_IDENTITY);
    return others.length === 0;
  }

  #begun(command: Dial): Dialling {
    const begun = this.#dialling.get(command.channel);
    if (begun) return begun;
    const dialling: Dialling = { cancelled: false, entered: undefined, created: undefined };
    this.#dialling.set(command.channel, dialling);
    dialling.created = this.#create(command, dialling);
    // It may fail before dial() waits for it, and is told there.
    dialling.created.catch(() => undefined);
    return dialling;
  }

  async #create(command: Dial, dialling: Dialling): Promise<void> {
    const entered = this.#entering(dialling);
    entered.catch(() => undefined);
    if (this.#deaf) void this.#ask(command.channel, dialling);
    await this.#ari.channels.create({
      endpoint: command.endpoint,
      app: this.#app,
      appArgs: OUR_LEG,
      channelId: command.channel,
      ...(command.callerId !== undefined && { variables: { 'CONNECTEDLINE(num,i)': command.callerId } }),
    });
    await entered;
  }

  /** Makes a snoop channel and puts it in its bridge once it has entered the application. */
  async snoop(command: Extract<Command, { do: 'snoop' }>): Promise<void> {
    const { snoop, of, bridge, whisper } = command;
    const dialling: Dialling = { cancelled: false, entered: undefined, created: undefined };
    this.#dialling.set(snoop, dialling);
    try {
      const entered = this.#entering(dialling);
      // Asterisk may answer later than that, and only then is it waited for.
      entered.catch(() => undefined);
      if (this.#deaf) void this.#ask(snoop, dialling);
      const directions = { spy: 'both', whisper: whisper ? 'out' : 'none' } as const;
      await this.#ari.channels.snoop(of, { snoopId: snoop, app: this.#app, appArgs: OUR_LEG, ...directions });
      await entered;
      if (!dialling.cancelled) await this.#ari.bridges.addChannel(bridge, snoop);
    } finally {
      dialling.entered?.();
      this.#dialling.delete(snoop);
    }
  }

  async #ask(channel: string, dialling: Dialling): Promise<void> {
    while (this.#deaf && dialling.entered) {
      // Asked before it is created it is not there, and is asked for again.
      const there = await this.#ari.channels.get(channel).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
      if (there?.dialplan.app_name === 'Stasis') dialling.entered?.();
    }
  }

  #entering(dialling: Dialling): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the channel did not enter the application')), ENTER_TIMEOUT_MS);
      dialling.entered = () => {
        clearTimeout(timer);
        dialling.entered = undefined;
        resolve();
      };
    });
  }

  async #failed(channel: string, dialling: Dialling | undefined, error: unknown): Promise<void> {
    dialling?.entered?.();
    // Cancelled, or gone by itself: ChannelDestroyed tells the rest.
    if (dialling?.cancelled && hasStatus(error, 404)) return;
    const refused = error instanceof AriError && error.kind === 'status';
    if (refused && (error.status === 500 || error.status === 400)) {
      // Asterisk reports an unknown endpoint or one without a contact as 500 "Allocation failed", and raises no event.
      this.#tell({ kind: 'leg-ended', channel, notStarted: 'unavailable' });
      return;
    }
    try {
      const { gone } = await this.#ari.channels.hangup(channel, OUT_OF_ORDER);
      if (gone) this.#tell({ kind: 'leg-ended', channel, notStarted: 'unavailable' });
    } catch (lost) {
      // A node that cannot be asked at all is not up any more, as far as this leg goes.
      this.#tell({
        kind: 'leg-ended',
        channel,
        ...(isUnheard(lost) ? { nodeDied: true } : { notStarted: 'unavailable' }),
      });
    }
  }
}

/** Nothing was answered: nobody knows whether it was done. */
const isUnheard = (error: unknown): boolean =>
  error instanceof AriError && (error.kind === 'connection' || error.kind === 'timeout');
