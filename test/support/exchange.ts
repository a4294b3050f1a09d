import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { Phone } from '../../lab/phone/phone.ts';
import type { Settings } from './ringmaster.ts';

/** How long a call may take to come, ms. */
const PATIENCE_MS = 10_000;

/**
 * One telephone that stands for everybody: agents and customers of any number. Calls that come in are handed out by the
 * number dialled, so that many scenarios run side by side.
 */
export class Exchange {
  readonly #waiting = new Map<string, PhoneCall[]>();
  readonly #takers = new Map<string, { resolve: (call: PhoneCall) => void; reject: (error: Error) => void }[]>();
  readonly phone: Phone;

  private constructor(phone: Phone) {
    this.phone = phone;
    void this.#take();
  }

  static async open(lab: Lab): Promise<Exchange> {
    return new Exchange(
      await Phone.open({
        dn: 'exchange',
        tone: 0,
        server: lab.file.asterisk.sip,
        credentials: lab.file.accounts.carrier,
      }),
    );
  }

  /** Leads every leg of a Ringmaster here. */
  readonly lead = (settings: Settings): void => {
    const there = (number: string) => `PJSIP/carrier-a/sip:${number}@127.0.0.1:${this.phone.port}`;
    for (const trunk of settings.trunks) if (trunk.id === 'carrier-a') trunk.endpoint = there('{number}');
    for (const company of settings.companies) {
      company.extensions = { pattern: '^[12]\\d{3}$', endpoint: there('{dn}') };
    }
  };

  /** The next call to this number, or the oldest that nobody was given yet. */
  async call(number: string): Promise<PhoneCall> {
    const waiting = this.#waiting.get(number)?.shift();
    if (waiting) return waiting;
    let timer: NodeJS.Timeout | undefined;
    let taker: { resolve: (call: PhoneCall) => void; reject: (error: Error) => void } | undefined;
    try {
      return await new Promise<PhoneCall>((resolve, reject) => {
        const takers = this.#takers.get(number) ?? [];
        taker = { resolve, reject };
        this.#takers.set(number, [...takers, taker]);
        timer = setTimeout(() => reject(new Error(`no call for ${number} in ${PATIENCE_MS} ms`)), PATIENCE_MS);
      });
    } finally {
      clearTimeout(timer);
      // One who has given up must not be given the next call to this number.
      this.#takers.set(
        number,
        (this.#takers.get(number) ?? []).filter((one) => one !== taker),
      );
    }
  }

  async #take(): Promise<void> {
    for (;;) {
      // Waits as long as the telephone lives; its closing ends it.
      const call = await this.phone.nextCall(2 ** 31 - 1).catch(() => undefined);
      if (!call) return;
      const taker = this.#takers.get(call.dialled)?.shift();
      if (taker) taker.resolve(call);
      else this.#waiting.set(call.dialled, [...(this.#waiting.get(call.dialled) ?? []), call]);
    }
  }

  close(): Promise<void> {
    return this.phone.close();
  }
}
