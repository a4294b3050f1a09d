import { describe, expect, it } from 'vitest';
import { callIn, Findings } from '../../../src/engine/reconcile.ts';
import type { NodeContents } from '../../../src/ports.ts';
import { AGENT, CUSTOMER, SUPERVISOR, supervised } from '../calls/conferring.ts';

describe('what a node has of a call', () => {
  const t = supervised('monitor');
  const other = `${'f'.repeat(32)}001`;
  const contents: NodeContents = {
    channels: [
      { channel: t.channel(AGENT), state: 'Up', ours: true, onHold: true },
      { channel: t.channel(CUSTOMER), state: 'Up', ours: true, onHold: false },
      { channel: t.channel(SUPERVISOR), state: 'Up', ours: true },
      { channel: `${t.call.callID}-s1`, state: 'Up', ours: true },
      { channel: `${t.call.callID}-s7`, state: 'Up', ours: true },
      { channel: `${other}-s1`, state: 'Up', ours: true },
      { channel: '1700000000.1', state: 'Ring', ours: false },
    ],
    bridges: [
      { bridge: `${t.call.callID}-b1`, channels: [t.channel(AGENT)] },
      { bridge: `${other}-b1`, channels: [] },
    ],
    underWay: new Set([t.channel(CUSTOMER), `${other}-1`]),
    startedAt: 0,
    busy: new Set([other]),
  };

  it('are its legs, their holds where they are known, every channel that listens for it, and its bridges', () => {
    expect(new Findings(contents).of(t.call)).toEqual({
      kind: 'found',
      channels: {
        [t.channel(AGENT)]: 'Up',
        [t.channel(CUSTOMER)]: 'Up',
        [t.channel(SUPERVISOR)]: 'Up',
        [`${t.call.callID}-s1`]: 'Up',
        [`${t.call.callID}-s7`]: 'Up',
      },
      onHold: { [t.channel(AGENT)]: true, [t.channel(CUSTOMER)]: false },
      bridges: { [`${t.call.callID}-b1`]: [t.channel(AGENT)] },
      underWay: [t.channel(CUSTOMER)],
      busy: false,
      nodeDied: false,
    });
  });

  it('is told by the ids', () => {
    expect(callIn(`${other}-s1`)).toBe(other);
    expect(callIn('1700000000.1')).toBeUndefined();
  });
});
