import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabAsterisk } from './asterisk.ts';
import { cacheFolder, ensureChroot } from './chroot.ts';
import { ringmasterSettings, ringmasterYaml } from './config.ts';
import { describeLab, type LabFile, type LabPhone, labFile, readLabFile } from './labfile.ts';
import { withLock } from './lock.ts';
import type { Progress } from './packages.ts';
import { LabPhones } from './phones.ts';
import { type LabPorts, labPorts } from './ports.ts';
import { LabRedis } from './redis.ts';
import { type LabSecrets, labSecrets } from './secrets.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

export interface LabOptions {
  /** Run folder; RINGMASTER_LAB_DIR, or `lab/.run`. */
  readonly dir?: string;
  /** Added to every port; RINGMASTER_LAB_OFFSET, or 0. Multiples of 100 never collide. */
  readonly offset?: number;
  /** Redis keeps every write on disk. */
  readonly appendOnly?: boolean;
  readonly progress?: Progress;
}

/** A port of the lab belongs to somebody else. */
export class PortInUse extends Error {
  constructor(port: number) {
    super(`port ${port} is in use: start the lab with another --offset`);
  }
}

/** The run folder of a lab. */
export function labDir(dir?: string): string {
  return resolve(dir ?? process.env['RINGMASTER_LAB_DIR'] ?? join(HERE, '.run'));
}

/** A running lab: lab.json, and what can be done to it. */
export class Lab {
  readonly file: LabFile;
  readonly ports: LabPorts;
  readonly secrets: LabSecrets;
  readonly asterisk: LabAsterisk;
  readonly redis: LabRedis;
  readonly phones: LabPhones;

  constructor(file: LabFile, parts: LabParts) {
    this.file = file;
    this.ports = parts.ports;
    this.secrets = parts.secrets;
    this.asterisk = parts.asterisk;
    this.redis = parts.redis;
    this.phones = parts.phones;
  }

  /** The first standing telephone of this behaviour. @param n the next ones, from 0 @throws Error if there is none */
  phone(kind: LabPhone['kind'], behaviour: string, n = 0): LabPhone {
    const found = this.file.phones.filter((one) => one.kind === kind && one.behaviour === behaviour)[n];
    if (!found) throw new Error(`no ${kind} of behaviour ${behaviour} (${n})`);
    return found;
  }

  /** Settings of ringmaster.yaml as an object, to change and write elsewhere. */
  settings(): ReturnType<typeof ringmasterSettings> {
    return ringmasterSettings(this.ports, this.secrets);
  }

  /** Runs a command of Asterisk's own command line. */
  rasterisk(command: string): Promise<string> {
    return this.asterisk.command(command);
  }

  /** Ends Asterisk as a crash would. */
  killAsterisk(): Promise<void> {
    return this.asterisk.kill();
  }

  /** Starts Asterisk if it does not run; it is booted when this resolves. Registrations are on their way then. */
  async startAsterisk(): Promise<number> {
    const pid = await this.asterisk.start();
    this.phones.registerAgain();
    return pid;
  }

  /** Ends Asterisk in order and starts it again. */
  async restartAsterisk(): Promise<number> {
    await this.asterisk.stop();
    return await this.startAsterisk();
  }
}

interface LabParts {
  readonly ports: LabPorts;
  readonly secrets: LabSecrets;
  readonly asterisk: LabAsterisk;
  readonly redis: LabRedis;
  readonly phones: LabPhones;
}

