import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { Lab } from '../../lab/lab.ts';
import { CountingTrunk } from '../../lab/phone/counting-trunk.ts';
import { randomOf } from '../../test/support/random.ts';
import type { Settings } from '../../test/support/ringmaster.ts';
import { RingmasterProcess } from '../../test/support/ringmaster-process.ts';
import { WebhookReceiver } from '../../test/support/webhook-receiver.ts';

const BASE = '/kairos-apis/outbounddialer';
const FLOW = 'Exactly1';
const SECURITY_ID = 'x'.repeat(64);
const SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
/** Calls of one request, as many as the API takes. */
const AT_ONCE = 500;
/** Nobody rings them: the customer is called first, and refuses. They bound how many calls there are at once. */
const AGENTS = Array.from({ length: 60 }, (_, i) => String(1100 + i));
/** So long without a call means that none comes any more, ms. */
const STALLED_MS = 90_000;
/** What a call ends with whose number is busy and has one attempt. */
const RIGHT = 'CUSTOMER_FAILURE';

export interface DiallerOptions {
  readonly calls: number;
  /** How often a process is killed while calls are being placed. */
  readonly kills: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** The program; the source where absent. */
  readonly main?: string | undefined;
}

export interface DiallerResult {
  readonly calls: number;
  /** From the first call that came out of the trunk to the last, with all that was killed in between, s. */
  readonly seconds: number;
  /** Calls a second while nobody was dead: the median of the seconds in which any came. */
  readonly perSecond: number;
  readonly killed: readonly string[];
  /** Everything that is not as it must be. */
  readonly faults: readonly string[];
}

/**
 * Calls are scheduled over HTTP, for a moment a little later; then they are placed by processes that are killed at moments
 * of chance and started anew. At a real trunk every number must come out exactly once, and every call must end as a busy
 * number with one attempt does.
 *
 * @param lab its Asterisk, its Redis; nothing else of it is used
 */
export async function exactlyOnce(lab: Lab, options: DiallerOptions): Promise<DiallerResult> {
  const trunk = await CountingTrunk.open(486);
  const receiver = await WebhookReceiver.open(SECRET);
  const pair = new Pair(lab, options.main, configure(trunk.port, receiver.url));
  try {
    return await new Run(pair, trunk, receiver, options).run();
  } finally {
    await pair.stop();
    await receiver.close();
    await trunk.close();
  }
}

const configure =
  (port: number, url: string) =>
  (settings: Settings): void => {
    const limits = { calls: 1_000, callsPerSecond: 1_000 };
    const [company] = settings.companies;
    if (!company) throw new Error('the lab has no company');
    settings.trunks = [
      {
        id: 'counting',
        endpoint: `PJSIP/carrier-a/sip:{number}@127.0.0.1:${port}`,
        callerId: '911140001000',
        limits,
      } as Settings['trunks'][number],
    ];
    for (const one of settings.companies) one.trunk = 'counting';
    const flow = {
      id: FLOW,
      agents: AGENTS,
      firstLeg: 'customer',
      // Asterisk's own answer to a dial that nobody knows of comes after so long.
      ringTimeout: 3,
      limits: { ...limits, waiting: 100_000 },
      webhook: { url, secret: SECRET, firstRetry: 1 },
    };
    const accounts = [{ id: 'main', securityId: SECURITY_ID, ips: ['127.0.0.1'], flows: [flow] }];
    Object.assign(company, { dialer: { accounts } });
  };

/** Two processes on the same Asterisk and the same Redis; at most one of them places calls at a time. */
class Pair {
  readonly #lab: Lab;
  readonly #main: string | undefined;
  readonly #change: (settings: Settings) => void;
  readonly #prefix = `once${randomBytes(4).toString('hex')}`;
  readonly #processes: (RingmasterProcess | undefined)[] = [undefined, undefined];
  readonly #bases: (string | undefined)[] = [undefined, undefined];

