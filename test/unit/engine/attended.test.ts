import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import type { Command } from '../../../src/calls/command.ts';
import type { CallBirth } from '../../../src/calls/input.ts';
import { type CallID, newCallID } from '../../../src/cti/ids.ts';
import { AttendedTransfers } from '../../../src/engine/attended.ts';
import { Shard } from '../../../src/engine/shard.ts';
import type { Commit, CommitResult } from '../../../src/ports.ts';
import { callArrived, makeCall } from '../calls/flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';
const GUEST = '1002';
const SECOND = newCallID('fedcba9876543210fedcba9876543210', 1);
/** The agent's channel of the second line, as Asterisk names it. */
const SECOND_LINE = '1700000000.42';

/** A shard with two calls of one agent's phone, over a store that can be made to wait. */
async function twoLines() {
  const commands: Command[] = [];
  const waiting: (() => void)[] = [];
  let slow = false;
  const store = {
    commit: ({ version }: Commit): Promise<CommitResult> => {
      const stored = { outcome: 'stored', version: version + 1, lastEventID: 0 } as const;
      if (!slow) return Promise.resolve(stored);
      return new Promise((resolve) => waiting.push(() => resolve(stored)));
    },
    append: () => Promise.resolve(),
    load: () => Promise.resolve(undefined),
    loadLive: () => Promise.resolve([]),
    takeShard: () => Promise.resolve(1),
  };
  const failures: unknown[] = [];
  const shard = new Shard({
    shard: 'test@a1',
    fence: 1,
    store,
    switch: {
      node: 'a1',
      serving: true,
      resync: () => undefined,
      perform: (_: CallID, list) => commands.push(...list),
    },
    admission: {
      admit: () => undefined,
      release: () => undefined,
      admitLeg: () => undefined,
      legsOf: () => undefined,
      readmit: () => undefined,
      load: () => ({ calls: 0, room: true }),
    },
    now: () => 1_700_000_000_000,
    log: { error: (_, error) => failures.push(error), storeAway: () => undefined, storeBack: () => undefined },
    isPassing: () => false,
    onChanged: () => undefined,
    onFenced: () => undefined,
  });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const begin = async (birth: CallBirth): Promise<Call> => {
    const { call } = await shard.begin(birth);
    if (!call) throw new Error('no call');
    return call;
  };
  const answer = async (...channels: string[]): Promise<void> => {
    for (const channel of channels) shard.fact({ kind: 'leg-answered', channel });
    await settle();
  };
  const one = await begin(makeCall({ agent: AGENT, customer: CUSTOMER }));
  await answer(`${one.callID}-1`);
  await answer(`${one.callID}-2`);
  await begin({ ...callArrived({ from: AGENT, to: GUEST, reaches: GUEST }), callID: SECOND });
  await answer(`${SECOND}-2`);
  await answer(SECOND_LINE);
  commands.length = 0;
  const channels = { agent: `${one.callID}-1`, customer: `${one.callID}-2`, guest: `${SECOND}-2` };
  const attended = new AttendedTransfers();
  return {
    shard,
    commands,
    channels,
    failures,
    settle,
    refer: () => {
      const asked = { kind: 'leg-transfer-requested', channel: channels.agent, replaces: SECOND_LINE } as const;
      return attended.begin(shard, asked);
    },
    ends: (channel: string) => shard.fact({ kind: 'leg-ended', channel, q850: 16 }),
    /** From now on every commit waits for `store`. */
    slowly: () => {
      slow = true;
    },
    /** Lets the commits that wait be stored, and those that follow from them. */
    stored: async () => {
      slow = false;
      for (const go of waiting.splice(0)) go();
      await settle();
    },
    party: (dn: string) => shard.runner(one.callID)?.call?.parties.find((p) => p.dn === dn),
  };
}

describe('the two commits of an attended transfer', () => {
  it('move the guest’s channel to the call that goes on', async () => {
    const s = await twoLines();
    expect(s.refer()).toBe(true);
    await s.settle();
    expect(s.party(GUEST)).toMatchObject({ state: 'Talk', leg: { channel: s.channels.guest, state: 'up' } });
    expect(s.shard.callOf(s.channels.guest)?.callID).toBe(s.shard.callOf(s.channels.customer)?.callID);
    s.ends(SECOND_LINE);
    await s.settle();
    // The end of its former call leaves it where it is.
    expect(s.shard.runner(SECOND)).toBeUndefined();
    expect(s.shard.owns(s.channels.guest)).toBe(true);
    for (const c of ['agent', 'guest', 'customer'] as const) s.ends(s.channels[c]);
    await s.settle();
    expect([s.shard.size, s.shard.channels, s.failures]).toEqual([0, 0, []]);
  });

  it('lose no hang-up that comes between them', async () => {
    const s = await twoLines();
    s.slowly();
    s.refer();
    s.ends(s.channels.guest);
    s.ends(s.channels.agent);
    await s.settle();
    await s.stored();
    expect(s.party(GUEST)?.leg.state).toBe('ended');
    expect(s.party(AGENT)?.released).toBe(true);
    expect(s.commands).toContainEqual({ do: 'hang-up', channel: s.channels.customer, q850: 16 });
  });

  it('hang the guest up where the other call is over meanwhile, and tell the phone', async () => {
    const s = await twoLines();
    s.slowly();
    s.refer();
    s.ends(s.channels.customer);
    await s.settle();
    await s.stored();
    expect(s.commands).toContainEqual({ do: 'hang-up', channel: s.channels.guest, q850: 16 });
    expect(s.commands).toContainEqual({ do: 'answer-transfer', channel: s.channels.agent, taken: false });
    expect(s.shard.owns(s.channels.guest)).toBe(false);
  });

  it('are not begun twice for the same calls, nor for a line that nobody has', async () => {
    const s = await twoLines();
    s.slowly();
    expect([s.refer(), s.refer()]).toEqual([true, false]);
    await s.stored();
    expect(s.refer()).toBe(false);
  });

  it('are not begun where the named channel is not in a call of this node', async () => {
    const { shard, channels } = await twoLines();
    const asked = { kind: 'leg-transfer-requested', channel: channels.agent, replaces: 'stranger' } as const;
    expect(new AttendedTransfers().begin(shard, asked)).toBe(false);
  });
});
