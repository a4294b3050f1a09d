import { describe, expect, it } from 'vitest';
import { CompanyId } from '../../../src/cti/ids.ts';
import { Journal, type WrittenCall } from '../../../src/store/journal.ts';
import { Keys } from '../../../src/store/keys.ts';
import type { PreparedEvent } from '../../../src/store/logged-event.ts';
import { RESTORE_CALL, RESTORE_EVENTS } from '../../../src/store/restore-scripts.ts';

const COMPANY = CompanyId.parse('acme');
const CALL = '00000000000000000000000000000001001';

const called = (version: number, of: Partial<WrittenCall> = {}): WrittenCall => ({
  companyId: COMPANY,
  shard: 'ringmaster@pbx-1',
  fence: 1,
  callID: CALL,
  version,
  token: `t${version}`,
  json: `{"version":${version}}`,
  ended: false,
  seconds: 3600,
  lastEventID: version,
  timers: [],
  ...of,
});

const told = (n: number): PreparedEvent => ({ name: 'EventRinging', callID: CALL, thisDN: '1001', json: `{"n":${n}}` });

/** What a journal writes again: JSON of calls and of events, in that order of kinds. */
async function restored(journal: Journal): Promise<{ calls: string[]; events: string[] }> {
  const found = { calls: [] as string[], events: [] as string[] };
  await journal.restore(async (script, _keys, args) => {
    if (script === RESTORE_CALL) found.calls.push(args[3] ?? '');
    if (script === RESTORE_EVENTS) found.events.push(...args.filter((arg) => arg.startsWith('{')));
    return script === RESTORE_EVENTS ? [1, 0] : 1;
  }, new Map());
  return found;
}

describe('the memory of what was written last', () => {
  it('has every event, and of each call the newest state alone', async () => {
    const journal = new Journal(new Keys('rm'), 1_000);
    for (const n of [1, 2, 3]) journal.wrote(COMPANY, [told(n)], n, { call: called(n) });
    expect(await restored(journal)).toEqual({ calls: ['{"version":3}'], events: ['{"n":1}', '{"n":2}', '{"n":3}'] });
  });

  it('keeps a newer state that Redis lost, where an older one was stored over it', async () => {
    const journal = new Journal(new Keys('rm'), 1_000);
    journal.wrote(COMPANY, [], 0, { call: called(5) });
    journal.wrote(COMPANY, [], 0, { call: called(2) });
    expect((await restored(journal)).calls).toEqual(['{"version":5}']);
  });

  it('forgets a call with its newest state, and begins anew with the next', async () => {
    let now = 0;
    const journal = new Journal(
      new Keys('rm'),
      1_000,
      () => false,
      () => now,
    );
    journal.wrote(COMPANY, [], 0, { call: called(1) });
    now = 9_000;
    journal.wrote(COMPANY, [], 0, { call: called(2) });
    now = 18_000;
    journal.wrote(COMPANY, [], 0, { call: called(1, { callID: CALL.replace('1', '2') }) });
    expect((await restored(journal)).calls).toEqual(['{"version":2}', '{"version":1}']);
    now = 27_000;
    journal.wrote(COMPANY, [], 0, { call: called(3) });
    expect((await restored(journal)).calls).toEqual(['{"version":1}', '{"version":3}']);
  });

  it('is empty once it is closed, whatever it waited for, and stays so', () => {
    const journal = new Journal(new Keys('rm'), 1_000, () => true);
    journal.wrote(COMPANY, [told(1)], 1, { call: called(1) });
    expect(journal.size).toBe(1);
    journal.close();
    // What was under way is answered after it.
    journal.wrote(COMPANY, [told(2)], 2, { call: called(2) });
    journal.heard(COMPANY, [told(3)], 3);
    expect(journal.size).toBe(0);
  });
});
