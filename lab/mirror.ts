import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One archive of a machine's apt sources. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
}

/** Reads the deb822 format (`*.sources`): blocks of `Key: value`, `#` lines are comments. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    let key = '';
    for (const line of block.split('\n')) {
      if (line.startsWith('#')) continue;
      const named = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (named) {
        key = (named[1] ?? '').toLowerCase();
        fields.set(key, named[2] ?? '');
      } else if (key !== '' && /^\s/.test(line)) {
        fields.set(key, `${fields.get(key) ?? ''} ${line.trim()}`);
      }
    }
    if (!words(fields.get('types')).includes('deb') || fields.get('enabled')?.toLowerCase() === 'no') continue;
    for (const uri of words(fields.get('uris'))) sources.push({ uri, suites: words(fields.get('suites')) });
  }
  return sources;
}

/** Reads the one-line format (`sources.list`): `deb [options] uri suite components`. */
export function parseOneLine(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const entry = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.trim());
    if (entry) sources.push({ uri: entry[1] ?? '', suites: [entry[2] ?? ''] });
  }
  return sources;
}

/**
 * The Debian mirror that this machine itself uses: the archive of its own release, which holds unstable as well. The
 * security archive and other vendors' have suites of other names.
 * @param codename of the release, e.g. `bookworm`
 */
export function debianMirror(sources: readonly AptSource[], codename: string): string | undefined {
  const releases = new Set([codename, 'stable', 'testing', 'sid', 'unstable'].filter((name) => name !== ''));
  return sources.find((source) => source.suites.some((suite) => releases.has(suite)))?.uri;
}

/** The mirror of this machine, from /etc/apt and /etc/os-release. @throws Error where there is none */
export function machineMirror(etc = '/etc'): string {
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync(join(etc, 'os-release'), 'utf8'))?.[1] ?? '';
  const sources: AptSource[] = [];
  const folder = join(etc, 'apt', 'sources.list.d');
  for (const file of [join(etc, 'apt', 'sources.list'), ...list(folder).map((name) => join(folder, name))]) {
    if (file.endsWith('.sources')) sources.push(...parseDeb822(readFileSync(file, 'utf8')));
    else if (file.endsWith('.list')) sources.push(...parseOneLine(optional(file)));
  }
  const mirror = debianMirror(sources, codename);
  if (mirror === undefined) throw new Error('no Debian archive in /etc/apt/sources.list or /etc/apt/sources.list.d');
  return mirror;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // a machine may keep everything in sources.list
  }
}

function optional(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // newer installations have no sources.list at all
  }
}
