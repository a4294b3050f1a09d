import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({
  ari: z.string(),
  ami: z.string(),
  phone: z.string(),
  carrier: z.string(),
  keys: z.record(z.string(), z.string()),
});
/** The passwords of one lab, made once and kept in its run folder. */
export type LabSecrets = z.infer<typeof schema>;

/** API keys that every lab has: who holds them is in `lab/config.ts`. */
export const KEY_NAMES = ['everything', 'agent-desktop', 'dialer', 'reader', 'other', 'stranded'] as const;

/** Reads the lab's secrets, or makes them: a file of mode 600. */
export function labSecrets(runDir: string): LabSecrets {
  const file = join(runDir, 'secrets.json');
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there, or written by another version of the lab: new ones serve as well.
    const secrets: LabSecrets = {
      ari: secret(),
      ami: secret(),
      phone: secret(),
      carrier: secret(),
      keys: Object.fromEntries(KEY_NAMES.map((name) => [name, secret()])),
    };
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    return secrets;
  }
}

function secret(): string {
  return randomBytes(18).toString('base64url');
}
