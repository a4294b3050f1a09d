/** A limit that all instances keep together: of a node, trunk or company, or of those who wait in a queue. */
export interface Room {
  /** Its name, the same at every instance. */
  readonly meter: string;
  /** At once. */
  readonly calls?: number;
  readonly perSecond?: number;
}

/** What came of asking for places. */
export type PlacesAnswer =
  | { readonly outcome: 'taken' }
  /** This limit had no room; nothing was taken. */
  | { readonly outcome: 'full'; readonly meter: string }
  /** The calls of some shard are not counted yet: nobody knows what is free. */
  | { readonly outcome: 'uncounted' }
  /** Another instance counts this shard. */
  | { readonly outcome: 'not-ours' };

/**
 * The places of all instances' calls, shard by shard: they belong to the shard that the call lives in, and so outlive the
 * instance that took them. All methods reject while the store is away.
 *
 * @remarks a token is the fence of the shard's lease
 */
export interface SharedPlaces {
  /** Takes one place under each limit, or none. */
  take(shard: string, token: number, rooms: readonly Room[]): Promise<PlacesAnswer>;
  /** Places given back (negative), or taken whatever the limits say. Of a shard that another counts nothing changes. */
  change(shard: string, token: number, by: ReadonlyMap<string, number>): Promise<void>;
  /** From now on the shard has these places. @returns false where another instance has the shard */
  count(shard: string, token: number, places: ReadonlyMap<string, number>): Promise<boolean>;
  /**
   * From now on one instance, which has all shards, counts by itself.
   *
   * @param tokens by shard, of all of them
   * @returns false where another instance has one of them
   */
  countAlone(tokens: ReadonlyMap<string, number>): Promise<boolean>;
}
