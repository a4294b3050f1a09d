/** Something for which places may have been taken. */
export interface Kept<T> {
  readonly it: T;
  /** To be told once it is stored, or nothing comes of it: the places are the call's by then, or free again. */
  readonly settled: () => void;
}

const NOTHING_TAKEN = (): void => undefined;

/** For it nothing was taken. */
export const free = <T>(it: T): Kept<T> => ({ it, settled: NOTHING_TAKEN });
