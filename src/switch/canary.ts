import { type AriClient, hasStatus } from '../ari/index.ts';

/** Between two rounds of probes, ms. */
const INTERVAL_MS = 2_000;
/** Within which a probe must be answered, ms. */
const PATIENCE_MS = 2_000;
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
const probes = (app: string): readonly Probe[] => [
  { resource: 'asterisk', ask: (ari) => ari.asterisk.ping({ timeoutMs: PATIENCE_MS }) },
  { resource: 'channels', ask: (ari) => orNotFound(ari.channels.get(NOBODY, { timeoutMs: PATIENCE_MS })) },
  { resource: 'bridges', ask: (ari) => orNotFound(ari.bridges.get(NOBODY, { timeoutMs: PATIENCE_MS })) },
  { resource: 'applications', ask: (ari) => ari.applications.get(app, { timeoutMs: PATIENCE_MS }) },
];

/** "No such thing" is an answer. */
async function orNotFound(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

export interface CanaryOptions {
  readonly ari: AriClient;
  readonly app: string;
  /** Told when the answer to "does all of REST answer?" changes. */
  readonly onChange: (answers: boolean) => void;
  /** Told once for each resource that stops answering. */
  readonly onSilent: (resource: string, error: unknown) => void;
}

/** Tries every part of a node's REST beside its event socket, again and again. */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #probes: readonly Probe[];
  readonly #silent = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #answers = false;

  constructor(options: CanaryOptions) {
    this.#options = options;
    this.#probes = probes(options.app);
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
    this.#set(false);
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
  }

  #set(answers: boolean): void {
    if (answers === this.#answers) return;
    this.#answers = answers;
    this.#options.onChange(answers);
  }
}
