import { describe, expect, it, vi } from 'vitest';
import { AgentID, CompanyId } from '../../../src/cti/ids.ts';
import { Floors, type FloorsDeps } from '../../../src/engine/floors.ts';
import type { CommitResult } from '../../../src/ports.ts';
import { emptyStore } from './stubs.ts';

const ACME = CompanyId.parse('acme');
const AWAY = new Error('away');
const NONE = { version: 0, agents: [], waiting: [] };

const stored = ({ version }: { version: number }): Promise<CommitResult> =>
  Promise.resolve({ outcome: 'stored', version: version + 1, lastEventID: 0 });

function floorsOf(change: Partial<FloorsDeps> = {}) {
  const said: string[] = [];
  const floors = new Floors({
    store: { ...emptyStore, commit: stored },
    floors: { commitFloor: stored, loadFloor: () => Promise.resolve(NONE) },
    queuesOf: () => new Map(),
    companyIds: [ACME],
    now: () => 0,
    isPassing: (error) => error === AWAY,
    log: { error: (what) => void said.push(what) },
    calls: () => [],
    others: () => [],
    elsewhere: () => [],
    effect: () => undefined,
    onFenced: () => undefined,
    ...change,
  });
  return { floors, said };
}

/** A promise that the test settles. */
function gate<T>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('floors that are let go of while they are being taken', () => {
  it('stay closed where the shard was not yet taken', async () => {
    const taken = gate<number>();
    const { floors } = floorsOf({ store: { ...emptyStore, commit: stored, takeShard: () => taken.promise } });
    const opening = floors.open(7);
    floors.close();
    taken.open(7);
    await opening;
    expect([floors.opened, floors.of(ACME)]).toEqual([false, undefined]);
  });

  it('stay closed where they were being read', async () => {
    const read = gate<typeof NONE>();
    const { floors } = floorsOf({ floors: { commitFloor: stored, loadFloor: () => read.promise } });
    const opening = floors.open(7);
    await Promise.resolve();
    floors.close();
    read.open(NONE);
    await opening;
    expect([floors.opened, floors.of(ACME)]).toEqual([false, undefined]);
  });

  it('are there once where they are taken anew before the first reading has ended', async () => {
    const reads = [gate<typeof NONE>(), gate<typeof NONE>()];
    const left = [...reads];
    const commitFloor = vi.fn(stored);
    const { floors } = floorsOf({
      floors: { commitFloor, loadFloor: () => left.shift()?.promise ?? Promise.resolve(NONE) },
    });
    const first = floors.open(7);
    await Promise.resolve();
    floors.close();
    const second = floors.open(8);
    await vi.waitFor(() => expect(left).toEqual([]));
    reads[1]?.open(NONE);
    await second;
    const runner = floors.of(ACME);
    reads[0]?.open(NONE);
    await first;
    expect(runner).toBeDefined();
    expect(floors.of(ACME)).toBe(runner);
  });
});

it('floors of which some could not be read are all read again, and those of before are let go of', async () => {
  const OTHER = CompanyId.parse('other');
  let away = true;
  const loadFloor = (id: CompanyId) => (away && id === OTHER ? Promise.reject(AWAY) : Promise.resolve(NONE));
  const { floors } = floorsOf({ companyIds: [ACME, OTHER], floors: { commitFloor: stored, loadFloor } });
  await expect(floors.open(7)).rejects.toBe(AWAY);
  await vi.waitFor(() => expect(floors.of(ACME)).toBeDefined());
  const before = floors.of(ACME);
  away = false;
  await floors.open(7);
  expect(before?.stopped).toBe(true);
  expect([floors.of(ACME)?.stopped, floors.of(OTHER)?.stopped]).toEqual([false, false]);
  floors.close();
});

it('a floor that another has written is read anew, however long Redis is away for that', async () => {
  let away = 0;
  const loadFloor = vi.fn(() => (away-- > 0 ? Promise.reject(AWAY) : Promise.resolve(NONE)));
  const commitFloor = vi.fn(stored);
  const { floors, said } = floorsOf({ floors: { commitFloor, loadFloor } });
  await floors.open(7);
  const before = floors.of(ACME);
  away = 2;
  commitFloor.mockResolvedValueOnce({ outcome: 'conflict', version: 9 });
  const agentID = AgentID.parse('a1');
  await before?.request({ kind: 'login', agentID, agentUUID: 'u1', dn: '1001', calls: [], referenceID: 0 });
  await vi.waitFor(() => expect(floors.of(ACME)).toBeDefined(), { timeout: 15_000, interval: 10 });
  expect(floors.of(ACME)).not.toBe(before);
  expect(said).toEqual(['another instance wrote the agents of this company: read anew']);
  floors.close();
});
