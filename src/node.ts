import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { AmiClient } from './ami/index.ts';
import type { NodeConfig } from './config.ts';
import type { SwitchListener } from './ports.ts';
import { AsteriskSwitch } from './switch/asterisk-switch.ts';
import { PhoneWatch } from './switch/phones.ts';

/** AMI events that are of use: what ARI does not tell. */
const AMI_EVENTS = ['FullyBooted', 'Shutdown', 'ContactStatus'] as const;
/** How long a node may take to serve before the start goes on without it, ms. */
const NODE_START_MS = 10_000;

/** One Asterisk node with its two clients. */
export interface OpenNode {
  readonly id: string;
  readonly number: number;
  readonly app: string;
  readonly switch: AsteriskSwitch;
  readonly ami: AmiClient;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a node's clients from its configuration; nothing connects until `start`. */
export function openNode(node: NodeConfig, listener: SwitchListener, logger: Logger): OpenNode {
  const { ami: manager } = node;
  const ami = new AmiClient({
    node: node.id,
    host: manager.host,
    port: manager.port,
    username: manager.username,
    secret: manager.secret,
    events: AMI_EVENTS,
    ...(manager.tls && {
      tls: {
        ...(manager.tls.caFile !== undefined && { ca: readFileSync(manager.tls.caFile, 'utf8') }),
        ...(manager.tls.servername !== undefined && { servername: manager.tls.servername }),
        insecure: manager.tls.insecure,
      },
    }),
  });
  ami.onState((state, reason) => {
    if (reason) logger.warn({ node: node.id, state, reason: reason.message }, 'AMI');
  });
  const asterisk = new AsteriskSwitch({
    node: node.id,
    ari: node.ari,
    ami,
    listener,
    onError: (what, err, callID) => logger.warn({ node: node.id, err, callID }, what),
  });
  new PhoneWatch(ami, {
    onPhones: (reachable) => listener.onPhones(node.id, reachable),
    onPhoneLost: (endpoint) => listener.onPhoneLost(node.id, endpoint),
    onError: (err) => logger.warn({ node: node.id, err }, 'phones could not be listed'),
  });
  return {
    id: node.id,
    number: node.number,
    app: node.ari.app,
    switch: asterisk,
    ami,
    async start() {
      ami.start();
      // A node that is away keeps nobody from starting: it is tried for ever, and /readyz tells.
      await asterisk
        .start(NODE_START_MS)
        .catch((err) => logger.error({ node: node.id, err }, 'node does not serve yet'));
    },
    async close() {
      await Promise.all([asterisk.close(), ami.close()]);
    },
  };
}
