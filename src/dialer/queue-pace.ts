/** What the pace of one flow with a queue is reckoned from. */
export interface PaceState {
  /** Agents who are free. */
  readonly free: number;
  /** Calls whose customer has not answered yet, of all flows of the queue. */
  readonly ringing: number;
  /** Calls whose customer has answered and for whom nobody is rung yet. */
  readonly waiting: number;
}

/** Progressive: every call has its agent before it is placed. @returns calls to place now */
export const progressive = ({ free, ringing, waiting }: PaceState): number => Math.max(0, free - ringing - waiting);
