/** Where in the configuration's tree something stands. */
export type Path = ReadonlyArray<string | number>;

/** Something wrong in the configuration file. Never holds the value of a secret. */
export interface Problem {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The key, as `nodes[0].ari.password`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** What a check found, before it is known where in the file it stands. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
  /** True if the finding is about the key at `path` itself and not about its value. */
  readonly atKey?: boolean;
}

/** `nodes[0].ari.password` */
export function keyOf(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

/** One line for a person: `ringmaster.yaml:7:5: nodes[0].ari.password: is missing. Add …` */
export function formatProblem(problem: Problem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `;
  const end = problem.fix.endsWith('?') ? '' : '.';
  return `${problem.file}:${problem.line}:${problem.column}: ${key}${problem.message}. ${problem.fix}${end}`;
}

/** The configuration cannot be used; `problems` says why, all of them at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

const SEPARATOR = '\u001f';

/** A schema's message with its remedy, as one string, which is all that zod carries. */
export function say(message: string, fix: string): string {
  return `${message}${SEPARATOR}${fix}`;
}

/** Takes apart what `say` put together. */
export function said(text: string): { message: string; fix: string } {
  const [message = '', fix = 'See docs/configuration.md'] = text.split(SEPARATOR);
  return { message, fix };
}
