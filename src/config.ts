import { readFileSync } from 'node:fs';
import { checkConfig, type Environment } from './config/check.ts';
import { ConfigError, type Problem } from './config/problems.ts';
import type { Config } from './config/schema.ts';

export { addressList, clientAddress } from './config/addresses.ts';
export { type CheckResult, checkConfig, type Environment } from './config/check.ts';
export { checkFlow, type FlowProblem } from './config/check-flow.ts';
export { trunksOf } from './config/conflicts.ts';
export { ConfigError, formatProblem, type Problem } from './config/problems.ts';
export type {
  ApiKeyConfig,
  CompanyConfig,
  Config,
  ContactsConfig,
  DialerAccountConfig,
  DialerConfig,
  DialerFlowConfig,
  FeedConfig,
  NodeConfig,
  QueueConfig,
  RouteConfig,
  Scope,
  TrunkConfig,
} from './config/schema.ts';

/**
 * Reads and checks a ringmaster.yaml (docs/configuration.md).
 *
 * @param path the file
 * @param env what `${NAME}` in it is taken from, as a rule process.env
 * @param onWarning told of what is allowed and looks doubtful, such as an address that other machines can reach
 * @throws ConfigError with every problem, each with file, line, column, key and what to do; no secret is in it
 */
export function loadConfig(path: string, env: Environment, onWarning?: (warning: Problem) => void): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const fix = 'Give the path of a ringmaster.yaml with --config; ringmaster.example.yaml is one to start from';
    throw new ConfigError([{ file: path, line: 1, column: 1, key: '', message: `cannot be read (${code})`, fix }]);
  }
  const result = checkConfig(text, path, env);
  if (result.problems !== undefined) throw new ConfigError(result.problems);
  for (const warning of result.warnings) onWarning?.(warning);
  return result.config;
}
