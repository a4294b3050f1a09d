import { createClient } from 'redis';
import { addressOf, type HostPort, type Place, type Server, socketOf, type TlsSettings } from './place.ts';
import { list, text, whole } from './reply.ts';

/** A Redis that fails over, as the configuration says it. */
export interface SentinelOptions {
  /** Under which the sentinels watch the master. */
  readonly name: string;
  /** All sentinels. */
  readonly nodes: readonly HostPort[];
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsSettings;
  /** How the servers that they name are reached. */
  readonly data: {
    readonly username?: string;
    readonly password?: string;
    readonly db: number;
    readonly tls?: TlsSettings;
  };
}

/** What is told of the sentinels; addresses are `host:port`. */
export interface SentinelListener {
  /** A sentinel does not answer, or not as one should; once until it does. */
  onSentinelAway(sentinel: string, error: Error): void;
  onSentinelBack(sentinel: string): void;
  /** The master is another one than before. */
  onSwitched(from: string, to: string): void;
}

/** A fail-over that was heard of is believed for so long against sentinels that do not know it, ms. */
const BELIEVED_MS = 30_000;
/** How long a sentinel may take to answer, connecting included, ms. */
const ANSWER_MS = 1000;

/** Whom a sentinel takes for the master, and since which fail-over (its configuration epoch). */
interface Answer {
  readonly address: HostPort;
  readonly epoch: number;
}

const sameAddress = (a: Answer, b: Answer | undefined): boolean =>
  b !== undefined && addressOf(a.address) === addressOf(b.address);

/** What one look at all sentinels has found. */
interface Found {
  readonly answer: Answer | undefined;
  readonly answered: number;
  readonly errors: readonly Error[];
}

/**
 * Finds the master by asking the sentinels, and looks every second whether it is another one by now, so that a frozen or
 * demoted one is left without waiting for its silence.
 *
 * All are asked at once. Where they differ the newer fail-over counts; one that is behind (cut off together with the old
 * master) is not believed, unless most of them have long said so: then they have been set up anew.
 */
export class Sentinels implements Server {
  readonly #options: SentinelOptions;
  readonly #listener: SentinelListener;
  readonly #sentinels: readonly Sentinel[];
  readonly #away = new Map<Sentinel, string>();
  readonly #moved: ((place: Place) => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #look: Promise<Found> | undefined;
  #current: Answer | undefined;
  /** When a sentinel last knew of the present master's fail-over, or of a later one. */
  #confirmedAt = 0;
  #switches = 0;
  #closed = false;

  /** @param everyMs how often it is looked whether the master is still the same */
  constructor(options: SentinelOptions, listener: SentinelListener, everyMs: number) {
    this.#options = options;
    this.#listener = listener;
    this.#sentinels = options.nodes.map((node) => new Sentinel(node, options));
    this.#timer = setInterval(() => void this.#watch(), everyMs);
  }

  /** All sentinels. */
  get size(): number {
    return this.#sentinels.length;
  }

  /** Sentinels that did not fail to answer when they were asked last. */
  get answering(): number {
    return this.#sentinels.length - this.#away.size;
  }

  /** How often the master was found to be another one. */
  get switches(): number {
    return this.#switches;
  }

