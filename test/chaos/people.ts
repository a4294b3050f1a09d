import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import type { Behaviour } from '../../lab/phone/behaviour.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { Phone } from '../../lab/phone/phone.ts';
import type { Settings } from '../support/ringmaster.ts';

const ANSWERS: Behaviour = { name: 'answers', steps: [{ do: 'ring' }, { after: 100, do: 'answer' }] };
const RINGS: Behaviour = { name: 'rings', steps: [{ do: 'ring' }] };
/** How long a telephone may take to be where it is waited for, ms. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 20;

/**
 * One telephone that stands for everybody. It acts by itself, whatever becomes of those who control its calls: it answers,
 * but for numbers that are to ring on.
 */
export class People {
  readonly phone: Phone;
  readonly #ringOn: Set<string>;

  private constructor(phone: Phone, ringOn: Set<string>) {
    this.phone = phone;
    this.#ringOn = ringOn;
  }

  static async open(lab: Lab): Promise<People> {
    const ringOn = new Set<string>();
    const phone = await Phone.open({
      dn: 'everybody',
      tone: 0,
      server: lab.file.asterisk.sip,
      credentials: lab.file.accounts.carrier,
      behaviour: (number) => (ringOn.has(number) ? RINGS : ANSWERS),
    });
    return new People(phone, ringOn);
  }

  /** Leads every leg of a Ringmaster here: extensions of four digits that begin with 1 or 2, and all numbers. */
  readonly lead = (settings: Settings): void => {
    const there = (number: string) => `PJSIP/carrier-a/sip:${number}@127.0.0.1:${this.phone.port}`;
    for (const trunk of settings.trunks) if (trunk.id === 'carrier-a') trunk.endpoint = there('{number}');
    for (const company of settings.companies) {
      company.extensions = { pattern: '^[12]\\d{3}$', endpoint: there('{dn}') };
    }
  };

  /** From now on this number rings and does not answer. */
  ringOn(number: string): void {
    this.#ringOn.add(number);
  }

  answerAgain(number: string): void {
    this.#ringOn.delete(number);
  }

  /** The calls that go on at somebody's number, called or calling. */
  at(number: string): PhoneCall[] {
    return this.phone.calls.filter((c) => !c.end && numberOf(c) === number);
  }

  /** Calls somebody as this number. */
  call(from: string, to: string): PhoneCall {
    return this.phone.call(to, { from });
  }

  /** Waits until somebody's telephone talks, and makes it silent until it is asked to speak. */
  async talking(number: string): Promise<PhoneCall> {
    const find = () => this.at(number).find((c) => c.answered);
    await waitFor(() => find() !== undefined, `${number} does not talk`);
    const call = find();
    if (!call) throw new Error(`${number} has just hung up`);
    await call.speak(false);
    return call;
  }

  /** Asterisk has died: nobody will ever say BYE to these calls. */
  forgetAll(): void {
    for (const call of this.phone.calls) call.close();
  }

  close(): Promise<void> {
    return this.phone.close();
  }
}

/** Whose call it is: the number that was called, or that calls. */
export const numberOf = (call: PhoneCall): string => (call.direction === 'in' ? call.dialled : call.callerNumber);

/** Looks again and again, every `look` ms, until something is so. @throws Error naming what is not */
export async function waitFor(
  done: () => boolean | Promise<boolean>,
  what: string,
  within = PATIENCE_MS,
  look = LOOK_MS,
): Promise<void> {
  const until = performance.now() + within;
  while (!(await done())) {
    if (performance.now() > until) throw new Error(`not within ${within} ms: ${what}`);
    await delay(look);
  }
}
