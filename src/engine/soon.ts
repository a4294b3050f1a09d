import type { Soon } from '../ports.ts';

/** Goes on with what is known, in this very turn, or with what will be, once it is: so that what came first stays first. */
export function whenKnown<T, R>(soon: Soon<T>, next: (known: T) => Soon<R>): Soon<R> {
  return soon instanceof Promise ? soon.then(next) : next(soon);
}
