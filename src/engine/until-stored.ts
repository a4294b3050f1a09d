import type { CommitResult } from '../ports.ts';

/** Wait between two tries while the store is away, ms. */
const RETRY_MS = 250;

/** What is to be known of something that is asked of the store until it has answered. */
export interface UntilAnswered {
  /** What it is about is another instance's since. */
  readonly gone: () => boolean;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  /** The store did not answer; told with each try. */
  readonly onAway?: (error: unknown) => void;
  readonly onAnswer?: () => void;
}

/**
 * Asks the store until it has answered, however long it is away.
 *
 * @returns undefined where it was given up, because what it is about has gone
 * @throws what waiting does not mend
 */
export async function untilAnswered<T>(ask: () => Promise<T>, of: UntilAnswered): Promise<T | undefined> {
  while (!of.gone()) {
    try {
      const answer = await ask();
      of.onAnswer?.();
      return answer;
    } catch (error) {
      if (!of.isPassing(error)) throw error;
      of.onAway?.(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return undefined;
}

/**
 * Tries a commit until the store has answered, however long it is away.
 *
 * @param commit the same one each time it is called: the store knows by its name whether it has it already
 * @returns `fenced` also where another instance has it meanwhile; `perhaps` where a try was sent and not answered
 * @throws what waiting does not mend
 */
export async function untilStored(commit: () => Promise<CommitResult>, of: UntilAnswered): Promise<CommitResult> {
  let perhaps = false;
  const onAway = (error: unknown): void => {
    perhaps ||= wasSent(error);
    of.onAway?.(error);
  };
  const result = (await untilAnswered(commit, { ...of, onAway })) ?? { outcome: 'fenced' };
  return result.outcome === 'fenced' ? { ...result, perhaps } : result;
}

/** What says of itself that it was never sent (StoreUnavailable does) cannot have been stored. */
const wasSent = (error: unknown): boolean => !(error instanceof Error && 'sent' in error && error.sent === false);