/**
 * Brings a lab up: does nothing if it is up, and starts only what is missing if it is half up.
 * @throws Error in plain words where the machine cannot have one
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const dir = labDir(options.dir);
  const progress = options.progress ?? (() => {});
  const offset = options.offset ?? Number(process.env['RINGMASTER_LAB_OFFSET'] ?? 0);
  const ports = labPorts(offset);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return await withLock(
    join(dir, 'lock'),
    () => progress('waiting for another start of the same lab …'),
    async () => {
      const before = startedOffset(dir);
      if (before !== undefined && before !== offset) await stopParts(dir, before);
      const secrets = labSecrets(dir);
      const chroot = await ensureChroot(progress);
      const parts = assemble(dir, ports, secrets, chroot, options);
      const { asterisk, redis, phones } = parts;
      await needFree(ports, parts);
      // Before anything runs: a start that is cut off must leave enough for `down` to find what it started.
      writeFileSync(join(dir, 'offset'), `${offset}\n`);
      try {
        const fresh = asterisk.pid === undefined;
        if (fresh) {
          progress(`starting Asterisk ${chroot.version} …`);
          asterisk.install();
        }
        if (redis.pid === undefined) progress('starting Redis …');
        const [asteriskPid, redisPid] = await Promise.all([asterisk.start(), redis.start(progress)]);
        if (phones.pid === undefined) progress('starting the telephones …');
        else if (fresh) phones.registerAgain();
        const phonesPid = await phones.start();
        writeFileSync(join(dir, 'ringmaster.yaml'), ringmasterYaml(ports, secrets), { mode: 0o600 });
        const { ari, ami, tones, ...about } = describeLab({ id: labId(dir), dir, offset }, ports, secrets);
        const file = labFile.parse({
          ...about,
          redis: { url: redis.url, pid: redisPid },
          asterisk: {
            pid: asteriskPid,
            version: chroot.version,
            sip: { host: '127.0.0.1', port: ports.sip },
            rtp: { start: ports.rtpStart, end: ports.rtpEnd },
            ari,
            ami,
            rasterisk: asterisk.rasterisk,
            folder: asterisk.folder,
            log: asterisk.logFile,
            ...tones,
          },
          phonesPid,
        } satisfies LabFile);
        writeFileSync(join(dir, 'lab.json'), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
        return new Lab(file, parts);
      } catch (error) {
        await stopAll(parts); // half a lab is of no use, and would hold its ports
        throw error;
      }
    },
  );
}

/** The lab of a run folder, which must be up. @throws Error if it is not */
export async function readLab(dir?: string): Promise<Lab> {
  const file = readLabFile(labDir(dir));
  const ports = labPorts(file.offset);
  const secrets = labSecrets(file.dir);
  const chroot = await ensureChroot(() => {});
  return new Lab(file, assemble(file.dir, ports, secrets, chroot, {}));
}

/**
 * Takes a lab down, whatever is left of it; nothing of it runs afterwards.
 * @param options.remove also forget its passwords, its logs and its folder in the chroot
 */
export async function stopLab(dir?: string, options: { remove?: boolean } = {}): Promise<void> {
  const folder = labDir(dir);
  if (!existsSync(folder)) return;
  await withLock(
    join(folder, 'lock'),
    () => {},
    async () => {
      const parts = await stopParts(folder, startedOffset(folder) ?? 0);
      rmSync(join(folder, 'offset'), { force: true });
      rmSync(join(folder, 'lab.json'), { force: true });
      if (options.remove) parts.asterisk.remove();
    },
  );
  if (options.remove) rmSync(folder, { recursive: true, force: true });
}

/** The offset of the lab that was last started here, even if it never came up. */
function startedOffset(dir: string): number | undefined {
  const file = join(dir, 'offset');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

/** What runs of a lab: pid by part. */
export function labProcesses(lab: Lab): Record<'asterisk' | 'redis' | 'phones', number | undefined> {
  return { asterisk: lab.asterisk.pid, redis: lab.redis.pid, phones: lab.phones.pid };
}

/** Finds and stops without needing (or building) the chroot: pid files say enough. */
async function stopParts(dir: string, offset: number): Promise<LabParts> {
  const root = join(cacheFolder(), `asterisk-22-${process.arch === 'x64' ? 'amd64' : process.arch}`);
  const parts = assemble(dir, labPorts(offset), labSecrets(dir), { root, moduleDir: '', version: '' }, {});
  await stopAll(parts);
  return parts;
}

async function stopAll({ asterisk, redis, phones }: LabParts): Promise<void> {
  await phones.stop(); // first, so that its calls end and it takes itself off the registrar
  await Promise.all([asterisk.stop(), redis.stop()]);
}

function assemble(
  dir: string,
  ports: LabPorts,
  secrets: LabSecrets,
  chroot: ConstructorParameters<typeof LabAsterisk>[0],
  options: LabOptions,
): LabParts {
  return {
    ports,
    secrets,
    asterisk: new LabAsterisk(chroot, labId(dir), dir, ports, secrets),
    redis: new LabRedis(dir, ports.redis, { appendOnly: options.appendOnly ?? false }),
    phones: new LabPhones(dir, ports, secrets),
  };
}

/** A folder name that is the same for the same run folder. */
function labId(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 12);
}

/** A port that somebody else has is better said before Asterisk starts without it. */
async function needFree(ports: LabPorts, { asterisk, redis }: LabParts): Promise<void> {
  const wanted = [
    ...(asterisk.pid === undefined ? [ports.sip, ports.http, ports.ami] : []),
    ...(redis.pid === undefined ? [ports.redis] : []),
  ];
  for (const port of wanted) {
    await new Promise<void>((free, taken) => {
      const server = createServer();
      server.once('error', () => taken(new PortInUse(port)));
      server.listen(port, '127.0.0.1', () => server.close(() => free()));
    });
  }
}
