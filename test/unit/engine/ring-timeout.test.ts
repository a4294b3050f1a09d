import { expect, it } from 'vitest';
import { RING_TIMEOUT } from '../../support/bare-engine.ts';
import { memoryEngine } from '../../support/memory-engine.ts';

it('a phone rings as long as RequestMakeCall says, else as long as the configuration does', async () => {
  const { request, commands } = await memoryEngine();
  const make = { thisDN: '1001', otherDN: '911140000001', makeCallType: 'Regular', firstLeg: 'agent' };
  await request('RequestMakeCall', make);
  await request('RequestMakeCall', { ...make, ringTimeout: 12 });
  expect(commands.flatMap((c) => (c.do === 'dial' ? [c.ringTimeout] : []))).toEqual([RING_TIMEOUT, 12]);
});
