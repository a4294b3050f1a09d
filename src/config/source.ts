import { type Document, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import type { Finding, Path, Problem } from './problems.ts';
import { keyOf } from './problems.ts';

/** The configuration file as YAML, with the place of everything in it. */
export class Source {
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #file: string;
  /** Keys (as `keyOf` writes them) whose value holds something from the environment. */
  readonly fromEnvironment = new Set<string>();

  constructor(text: string, file: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
  }

  /** What is wrong with the file as YAML. The library's own wording can quote the text, and with it a secret. */
  syntaxProblems(): Problem[] {
    return this.#document.errors.map((error) => {
      const known = SYNTAX[error.code];
      return {
        ...this.#position(error.pos[0]),
        key: '',
        message: known?.message ?? `this is not valid YAML (${error.code})`,
        fix: known?.fix ?? 'Check indentation, quotes and brackets here and on the line before',
      };
    });
  }

  /** Replaces `${NAME}` in every string value by the environment's; `$${` stands for `${` itself. */
  substitute(env: Readonly<Record<string, string | undefined>>): Finding[] {
    const found: Finding[] = [];
    visit(this.#document, {
      Scalar: (key, scalar, ancestors) => {
        if (key === 'key' || typeof scalar.value !== 'string' || !scalar.value.includes('${')) return;
        const path = pathOf(ancestors as ReadonlyArray<Node | Pair | Document>, scalar);
        this.fromEnvironment.add(keyOf(path));
        scalar.value = scalar.value.replace(/\$\$\{|\$\{([^}]*)\}?/g, (whole, name: string | undefined) => {
          if (name === undefined) return '${';
          if (!whole.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
            found.push({
              path,
              message: `has a \${ that is not followed by NAME}`,
              fix: `Write \${NAME}, or $\${ for a plain \${`,
            });
            return '';
          }
          const value = env[name];
          if (value === undefined) {
            found.push({ path, message: `the environment has no ${name}`, fix: `Set ${name} before the start` });
          }
          return value ?? '';
        });
      },
    });
    return found;
  }

  /** The file's content as plain data. @throws where aliases refer to each other too often */
  toData(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 });
  }

  /** Adds file, line and column to what was found. */
  locate(finding: Finding): Problem {
    return {
      ...this.#position(this.#offset(finding)),
      key: keyOf(finding.path),
      message: finding.message,
      fix: finding.fix,
    };
  }

  /** The value's own place, else that of the nearest thing around it that is there. */
  #offset({ path, atKey }: Finding): number {
    const parent = path.length === 0 ? undefined : this.#node(path.slice(0, -1));
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === path.at(-1));
      const value = isNode(pair?.value) ? pair.value.range?.[0] : undefined;
      const key = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
      const at = atKey === true ? key : (value ?? key);
      if (at !== undefined) return at;
    }
    for (let length = path.length; length >= 0; length -= 1) {
      const at = this.#node(path.slice(0, length))?.range?.[0];
      if (at !== undefined) return at;
    }
    return 0;
  }

  #node(path: Path): Node | undefined {
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return isNode(node) ? node : undefined;
  }

  #position(offset: number): { file: string; line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

const SYNTAX: Readonly<Record<string, { message: string; fix: string }>> = {
  DUPLICATE_KEY: { message: 'this key stands here twice', fix: 'Remove one of the two' },
  TAB_AS_INDENT: { message: 'a tab is used to indent', fix: 'Indent with spaces' },
  BAD_INDENT: { message: 'the indentation does not fit', fix: 'Line it up with its neighbours' },
  MISSING_CHAR: { message: 'a quote or bracket is not closed', fix: 'Close it' },
  MULTIPLE_DOCS: { message: 'the file holds more than one document', fix: 'Remove what follows the --- line' },
};

function pathOf(ancestors: ReadonlyArray<Node | Pair | Document>, scalar: Node): Path {
  const path: Array<string | number> = [];
  ancestors.forEach((ancestor, i) => {
    if ('items' in ancestor && !isMap(ancestor)) {
      const child = ancestors[i + 1] ?? scalar;
      path.push((ancestor as unknown as { items: unknown[] }).items.indexOf(child));
    } else if ('key' in ancestor && isScalar(ancestor.key)) {
      path.push(String(ancestor.key.value));
    }
  });
  return path;
}
