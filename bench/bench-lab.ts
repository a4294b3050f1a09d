import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Lab, labDir, PortInUse, startLab, stopLab } from '../lab/lab.ts';
import { needPrograms, type Progress } from '../lab/packages.ts';
import type { Surroundings } from './contestants/child.ts';
import { Sipp } from './sipp.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIR = join(dirname(HERE), 'lab', '.run-bench');
/** Tried in turn: tests may be running their labs on this machine. */
const OFFSETS = [500, 600, 800, 900];
/** More than any round asks for: what is measured is the call, not its refusal. */
const UNLIMITED = { calls: 10_000, callsPerSecond: 10_000 };

/** Where one Ringmaster is. */
export interface RingmasterPlace {
  readonly config: string;
  readonly ws: string;
}

/** The lab, two SIPp telephones that answer at once, and what every contestant has to know. */
export class BenchLab {
  readonly lab: Lab;
  readonly surroundings: Omit<Surroundings, 'config'>;
  readonly ringmaster: RingmasterPlace;
  /** A second Ringmaster has its own port, Stasis application and keys in Redis. */
  readonly baseline: RingmasterPlace;
  /** API key with every scope. */
  readonly key: string;
  readonly #phones: readonly Sipp[];

  private constructor(lab: Lab, ports: readonly [number, number], secret: string, phones: readonly Sipp[]) {
    this.lab = lab;
    const [first, second] = [dial('first', ports[0]), dial('second', ports[1])];
    const { ari, ami } = lab.file.asterisk;
    this.surroundings = { ari, ami: { ...ami, username: 'bench', secret }, first, second };
    this.ringmaster = writeConfig(lab, 'ringmaster', lab.ports.rpc, ports);
    this.baseline = writeConfig(lab, 'baseline', lab.ports.rpc + 1, ports);
    this.key = mainCompany(lab).keys.find((one) => one.name === 'everything')?.key ?? '';
    this.#phones = phones;
  }

  /** Brings all of it up; what was left of an earlier run is taken down first. @throws Error in plain words */
  static async up(offset: number | undefined, progress: Progress): Promise<BenchLab> {
    await needPrograms(['sipp'], progress);
    await stopLab(DIR);
    const lab = await startAnywhere(offset === undefined ? OFFSETS : [offset], progress);
    const phones: Sipp[] = [];
    try {
      // Between the customers' port and the one where nothing listens.
      const ports = [lab.ports.customers + 5, lab.ports.customers + 6] as const;
      for (const port of ports) phones.push(await Sipp.start(port, lab.file.dir));
      const secret = randomBytes(18).toString('base64url');
      await furnish(lab, ports[1], secret);
      return new BenchLab(lab, ports, secret, phones);
    } catch (error) {
      for (const phone of phones) await phone.stop();
      await stopLab(DIR);
      throw error;
    }
  }

  async down(): Promise<void> {
    for (const phone of this.#phones) await phone.stop();
    await stopLab(DIR);
  }

  /** @throws Error if Asterisk still has a channel or a bridge a second after the last call has ended */
  async mustBeEmpty(): Promise<void> {
    for (const what of ['channels', 'bridges']) {
      // The last call's end is told when its last leg has ended; its bridge goes right after.
      for (const until = Date.now() + 1000; ; await delay(20)) {
        const left = (await (await this.ari(`/${what}`)).json()) as unknown[];
        if (left.length === 0) break;
        if (Date.now() > until) throw new Error(`Asterisk still has ${left.length} ${what}`);
      }
    }
  }

  /** A request to ARI. @param path from after `/ari` */
  ari(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.surroundings.ari.url}${path}`, {
      ...init,
      headers: { authorization: this.authorization, 'content-type': 'application/json' },
    });
  }

  get authorization(): string {
    const { username, password } = this.surroundings.ari;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** CPU that a part of the lab has used so far, ms (to 10). */
  cpuMs(part: 'asterisk' | 'redis'): number {
    const pid = part === 'asterisk' ? this.lab.file.asterisk.pid : this.lab.file.redis.pid;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime and stime, proc(5); their unit has been a hundredth of a second on every Linux there is.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

async function startAnywhere(offsets: readonly number[], progress: Progress): Promise<Lab> {
  for (const offset of offsets) {
    try {
      return await startLab({ dir: labDir(DIR), offset, progress });
    } catch (error) {
      if (!(error instanceof PortInUse)) throw error;
    }
  }
  throw new Error('every port range for the lab is in use: choose one with --offset');
}

/** The endpoint is that of a trunk without authentication, so that every INVITE is answered the first time. */
const dial = (user: string, port: number): string => `PJSIP/carrier-silent/sip:${user}@127.0.0.1:${port}`;

/** Adds to this lab's own copy of Asterisk's configuration what only the benchmark needs. */
async function furnish(lab: Lab, second: number, secret: string): Promise<void> {
  const etc = join(lab.asterisk.folder, 'etc');
  appendFileSync(
    join(etc, 'extensions.conf'),
    `\n; For the benchmark alone: Asterisk connects the two phones by itself.\n[bench]\n` +
      `exten => second,1,Dial(${dial('second', second)},20)\n`,
  );
  appendFileSync(
    join(etc, 'manager.conf'),
    `\n; For the benchmark alone: may originate, which Ringmaster's own user may not.\n[bench]\nsecret = ${secret}\n` +
      'deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\nread = call\nwrite = system,call,originate\n',
  );
  await lab.rasterisk('dialplan reload');
  await lab.rasterisk('manager reload');
}

function mainCompany(lab: Lab) {
  const main = lab.file.companies.find((one) => one.name === 'main');
  if (!main) throw new Error('the lab has no company main');
  return main;
}

/** A configuration in which both parties of a call are the two telephones, whatever is dialled. */
function writeConfig(lab: Lab, name: string, rpc: number, [first, second]: readonly [number, number]): RingmasterPlace {
  const settings = lab.settings();
  const main = mainCompany(lab);
  const config = join(lab.file.dir, `bench-${name}.yaml`);
  const changed = {
    ...settings,
    listen: `127.0.0.1:${rpc}`,
    redis: { ...settings.redis, keyPrefix: name },
    nodes: settings.nodes.map((node) => ({ ...node, ari: { ...node.ari, app: name }, limits: UNLIMITED })),
    trunks: [{ id: 'bench', endpoint: dial('{number}', second), callerId: '911140001000', limits: UNLIMITED }],
    companies: [
      {
        companyId: main.companyId,
        keys: main.keys.map((key) => ({ ...key, requestsPerSecond: 100_000 })),
        extensions: { pattern: '^1\\d{3}$', endpoint: dial('{dn}', first) },
        numbers: settings.companies[0]?.numbers,
        trunk: 'bench',
        limits: UNLIMITED,
      },
    ],
  };
  writeFileSync(config, stringify(changed), { mode: 0o600 });
  return { config, ws: `ws://127.0.0.1:${rpc}/rpc` };
}
