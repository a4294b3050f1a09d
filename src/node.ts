import type { Logger } from 'pino';
import { AmiClient } from './ami/index.ts';
import type { NodeConfig } from './config.ts';
import { shardName } from './engine/nodes.ts';
import type { ShardPart } from './engine/shard-part.ts';
import type { SwitchListener } from './ports.ts';
import { AsteriskSwitch, type AsteriskSwitchOptions } from './switch/asterisk-switch.ts';
import { knock } from './switch/knock.ts';
import { PhoneWatch } from './switch/phones.ts';
import { KNOCK_MS, Pulse } from './switch/pulse.ts';
import { NodeDoor, Reachability } from './switch/reachability.ts';
import { RecordingShelf } from './switch/recording-shelf.ts';
import { tlsSettings } from './tls.ts';

/** AMI events that are of use: what ARI does not tell. */
const AMI_EVENTS = ['FullyBooted', 'Shutdown', 'ContactStatus'] as const;
/** How long a node may take to serve before the start goes on without it, ms. */
const NODE_START_MS = 10_000;

/** One of a node's shards: a Stasis application, whose calls one instance runs. */
export interface NodeShard {
  /** In leases, keys and logs. */
  readonly name: string;
  /** How its switch names itself to the engine. */
  readonly key: string;
  readonly app: string;
  readonly part: ShardPart;
  readonly node: OpenNode;
}

/** What a shard's switch is opened with. */
export type SwitchHooks = Required<Pick<AsteriskSwitchOptions, 'beforeLists' | 'gate' | 'onReplaced'>>;

/** One Asterisk node: what every instance has of it, and the shards, each with a switch at the instance that owns it. */
export interface OpenNode {
  readonly id: string;
  readonly number: number;
  readonly ami: AmiClient;
  readonly recordings: RecordingShelf;
  readonly shards: readonly NodeShard[];
  /** The switches that are open here. */
  readonly switches: ReadonlySet<AsteriskSwitch>;
  /** Whether it is dead. */
  readonly pulse: Pulse;
  /** Whether it is reached from here, whoever owns something of it. */
  readonly reachability: Reachability;
  start(): void;
  /** Makes a shard's switch; it connects when it is started. */
  openSwitch(shard: NodeShard, hooks: SwitchHooks): AsteriskSwitch;
  /** Starts a switch. Resolves when it serves, or when that takes too long: it is tried for ever. */
  startSwitch(opened: AsteriskSwitch): Promise<void>;
  /** @param abrupt what was sent and has not arrived never does, as far as this machine can see to it */
  closeSwitch(opened: AsteriskSwitch, abrupt?: boolean): Promise<void>;
  close(): Promise<void>;
}

/** The names of the applications of a node's shards. One alone has the name that is configured. */
const appsOf = ({ ari, shards }: NodeConfig): string[] =>
  shards === 1 ? [ari.app] : Array.from({ length: shards }, (_, i) => `${ari.app}-${i}`);

/** The names of a node's shards. */
export const shardNamesOf = (node: NodeConfig): string[] => appsOf(node).map((app) => shardName({ app, id: node.id }));

/** What a node needs to know of the other instances. */
export interface Neighbours {
  /** How long a lease lasts, ms. */
  readonly leaseMs: number;
  /** Whether another instance says that it reaches the node. */
  readonly reachedElsewhere: (node: string) => boolean;
}

/** Makes a node's clients from its configuration; nothing connects until `start`. */
export function openNode(
  config: NodeConfig,
  listener: SwitchListener,
  logger: Logger,
  { leaseMs, reachedElsewhere }: Neighbours,
): OpenNode {
  const { id, ami: manager } = config;
  const ami = new AmiClient({
    node: id,
    host: manager.host,
    port: manager.port,
    username: manager.username,
    secret: manager.secret,
    events: AMI_EVENTS,
    ...(manager.tls && { tls: tlsSettings(manager.tls) }),
  });
  ami.onState((state, reason) => {
    if (reason) logger.warn({ node: id, state, reason: reason.message }, 'AMI');
  });
  new PhoneWatch(ami, {
    onPhones: (reachable) => listener.onPhones(id, reachable),
    onPhoneLost: (endpoint) => listener.onPhoneLost(id, endpoint),
    onError: (err) => logger.warn({ node: id, err }, 'phones could not be listed'),
  });
  const recordings = new RecordingShelf(id, config.ari);
  const switches = new Set<AsteriskSwitch>();
  const stands = (): boolean => [...switches].some((s) => s.connected);
  const door = new NodeDoor(id, config.ari);
  const reachability = new Reachability({
    leaseMs,
    stands,
    ask: () => door.answers(),
    onChange: (reach) => {
      if (reach === 'cut') logger.warn({ node: id }, 'the node is not reached from here');
      else if (reach === 'back') logger.info({ node: id }, 'the node is reached from here again');
    },
    now: () => performance.now(),
  });
  const pulse = new Pulse({
    deadAfter: { refused: config.deadAfter.refused * 1000, silent: config.deadAfter.silent * 1000 },
    concerned: () => switches.size > 0,
    // One that another instance reaches is not dead: it is the way from here that is.
    connected: () => ami.state === 'ready' || ami.state === 'authenticating' || stands() || reachedElsewhere(id),
    knock: () => knock({ ari: config.ari.url, ami: manager }, KNOCK_MS),
    onDead: (of, first) => {
      const seen = of === 'refused' ? 'its host refuses every connection' : 'nothing has come from it';
      if (first)
        logger.error({ node: id, seen, seconds: config.deadAfter[of] }, 'the node is dead: its calls are released');
      for (const s of switches) s.died();
    },
    onAlive: () => logger.warn({ node: id }, 'the node that was taken for dead is there again'),
    now: () => performance.now(),
  });
  const apps = appsOf(config);
  const shards: NodeShard[] = [];
  const node: OpenNode = {
    id,
    number: config.number,
    ami,
    recordings,
    shards,
    switches,
    pulse,
    reachability,
    start() {
      ami.start();
      pulse.start();
      reachability.start();
    },
    openSwitch({ key, app }, hooks) {
      const opened = new AsteriskSwitch({
        node: key,
        ari: { ...config.ari, app },
        ami,
        listener,
        onError: (what, err, callID) => logger.warn({ node: key, err, callID }, what),
        ...hooks,
      });
      switches.add(opened);
      return opened;
    },
    async startSwitch(opened) {
      // A node that is away keeps nobody from starting: it is tried for ever, and /readyz tells.
      await opened.start(NODE_START_MS).catch((err) => {
        if (switches.has(opened)) logger.error({ node: opened.node, err }, 'node does not serve yet');
      });
    },
    async closeSwitch(opened, abrupt) {
      switches.delete(opened);
      // Nobody who lets go of a shard can do anything about it.
      await opened.close(abrupt).catch((err: unknown) => {
        logger.error({ node: opened.node, err }, 'a switch could not be closed in order');
      });
    },
    async close() {
      pulse.close();
      reachability.close();
      await Promise.all([...[...switches].map((s) => s.close()), recordings.close(), door.close(), ami.close()]);
    },
  };
  for (const [index, app] of apps.entries()) {
    const part = { index, of: apps.length };
    shards.push({ name: shardName({ app, id }), key: apps.length === 1 ? id : `${id}/${index}`, app, part, node });
  }
  return node;
}
