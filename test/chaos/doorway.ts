import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/lab.ts';

const ENTRY = /^exten => (\S+),1,Stasis\(ringmaster,(.+)\)$/gm;

/**
 * The lab's dialplan, with a choice among a node's shards: one at random, and the next one where nobody listens to it.
 * It stays when Asterisk starts anew.
 */
export async function doorway(lab: Lab, shards: 1 | 2): Promise<void> {
  const file = join(lab.file.asterisk.folder, 'etc', 'extensions.conf');
  const shipped = readFileSync(new URL('../../asterisk-config/etc/extensions.conf', import.meta.url), 'utf8');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Asterisk's own syntax
  const plain = shipped.replaceAll('${RM_APP}', 'ringmaster');
  const chosen = plain.replaceAll(ENTRY, (_, pattern: string, args: string) =>
    [
      `exten => ${pattern},1,Set(SHARD=\${RAND(0,${shards - 1})})`,
      `same => n,Stasis(ringmaster-\${SHARD},${args})`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Asterisk's own syntax
      'same => n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?over)',
      `same => n,Stasis(ringmaster-$[1 - \${SHARD}],${args})`,
      'same => n(over),NoOp()',
    ].join('\n '),
  );
  writeFileSync(file, shards === 1 ? plain : chosen, { mode: 0o600 });
  await lab.rasterisk('dialplan reload');
}
