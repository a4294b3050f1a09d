import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { steadyClock } from './clock.ts';
import { type Config, trunksOf } from './config.ts';
import { Contacts } from './contacts/index.ts';
import type { CompanyId } from './cti/ids.ts';
import { Dialer, numberRules } from './dialer/index.ts';
import { Directory, type MaskingNumber } from './engine/directory.ts';
import { Engine } from './engine/engine.ts';
import { FloorPost } from './engine/floor-post.ts';
import { LeaseKeeper } from './engine/lease-keeper.ts';
import { NodeBoard } from './engine/node-board.ts';
import { NodeDesk } from './engine/node-desk.ts';
import { Recordings } from './engine/recordings.ts';
import { Router } from './engine/router.ts';
import type { Faults } from './faults.ts';
import { watch, watchLeases } from './metrics.ts';
import { type OpenNode, openNode } from './node.ts';
import { reachesOf, readinessOf, recordingFiles, reportOf, reportsOf } from './node-facts.ts';
import { openAdmission } from './open-admission.ts';
import { openStore } from './open-store.ts';
import { FLOOR_SHARD } from './queues/floor.ts';
import {
  apiKeys,
  createRpcServer,
  operatorKeys,
  PeerClient,
  PeerServer,
  type RpcServer,
  TokenBucket,
} from './rpc/index.ts';
import { Shards } from './shards.ts';
import { type Store, StoreUnavailable } from './store/store.ts';

/** A running Ringmaster. */
export interface Service {
  /** Where the RPC listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Ends it in order. Other instances are given everything, and live calls go on there. Where there is none: no new calls,
   * live ones go on until they are over or the deadline has passed, then everything is closed; calls that still live are
   * left to Asterisk and Redis, for the next start to take up.
   *
   * @returns how many calls were left
   */
  drain(deadlineMs: number): Promise<number>;
  /** Closes everything at once; live calls are left to Asterisk and Redis. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly version: string;
  readonly logger: Logger;
  /** Of tests alone: what is to go wrong. */
  readonly faults?: Faults | undefined;
}

/** How long a take-over may last beyond the lease, ms. */
const TAKE_OVER_MS = 2_000;
/** Bytes of what one instance asks another: a letter of notes is the largest. */
const PEER_BODY_BYTES = 4 * 1024 * 1024;
/** How often events that have outlived the log are dropped, ms. */
const TRIM_MS = 60_000;

