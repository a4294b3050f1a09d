import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { APP, LabAsterisk } from '../../lab/asterisk.ts';
import { ensureChroot } from '../../lab/chroot.ts';
import type { Lab } from '../../lab/lab.ts';
import { type LabPorts, labPorts } from '../../lab/ports.ts';
import type { Settings } from './ringmaster.ts';

/** Tried in turn: other labs may be running on this machine. */
const OFFSETS = [300, 400, 500, 600, 700, 800, 900];

/** A second Asterisk beside the lab's: with the lab's passwords and carrier, and with no telephones registered. */
export class SecondNode {
  readonly ports: LabPorts;
  readonly #lab: Lab;
  readonly #asterisk: LabAsterisk;
  readonly #folder: string;

  private constructor(lab: Lab, ports: LabPorts, asterisk: LabAsterisk, folder: string) {
    this.#lab = lab;
    this.ports = ports;
    this.#asterisk = asterisk;
    this.#folder = folder;
  }

  static async start(lab: Lab): Promise<SecondNode> {
    const folder = mkdtempSync(join(tmpdir(), 'ringmaster-node-'));
    const id = createHash('sha256').update(folder).digest('hex').slice(0, 12);
    const chroot = await ensureChroot(() => {});
    for (const offset of OFFSETS) {
      const own = labPorts(offset);
      if (offset % 1000 === lab.file.offset % 1000 || !(await allFree([own.sip, own.http, own.ami]))) continue;
      // The carrier is the lab's, and knows it by where it calls from.
      const ports = { ...own, customers: lab.ports.customers };
      const asterisk = new LabAsterisk(chroot, id, folder, ports, lab.secrets);
      asterisk.install();
      await asterisk.start();
      return new SecondNode(lab, ports, asterisk, folder);
    }
    throw new Error('every range of ports for a second Asterisk is in use');
  }

  /** As an entry of `nodes`. */
  settings(id: string): Settings['nodes'][number] {
    const { ari, ami } = this.#lab.file.asterisk;
    return {
      id,
      ari: { ...ari, url: this.#ari, app: APP },
      ami: { ...ami, port: this.ports.ami },
      limits: { calls: 500, callsPerSecond: 1000 },
    };
  }

  /** Where it takes calls. */
  get sip(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.ports.sip };
  }

  get #ari(): string {
    return `http://127.0.0.1:${this.ports.http}/ari`;
  }

  /** Its channels, by name. */
  async channels(): Promise<string[]> {
    const { username, password } = this.#lab.file.asterisk.ari;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const answer = await request(`${this.#ari}/channels`, { headers: { authorization } });
    return ((await answer.body.json()) as { name: string }[]).map((c) => c.name);
  }

  /** Stops it where it stands: its sockets live, and nothing is answered; or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { pid } = this.#asterisk;
    if (pid === undefined) throw new Error('the second Asterisk does not run');
    process.kill(pid, signal);
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.#asterisk.kill();
  }

  /** Starts it again; it is booted when this resolves. */
  async again(): Promise<void> {
    await this.#asterisk.start();
  }

  async close(): Promise<void> {
    await this.#asterisk.stop();
    this.#asterisk.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  const tried = await Promise.all(
    ports.map(
      (port) =>
        new Promise<boolean>((resolve) => {
          const server = createServer();
          server.once('error', () => resolve(false));
          server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
        }),
    ),
  );
  return tried.every(Boolean);
}
