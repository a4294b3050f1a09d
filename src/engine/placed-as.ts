import type { RequestContext } from './methods/index.ts';

/** For whom and how a call is placed: the queue that chose who is to have it, its trunk, and whether its phones are dialled once. */
export type PlacedAs = Pick<RequestContext, 'chosenBy' | 'trunk' | 'once'>;

/** A call of the dialler's. @param trunk the company's where absent */
export const dialledOnce = (trunk: string | undefined): PlacedAs => ({
  once: true,
  ...(trunk !== undefined && { trunk }),
});
