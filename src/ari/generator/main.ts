/**
 * Writes src/ari/types.generated.ts from Asterisk's rest-api JSON.
 *
 *     npm run generate:ari -- [rest-api folder] [output file]
 *
 * Without a folder: $ASTERISK_REST_API, else the newest Asterisk kept in the user's cache folder.
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitModule } from './emit.ts';
import { readModels } from './read.ts';

/** The newest `<cache>/<anything>/usr/share/asterisk/rest-api`, if there is one. */
function cachedRestApi(): string | undefined {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ringmaster');
  if (!existsSync(cache)) return undefined;
  return readdirSync(cache)
    .map((name) => join(cache, name, 'usr', 'share', 'asterisk', 'rest-api'))
    .filter((folder) => existsSync(join(folder, 'events.json')))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

const folder = process.argv[2] ?? process.env['ASTERISK_REST_API'] ?? cachedRestApi();
if (folder === undefined) {
  console.error("Name Asterisk's rest-api folder: npm run generate:ari -- /usr/share/asterisk/rest-api");
  process.exit(1);
}
const output = process.argv[3] ?? fileURLToPath(new URL('../types.generated.ts', import.meta.url));
writeFileSync(output, emitModule(readModels(folder)));
console.log(`${output} written from ${folder}`);
