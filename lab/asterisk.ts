import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Chroot } from './chroot.ts';
import type { LabPorts } from './ports.ts';
import { type Daemon, run, runningPid, startDaemon, stopDaemon } from './process.ts';
import type { LabSecrets } from './secrets.ts';
import { fillTemplate } from './template.ts';
import { musicOnHold } from './tones.ts';

/** The Stasis application that the dialplan hands every call to. */
export const APP = 'ringmaster';
/** Hertz of the music on hold. */
export const MUSIC_HZ = 1700;
/** Hertz of the tone that an inbound caller hears when no application takes the call. */
export const FALLBACK_HZ = 3000;

const TEMPLATES = join(dirname(dirname(fileURLToPath(import.meta.url))), 'asterisk-config', 'etc');

/** One lab's Asterisk: its own configuration, run, spool and log folder inside the chroot that all labs share. */
export class LabAsterisk {
  readonly #chroot: Chroot;
  readonly #inside: string;
  readonly #ports: LabPorts;
  readonly #secrets: LabSecrets;
  readonly #daemon: Daemon;

  /**
   * @param id of the lab, a folder name
   * @param runDir the lab's run folder outside the chroot, for the pid file
   */
  constructor(chroot: Chroot, id: string, runDir: string, ports: LabPorts, secrets: LabSecrets) {
    this.#chroot = chroot;
    this.#inside = `/labs/${id}`;
    this.#ports = ports;
    this.#secrets = secrets;
    this.#daemon = {
      name: 'Asterisk',
      pidFile: join(runDir, 'asterisk.pid'),
      marker: `${this.#inside}/etc/asterisk.conf`,
    };
  }

  get pid(): number | undefined {
    return runningPid(this.#daemon);
  }

  /** The lab's folder in the chroot, as seen from outside. */
  get folder(): string {
    return join(this.#chroot.root, this.#inside);
  }

  get logFile(): string {
    return join(this.folder, 'log', 'messages');
  }

  /** A command line to which a CLI command is added, e.g. `core show channels count`. */
  get rasterisk(): [string, ...string[]] {
    return ['chroot', this.#chroot.root, '/usr/sbin/asterisk', '-C', `${this.#inside}/etc/asterisk.conf`, '-rx'];
  }

  /** Writes the configuration, with this lab's ports and passwords in it. */
  install(): void {
    for (const name of ['etc', 'var', 'spool/recording', 'spool/monitor', 'run', 'log', 'moh']) {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o700 });
    }
    chmodSync(this.folder, 0o700);
    for (const file of readdirSync(TEMPLATES)) {
      const text = fillTemplate(readFileSync(join(TEMPLATES, file), 'utf8'), this.#values(), file);
      writeFileSync(join(this.folder, 'etc', file), text, { mode: 0o600 });
    }
    writeFileSync(join(this.folder, 'moh', 'tone.sln'), musicOnHold(MUSIC_HZ));
    mkdirSync(join(this.folder, 'var', 'keys'), { recursive: true });
  }

  #values(): Record<string, string> {
    const { sip, http, ami, rtpStart, rtpEnd, customers, dead } = this.#ports;
    const s = this.#secrets;
    return {
      RM_ETC_DIR: `${this.#inside}/etc`,
      RM_VAR_DIR: `${this.#inside}/var`,
      RM_SPOOL_DIR: `${this.#inside}/spool`,
      RM_RUN_DIR: `${this.#inside}/run`,
      RM_LOG_DIR: `${this.#inside}/log`,
      RM_MOH_DIR: `${this.#inside}/moh`,
      RM_MODULE_DIR: this.#chroot.moduleDir,
      RM_MAX_FILES: String(openFilesLimit()),
      RM_SYSTEM_NAME: 'lab',
      RM_APP: APP,
      RM_SIP_BIND: '127.0.0.1',
      RM_SIP_PORT: String(sip),
      RM_HTTP_BIND: '127.0.0.1',
      RM_HTTP_PORT: String(http),
      RM_AMI_BIND: '127.0.0.1',
      RM_AMI_PORT: String(ami),
      RM_AMI_PERMIT: '127.0.0.1/255.255.255.255',
      RM_RTP_START: String(rtpStart),
      RM_RTP_END: String(rtpEnd),
      RM_CARRIER_HOST: '127.0.0.1',
      RM_CARRIER_MATCH: '127.0.0.1',
      RM_CARRIER_PORT: String(customers),
      RM_DEAD_PORT: String(dead),
      RM_ARI_USERNAME: 'ringmaster',
      RM_ARI_PASSWORD: s.ari,
      RM_AMI_USERNAME: 'ringmaster',
      RM_AMI_SECRET: s.ami,
      RM_PHONE_PASSWORD: s.phone,
      RM_CARRIER_PASSWORD: s.carrier,
    };
  }

  /**
   * Starts Asterisk if it does not run, and waits until it is fully booted.
   * @throws Error with the end of its log if it ends first, or is not ready in a minute
   */
  async start(): Promise<number> {
    const running = this.pid;
    if (running !== undefined) {
      await this.#booted(new Promise(() => {}));
      return running;
    }
    rmSync(join(this.folder, 'run', 'asterisk.ctl'), { force: true });
    const { pid, ended } = await startDaemon(
      this.#daemon,
      ['chroot', this.#chroot.root, '/usr/sbin/asterisk', '-f', '-C', `${this.#inside}/etc/asterisk.conf`],
      { log: join(this.folder, 'log', 'console.log'), cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
    );
    await this.#booted(ended);
    return pid;
  }

  /** ARI answers 503 until every module is loaded. */
  async #booted(ended: Promise<never>): Promise<void> {
    const until = Date.now() + 60_000;
    const authorization = `Basic ${Buffer.from(`ringmaster:${this.#secrets.ari}`).toString('base64')}`;
    let last = 'it does not answer';
    while (Date.now() < until) {
      const answer = fetch(`http://127.0.0.1:${this.#ports.http}/ari/asterisk/ping`, {
        headers: { authorization },
        signal: AbortSignal.timeout(2000),
      });
      const status = await Promise.race([
        ended,
        answer.then(
          async (response) => {
            await response.arrayBuffer();
            return response.status;
          },
          (error: Error) => {
            last = String(error.cause ?? error.message);
            return 0;
          },
        ),
      ]);
      if (status === 200) return;
      if (status !== 0) last = `ARI answers ${status}`;
      await Promise.race([ended, delay(100)]);
    }
    throw new Error(`Asterisk is not ready after a minute: ${last}. Its log is ${this.logFile}`);
  }

  /** Ends Asterisk in order; the calls that it has are hung up. */
  stop(): Promise<void> {
    return stopDaemon(this.#daemon, { signal: 'SIGTERM', grace: 10_000 });
  }

  /** Ends Asterisk as a crash would: nobody gets a BYE. */
  kill(): Promise<void> {
    return stopDaemon(this.#daemon, { signal: 'SIGKILL' });
  }

  /** Runs a command of Asterisk's own command line, e.g. `pjsip show contacts`. @returns what it prints */
  command(command: string): Promise<string> {
    return run([...this.rasterisk, command], { timeout: 10_000 });
  }

  /** Removes the lab's folder from the chroot. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The open files that this process, and so Asterisk, may have; no more than is of use. */
function openFilesLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Math.min(65_536, Number(hard) || 65_536);
}