/** Wires everything from a checked configuration and starts it. Rejects where the port cannot be opened. */
export async function startService(config: Config, options: ServiceOptions): Promise<Service> {
  const { logger, faults } = options;
  const registry = new Registry();
  const store = openStore(config, logger, {
    onForgotten: () => engine.storeAgain(),
    // What was asked for when Redis went, nobody knows.
    onUp: () => void shared.recount(),
  });
  const directory = directoryOf(config);
  const now = steadyClock(
    faults?.wall ?? Date.now,
    () => performance.now(),
    (ms) => logger.warn({ ms }, 'the clock of this machine was set: durations are told as if it had not been'),
  );
  const { admission, shared } = openAdmission(config, store, now, logger);
  const randomHex = (): string => randomBytes(16).toString('hex');
  let listening = config.listen;
  let peersUrl: string | undefined;
  // Of this one process: a name alone could be two processes'.
  const instance = `${config.cluster.instance ?? hostname()}/${randomBytes(4).toString('hex')}`;
  const publicUrl = config.http.publicUrl?.replace(/\/+$/, '');
  const baseUrl = (): string => publicUrl ?? httpUrl(listening);
  const board: NodeBoard = new NodeBoard(config.nodes, () => keeper.overview, instance);
  const engine: Engine = new Engine({
    store: faults?.calls(store.calls) ?? store.calls,
    floors: faults?.floors(store.floors) ?? store.floors,
    admission,
    directory,
    masks: store.masks,
    recordings: new Recordings(recordingPoliciesOf(config), randomHex, baseUrl),
    now,
    randomHex,
    ringTimeout: config.ringTimeout,
    storeAnswers: () => store.healthy,
    isPassing,
    log: {
      info: (what, details) => logger.info(details ?? {}, what),
      error: (what, err, callID) => logger.error({ err, callID }, what),
      storeAway: (err) => logger.error({ err }, 'Redis is away: calls go on, their changes wait'),
      storeBack: () => logger.info('Redis is back: what waited is stored'),
    },
    onFenced: (shard) => keeper.fenced(shard),
    shards: () => nodes.flatMap((n) => n.shards.map((shard) => shard.name)),
    nodeCount: config.nodes.length,
    board,
    post: () => post,
    placing: () => router,
  });
  const keys = apiKeys(keysOf(config));
  const leaseMs = config.cluster.leaseSeconds * 1000;
  const neighbours = { leaseMs, reachedElsewhere: (node: string) => board.reachedElsewhere(node) };
  const nodes: readonly OpenNode[] = config.nodes.map((node) => openNode(node, engine, logger, neighbours));
  const shards = new Shards(engine, nodes, logger, faults);
  const leases = store.leases(instance, leaseMs);
  const keeper: LeaseKeeper = new LeaseKeeper({
    leases,
    host: shards,
    shards: shards.names,
    id: instance,
    url: () => peersUrl,
    nodes: () => reportsOf(nodes, engine, admission),
    reach: () => reachesOf(nodes),
    onBeat: () => operations.beat(),
    leaseMs,
    now: () => performance.now(),
    log: {
      info: (what, details) => logger.info(details, what),
      warn: (what, details) => logger.warn(details, what),
    },
    isPassing,
  });
  shards.keptBy(keeper);
  const { peers: peering } = config.cluster;
  const peers = peering && new PeerClient(peering.secret, logger);
  const router: Router = new Router({
    engine,
    owners: keeper,
    peers,
    contacts: () => contacts,
    nodes: nodes.map(({ id, number, shards: parts }) => ({ id, number, shards: parts.map((p) => p.name) })),
    board,
    id: instance,
    patienceMs: leaseMs + TAKE_OVER_MS,
    randomHex,
  });
  const operations = new NodeDesk({
    board,
    leases,
    report: (id) => {
      const node = nodes.find((n) => n.id === id);
      return node && reportOf(node, engine, admission);
    },
    refresh: () => keeper.refresh(),
    log: { info: (what, details) => logger.info(details, what) },
  });
  const post: FloorPost = new FloorPost({
    peers,
    owner: () => router.otherOwner(FLOOR_SHARD),
    isHere: () => keeper.holds(FLOOR_SHARD),
    ownerOfCall: (callID) => router.otherOwnerOfCall(callID),
    calls: () => engine.calls(),
  });
  const desk = peering && new PeerServer({ desk: router, secret: peering.secret, bodyBytes: PEER_BODY_BYTES, logger });
  const rpc = createRpcServer({
    requests: router,
    log: store.events,
    keys,
    operators: operatorKeys(config.operators),
    nodes: operations,
    recordings: recordingFiles(nodes),
    readiness: () => readinessOf(engine, router, nodes, board, store.healthy),
    registry,
    logger,
    version: options.version,
    limits: { bodyBytes: config.http.bodyLimit },
    onRefused: (caller, method, params, refusal) => engine.publishRefusal(caller, method, params, refusal),
  });
  const dialer = openDialer(config, store, engine, router, () => keeper.holds(FLOOR_SHARD), logger);
  dialer.routes(rpc.http, config.http.trustedProxies);
  dialer.adminRoutes(rpc.http, (authorization) => keys.find(authorization));
  dialer.campaigncallRoutes(rpc.http, rpc.access);
  dialer.watch(registry);
  const contacts: Contacts = openContacts(config, store, engine, router, logger);
  contacts.routes(rpc.http, rpc.access, config.http.trustedProxies);
  contacts.watch(registry);
  shards.withFloor({
    loading: () => contacts.load(),
    opened: () => contacts.start(),
    closed: () => contacts.close(),
  });
  watch(registry, engine, admission, store, nodes, board);
  watchLeases(registry, keeper, router, shared);

  const trimming = setInterval(() => {
    for (const companyId of directory.companyIds) {
      store.events.trim(companyId).catch((err) => logger.warn({ err }, 'the event log could not be trimmed'));
    }
  }, TRIM_MS);
  trimming.unref();

  const closeAll = async (): Promise<void> => {
    clearInterval(trimming);
    // Requests under way are answered before what answers them is closed.
    await rpc.close();
    await dialer.close();
    await contacts.close();
    await desk?.close();
    await keeper.close();
    post.close();
    await peers?.close();
    engine.close();
    shared.close();
    await Promise.all(nodes.map((n) => n.close()));
    await store.close();
  };
  try {
    await store.connected();
    if (desk && peering) peersUrl = peering.url?.replace(/\/+$/, '') ?? httpUrl(await desk.listen(peering.listen));
    for (const node of nodes) node.start();
    await keeper.start();
    const address = await rpc.listen(config.listen);
    listening = address;
    dialer.start();
    logger.info(
      { ...address, nodes: nodes.map((n) => n.id), instance, shards: keeper.held },
      'Ringmaster is listening',
    );
    let ending: Promise<number> | undefined;
    return {
      address,
      close: closeAll,
      drain: (deadlineMs) => {
        ending ??= drain(engine, keeper, rpc, deadlineMs, closeAll);
        return ending;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function drain(
  engine: Engine,
  keeper: LeaseKeeper,
  rpc: RpcServer,
  deadlineMs: number,
  close: () => Promise<void>,
): Promise<number> {
  const until = performance.now() + deadlineMs;
  rpc.drain();
  // Where others are there nothing need end: they take over, and calls go on and begin without a gap.
  await keeper.handOver(deadlineMs);
  engine.drain();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, until - performance.now()));
  });
  await Promise.race([engine.whenIdle(), deadline]);
  clearTimeout(timer);
  const left = engine.liveCalls;
  await close();
  return left;
}

