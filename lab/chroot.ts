import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { machineMirror } from './mirror.ts';
import { needPrograms, type Progress } from './packages.ts';
import { run } from './process.ts';

/** A root folder with Debian's Asterisk in it, shared by every lab of the machine. */
export interface Chroot {
  readonly root: string;
  /** As seen from inside. */
  readonly moduleDir: string;
  /** E.g. `22.10.1+dfsg…`. */
  readonly version: string;
}

/** Where things are kept that are dear to make: RINGMASTER_CACHE, or ~/.cache/ringmaster. */
export function cacheFolder(): string {
  return process.env['RINGMASTER_CACHE'] ?? join(homedir(), '.cache', 'ringmaster');
}

/**
 * The cached Asterisk, built from the machine's own Debian mirror the first time; needs no network after that.
 * @throws Error in plain words where it has to be built and cannot be
 */
export async function ensureChroot(progress: Progress): Promise<Chroot> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'The lab runs Asterisk in a chroot, which only root may do. Run it as root, or use docker compose.',
    );
  }
  const arch = (await run(['dpkg', '--print-architecture']).catch(notDebian)).trim();
  const root = join(cacheFolder(), `asterisk-22-${arch}`);
  if (!existsSync(asteriskIn(root))) {
    await withLock(
      `${root}.lock`,
      () => progress('waiting for another start, which is building Asterisk …'),
      async () => {
        if (!existsSync(asteriskIn(root))) await build(root, progress);
      },
    );
  }
  prepareNames(root);
  const version = (await run(['chroot', root, '/usr/sbin/asterisk', '-V'])).trim().replace(/^Asterisk /, '');
  if (!version.startsWith('22.')) progress(`warning: Debian now brings Asterisk ${version}; this lab was made for 22`);
  return { root, moduleDir: moduleDirOf(root), version };
}

function asteriskIn(root: string): string {
  return join(root, 'usr', 'sbin', 'asterisk');
}

function notDebian(cause: Error): never {
  throw new Error('The lab needs a Debian machine (there is no dpkg here). Use docker compose instead.', { cause });
}

async function build(root: string, progress: Progress): Promise<void> {
  await needPrograms(['mmdebstrap'], progress);
  const mirror = machineMirror();
  const unfinished = `${root}.building-${process.pid}`;
  // What an earlier start left behind when it was cut off: the lock says that nobody is at it now.
  for (const name of readdirSync(cacheFolder())) {
    const left = join(cacheFolder(), name);
    if (left.startsWith(`${root}.building-`)) rmSync(left, { recursive: true, force: true });
  }
  progress(`fetching Asterisk from the Debian mirror into ${root}, once (350 MB, about half a minute) …`);
  const started = Date.now();
  try {
    await run(
      [
        'mmdebstrap',
        '--variant=minbase',
        '--mode=root',
        '--aptopt=APT::Install-Recommends "false"',
        // A mirror may be a snapshot whose release file has expired.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--include=asterisk',
        'sid',
        unfinished,
        mirror,
      ],
      {
        timeout: 900_000,
        onLine: (line) => {
          if (line.startsWith('I:')) progress(`  ${line.slice(2).trim()}`);
        },
      },
    );
    prepareNames(unfinished);
    renameSync(unfinished, root);
  } catch (cause) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(`Could not build the Asterisk chroot: ${(cause as Error).message}`, { cause });
  }
  progress(`Asterisk fetched in ${Math.round((Date.now() - started) / 1000)} s`);
}

/**
 * Names must resolve without the network: Asterisk looks up the machine's own name for every SDP, and a resolver that
 * does not answer makes every call wait for exactly five seconds.
 */
function prepareNames(root: string): void {
  writeFileSync(join(root, 'etc', 'hosts'), `127.0.0.1 localhost\n127.0.1.1 ${hostname()}\n`);
  rmSync(join(root, 'etc', 'resolv.conf'), { force: true });
  writeFileSync(join(root, 'etc', 'resolv.conf'), '');
  writeFileSync(join(root, 'etc', 'nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n');
  mkdirSync(join(root, 'labs'), { recursive: true });
}

function moduleDirOf(root: string): string {
  const lib = join(root, 'usr', 'lib');
  const folder = readdirSync(lib).find((name) => existsSync(join(lib, name, 'asterisk', 'modules')));
  if (folder === undefined) throw new Error(`no Asterisk modules under ${lib}`);
  return `/usr/lib/${folder}/asterisk/modules`;
}
