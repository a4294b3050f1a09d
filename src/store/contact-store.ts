import type { CompanyId } from '../cti/ids.ts';
import type { ContactCommit, ContactDocument, ContactStore } from '../ports.ts';
import { COMMIT_CONTACT } from './contact-script.ts';
import { StoreFault } from './errors.ts';
import type { Keys } from './keys.ts';
import type { Reading } from './redis-connection.ts';
import type { RedoLog, Write } from './redo-log.ts';
import { list, text, whole } from './reply.ts';

const STORED = 1;
const CONFLICT = 3;
/** Documents that are read at once. */
const AT_ONCE = 500;

/** Contacts in Redis: all of a company in one hash, so that a bound on their number is kept in one script. */
export class RedisContactStore implements ContactStore {
  readonly #redis: Reading;
  readonly #redo: RedoLog;
  readonly #keys: Keys;

  constructor(redis: Reading, redo: RedoLog, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
    this.#keys = keys;
  }

  async commit(commit: ContactCommit): Promise<'stored' | 'conflict'> {
    const { script, keys, args } = this.#commitAs(commit);
    const code = whole(await this.#redo.write(commit.companyId, script, keys, args));
    if (code === STORED) return 'stored';
    if (code === CONFLICT) return 'conflict';
    throw new StoreFault(`the contacts' script answered ${code}`);
  }

  holding(companyId: CompanyId, held: () => readonly ContactDocument[]): () => void {
    return this.#redo.holding(companyId, () =>
      held().map(({ version, ...document }) => this.#commitAs({ ...document, companyId, version: version - 1 })),
    );
  }

  async find(companyId: CompanyId, id: string): Promise<ContactDocument | undefined> {
    const [found] = await this.#load(companyId, [id]);
    return found;
  }

  async live(companyId: CompanyId): Promise<ContactDocument[]> {
    const ids = list(await this.#redis.command(['SMEMBERS', this.#keys.contacts(companyId, 'live')])).map(text);
    const found: ContactDocument[] = [];
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      found.push(...(await this.#load(companyId, ids.slice(i, i + AT_ONCE))));
    }
    return found;
  }

  #commitAs({ companyId, id, json, version, ended }: ContactCommit): Write {
    const keys = ['documents', 'live', 'ended'].map((part) => this.#keys.contacts(companyId, part));
    const bounds = [ended?.keepSeconds ?? 0, ended?.keepAtMost ?? 0].map(String);
    const args = [id, String(version), json, ended ? '1' : '0', String(Date.now()), ...bounds];
    return { script: COMMIT_CONTACT, keys, args };
  }

  async #load(companyId: CompanyId, ids: readonly string[]): Promise<ContactDocument[]> {
    const key = this.#keys.contacts(companyId, 'documents');
    const replies = list(await this.#redis.command(['HMGET', key, ...ids]));
    return ids.flatMap((id, i) => {
      const reply = replies[i];
      if (reply === null || reply === undefined) return [];
      const stored = text(reply);
      const space = stored.indexOf(' ');
      return [{ id, json: stored.slice(space + 1), version: Number(stored.slice(0, space)) }];
    });
  }
}