function openDialer(
  config: Config,
  store: Store,
  engine: Engine,
  router: Router,
  mayLead: () => boolean,
  logger: Logger,
): Dialer {
  const callerIds = new Map<string | undefined, string | undefined>(config.trunks.map((t) => [t.id, t.callerId]));
  return new Dialer(
    {
      store: store.dialer,
      flows: store.flows,
      campaigncalls: store.campaigncalls,
      masks: store.masks,
      lists: store.lists,
      events: store.events,
      placing: router,
      requests: router,
      callerIdOf: (trunk) => callerIds.get(trunk),
      queues: engine,
      mayLead,
      storeBackForMs: () => store.backForMs,
      owner: randomUUID(),
      now: Date.now,
      uuid: randomUUID,
      isPassing,
      log: {
        info: (what, details) => logger.info(details, what),
        warn: (what, details) => logger.warn(details, what),
      },
    },
    config.companies,
  );
}

/** A callback that was claimed for its call is called after all if the claim is no older than this, ms. */
const CARRY_ON_MS = 60_000;

function openContacts(config: Config, store: Store, engine: Engine, router: Router, logger: Logger): Contacts {
  return new Contacts(
    {
      store: store.contacts,
      events: store.events,
      desk: engine.tickets,
      ask: (question) => router.contact(question),
      placing: router,
      now: Date.now,
      uuid: randomUUID,
      randomHex: () => randomBytes(16).toString('hex'),
      rate: (perSecond) => new TokenBucket(perSecond, perSecond, () => performance.now()),
      // After this an ended call may be forgotten, and would be made again.
      carryOnMs: Math.min(CARRY_ON_MS, config.redis.endedCallTtl * 1_000),
      isPassing,
      log: {
        info: (what, details) => logger.info(details, what),
        warn: (what, details) => logger.warn(details, what),
      },
    },
    config.companies,
  );
}

function directoryOf(config: Config): Directory {
  const companies = config.companies.map((c) => ({
    companyId: c.companyId as CompanyId,
    extensions: c.extensions,
    numbers: c.numbers,
    ...(c.trunk !== undefined && { trunk: c.trunk }),
    flowTrunks: trunksOf(c),
    routes: c.routes.map((r) => ({
      did: r.did,
      ...r.to,
      ...(r.ringTimeout !== undefined && { ringTimeout: r.ringTimeout }),
    })),
    masking: maskingOf(c),
    queues: c.queues.map(({ overflow, ...q }) => ({ ...q, ...(overflow && { overflow }) })),
  }));
  const trunks = config.trunks.map((t) => ({
    id: t.id,
    endpoint: t.endpoint,
    ...(t.callerId !== undefined && { callerId: t.callerId }),
  }));
  return new Directory(companies, trunks);
}

function maskingOf(company: Config['companies'][number]): MaskingNumber[] {
  return (company.dialer?.accounts ?? []).flatMap((account) => {
    const { canonical } = numberRules(account.country);
    return account.flows.flatMap(({ maskingNumbers, trunk }) =>
      maskingNumbers.map((n) => ({ number: n.replace(/^\+/, ''), canonical, ...(trunk !== undefined && { trunk }) })),
    );
  });
}

/** Waiting may mend it. */
const isPassing = (error: unknown): boolean => error instanceof StoreUnavailable && error.retryable;

const httpUrl = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

const recordingPoliciesOf = (config: Config) =>
  new Map(config.companies.map((c) => [c.companyId as CompanyId, c.recording]));

const keysOf = (config: Config) =>
  config.companies.flatMap((c) => c.keys.map((k) => ({ ...k, companyId: c.companyId as CompanyId })));