  async find(): Promise<Place> {
    const { answer, answered, errors } = await this.#ask();
    if (!answer) throw this.#nobodyKnows(answered, errors);
    if (this.#believes(answer, answered)) this.#take(answer);
    else if (!sameAddress(answer, this.#current)) throw new Error('only sentinels that are behind answer');
    return this.#placeOf(answer);
  }

  onMoved(listener: (place: Place) => void): void {
    this.#moved.push(listener);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const sentinel of this.#sentinels) sentinel.close();
  }

  async #watch(): Promise<void> {
    const { answer, answered } = await this.#ask();
    if (!answer || !this.#current) return;
    // Two names under one epoch are a matter of how a server is called: no reason to leave one that works.
    if (answer.epoch === this.#current.epoch) this.#confirmedAt = performance.now();
    else if (this.#believes(answer, answered)) this.#take(answer);
  }

  #believes({ epoch }: Answer, answered: number): boolean {
    if (!this.#current || epoch >= this.#current.epoch) return true;
    return answered * 2 > this.#sentinels.length && performance.now() - this.#confirmedAt >= BELIEVED_MS;
  }

  #take(answer: Answer): void {
    const before = this.#current;
    this.#current = answer;
    this.#confirmedAt = performance.now();
    if (!before || sameAddress(before, answer) || this.#closed) return;
    this.#switches += 1;
    this.#listener.onSwitched(addressOf(before.address), addressOf(answer.address));
    const place = this.#placeOf(answer);
    for (const moved of this.#moved) moved(place);
  }

  #placeOf({ address }: Answer): Place {
    const { username, password, db, tls } = this.#options.data;
    const client = {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      database: db,
      socket: socketOf(address, tls),
    };
    return {
      name: addressOf(address),
      client,
      unlessMaster: `${addressOf(address)} is no master, though Sentinel names it`,
    };
  }

  #nobodyKnows(answered: number, errors: readonly Error[]): Error {
    const { name, nodes } = this.#options;
    const [first] = errors;
    if (answered > 0) return new Error(`no sentinel knows a master named "${name}"`);
    return new Error(`none of ${nodes.length} sentinels answers${first ? `: ${first.message}` : ''}`);
  }

  /** One look at all of them; those who come while it is under way share it. */
  #ask(): Promise<Found> {
    this.#look ??= this.#askAll().finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  /** Ends when all have answered or failed, or most of them have named a master and are not behind. */
  #askAll(): Promise<Found> {
    return new Promise((resolve) => {
      const answers: (Answer | undefined)[] = [];
      const errors: Error[] = [];
      const counted = (): void => {
        const named = answers.filter((a) => a !== undefined);
        const answer = named.toSorted((a, b) => b.epoch - a.epoch)[0];
        const all = answers.length + errors.length === this.#sentinels.length;
        // The others are waited for where these have not yet heard of a fail-over that is known here.
        const behind = answer !== undefined && answer.epoch < (this.#current?.epoch ?? 0);
        if (!all && (behind || named.length * 2 <= this.#sentinels.length)) return;
        resolve({ answer, answered: answers.length, errors });
      };
      for (const sentinel of this.#sentinels) {
        sentinel.ask().then(
          (answer) => {
            answers.push(answer);
            if (answer) this.#isBack(sentinel);
            else this.#isAway(sentinel, new Error(`it knows no master named "${this.#options.name}"`));
            counted();
          },
          (error: Error) => {
            errors.push(error);
            this.#isAway(sentinel, error);
            counted();
          },
        );
      }
    });
  }

  #isAway(sentinel: Sentinel, error: Error): void {
    if (this.#closed || this.#away.get(sentinel) === error.message) return;
    this.#away.set(sentinel, error.message);
    this.#listener.onSentinelAway(sentinel.name, error);
  }

  #isBack(sentinel: Sentinel): void {
    if (this.#away.delete(sentinel) && !this.#closed) this.#listener.onSentinelBack(sentinel.name);
  }
}

/** One sentinel, on a connection that is made when it is asked. */
class Sentinel {
  readonly name: string;
  readonly #node: HostPort;
  readonly #options: SentinelOptions;
  #client: ReturnType<typeof newClient> | undefined;
  #asking: Promise<Answer | undefined> | undefined;

  constructor(node: HostPort, options: SentinelOptions) {
    this.name = addressOf(node);
    this.#node = node;
    this.#options = options;
  }

  /** @returns undefined where it knows no master of this name @throws {Error} it does not answer in time, or refuses */
  ask(): Promise<Answer | undefined> {
    this.#asking ??= this.#askInTime().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.destroy();
  }

  async #askInTime(): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    });
    try {
      return await Promise.race([this.#ask(), late]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<Answer | undefined> {
    const client = this.#client ?? (await this.#connect());
    const { name } = this.#options;
    // While a fail-over is finished only the first names the new master, and the second already has its epoch.
    const [address, facts] = await Promise.all([
      client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]),
      client.sendCommand(['SENTINEL', 'MASTER', name]).catch((error: Error) => error),
    ]);
    if (address === null) return undefined;
    if (facts instanceof Error) throw facts;
    const [host, port] = list(address);
    const fields = list(facts);
    const epoch = fields[fields.indexOf('config-epoch') + 1];
    return { address: { host: text(host), port: whole(port) }, epoch: whole(epoch) };
  }

  async #connect(): Promise<ReturnType<typeof newClient>> {
    const client = newClient(this.#node, this.#options);
    this.#client = client;
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.connect();
    return client;
  }
}

function newClient(node: HostPort, { username, password, tls }: SentinelOptions) {
  return createClient({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    name: 'ringmaster-sentinel',
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0 },
    socket: { ...socketOf(node, tls), connectTimeout: ANSWER_MS, reconnectStrategy: false },
  });
}
