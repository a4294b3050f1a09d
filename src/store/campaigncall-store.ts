import type { CompanyId } from '../cti/ids.ts';
import type { CampaigncallEntry, CampaigncallStore } from '../ports.ts';
import { ADD_CAMPAIGNCALL } from './campaigncall-script.ts';
import type { Keys } from './keys.ts';
import type { Reading } from './redis-connection.ts';
import type { RedoLog } from './redo-log.ts';
import { list, text } from './reply.ts';

/** The campaigncalls of flows, in Redis; changes of those that are there come with the dialler's own commits. */
export class RedisCampaigncallStore implements CampaigncallStore {
  readonly #redis: Reading;
  readonly #redo: RedoLog;
  readonly #keys: Keys;

  constructor(redis: Reading, redo: RedoLog, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
    this.#keys = keys;
  }

  async add(company: CompanyId, flowId: string, entry: CampaigncallEntry): Promise<void> {
    const args = [entry.id, entry.json, String(Date.now()), String(entry.keepSeconds), String(entry.keepAtMost)];
    await this.#redo.write(company, ADD_CAMPAIGNCALL, campaigncallKeys(this.#keys, company, flowId), args);
  }

  async find(company: CompanyId, flowIds: readonly string[], id: string): Promise<string | undefined> {
    const replies = await Promise.all(
      flowIds.map((flow) => this.#redis.command(['HGET', this.#docs(company, flow), id])),
    );
    const found = replies.find((reply) => reply !== null);
    return found === undefined ? undefined : text(found);
  }

  async list(
    company: CompanyId,
    flowIds: readonly string[],
    limit: number,
    before?: number,
  ): Promise<{ place: number; json: string }[]> {
    const from = before === undefined ? '+inf' : `(${before}`;
    const pages = await Promise.all(
      flowIds.map(async (flow) => {
        const order = this.#keys.dialer(company, `campaigncall-order:${flow}`);
        const range = ['ZRANGE', order, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', '0', String(limit), 'WITHSCORES'];
        const reply = list(await this.#redis.command(range)).map(text);
        return reply.flatMap((id, i) => (i % 2 === 0 ? [{ flow, id, place: Number(reply[i + 1]) }] : []));
      }),
    );
    const newest = pages
      .flat()
      .sort((a, b) => b.place - a.place)
      .slice(0, limit);
    const documents = await Promise.all(
      newest.map(({ flow, id }) => this.#redis.command(['HGET', this.#docs(company, flow), id])),
    );
    return newest.flatMap(({ place }, i) => {
      const json = documents[i];
      return json === null || json === undefined ? [] : [{ place, json: text(json) }];
    });
  }

  #docs(company: CompanyId, flow: string): string {
    return this.#keys.dialer(company, `campaigncalls:${flow}`);
  }
}

/** What the scripts need: the campaigncalls of a flow, their order, and the highest place of the company. */
export const campaigncallKeys = (keys: Keys, company: CompanyId, flow: string): string[] => [
  keys.dialer(company, `campaigncalls:${flow}`),
  keys.dialer(company, `campaigncall-order:${flow}`),
  keys.dialer(company, 'campaigncall-place'),
];
