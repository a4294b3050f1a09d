import { stringify } from 'yaml';
import { APP } from './asterisk.ts';
import type { LabPorts } from './ports.ts';
import type { LabSecrets } from './secrets.ts';

const ALL_SCOPES = ['call', 'agent', 'supervise', 'dial', 'read', 'admin'] as const;

/** A company of the lab, and who may act for it. */
export interface LabCompany {
  readonly name: string;
  readonly companyId: string;
  readonly keys: readonly { readonly name: string; readonly key: string; readonly scopes: readonly string[] }[];
}

/**
 * `main` has everything; `other` is there to be kept apart from it; `stranded` has a trunk that is down.
 * @param secrets of the lab: a key each
 */
export function labCompanies(secrets: LabSecrets): LabCompany[] {
  const key = (name: string, scopes: readonly string[]) => ({ name, key: secrets.keys[name] ?? '', scopes });
  return [
    {
      name: 'main',
      companyId: '30f80aa47cde4b10bd89484aeab63691',
      keys: [
        key('everything', ALL_SCOPES),
        key('agent-desktop', ['call', 'agent', 'read']),
        key('dialer', ['call', 'dial', 'read']),
        key('reader', ['read']),
      ],
    },
    { name: 'other', companyId: '7c1d5b2e90f34e0f8a6b4d2c1e0f9a88', keys: [key('other', ALL_SCOPES)] },
    { name: 'stranded', companyId: 'b2a4c6d8e0f24a6c8e0a2c4e6f8a0c1d', keys: [key('stranded', ALL_SCOPES)] },
  ];
}

/** Out of the way of tests that race: who tests a limit sets it. */
const LIMITS = { calls: 500, callsPerSecond: 1000 };

const NUMBERS = { pattern: '^\\+?\\d{7,15}$' };

/** The settings of a Ringmaster on this lab, as an object: a test changes what it needs and writes its own file. */
export function ringmasterSettings(ports: LabPorts, secrets: LabSecrets) {
  const extensions = { pattern: '^1\\d{3}$', endpoint: 'PJSIP/{dn}' };
  const [main, other, stranded] = labCompanies(secrets).map(({ companyId, keys }) => ({
    companyId,
    keys: keys.map((one) => ({ ...one, scopes: [...one.scopes] })),
  }));
  return {
    listen: `127.0.0.1:${ports.rpc}`,
    redis: { url: `redis://127.0.0.1:${ports.redis}/0` },
    nodes: [
      {
        id: 'pbx-1',
        ari: { url: `http://127.0.0.1:${ports.http}/ari`, username: 'ringmaster', password: secrets.ari, app: APP },
        ami: { host: '127.0.0.1', port: ports.ami, username: 'ringmaster', secret: secrets.ami },
        limits: { calls: 500, callsPerSecond: 1000 },
      },
    ],
    trunks: [
      trunk('carrier-a', '911140001000'),
      trunk('carrier-silent', '911140003000'),
      trunk('carrier-down', '911140003000'),
    ],
    companies: [
      {
        ...main,
        limits: LIMITS,
        extensions,
        numbers: NUMBERS,
        trunk: 'carrier-a',
        queues: [
          { id: '8001', ringTimeout: 15, wrapUp: 30 },
          { id: '8002', ringTimeout: 3, wrapUp: 1 },
        ],
        routes: [
          { did: '911140001000', to: { agent: '1001' } },
          { did: '911140001001', to: { queue: '8001' } },
          { did: '911140001002', to: { queue: '8002' } },
          { did: '911140001011', to: { agent: '1011' } },
          { did: '911140001090', to: { agent: '1090' } },
        ],
      },
      {
        ...other,
        limits: LIMITS,
        extensions: { ...extensions, pattern: '^101[567]$' },
        numbers: NUMBERS,
        trunk: 'carrier-a',
        queues: [{ id: '8001', ringTimeout: 15, wrapUp: 5 }],
        routes: [{ did: '911140002000', to: { agent: '1015' } }],
      },
      {
        ...stranded,
        limits: LIMITS,
        extensions: { ...extensions, pattern: '^1010$' },
        numbers: NUMBERS,
        trunk: 'carrier-down',
        queues: [],
        routes: [],
      },
    ],
  };
}

function trunk(id: string, callerId: string) {
  return { id, endpoint: `PJSIP/{number}@${id}`, callerId, limits: { calls: 400, callsPerSecond: 1000 } };
}

/** `ringmaster.yaml` of the lab. It holds passwords and keys: mode 600. */
export function ringmasterYaml(ports: LabPorts, secrets: LabSecrets): string {
  return stringify(ringmasterSettings(ports, secrets));
}
