import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command } from '../../../src/calls/command.ts';
import type { CallBirth } from '../../../src/calls/input.ts';
import { type CallID, newCallID } from '../../../src/cti/ids.ts';
import { Shard } from '../../../src/engine/shard.ts';
import type { Commit, CommitResult } from '../../../src/ports.ts';
import { makeCall } from '../calls/flow.ts';
import { emptyStore, roomForAll } from './stubs.ts';

const NOW = 1_700_000_000_000;
const CALL = newCallID('0'.padStart(32, '0'), 1);
/** What no waiting mends: Redis refuses the script. */
const FAULT = new Error('WRONGTYPE');

class Away extends Error {
  constructor(readonly sent: boolean) {
    super('away');
  }
}

const arrived: CallBirth = {
  kind: 'arrived',
  callID: CALL,
  companyId: makeCall({}).companyId,
  node: 'a1',
  channel: '1700000000.1',
  callType: 'Inbound',
  callerDN: '02079460000',
  dialledDN: '911140002000',
  ringTimeout: 30,
};

/** A shard over a store that answers as the test says. */
function scene() {
  const commits: Commit[] = [];
  const commands: Command[] = [];
  const said: string[] = [];
  const released: CallID[] = [];
  let answer: () => Error | CommitResult | undefined = () => undefined;
  const shard = new Shard({
    shard: 'test@a1',
    fence: 1,
    store: {
      ...emptyStore,
      commit: async (commit) => {
        const said = answer();
        if (said instanceof Error) throw said;
        if (said) return said;
        commits.push(commit);
        return { outcome: 'stored', version: commit.version + 1, lastEventID: 0 };
      },
    },
    switch: {
      node: 'a1',
      serving: true,
      perform: (_callID, some) => void commands.push(...some),
      resync: () => undefined,
    },
    admission: { ...roomForAll, release: (callID) => void released.push(callID) },
    now: () => NOW,
    log: { error: (what) => void said.push(what), storeAway: () => undefined, storeBack: () => undefined },
    isPassing: (error) => error instanceof Away,
    onChanged: () => undefined,
    onFenced: () => undefined,
  });
  return {
    shard,
    commits,
    commands,
    said,
    released,
    answers: (next: typeof answer): void => {
      answer = next;
    },
    begun: async () => {
      const { call } = await shard.begin({ ...makeCall({}), callID: CALL });
      return call?.parties.map((p) => p.leg.channel) ?? [];
    },
    /** What becomes of a request. */
    ask: () =>
      new Promise((resolve) => {
        const input = { kind: 'attach-data', attachedData: { note: 'x' }, referenceID: 0 } as const;
        shard.runner(CALL)?.push({ input, at: NOW, settle: resolve });
      }),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a call whose first state Redis refuses to store', () => {
  it('is not there: nobody waits for its end, its place is free, and whoever asked for it knows', async () => {
    const at = scene();
    at.answers(() => FAULT);
    const emptied = vi.fn();
    const { verdict, call } = await at.shard.begin({ ...makeCall({}), callID: CALL });
    void at.shard.whenEmpty().then(emptied);
    await vi.advanceTimersByTimeAsync(0);
    expect([verdict?.name, call]).toEqual(['NotReady', undefined]);
    expect([at.shard.size, at.released, at.said]).toEqual([0, [CALL], ['a change of this call could not be stored']]);
    expect(emptied).toHaveBeenCalledOnce();
    expect(at.commands).toEqual([]);
  });

  it('and that a caller had begun is turned away, so that he does not wait for nobody', async () => {
    const at = scene();
    at.answers(() => FAULT);
    await at.shard.begin(arrived);
    expect(at.commands).toEqual([{ do: 'hang-up', channel: '1700000000.1', q850: 42 }]);
    expect([at.shard.size, at.shard.channels]).toEqual([0, 0]);
  });
});

describe('what happened to a call while Redis refuses to store it', () => {
  it('is stored as soon as Redis takes it, in order, and told once', async () => {
    const at = scene();
    const [first = ''] = await at.begun();
    at.commits.length = 0;
    at.answers(() => FAULT);
    at.shard.fact({ kind: 'leg-answered', channel: first });
    await vi.advanceTimersByTimeAsync(1_500);
    at.shard.fact({ kind: 'leg-ended', channel: first, q850: 16 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect([at.commits, at.said]).toEqual([[], ['a change of this call could not be stored']]);
    at.answers(() => undefined);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(at.commits).toHaveLength(1);
    expect(at.commits[0]?.call.parties[0]?.leg).toMatchObject({ state: 'ended', answeredAt: NOW });
    expect(at.shard.waiting).toBe(0);
  });

  it('is not what was asked for: that is refused, and not done later', async () => {
    const at = scene();
    await at.begun();
    at.commits.length = 0;
    at.answers(() => FAULT);
    expect(await at.ask()).toMatchObject({ name: 'CTIException' });
    at.answers(() => undefined);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(at.commits).toEqual([]);
  });

  it('is left to whoever has the shard next', async () => {
    const at = scene();
    const [first = ''] = await at.begun();
    at.answers(() => FAULT);
    at.shard.fact({ kind: 'leg-answered', channel: first });
    await vi.advanceTimersByTimeAsync(0);
    at.shard.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a request whose shard is lost while its commit is tried', () => {
  it.each([
    ['was sent and got no answer', true, 'CTIException'],
    ['never went out', false, undefined],
  ])('may have been done where a try %s: %s', async (_, sent, name) => {
    const at = scene();
    await at.begun();
    at.answers(() => new Away(sent));
    const asked = at.ask() as Promise<{ name: string } | undefined>;
    await vi.advanceTimersByTimeAsync(0);
    at.answers(() => ({ outcome: 'fenced' }));
    await vi.advanceTimersByTimeAsync(250);
    expect((await asked)?.name).toBe(name);
  });
});
