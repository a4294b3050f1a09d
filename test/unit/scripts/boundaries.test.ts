import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const config = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as IConfiguration;

/** The rules of .dependency-cruiser.cjs, held to a small tree that breaks them. */
describe('the import boundaries', () => {
  let tree: string;

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'ringmaster-boundaries-'));
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    symlinkSync(join(root, 'package.json'), join(tree, 'package.json'));
    symlinkSync(join(root, 'tsconfig.json'), join(tree, 'tsconfig.json'));
  });

  afterEach(() => rmSync(tree, { recursive: true }));

  /** @param files path to text @returns the names of the rules that they break, each once */
  async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const { forbidden = [], options = {} } = config;
    const { output } = await cruise(['src'], { ...options, validate: true, ruleSet: { forbidden }, baseDir: tree });
    const { summary } = output as ICruiseResult;
    return [...new Set(summary.violations.map((violation) => violation.rule.name))].sort();
  }

  const NOTHING = 'export const nothing = 0;\n';
  const uses = (path: string) => `import { nothing } from '${path}';\nexport const also = nothing;\n`;

  it('let pass what is allowed', async () => {
    const files = {
      'src/cti/ids.ts': "import { z } from 'zod';\nexport const nothing = z.string();\n",
      'src/calls/step.ts': uses('../cti/ids.ts'),
      'src/engine/engine.ts': uses('../calls/step.ts').replace('{ nothing }', '{ also as nothing }'),
    };
    expect(await broken(files)).toEqual([]);
  });

  it.each([
    ['the core, the store', 'src/calls/step.ts', '../store/store.ts', 'calls-imports-only-its-own'],
    ['the vocabulary, the calls', 'src/cti/ids.ts', '../calls/call.ts', 'cti-imports-only-its-own'],
    ['the ARI client, the vocabulary', 'src/ari/client.ts', '../cti/ids.ts', 'ari-imports-only-its-own'],
    ['the RPC, the engine itself', 'src/rpc/server.ts', '../engine/engine.ts', 'rpc-imports-only-its-own'],
    ['the engine, the switch', 'src/engine/engine.ts', '../switch/performer.ts', 'engine-imports-only-its-own'],
    ['the product, the lab', 'src/main.ts', '../lab/lab.ts', 'product-does-not-import-its-tests-or-lab'],
  ])('find %s', async (_, from, to, rule) => {
    const target = join(dirname(from), to);
    expect(await broken({ [from]: uses(to), [target]: NOTHING })).toEqual([rule]);
  });

  it.each([
    ['a clock or socket in the core', 'src/calls/step.ts', "import 'node:net';\n", 'core-is-pure'],
    ['a library in the core', 'src/cti/ids.ts', "import { pino } from 'pino';\npino();\n", 'core-is-pure'],
    ['a development tool', 'src/main.ts', "import 'ari-client';\n", 'no-dev-dependency-in-the-product'],
    ['a file that is not there', 'src/main.ts', "import './gone.ts';\n", 'no-unresolvable'],
  ])('find %s', async (_, path, text, rule) => {
    expect(await broken({ [path]: text })).toEqual([rule]);
  });

  it('find a type that is borrowed from another room', async () => {
    const files = {
      'src/calls/step.ts': "import type { Store } from '../store/store.ts';\nexport type Mine = Store;\n",
      'src/store/store.ts': 'export interface Store {\n  name: string;\n}\n',
    };
    expect(await broken(files)).toEqual(['calls-imports-only-its-own']);
  });

  it('find a cycle', async () => {
    const files = { 'src/ari/a.ts': uses('./b.ts'), 'src/ari/b.ts': "export { also as nothing } from './a.ts';\n" };
    expect(await broken(files)).toEqual(['no-circular']);
  });
});