  constructor(lab: Lab, main: string | undefined, change: (settings: Settings) => void) {
    this.#lab = lab;
    this.#main = main;
    const secret = randomBytes(24).toString('hex');
    this.#change = (settings) => {
      settings['cluster'] = { peers: { secret } };
      change(settings);
    };
  }

  /** Starts those that do not run. */
  async start(): Promise<void> {
    for (const [n, process] of this.#processes.entries()) {
      if (process?.running) continue;
      const next = new RingmasterProcess(this.#lab, { prefix: this.#prefix, change: this.#change, main: this.#main });
      this.#processes[n] = next;
      this.#bases[n] = await listening(next);
    }
  }

  /** Kills one, or both. */
  async kill(which: readonly number[]): Promise<void> {
    for (const n of which) {
      this.#processes[n]?.kill('SIGKILL');
      this.#bases[n] = undefined;
    }
    await Promise.all(which.map((n) => this.#processes[n]?.ended()));
  }

  /** A request to one that runs. @throws {Error} where none answers */
  async ask(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const base = this.#bases.find((b) => b !== undefined);
    if (base === undefined) throw new Error('nothing runs');
    const answer = await request(`${base}${BASE}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', 'security-id': SECURITY_ID },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await answer.body.json()) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((p) => p?.stop()));
  }
}

/** Waits until a process serves, a busy machine's long start included. @returns where */
async function listening(process: RingmasterProcess): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return (await process.listening()).http;
    } catch (error) {
      if (!process.running || tries === 5) throw error;
    }
  }
}

class Run {
  readonly #pair: Pair;
  readonly #trunk: CountingTrunk;
  readonly #receiver: WebhookReceiver;
  readonly #of: DiallerOptions;
  readonly #numbers: readonly string[];
  readonly #requests: string[] = [];
  readonly #killed: string[] = [];
  /** When each call came, ms. */
  readonly #came: number[] = [];

  constructor(pair: Pair, trunk: CountingTrunk, receiver: WebhookReceiver, options: DiallerOptions) {
    this.#pair = pair;
    this.#trunk = trunk;
    this.#receiver = receiver;
    this.#of = options;
    this.#numbers = Array.from({ length: options.calls }, (_, n) => `9180${String(n).padStart(8, '0')}`);
  }

  async run(): Promise<DiallerResult> {
    const { calls, say } = this.#of;
    await this.#pair.start();
    await this.#schedule();
    const progress = setInterval(
      () => say(`${this.#trunk.calls.length} of ${calls}, ${this.#killed.length} kills`),
      10_000,
    );
    try {
      await this.#kill();
      await this.#reach(calls);
      await this.#allTold();
    } finally {
      clearInterval(progress);
    }
    const faults = [...this.#numberFaults(), ...(await this.#statusFaults()), ...this.#webhookFaults()];
    faults.push(...(await this.#ledgerFaults()));
    const seconds = ((this.#came.at(-1) ?? 0) - (this.#came[0] ?? 0)) / 1_000;
    return { calls, seconds, perSecond: this.#rate(), killed: this.#killed, faults };
  }

  async #schedule(): Promise<void> {
    const { calls, say } = this.#of;
    const start = Date.now() + 2_000 + calls;
    for (let n = 0; n < calls; n += AT_ONCE) {
      const answer = await this.#pair.ask('/create', {
        'api-version': '1.0',
        'security-id': SECURITY_ID,
        'flow-id': FLOW,
        calls: this.#numbers.slice(n, n + AT_ONCE).map((number) => ({
          'client-identifier': number,
          'contact-numbers': [number],
          'start-time': new Date(start).toISOString(),
        })),
      });
      if (answer['api-response-code'] !== 200) throw new Error(`not accepted: ${JSON.stringify(answer).slice(0, 500)}`);
      this.#requests.push(String(answer['request-id']));
    }
    say(`${calls} calls are scheduled, ${start - Date.now()} ms ahead`);
  }

  /** Kills as often as is wanted, each time some calls later than the last time, and starts what was killed anew. */
  async #kill(): Promise<void> {
    const { calls, kills, seed, say } = this.#of;
    const random = randomOf(seed, calls);
    // Early enough that there is something left to place after the last.
    const points = Array.from({ length: kills }, (_, n) => (0.85 * calls * (n + random.next())) / kills);
    for (const [n, point] of points.entries()) {
      await this.#reach(Math.max(1, Math.floor(point)));
      await delay(random.int(0, 60));
      // The first to go is the one that places; then whichever chance picks, both at least once.
      const which = n === 0 ? [0] : n === 1 ? [0, 1] : random.pick([[0], [1], [0, 1]]);
      await this.#pair.kill(which);
      this.#killed.push(which.length === 2 ? 'both' : n === 0 ? 'the one that places' : 'one');
      say(`kill -9 of ${this.#killed.at(-1)}, ${this.#trunk.calls.length} calls have come`);
      await delay(random.int(0, 500));
      await this.#pair.start();
    }
  }

  /** Waits until so many calls have come. @throws {Error} where none comes any more */
  async #reach(count: number): Promise<void> {
    let [last, since] = [this.#trunk.calls.length, performance.now()];
    while (this.#trunk.calls.length < count) {
      await delay(5);
      const now = this.#trunk.calls.length;
      while (this.#came.length < now) this.#came.push(performance.now());
      if (now > last) [last, since] = [now, performance.now()];
      else if (performance.now() - since > STALLED_MS) throw new Error(`no call comes any more: ${await this.#told()}`);
    }
  }

  /** What every call's status is, by how many have it. */
  async #told(): Promise<string> {
    const counts: Record<string, number> = {};
    for (const status of await this.#statuses()) counts[status] = (counts[status] ?? 0) + 1;
    return JSON.stringify(counts);
  }

  async #statuses(): Promise<string[]> {
    const all: string[] = [];
    for (const id of this.#requests) {
      const answer = await this.#pair.ask(`/status/${id}`);
      all.push(...(answer['call-details'] as { status: string }[]).map((c) => c.status));
    }
    return all;
  }

  /** Waits until the webhook has heard of the end of each call. */
  async #allTold(): Promise<void> {
    const ended = (): number => new Set(this.#receiver.taken.map((m) => m.body['phonon-uuid'])).size;
    let [last, since] = [ended(), performance.now()];
    while (ended() < this.#of.calls) {
      await delay(50);
      const now = ended();
      if (now > last) [last, since] = [now, performance.now()];
      else if (performance.now() - since > STALLED_MS) return;
    }
  }

  #numberFaults(): string[] {
    const { counts } = this.#trunk;
    const wrong = this.#numbers.filter((n) => counts.get(n) !== 1).map((n) => `${n} came ${counts.get(n) ?? 0} times`);
    const strange = [...counts.keys()].filter((n) => !this.#numbers.includes(n));
    return [...wrong, ...strange.map((n) => `${n} came, and nobody asked for it`)];
  }

  async #statusFaults(): Promise<string[]> {
    const statuses = await this.#statuses();
    const wrong = statuses.filter((s) => s !== RIGHT);
    return statuses.length === this.#of.calls && wrong.length === 0 ? [] : [`statuses: ${await this.#told()}`];
  }

  #webhookFaults(): string[] {
    const finals = new Map<string, Set<string>>();
    for (const { id, valid, body } of this.#receiver.taken) {
      const uuid = body['phonon-uuid'];
      if (!valid || !body.final || body['flow-status'] !== RIGHT) return [`a webhook message of ${uuid} is wrong`];
      finals.set(uuid, (finals.get(uuid) ?? new Set()).add(id));
    }
    const twice = [...finals].filter(([, ids]) => ids.size > 1).map(([uuid]) => `${uuid} ended twice`);
    return finals.size === this.#of.calls ? twice : [...twice, `the webhook heard of ${finals.size} ends`];
  }

  async #ledgerFaults(): Promise<string[]> {
    const ledger = (await this.#pair.ask(`/flows/${FLOW}/ledger`))['last-24-hours'] as Record<string, unknown>;
    const { placed, answered, connected, abandoned } = ledger;
    const good = placed === this.#of.calls && [answered, connected, abandoned].every((n) => n === 0);
    return good ? [] : [`the ledger: ${JSON.stringify(ledger)}`];
  }

  #rate(): number {
    const seconds = new Map<number, number>();
    for (const at of this.#came) seconds.set(Math.floor(at / 1_000), (seconds.get(Math.floor(at / 1_000)) ?? 0) + 1);
    const sorted = [...seconds.values()].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }
}
