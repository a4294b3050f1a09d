import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { waitFor } from './people.ts';

/** Bytes of a second and of a tenth of it: 8000 times two sides of 16 bits. */
const SECOND = 32_000;
const TENTH = SECOND / 10;
/** From this amplitude on somebody speaks; telephones send their tones at 8,000. */
const LOUD = 1_000;
const WAV_HEADER = 44;
/** By how much a length may be off without anything having gone wrong, seconds and share: packets that come late. */
const SLACK = { seconds: 1.5, share: 0.02 };
/** What Asterisk holds in memory of a file and loses if it dies: a second, and what comes in at that moment. */
const UNWRITTEN = 2.5;
/** How long a file may take to be complete after the call has ended, ms. */
const COMPLETE_MS = 5_000;

/** Asks for a recording over HTTP. */
export type Fetch = (uuid: string) => Promise<{ readonly status: number; readonly bytes: Buffer }>;

/** When something was asked for, and when it had been done at the latest: ms of sound that the customer had sent. */
interface Moment {
  readonly asked: number;
  readonly done: number;
}

/** A span of time in which Asterisk did not do its work, ms. */
interface Standstill {
  readonly from: number;
  to: number;
}

/** The telephone of the customer, who speaks all the time until he has gone. */
export type Speaking = Pick<PhoneCall, 'sentMs'>;

/**
 * A call that is recorded, and what must be found in its file. Time is what the customer's telephone has sent: where this
 * machine is too busy for it to send in time, nobody can record what was not sent.
 */
export class Recorded {
  readonly callID: string;
  readonly uuid: string;
  readonly #customer: Speaking;
  readonly #steps: (Moment & { readonly on: boolean })[];
  readonly #since = performance.now();

  /** @param started when the recording was asked for, and when it had begun */
  constructor(callID: string, uuid: string, customer: Speaking, started: Moment) {
    this.callID = callID;
    this.uuid = uuid;
    this.#customer = customer;
    this.#steps = [{ ...started, on: true }];
  }

  /** The recording has been paused, or goes on. */
  step(on: boolean, moment: Moment): void {
    this.#steps.push({ ...moment, on });
  }

  /** Seconds at least and at most, once the customer has gone: that the file lasts, and that he is heard in it. */
  expected(): { readonly lasts: readonly [number, number]; readonly speaks: readonly [number, number] } {
    const end = this.#customer.sentMs;
    const [first] = this.#steps;
    // The other side is recorded as well: where the customer's sound is late, a file lasts longer than he has spoken, and
    // what he said lies scattered in it.
    const elapsed = performance.now() - this.#since;
    const late = first ? Math.max(0, elapsed - (end - first.asked)) : 0;
    const lasts = first ? [end - first.done, end - first.asked + late] : [0, 0];
    let [least, most] = [0, late];
    for (const [i, step] of this.#steps.entries()) {
      if (!step.on) continue;
      const next = this.#steps[i + 1] ?? { asked: end, done: end };
      least += Math.max(0, Math.min(next.asked, end) - step.done);
      most += Math.max(0, Math.min(next.done, end) - step.asked);
    }
    const seconds = ([a = 0, b = 0]: readonly number[]): [number, number] => [a / 1000, b / 1000];
    return { lasts: seconds(lasts), speaks: seconds([least, most]) };
  }

