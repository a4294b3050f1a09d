import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { World } from './world.ts';

/** What is still broken once control is back elsewhere, and is mended then. */
export type Mend = () => Promise<void>;

/** What breaks, and is mended again. */
export interface Fault {
  readonly name: string;
  /** How many instances run when it comes. */
  readonly instances: 1 | 2;
  /** What Asterisk carries does not live through it. */
  readonly endsCalls?: boolean;
  /**
   * Breaks something and mends it. Settles when control can come back: when the cause is gone, or when another instance
   * can take over. From then on it is counted.
   *
   * @param seconds how long it stays broken, where the fault has a choice
   * @returns what is still to be mended, if anything
   */
  run(world: World, random: Random, seconds: number): Promise<Mend | undefined>;
}

export const elapse = (seconds: number): Promise<void> => delay(seconds * 1000);
