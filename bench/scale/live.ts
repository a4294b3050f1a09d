import { SimulatedNode } from '../../lab/simulated-node.ts';
import { type Tally, tally } from './tally.ts';
import { answerOf, COMPANY, Controller, QUEUE_DID } from './world.ts';

/** What came of a crash among many live calls. */
export interface Recovery {
  readonly calls: number;
  /** Live calls by what they were doing as the controller died. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Legs that answered, and calls whose customer hung up, while nobody listened. */
  readonly answeredMeanwhile: number;
  readonly endedMeanwhile: number;
  /** From the start of the next controller until every call is back under control, ms. */
  readonly controlAfterMs: number;
  /** Calls that live on after it. */
  readonly alive: number;
  readonly tally: Tally;
  /** Left on the node and in Redis once all calls are over: must be 0. */
  readonly left: { readonly channels: number; readonly bridges: number; readonly liveInRedis: number };
  readonly faults: readonly string[];
}

const KINDS = ['talking', 'ringing', 'held', 'muted', 'consulting', 'conference', 'queued'] as const;
type Kind = (typeof KINDS)[number];
/** Calls begun at once. */
const BATCH = 200;

/**
 * Brings `calls` calls up in every state, lets the controller die without a word, lets legs answer and customers hang up
 * meanwhile, starts the next one and measures until all is under control; then ends all calls and looks at what is left.
 */
export async function recovery(
  redisUrl: string,
  prefix: string,
  calls: number,
  progress: (line: string) => void,
): Promise<Recovery> {
  const options = { redisUrl, prefix, endedCallTtl: 600 };
  const node = new SimulatedNode('sim-1', answerOf);
  const first = await Controller.start(node, options);
  const faults: string[] = [];
  const kinds: Record<Kind, number> = Object.fromEntries(KINDS.map((k) => [k, 0])) as Record<Kind, number>;
  const made: Begun[] = [];
  for (let n = 0; n < calls; n += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, calls - n) }, (_, i) => n + i);
    const begun = await Promise.all(batch.map((i) => begin(first, node, i, kinds)));
    const asked = begun.filter((c) => c !== undefined);
    const there = (): boolean => node.idle && asked.every((c) => node.channels.get(`${c.callID}-2`)?.state === c.until);
    await first.until('calls to come up', there, () => node.commands);
    await Promise.all(asked.map((c) => putInto(first, c).catch((error) => void faults.push(String(error)))));
    await first.until(
      'calls to come into their state',
      () => node.idle,
      () => node.commands,
    );
    made.push(...asked);
    if ((n / BATCH) % 10 === 9) progress(`${n + batch.length} calls are up`);
  }
  const before = first.engine.liveCalls;
  if (before !== calls) faults.push(`${before} calls were up, not ${calls}`);
  await first.crash(node);
  faults.push(...first.errors);

  const ringing = [...node.channels].filter(([, c]) => c.state === 'Ringing').map(([id]) => id);
  const answered = ringing.filter((_, i) => i % 2 === 0);
  for (const channel of answered) node.answer(channel);
  const leaving = made.filter((c, i) => c.kind === 'talking' && i % 3 === 0);
  for (const { callID } of leaving) node.hangUp(`${callID}-2`);
  progress(
    `the controller has died; meanwhile ${answered.length} legs answered and ${leaving.length} customers hung up`,
  );

  const began = performance.now();
  const next = await Controller.start(node, options);
  await next.until(
    'control',
    () => node.idle,
    () => node.commands,
  );
  const controlAfterMs = performance.now() - began;
  const alive = next.engine.liveCalls;
  if (alive !== calls - leaving.length) faults.push(`${alive} calls live on, not ${calls - leaving.length}`);
  progress(`${alive} calls are under control after ${(controlAfterMs / 1000).toFixed(2)} s`);

  for (const channel of [...node.channels.keys()]) node.hangUp(channel);
  await next.until(
    'calls to end',
    () => node.idle && next.engine.liveCalls === 0,
    () => node.commands,
  );
  const counted = await tally(next.events(0), 1, true);
  const live = await next.store.calls.loadLive([COMPANY], `ringmaster@${node.node}`);
  const left = { channels: node.channels.size, bridges: node.bridges.size, liveInRedis: live.length };
  faults.push(...next.errors);
  await next.crash(node);
  return {
    calls,
    kinds,
    answeredMeanwhile: answered.length,
    endedMeanwhile: leaving.length,
    controlAfterMs,
    alive,
    tally: counted,
    left,
    faults,
  };
}

interface Begun {
  readonly callID: string;
  readonly kind: Kind;
  readonly thisDN: string;
  /** State of the second channel once the call is up. */
  readonly until: 'Up' | 'Ringing';
}

/** Begins the call of that number; nothing to wait for where it is the caller who waits. */
async function begin(
  at: Controller,
  node: SimulatedNode,
  i: number,
  kinds: Record<Kind, number>,
): Promise<Begun | undefined> {
  const kind = KINDS[i % KINDS.length] ?? 'talking';
  kinds[kind] += 1;
  if (kind === 'queued') {
    node.arrive(QUEUE_DID, String(919_800_000_000 + i));
    return undefined;
  }
  const thisDN = String(10_000 + (i % 10_000));
  // A phone that begins with 2 rings until it is told to answer.
  const otherDN = kind === 'ringing' ? String(20_000 + (i % 10_000)) : String(911_140_000_000 + i);
  const callID = await at.call(thisDN, otherDN);
  return { callID, kind, thisDN, until: kind === 'ringing' ? 'Ringing' : 'Up' };
}

/** Brings a call whose parties talk into its state. */
async function putInto(at: Controller, { callID, kind, thisDN }: Begun) {
  const request = { callID, thisDN };
  // It rings until it is told to answer.
  const otherDN = String(20_000 + (Number(thisDN) % 10_000));
  switch (kind) {
    case 'held':
      return at.ask('RequestHoldCall', request);
    case 'muted':
      return at.ask('RequestMuteCall', request);
    case 'consulting':
      return at.ask('RequestInitiateConsult', { ...request, otherDN });
    case 'conference':
      return at.ask('RequestSingleStepConference', { ...request, otherDN });
    default:
      return undefined;
  }
}