  /** Seconds of these that lie between its beginning and now. */
  within(standstills: readonly Standstill[]): number {
    const now = performance.now();
    const during = (s: Standstill): number => Math.max(0, Math.min(s.to, now) - Math.max(s.from, this.#since));
    return standstills.reduce((sum, s) => sum + during(s), 0) / 1000;
  }

  /** Asterisk has died since it began. */
  diedIn(deaths: readonly number[]): boolean {
    return deaths.some((at) => at >= this.#since);
  }
}

/** The recordings that Asterisk makes, judged by their files once their calls have ended. */
export class Recordings {
  /** Files that were judged. */
  judged = 0;
  /** By how much the customer was heard less than he spoke, at most; seconds. */
  shortest = 0;
  readonly #folder: string;
  readonly #completeMs: number;
  readonly #calls = new Map<string, Recorded>();
  readonly #standstills: Standstill[] = [];
  readonly #deaths: number[] = [];

  /** @param folder where Asterisk writes those of a company; what lies there is removed */
  constructor(folder: string, { completeMs = COMPLETE_MS } = {}) {
    this.#folder = folder;
    this.#completeMs = completeMs;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Waits until Asterisk has opened the file, from when on it is written to whatever becomes of anybody else. */
  async running(uuid: string): Promise<void> {
    await waitFor(() => existsSync(this.#fileOf(uuid)), `recording ${uuid} has begun`);
  }

  add(recorded: Recorded): void {
    this.#calls.set(recorded.callID, recorded);
  }

  /** Asterisk stands still from now on. @returns to be called when it goes on */
  standstill(): () => void {
    const span = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#standstills.push(span);
    return () => {
      span.to = performance.now();
    };
  }

  /** Asterisk has died. */
  death(): void {
    this.#deaths.push(performance.now());
  }

  /**
   * Judges the recordings of calls that have ended.
   *
   * @param ended by id, the recording that the call's end names, if any
   * @param fetch asks Ringmaster for a recording
   */
  async judge(ended: ReadonlyMap<string, string | undefined>, fetch: Fetch): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const [callID, uuid] of ended) {
      const recorded = this.#calls.get(callID);
      this.#calls.delete(callID);
      if (!recorded) {
        if (uuid !== undefined) wrong.push(`call ${callID} was recorded (${uuid}), and nobody had asked for it`);
        continue;
      }
      if (uuid !== recorded.uuid) wrong.push(`the end of call ${callID} names recording ${uuid}, not ${recorded.uuid}`);
      wrong.push(...(await this.#file(recorded)), ...(await this.#fetched(recorded, fetch)));
      rmSync(this.#fileOf(recorded.uuid), { force: true });
      this.judged += 1;
    }
    const known = new Set([...this.#calls.values()].map((r) => r.uuid));
    for (const name of this.#files()) {
      const [uuid = ''] = name.split('.');
      if (!known.delete(uuid)) wrong.push(`recording ${name} is a second one, or of no call`);
    }
    for (const uuid of known) wrong.push(`recording ${uuid} has no file`);
    return wrong;
  }

  async #file(recorded: Recorded): Promise<readonly string[]> {
    const { callID, uuid } = recorded;
    const { lasts, speaks } = recorded.expected();
    const missing = recorded.within(this.#standstills) + (recorded.diedIn(this.#deaths) ? UNWRITTEN : 0);
    const slack = SLACK.seconds + SLACK.share * lasts[1];
    const until = performance.now() + this.#completeMs;
    for (;;) {
      const found = this.#measure(uuid);
      const wrong: string[] = [];
      const compare = (what: string, is: number, [least, most]: readonly [number, number]): void => {
        if (is < least - missing - slack || is > most + slack)
          wrong.push(
            `recording ${uuid} of call ${callID}: ${what} ${is.toFixed(1)} s, not ${least.toFixed(1)} to ${most.toFixed(1)}${missing > 0 ? ` (without ${missing.toFixed(1)})` : ''}`,
          );
      };
      if (!found) wrong.push(`recording ${uuid} of call ${callID} has no file`);
      else {
        compare('it lasts', found.lasts, lasts);
        compare('the customer is heard for', found.speaks, speaks);
      }
      if (wrong.length === 0 || performance.now() > until) {
        this.shortest = Math.max(this.shortest, speaks[0] - missing - (found?.speaks ?? 0));
        return wrong;
      }
      await delay(200);
    }
  }

  /** How long a file is, and for how long of it the customer is heard, who is on the left; seconds. */
  #measure(uuid: string): { readonly lasts: number; readonly speaks: number } | undefined {
    const file = this.#fileOf(uuid);
    if (!existsSync(file)) return undefined;
    const bytes = readFileSync(file);
    let tenths = 0;
    for (let at = 0; at + TENTH <= bytes.length; at += TENTH) {
      let peak = 0;
      for (let sample = at; sample < at + TENTH; sample += 4) peak = Math.max(peak, bytes.readInt16LE(sample));
      if (peak >= LOUD) tenths += 1;
    }
    return { lasts: bytes.length / SECOND, speaks: tenths / 10 };
  }

  /** What is fetched is what lies there. */
  async #fetched({ uuid }: Recorded, fetch: Fetch): Promise<readonly string[]> {
    const { status, bytes } = await fetch(uuid);
    const file = this.#fileOf(uuid);
    const size = existsSync(file) ? statSync(file).size : 0;
    if (status === 200 && bytes.length === size + WAV_HEADER) return [];
    return [`recording ${uuid} is answered ${status} with ${bytes.length} bytes, its file has ${size}`];
  }

  #fileOf(uuid: string): string {
    return join(this.#folder, uuid.slice(0, 2), `${uuid}.raw`);
  }

  #files(): string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => one.name);
  }
}
