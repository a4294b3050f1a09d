import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { APP, FALLBACK_HZ, MUSIC_HZ } from './asterisk.ts';
import { labCompanies } from './config.ts';
import type { LabPorts } from './ports.ts';
import type { LabSecrets } from './secrets.ts';
import {
  agentTone,
  customerBehaviour,
  customerTone,
  FREE_DNS,
  LISTED_REFUSALS,
  NUMBER_FAMILIES,
  STANDING_AGENTS,
} from './standing.ts';

const phone = z.object({
  /** An extension; agents only. */
  dn: z.string().optional(),
  /** A number reached over a trunk; customers only. */
  number: z.string().optional(),
  kind: z.enum(['agent', 'customer']),
  behaviour: z.string(),
  does: z.string(),
  /** Hertz that it sends while it talks. */
  tone: z.number(),
  registered: z.boolean().optional(),
  /** Customers: every number of this form behaves alike. */
  pattern: z.string().optional(),
});
export type LabPhone = z.infer<typeof phone>;

/** `lab.json`: what a test from outside has to know of a running lab. Holds passwords: mode 600. */
export const labFile = z.object({
  id: z.string(),
  dir: z.string(),
  offset: z.number(),
  /** Path of the lab's own ringmaster.yaml. */
  config: z.string(),
  /** Where a Ringmaster started with that file listens. */
  rpc: z.object({ address: z.string(), http: z.string(), ws: z.string(), base: z.string() }),
  companies: z.array(
    z.object({
      name: z.string(),
      companyId: z.string(),
      keys: z.array(z.object({ name: z.string(), key: z.string(), scopes: z.array(z.string()) })),
    }),
  ),
  redis: z.object({ url: z.string(), pid: z.number() }),
  asterisk: z.object({
    pid: z.number(),
    version: z.string(),
    sip: z.object({ host: z.string(), port: z.number() }),
    rtp: z.object({ start: z.number(), end: z.number() }),
    ari: z.object({ url: z.string(), username: z.string(), password: z.string(), app: z.string() }),
    ami: z.object({ host: z.string(), port: z.number(), username: z.string(), secret: z.string() }),
    /** A command line; add a CLI command as its last argument. */
    rasterisk: z.array(z.string()),
    folder: z.string(),
    log: z.string(),
    /** Hertz of the music on hold, and of the tone heard when no application takes a call. */
    musicTone: z.number(),
    fallbackTone: z.number(),
  }),
  phonesPid: z.number(),
  phones: z.array(phone),
  /** For telephones that a test brings: extensions that nobody uses, and the accounts. */
  accounts: z.object({
    freeDns: z.array(z.string()),
    phonePassword: z.string(),
    /** The carrier's, for calls into the lab. */
    carrier: z.object({ username: z.string(), password: z.string() }),
  }),
});
export type LabFile = z.infer<typeof labFile>;

/** Everything of lab.json that does not depend on a running process. */
export function describeLab(where: { id: string; dir: string; offset: number }, ports: LabPorts, secrets: LabSecrets) {
  return {
    ...where,
    config: join(where.dir, 'ringmaster.yaml'),
    rpc: {
      address: `127.0.0.1:${ports.rpc}`,
      base: `http://127.0.0.1:${ports.rpc}`,
      http: `http://127.0.0.1:${ports.rpc}/rpc`,
      ws: `ws://127.0.0.1:${ports.rpc}/rpc`,
    },
    companies: labCompanies(secrets).map((one) => ({
      ...one,
      keys: one.keys.map((key) => ({ ...key, scopes: [...key.scopes] })),
    })),
    ari: {
      url: `http://127.0.0.1:${ports.http}/ari`,
      username: 'ringmaster',
      password: secrets.ari,
      app: APP,
    },
    ami: { host: '127.0.0.1', port: ports.ami, username: 'ringmaster', secret: secrets.ami },
    tones: { musicTone: MUSIC_HZ, fallbackTone: FALLBACK_HZ },
    phones: standingPhones(),
    accounts: {
      freeDns: [...FREE_DNS],
      phonePassword: secrets.phone,
      carrier: { username: 'carrier-a', password: secrets.carrier },
    },
  };
}

/** Every telephone that stands, with its number and what it does. */
export function standingPhones(): LabPhone[] {
  const agents = STANDING_AGENTS.map(
    ({ dn, behaviour, registered }): LabPhone => ({
      dn,
      kind: 'agent',
      behaviour: registered ? behaviour.name : 'not-registered',
      does: registered ? (AGENT_WORDS[behaviour.name] ?? behaviour.name) : 'is not registered',
      tone: agentTone(dn),
      registered,
    }),
  );
  const families = NUMBER_FAMILIES.filter((family) => !family.pattern.includes('code')).map(
    (family): LabPhone => ({
      number: family.example,
      kind: 'customer',
      behaviour: family.behaviour,
      does: family.does,
      tone: customerTone(family.example),
      pattern: family.pattern,
    }),
  );
  const refusals = LISTED_REFUSALS.flatMap((code): LabPhone[] =>
    [`91114000${code}`, `91114010${code}`].map((number) => ({
      number,
      kind: 'customer',
      behaviour: customerBehaviour(number).name,
      does: number.startsWith('91114000') ? `refuses with SIP ${code}` : `rings, then refuses with SIP ${code}`,
      tone: customerTone(number),
    })),
  );
  return [...agents, ...families, ...refusals];
}

const AGENT_WORDS: Readonly<Record<string, string>> = {
  answers: 'rings, answers after 150 ms',
  'answers-on-talk': 'rings, answers when it is sent NOTIFY with Event: talk',
  'rings-out': 'rings and never answers',
  busy: 'refuses with SIP 486',
  declines: 'refuses with SIP 603',
};

/** Reads the lab.json of a run folder. @throws Error if there is none, i.e. no lab is up there */
export function readLabFile(dir: string): LabFile {
  const file = join(dir, 'lab.json');
  try {
    return labFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`no lab in ${dir}: ${(cause as Error).message}`, { cause });
  }
}
