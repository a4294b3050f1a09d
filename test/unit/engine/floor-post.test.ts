import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../../src/calls/call.ts';
import { CompanyId } from '../../../src/cti/ids.ts';
import { FloorPost } from '../../../src/engine/floor-post.ts';
import type { ToldNote } from '../../../src/engine/floors.ts';
import type { Member, PeerAnswer } from '../../../src/ports.ts';
import { newCall } from '../../support/store-kit.ts';

/** Notes of calls on their way to agents and queues that change their instance. */

const ACME = CompanyId.parse('acme');
const member = (id: string): Member => ({ id, says: { url: `http://${id}`, leaving: false } });

let owner: Member | undefined;
let callOwner: Member | undefined;
let isHere: boolean;
let calls: Call[];
let outcome: PeerAnswer['outcome'];
/** What was taken, by instance. */
let taken: [url: string, callID: string][];
let post: FloorPost;

beforeEach(() => {
  vi.useFakeTimers();
  owner = member('a');
  callOwner = undefined;
  isHere = false;
  calls = [];
  outcome = 'answered';
  taken = [];
  post = new FloorPost({
    peers: {
      ask: async (url, question) => {
        if (outcome !== 'answered') return { outcome };
        if (question.ask !== 'notes') throw new Error('only notes are sent here');
        for (const { note } of question.notes as ToldNote[]) taken.push([url, note.callID]);
        return { outcome, body: {} };
      },
    },
    owner: () => owner,
    isHere: () => isHere,
    ownerOfCall: () => callOwner,
    calls: () => calls,
  });
});

afterEach(() => {
  post.close();
  vi.useRealTimers();
});

const later = (ms = 2_000) => vi.advanceTimersByTimeAsync(ms);

describe('the post of the calls’ notes', () => {
  it('sends again what was not taken, to whoever has the agents and queues by then', async () => {
    const { call } = newCall(ACME);
    outcome = 'not-done';
    post.note(call, []);
    await later();
    expect([taken, post.waiting]).toEqual([[], 1]);
    owner = member('b');
    outcome = 'answered';
    await later();
    expect([taken, post.waiting]).toEqual([[['http://b', call.callID]], 0]);
  });

  it('keeps nothing for another owner of what was not taken before they came here: it would be old by then', async () => {
    const { call } = newCall(ACME);
    outcome = 'unknown';
    post.note(call, []);
    await later();
    owner = undefined;
    isHere = true;
    await later();
    expect(post.waiting).toBe(0);
    // The call has ended meanwhile, and what it told last was heard here.
    isHere = false;
    owner = member('b');
    outcome = 'answered';
    await later();
    expect(taken).toEqual([]);
  });

  it('keeps what nobody could be told while nobody had them', async () => {
    const { call } = newCall(ACME);
    owner = undefined;
    post.note(call, []);
    await later();
    owner = member('b');
    await later();
    expect(taken).toEqual([['http://b', call.callID]]);
  });

  it('tells a new owner of every call as it is now', async () => {
    const { call } = newCall(ACME);
    calls = [call];
    await later();
    owner = member('b');
    await later();
    expect(taken).toEqual([
      ['http://a', call.callID],
      ['http://b', call.callID],
    ]);
  });

  it('says of what is asked of a call elsewhere whether it was done, not, or nobody knows', async () => {
    const { call } = newCall(ACME);
    const ask = () =>
      post.effect(ACME, { do: 'assign', callID: call.callID, queue: '8001', dn: '1001', assignment: 1 });
    expect(await ask()).toBe(false);
    callOwner = member('b');
    outcome = 'not-done';
    expect(await ask()).toBe(false);
    outcome = 'unknown';
    expect(await ask()).toBe('unknown');
  });
});
