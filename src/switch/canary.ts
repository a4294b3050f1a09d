import { type AriClient, hasStatus } from '../ari/index.ts';

/** Between two rounds of probes, ms. */
const INTERVAL_MS = 2_000;
/** Within which a probe must be answered, ms, where nothing else is said. */
const PATIENCE_MS = 2_000;
/** The event that is asked for and must come back over the event socket. */
export const CANARY_EVENT = 'ringmaster-canary';
/** Rounds in a row in which only events are missing before the event socket is made anew. */
const DEAF_ROUNDS = 2;
/** An id that no channel and no bridge has: asking for it costs Asterisk next to nothing. */
const NOBODY = 'ringmaster-canary';

/** One part of REST and the request that tries it. */
interface Probe {
  readonly resource: string;
  readonly ask: (ari: AriClient) => Promise<unknown>;
}

/**
 * A node whose event socket lives can still have a part of its REST that hangs, each behind a lock of its own: seen on
 * 22.10.1, where /applications answered nobody while /bridges did. So each part that calls need is tried.
 */
const probes = (app: string, timeoutMs: number): readonly Probe[] => [
  { resource: 'asterisk', ask: (ari) => ari.asterisk.ping({ timeoutMs }) },
  { resource: 'channels', ask: (ari) => orNotFound(ari.channels.get(NOBODY, { timeoutMs })) },
  { resource: 'bridges', ask: (ari) => orNotFound(ari.bridges.get(NOBODY, { timeoutMs })) },
  { resource: 'applications', ask: (ari) => ari.applications.get(app, { timeoutMs }) },
];

/** "No such thing" is an answer. */
async function orNotFound(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

/** What is tried, and who is told. */
export interface CanaryOptions {
  readonly ari: AriClient;
  readonly app: string;
  /** Told when the answer to "does all of REST answer?" changes. */
  readonly onChange: (answers: boolean) => void;
  /** Told once for each resource that stops answering. */
  readonly onSilent: (resource: string, error: unknown) => void;
  /** REST answers and no event comes: the socket is open, and the application has been taken off it. */
  readonly onDeaf: () => void;
  /** Within which a probe must be answered, ms; default 2000. */
  readonly patienceMs?: number;
}

/**
 * Tries every part of a node's REST beside its event socket, again and again, and whether events come over that: Asterisk
 * takes an application off a socket that stands when an older connection of the same application is closed in the very
 * moment (seen on 22.10.1 when a network that had been held up passed everything on at once). It says nothing of it, and
 * answers pings as ever.
 */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #probes: readonly Probe[];
  readonly #patienceMs: number;
  readonly #silent = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #echo: (() => void) | undefined;
  #deafRounds = 0;
  #answers = false;

  constructor(options: CanaryOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#probes = [...probes(options.app, this.#patienceMs), { resource: 'events', ask: (ari) => this.#call(ari) }];
  }

  /** Every part answered when it was last tried. */
  get answers(): boolean {
    return this.#answers;
  }

  /** The parts that did not answer when they were last tried. */
  get silent(): readonly string[] {
    return [...this.#silent];
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.round(), INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The connection has gone: nothing is known until the next round. */
  forget(): void {
    this.#deafRounds = 0;
    this.#set(false);
  }

  /** The event that was asked for has come. */
  heard(): void {
    this.#echo?.();
  }

  /** Tries every part now; a round that is under way is not doubled. */
  round(): Promise<void> {
    if (this.#options.ari.state !== 'ready') return Promise.resolve();
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(): Promise<void> {
    const { ari, onSilent } = this.#options;
    await Promise.all(
      this.#probes.map(async ({ resource, ask }) => {
        try {
          await ask(ari);
          this.#silent.delete(resource);
        } catch (error) {
          if (ari.state !== 'ready') return;
          if (!this.#silent.has(resource)) onSilent(resource, error);
          this.#silent.add(resource);
        }
      }),
    );
    if (ari.state !== 'ready') return;
    this.#set(this.#silent.size === 0);
    this.#deafRounds = this.#silent.size === 1 && this.#silent.has('events') ? this.#deafRounds + 1 : 0;
    if (this.#deafRounds < DEAF_ROUNDS) return;
    this.#deafRounds = 0;
    this.#options.onDeaf();
  }

  /** Asks for an event, and waits for it. */
  async #call(ari: AriClient): Promise<void> {
    const timeoutMs = this.#patienceMs;
    let timer: NodeJS.Timeout | undefined;
    const heard = new Promise<void>((resolve, reject) => {
      this.#echo = resolve;
      timer = setTimeout(() => reject(new Error(`the event did not come within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      await Promise.all([heard, ari.events.user(CANARY_EVENT, this.#options.app, { timeoutMs })]);
    } finally {
      clearTimeout(timer);
      this.#echo = undefined;
    }
  }

  #set(answers: boolean): void {
    if (answers === this.#answers) return;
    this.#answers = answers;
    this.#options.onChange(answers);
  }
}
