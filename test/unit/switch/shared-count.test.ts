import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPANY_CALLS, SHARDS, story, Told, TRUNK_CALLS, whose } from '../../support/counting-story.ts';
import { STORIES_MS, stories } from '../../support/properties.ts';
import { SimulatedPlaces } from '../../support/simulated-places.ts';

describe('limits that several instances keep together', () => {
  it('are never exceeded, nothing of what has ended is left, and whoever has shards can use all of it', {
    timeout: STORIES_MS,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(story, whose, whose, async (steps, first, owners) => {
        const told = new Told(new SimulatedPlaces(SHARDS));
        await told.share(first);
        await told.tell(steps);
        await told.settle();
        expect(told.most.trunk).toBeLessThanOrEqual(TRUNK_CALLS);
        expect(told.most.company).toBeLessThanOrEqual(COMPANY_CALLS);
        await told.endAll();
        await told.share(owners);
        const owner = owners[0] ?? 0;
        expect(await told.fill(owner)).toBe(TRUNK_CALLS);
        // All of it is free again for any other.
        await told.endAll();
        const [other] = owners.filter((o) => o !== owner);
        if (other !== undefined) expect(await told.fill(other)).toBe(TRUNK_CALLS);
        told.close();
      }),
      stories(300),
    );
  });
});
