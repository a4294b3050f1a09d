import { describe, expect, it } from 'vitest';
import type { CallRequest, NotDone } from '../../../src/calls/input.ts';
import { destination } from './flow.ts';
import { AGENT, STATES } from './matrix.ts';

const acting = { thisDN: AGENT, referenceID: 5 } as const;
const notDone = (request: CallRequest, command: NotDone['command']): NotDone => ({
  kind: 'not-done',
  request,
  command,
});

describe('a request that Asterisk did not carry out', () => {
  it.each([
    ['mute', 'mute', 'EventUnmuted'],
    ['hold', 'start-music', 'EventRetrieved'],
    ['hold', 'unplace', 'EventRetrieved'],
  ] as const)('%s is undone where %s fails', (kind, command, told) => {
    const call = STATES.Talk();
    const before = call.call;
    call.happens({ kind, ...acting });
    const events = call.events.length;
    call.happens(notDone({ kind, ...acting }, command));
    expect(call.events.slice(events)).toMatchObject([{ messageID: told, thisDN: AGENT, referenceID: 5 }]);
    expect([call.call.media, call.call.parties.map((p) => [p.state, p.muted])]).toEqual([
      before.media,
      before.parties.map((p) => [p.state, p.muted]),
    ]);
  });

  it.each([
    ['unmute', 'unmute', 'muted', 'EventMuted'],
    ['retrieve', 'stop-music', 'Held', 'EventHeld'],
  ] as const)('%s is undone where %s fails', (kind, command, state, told) => {
    const call = STATES[state]();
    const { media } = call.call;
    call.happens({ kind, ...acting });
    const events = call.events.length;
    call.happens(notDone({ kind, ...acting }, command));
    expect(call.events.slice(events)).toMatchObject([{ messageID: told, thisDN: AGENT, referenceID: 5 }]);
    expect(call.call.media).toEqual(media);
  });

  it.each(['asking', 'consulting'] as const)('a consultation (%s) is given up', (state) => {
    const call = STATES[state]();
    call.happens(notDone({ kind: 'consult', ...acting, target: destination('1002'), attachedData: {} }, 'start-music'));
    expect(call.commands.at(-1)).toMatchObject({ do: 'hang-up', channel: call.channel('1002') });
    expect(Object.values(call.call.media.place)).toEqual([`${call.call.callID}-b1`, `${call.call.callID}-b1`]);
  });

  it.each([
    ['a leg that could not be placed tells its own end', { kind: 'hold', ...acting }, 'place', 'Held'],
    ['what was undone meanwhile stays so', { kind: 'mute', ...acting }, 'mute', 'Talk'],
    ['what left nothing behind', { kind: 'send-dtmf', ...acting, dtmfDigits: '1' }, 'send-dtmf', 'Talk'],
    ['a party that has gone', { kind: 'hold', ...acting }, 'start-music', 'leaving'],
    ['a call that has ended', { kind: 'hold', ...acting }, 'start-music', 'over'],
  ] as const)('%s: nothing is changed', (_, request, command, state) => {
    const call = STATES[state]();
    const before = call.call;
    const events = call.events.length;
    call.happens(notDone(request, command));
    expect(call.call).toEqual(before);
    expect(call.events).toHaveLength(events);
  });
});
