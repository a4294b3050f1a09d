import { StoreFault } from './errors.ts';

/** Reads the parts of a Redis reply (RESP2) by their type; anything else is a fault, never a silent undefined. */

/** @throws {StoreFault} where the reply is no list */
export function list(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new StoreFault(`Redis answered ${typeof reply} where a list belongs`);
}

/** @throws {StoreFault} where the reply is no text */
export function text(reply: unknown): string {
  if (typeof reply === 'string') return reply;
  throw new StoreFault(`Redis answered ${reply === null ? 'nil' : typeof reply} where a text belongs`);
}

/** A whole number, as an integer reply or as text. @throws {StoreFault} where it is neither */
export function whole(reply: unknown): number {
  const number = typeof reply === 'string' && reply !== '' ? Number(reply) : reply;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new StoreFault('Redis answered something else where a whole number belongs');
}
