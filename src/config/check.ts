import type { z } from 'zod';
import { findConflicts, findDoubts } from './conflicts.ts';
import { schemaAt } from './json-schema.ts';
import { type Finding, keyOf, type Problem, said } from './problems.ts';
import { type Config, configSchema } from './schema.ts';
import { Source } from './source.ts';
import { nearest } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Either a configuration with what looks doubtful in it, or everything that is wrong. */
export type CheckResult =
  | { readonly config: Config; readonly warnings: readonly Problem[]; readonly problems?: undefined }
  | { readonly problems: readonly Problem[]; readonly config?: undefined };

/**
 * Checks the text of a ringmaster.yaml.
 *
 * @param text the file's content
 * @param file its name, for the problems
 * @param env what `${NAME}` is taken from
 */
export function checkConfig(text: string, file: string, env: Environment): CheckResult {
  const source = new Source(text, file);
  const syntax = source.syntaxProblems();
  if (syntax.length > 0) return { problems: syntax };
  const missing = source.substitute(env);
  let data: unknown;
  try {
    data = source.toData();
  } catch {
    const finding = { path: [], message: 'an alias is unknown or used too often', fix: 'Write the values out' };
    return { problems: [source.locate(finding)] };
  }
  const parsed = configSchema.safeParse(withNumbers(data, source));
  if (!parsed.success || missing.length > 0) {
    // A key whose variable is missing is empty, and the schema's complaint about that would only confuse.
    const told = new Set(missing.map((finding) => keyOf(finding.path)));
    const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => findingsOf(issue, data));
    const findings = [...missing, ...issues.filter((finding) => !told.has(keyOf(finding.path)))];
    return { problems: sorted(findings.map((finding) => source.locate(finding))) };
  }
  const config: Config = parsed.data;
  const conflicts = findConflicts(config);
  if (conflicts.length > 0) return { problems: sorted(conflicts.map((finding) => source.locate(finding))) };
  return { config, warnings: sorted(findDoubts(config).map((finding) => source.locate(finding))) };
}

function sorted(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** A number that came out of the environment is text; where the schema wants a number, it becomes one. */
function withNumbers(data: unknown, source: Source, path: ReadonlyArray<string | number> = []): unknown {
  if (Array.isArray(data)) return data.map((item, i) => withNumbers(item, source, [...path, i]));
  if (typeof data === 'object' && data !== null) {
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, withNumbers(value, source, [...path, key])]),
    );
  }
  if (typeof data !== 'string' || !source.fromEnvironment.has(keyOf(path))) return data;
  return schemaAt(path)?.['type'] === 'integer' && /^\d{1,15}$/.test(data) ? Number(data) : data;
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
};

/** Turns zod's issue into words; none of them repeats a value. */
function findingsOf(issue: z.core.$ZodIssue, data: unknown): Finding[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], key, Object.keys(schemaAt(path)?.properties ?? {})));
    case 'invalid_type': {
      const wanted = ARTICLES[issue.expected] ?? issue.expected;
      const value = valueAt(data, path);
      if (value === undefined || value === null) return [{ path, ...missingKey(path, wanted) }];
      const fix = issue.expected === 'string' ? 'Put it in quotes' : `Write ${wanted}`;
      return [{ path, message: `must be ${wanted}`, fix }];
    }
    case 'invalid_value': {
      const known = issue.values.map(String);
      const value = valueAt(data, path);
      if (value === undefined) return [{ path, ...missingKey(path, `one of ${known.join(', ')}`) }];
      const meant = typeof value === 'string' ? nearest(value, known) : undefined;
      const fix = meant === undefined ? `Use one of: ${known.join(', ')}` : `Did you mean ${meant}?`;
      return [{ path, message: `must be one of ${known.join(', ')}`, fix }];
    }
    case 'too_small':
      return [
        { path, message: `must be ${size(issue.origin, Number(issue.minimum), 'at least')}`, fix: 'Make it larger' },
      ];
    case 'too_big':
      return [
        { path, message: `must be ${size(issue.origin, Number(issue.maximum), 'at most')}`, fix: 'Make it smaller' },
      ];
    case 'invalid_format':
    case 'custom':
      return [{ path, ...said(issue.message) }];
    default:
      return [{ path, message: 'is not valid here', fix: 'See docs/configuration.md' }];
  }
}

function unknownKey(path: Finding['path'], key: string, known: readonly string[]): Finding {
  const meant = nearest(key, known);
  const fix = meant === undefined ? `Known here: ${known.join(', ')}` : `Did you mean ${meant}?`;
  return { path, message: 'is not a key that is known here', fix, atKey: true };
}

function missingKey(path: Finding['path'], wanted: string): { message: string; fix: string } {
  const what = schemaAt(path)?.description;
  const name = path.at(-1);
  const add = typeof name === 'string' ? `Add ${name}:` : 'Write the keys listed in docs/configuration.md';
  return {
    message: `is missing; it must be ${wanted}`,
    fix: what === undefined ? add : `${add} ${what.replace(/\.$/, '')}`,
  };
}

function size(origin: string, bound: number, relation: string): string {
  const unit = origin === 'string' ? ' characters long' : origin === 'array' ? ' entries long' : '';
  return `${relation} ${bound}${unit}`;
}

function valueAt(data: unknown, path: ReadonlyArray<string | number>): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    data,
  );
}
