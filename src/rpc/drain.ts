import type { EventEmitter } from 'node:events';

/** A stream that can be waited for: a socket or an HTTP response. */
export interface Drainable extends EventEmitter {
  readonly writableLength: number;
  readonly destroyed: boolean;
}

const waiting = new WeakMap<Drainable, Promise<void>>();

/**
 * Resolves once everything that waits in the stream has been taken over by the system, or the stream has closed.
 * However many wait for the same stream, it has one pair of listeners.
 */
export function drainOf(stream: Drainable): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  let drained = waiting.get(stream);
  if (drained === undefined) {
    drained = new Promise((resolve) => {
      const done = () => {
        stream.off('drain', done);
        stream.off('close', done);
        waiting.delete(stream);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
    waiting.set(stream, drained);
  }
  return drained;
}
