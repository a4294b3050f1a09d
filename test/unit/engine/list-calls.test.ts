import { expect, it } from 'vitest';
import { METHODS } from '../../../src/cti/requests.ts';
import { memoryEngine } from '../../support/memory-engine.ts';

it('lists every call once, page by page, by cursors that the contract takes', async () => {
  const { request } = await memoryEngine();
  const make = { thisDN: '1001', otherDN: '911140000001', makeCallType: 'Regular', firstLeg: 'agent' };
  for (let n = 0; n < 3; n += 1) await request('RequestMakeCall', make);
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const params = METHODS.RequestListCalls.params.parse({ limit: 2, ...(cursor !== undefined && { cursor }) });
    const answer = await request('RequestListCalls', params);
    const { calls, cursor: next } = METHODS.RequestListCalls.result.parse('result' in answer ? answer.result : answer);
    pages.push(calls.map((call) => call.callID));
    cursor = next;
  } while (cursor !== undefined);
  expect(pages.map((page) => page.length)).toEqual([2, 1]);
  expect(new Set(pages.flat()).size).toBe(3);
});
