import { randomBytes, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { recordingName } from './calls/recording.ts';
import { steadyClock } from './clock.ts';
import type { Config } from './config.ts';
import { Contacts } from './contacts/index.ts';
import type { CompanyId } from './cti/ids.ts';
import { Dialer, numberRules } from './dialer/index.ts';
import { Directory, type MaskingNumber } from './engine/directory.ts';
import { Engine } from './engine/engine.ts';
import { Recordings } from './engine/recordings.ts';
import type { Faults } from './faults.ts';
import { watch } from './metrics.ts';
import { type OpenNode, openNode } from './node.ts';
import type { RecordingFiles } from './ports.ts';
import { apiKeys, createRpcServer, type RpcServer, TokenBucket } from './rpc/index.ts';
import { Store, StoreUnavailable } from './store/store.ts';
import { CallAdmission } from './switch/admission.ts';

/** A running Ringmaster. */
export interface Service {
  /** Where the RPC listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Ends it in order: no new calls, live ones go on until they are over or the deadline has passed, then everything is
   * closed. Calls that still live are left to Asterisk and Redis, for the next start to take up.
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
  /** Another instance has taken over: this process must end. */
  readonly onFenced?: (shard: string) => void;
  /** Of tests alone: what is to go wrong. */
  readonly faults?: Faults | undefined;
}

/** How often events that have outlived the log are dropped, ms. */
const TRIM_MS = 60_000;

/** Wires everything from a checked configuration and starts it. Rejects where the port cannot be opened. */
export async function startService(config: Config, options: ServiceOptions): Promise<Service> {
  const { logger, faults } = options;
  const registry = new Registry();
  const store = openStore(config, logger, () => engine.storeAgain());
  const directory = directoryOf(config);
  const now = steadyClock(
    faults?.wall ?? Date.now,
    () => performance.now(),
    (ms) => logger.warn({ ms }, 'the clock of this machine was set: durations are told as if it had not been'),
  );
  const admission = admissionOf(config, now);
  const randomHex = (): string => randomBytes(16).toString('hex');
  let listening = config.listen;
  const publicUrl = config.http.publicUrl?.replace(/\/+$/, '');
  const baseUrl = (): string => publicUrl ?? httpUrl(listening);
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
    isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
    log: {
      info: (what, details) => logger.info(details ?? {}, what),
      error: (what, err, callID) => logger.error({ err, callID }, what),
      storeAway: (err) => logger.error({ err }, 'Redis is away: calls go on, their changes wait'),
      storeBack: () => logger.info('Redis is back: what waited is stored'),
    },
    onFenced: (shard) => {
      logger.fatal({ shard }, 'another instance has taken over this shard: letting go');
      options.onFenced?.(shard);
    },
  });
  const keys = apiKeys(keysOf(config));
  const rpc = createRpcServer({
    requests: engine,
    log: store.events,
    keys,
    recordings: recordingFiles(() => nodes),
    readiness: () => engine.readiness(store.healthy),
    registry,
    logger,
    version: options.version,
    limits: { bodyBytes: config.http.bodyLimit },
    onRefused: (caller, method, params, refusal) => engine.publishRefusal(caller, method, params, refusal),
  });
  const dialer = openDialer(config, store, engine, logger);
  dialer.routes(rpc.http, config.http.trustedProxies);
  dialer.adminRoutes(rpc.http, (authorization) => keys.find(authorization));
  dialer.campaigncallRoutes(rpc.http, rpc.access);
  dialer.watch(registry);
  const contacts = openContacts(config, store, engine, logger);
  contacts.routes(rpc.http, rpc.access, config.http.trustedProxies);
  contacts.watch(registry);
  const nodes: readonly OpenNode[] = config.nodes.map((node) => openNode(node, engine, logger));
  watch(registry, engine, admission, store, nodes);

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
    engine.close();
    await Promise.all(nodes.map((n) => n.close()));
    await store.close();
  };
  try {
    await store.connected();
    for (const node of nodes) {
      const commands = faults?.commands(node.switch) ?? node.switch;
      await engine.addNode({ id: node.id, number: node.number, app: node.app, switch: commands });
    }
    await contacts.load();
    await engine.openFloors();
    contacts.start();
    await Promise.all(nodes.map((n) => n.start()));
    const address = await rpc.listen(config.listen);
    listening = address;
    dialer.start();
    logger.info({ ...address, nodes: nodes.map((n) => n.id) }, 'Ringmaster is listening');
    let ending: Promise<number> | undefined;
    return {
      address,
      close: closeAll,
      drain: (deadlineMs) => {
        ending ??= drain(engine, rpc, deadlineMs, closeAll);
        return ending;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function drain(engine: Engine, rpc: RpcServer, deadlineMs: number, close: () => Promise<void>): Promise<number> {
  engine.drain();
  rpc.drain();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([engine.whenIdle(), deadline]);
  clearTimeout(timer);
  const left = engine.liveCalls;
  await close();
  return left;
}

function openDialer(config: Config, store: Store, engine: Engine, logger: Logger): Dialer {
  const shownNumbers = new Map<string, string | undefined>(
    config.companies.map((c) => [c.companyId, config.trunks.find((t) => t.id === c.trunk)?.callerId]),
  );
  return new Dialer(
    {
      store: store.dialer,
      flows: store.flows,
      campaigncalls: store.campaigncalls,
      masks: store.masks,
      events: store.events,
      placing: engine,
      requests: engine,
      shownNumber: (companyId) => shownNumbers.get(companyId),
      queues: engine,
      owner: randomUUID(),
      now: Date.now,
      uuid: randomUUID,
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
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

function openContacts(config: Config, store: Store, engine: Engine, logger: Logger): Contacts {
  return new Contacts(
    {
      store: store.contacts,
      events: store.events,
      desk: engine.tickets,
      placing: engine,
      now: Date.now,
      uuid: randomUUID,
      randomHex: () => randomBytes(16).toString('hex'),
      rate: (perSecond) => new TokenBucket(perSecond, perSecond, () => performance.now()),
      // After this an ended call may be forgotten, and would be made again.
      carryOnMs: Math.min(CARRY_ON_MS, config.redis.endedCallTtl * 1_000),
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
      log: {
        info: (what, details) => logger.info(details, what),
        warn: (what, details) => logger.warn(details, what),
      },
    },
    config.companies,
  );
}

/** @param onForgotten Redis has lost more than the store itself can write again */
function openStore(config: Config, logger: Logger, onForgotten: () => void): Store {
  const { redis } = config;
  return new Store({
    url: redis.url,
    prefix: redis.keyPrefix,
    endedCallTtl: redis.endedCallTtl,
    retention: {
      maxAgeMs: redis.eventLog.maxAgeSeconds * 1000,
      minEvents: redis.eventLog.maxEvents,
      maxEvents: redis.eventLog.maxEvents * 5,
    },
    listener: {
      onDown: (connection, err) => logger.error({ err, connection }, 'Redis cannot be reached'),
      onUp: (connection) => logger.info({ connection }, 'connected to Redis'),
      onError: (err) => logger.error({ err }, 'event log'),
      onRestored: ({ more, ...restored }) => {
        logger.error(restored, 'Redis had lost what was written last: it is written again');
        if (!more) return;
        logger.error(
          'Redis has lost more than is remembered: events are missing, live calls and agents are stored anew',
        );
        onForgotten();
      },
    },
  });
}

function directoryOf(config: Config): Directory {
  const companies = config.companies.map((c) => ({
    companyId: c.companyId as CompanyId,
    extensions: c.extensions,
    numbers: c.numbers,
    ...(c.trunk !== undefined && { trunk: c.trunk }),
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
    const numbers = account.flows.flatMap((f) => f.maskingNumbers);
    return numbers.map((n) => ({ number: n.replace(/^\+/, ''), canonical }));
  });
}

function admissionOf(config: Config, now: () => number): CallAdmission {
  return new CallAdmission(
    new Map(config.nodes.map((n) => [n.id, n.limits])),
    new Map(config.trunks.map((t) => [t.id, t.limits])),
    new Map(config.companies.map((c) => [c.companyId, c.limits])),
    now,
  );
}

const httpUrl = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

const recordingPoliciesOf = (config: Config) =>
  new Map(config.companies.map((c) => [c.companyId as CompanyId, c.recording]));

/** Recordings lie on the node that carried the call: an id does not tell which, so each is asked. */
function recordingFiles(nodes: () => readonly OpenNode[]): RecordingFiles {
  return {
    async open(companyId, recordUUID, signal) {
      const name = recordingName(companyId, recordUUID);
      let away: unknown;
      for (const node of nodes()) {
        try {
          const found = await node.switch.openRecording(name, signal);
          if (found) return { size: found.size, samples: found.body };
        } catch (error) {
          away = error;
        }
      }
      // Where one node could not be asked, nobody knows that there is no such recording.
      if (away !== undefined) throw away;
      return undefined;
    },
  };
}

const keysOf = (config: Config) =>
  config.companies.flatMap((c) => c.keys.map((k) => ({ ...k, companyId: c.companyId as CompanyId })));
