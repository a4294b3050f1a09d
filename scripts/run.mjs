// Runs a TypeScript script of this repository, installing node modules first if they are missing or out of date; without
// a script it only installs.
// Plain JavaScript with no imports of ours: this is what runs on a machine where nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`Ringmaster needs Node 20.12 or later; this is ${process.versions.node}.`);
  process.exit(1);
}

/** True if node_modules holds what package-lock.json asks for. */
function modulesAreCurrent() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, p]) => path === '' || p.optional || p.peer || have[path]?.version === p.version,
  );
}

/** True if node_modules is somebody else's: installing would change it under their feet. */
function modulesAreBorrowed() {
  return lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

if (!modulesAreBorrowed() && !modulesAreCurrent()) {
  console.log('Installing node modules (npm ci) …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) {
    console.error('npm ci failed; is the npm registry reachable? The message above tells more.');
    process.exit(npm.status ?? 1);
  }
}

const [script, ...args] = process.argv.slice(2);
if (script === undefined) process.exit(0);
const child = spawn(process.execPath, ['--import', 'tsx', join(root, script), ...args], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
