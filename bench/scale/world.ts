import { randomBytes } from 'node:crypto';
import type { PhoneAnswer, SimulatedNode } from '../../lab/simulated-node.ts';
import { CompanyId } from '../../src/cti/ids.ts';
import { Directory } from '../../src/engine/directory.ts';
import { Engine } from '../../src/engine/engine.ts';
import { Recordings } from '../../src/engine/recordings.ts';
import type { Caller, LoggedEvent } from '../../src/ports.ts';
import { Store, StoreUnavailable } from '../../src/store/store.ts';
import { CallAdmission } from '../../src/switch/admission.ts';

export const COMPANY = CompanyId.parse('acme');
/** A queue that nobody serves. */
export const QUEUE = '8001';
export const QUEUE_DID = '911140002000';

const CALLER: Caller = { companyId: COMPANY, keyName: 'scale', scopes: new Set(['call', 'agent', 'read']) };
const hex = (): string => randomBytes(16).toString('hex');

/** DNs that begin with 2 ring until they are told to answer, with 3 are busy; all others answer. */
export function answerOf(endpoint: string): PhoneAnswer {
  const dn = /^PJSIP\/(\d+)/.exec(endpoint)?.[1] ?? '';
  if (dn.startsWith('2')) return 'rings';
  return dn.startsWith('3') ? 'busy' : 'answers';
}

/** So long without anything happening means that it never will, ms. */
const STALLED_MS = 120_000;

/** One life of a controller: the real engine on a real Redis, its Asterisk simulated. */
export class Controller {
  readonly store: Store;
  readonly engine: Engine;
  /** What was logged as an error. */
  readonly errors: string[] = [];

  private constructor(redisUrl: string, prefix: string, endedCallTtl: number) {
    this.store = new Store({
      url: redisUrl,
      prefix,
      endedCallTtl,
      retention: { maxAgeMs: 3_600_000, minEvents: 200_000, maxEvents: 1_000_000 },
      listener: { onDown: () => {}, onUp: () => {}, onError: (error) => void this.errors.push(String(error)) },
    });
    this.engine = new Engine({
      store: this.store.calls,
      floors: this.store.floors,
      masks: this.store.masks,
      recordings: new Recordings(new Map(), hex, () => 'http://127.0.0.1'),
      admission: new CallAdmission({ nodes: new Map([['sim-1', { calls: 1_000_000 }]]) }, Date.now),
      directory: directory(),
      now: Date.now,
      randomHex: hex,
      ringTimeout: 600,
      log: {
        info: () => {},
        error: (what, error, callID) => void this.errors.push(`${what} ${callID ?? ''} ${String(error)}`),
        storeAway: (error) => void this.errors.push(`store away ${String(error)}`),
        storeBack: () => {},
      },
      storeAnswers: () => this.store.healthy,
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
      onFenced: () => {},
    });
  }

  /** Takes everything up, as a start does. */
  static async start(
    node: SimulatedNode,
    options: { redisUrl: string; prefix: string; endedCallTtl: number },
  ): Promise<Controller> {
    const one = new Controller(options.redisUrl, options.prefix, options.endedCallTtl);
    await one.store.connected();
    await one.engine.addNode({ id: node.node, number: 1, app: 'ringmaster', switch: node });
    await one.engine.openFloors();
    node.attach(one.engine);
    return one;
  }

  /** Asks for a call; its id. @throws {Error} where it is refused */
  async call(thisDN: string, otherDN: string): Promise<string> {
    const answer = await this.ask('RequestMakeCall', { thisDN, otherDN, makeCallType: 'Regular', firstLeg: 'agent' });
    return (answer as { callID: string }).callID;
  }

  /** @throws {Error} where it is refused */
  async ask(method: string, params: object): Promise<unknown> {
    const answer = await this.engine.request(CALLER, method, params);
    if ('refusal' in answer) throw new Error(`${method}: ${JSON.stringify(answer.refusal)}`);
    return answer.result;
  }

  /** Resolves once the condition holds and nothing is left to store. @throws {Error} after two minutes without a change */
  async until(what: string, condition: () => boolean, progress: () => number): Promise<void> {
    let [last, since] = [progress(), performance.now()];
    while (!condition() || this.engine.waiting > 0) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (progress() === last) {
        if (performance.now() - since > STALLED_MS) throw new Error(`${what}: nothing happens any more`);
        continue;
      }
      [last, since] = [progress(), performance.now()];
    }
  }

  /** Ends without a word to anybody, as a crash does. */
  async crash(node: SimulatedNode): Promise<void> {
    node.detach();
    this.engine.close();
    await this.store.close();
  }

  /** Every event of the log after an id. */
  async *events(after: number): AsyncGenerator<LoggedEvent> {
    for (let last = after; ; ) {
      const found = await this.store.events.read(COMPANY, last, 2_000);
      if (found === 'expired') throw new Error(`the log no longer has what follows ${last}`);
      if (found.length === 0) return;
      yield* found;
      last = found.at(-1)?.eventID ?? last;
    }
  }
}

function directory(): Directory {
  return new Directory(
    [
      {
        companyId: COMPANY,
        extensions: { pattern: /^[123]\d{4}$/, endpoint: 'PJSIP/{dn}' },
        numbers: { pattern: /^\d{7,15}$/ },
        trunk: 'carrier',
        routes: [{ did: QUEUE_DID, queue: QUEUE }],
        queues: [{ id: QUEUE, ringTimeout: 20, wrapUp: 0, maxWaiting: 100_000 }],
      },
    ],
    [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
  );
}
