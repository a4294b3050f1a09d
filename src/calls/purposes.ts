import { added } from './conference.ts';
import { consult } from './consult.ts';
import type { Purpose } from './party.ts';
import { first, type Purposeful, second } from './progress.ts';
import { queueAgent, waits } from './queue.ts';
import { supervisor } from './supervise.ts';
import { transfer } from './transfer.ts';

/** What ringing and answering mean, by why the party was brought in. */
export const PURPOSES: Readonly<Record<Purpose, Purposeful>> = {
  first,
  second,
  consult,
  transfer,
  'transfer-return': transfer,
  added,
  supervisor,
  queued: waits,
  'queue-agent': queueAgent,
  // It has answered long ago, in the call that it came from.
  adopted: transfer,
};
