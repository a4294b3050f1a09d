import type { RequestContext } from './methods/index.ts';

/** For whom and how a call under a chosen id is placed: the queue that chose who is to have it, and its trunk. */
export type PlacedAs = Pick<RequestContext, 'chosenBy' | 'trunk'>;

/** A call of the dialler's. @param trunk the company's where absent */
export const byTrunk = (trunk: string | undefined): PlacedAs => (trunk === undefined ? {} : { trunk });
