import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const LONGEST_KEY = 512;

/**
 * Bearer keys and what each stands for. Keys are held and compared only as HMACs under a secret of this process: neither a
 * memory of the comparison's time nor a look into the table tells a key.
 */
export class KeyRing<T> {
  readonly #secret = randomBytes(32);
  readonly #ring = new Map<string, { readonly digest: Buffer; readonly value: T }>();

  /**
   * @param what the key is called in an error
   * @throws {Error} where a key is empty, too long, or given twice: it would not be clear whose it is
   */
  add(key: string, what: string, value: T): void {
    if (key === '' || key.length > LONGEST_KEY) throw new Error(`${what} must have 1 to ${LONGEST_KEY} characters`);
    const digest = this.#digestOf(key);
    const at = digest.toString('base64');
    if (this.#ring.has(at)) throw new Error(`${what} is the same as another one`);
    this.#ring.set(at, { digest, value });
  }

  /** What the key in an `Authorization` header stands for; undefined for a missing, malformed or unknown key. */
  find(authorization: string | undefined): T | undefined {
    const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (key === undefined || key.length > LONGEST_KEY) return undefined;
    const digest = this.#digestOf(key);
    const entry = this.#ring.get(digest.toString('base64'));
    return entry !== undefined && timingSafeEqual(entry.digest, digest) ? entry.value : undefined;
  }

  #digestOf(key: string): Buffer {
    return createHmac('sha256', this.#secret).update(key).digest();
  }
}
