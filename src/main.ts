#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { ConfigError, formatProblem, loadConfig } from './config.ts';
import { faultsFrom } from './faults.ts';
import { startService } from './service.ts';

const USAGE = `ringmaster --config FILE [--check]

  --config FILE   the configuration, default ringmaster.yaml (docs/configuration.md)
  --check         say whether the configuration is right, and exit
  --version, --help`;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Exit codes: 0 ended in order, 1 cannot start or go on, 2 wrong command line or configuration. */
async function main(): Promise<number> {
  let args: { config: string; check: boolean; help: boolean; version: boolean };
  try {
    args = parseArgs({
      options: {
        config: { type: 'string', default: 'ringmaster.yaml' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (args.help || args.version) {
    console.log(args.help ? USAGE : version);
    return 0;
  }
  let config: ReturnType<typeof loadConfig>;
  try {
    config = loadConfig(args.config, process.env, (warning) => console.error(`warning: ${formatProblem(warning)}`));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(formatProblem(problem));
    return 2;
  }
  if (args.check) {
    console.log(`${args.config} is right: ${config.nodes.length} node(s), ${config.companies.length} company(ies).`);
    return 0;
  }
  const output = destination({ dest: process.stdout.fd, sync: false });
  const logger = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output);
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const faults = faultsFrom(process.env);
  const service = await startService(config, { version, logger, onFenced: () => end(1), faults });
  const onSignal = (signal: NodeJS.Signals): void => {
    const deadline = config.drain.deadlineSeconds * 1000;
    logger.info({ signal, deadlineSeconds: config.drain.deadlineSeconds }, 'draining: no new calls, live ones go on');
    service.drain(deadline).then(
      (left) => {
        logger.info({ callsLeft: left }, 'ended');
        end(0);
      },
      (err) => {
        logger.error({ err }, 'ending failed');
        end(1);
      },
    );
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  const code = await ended;
  if (code !== 0) await service.close();
  logger.level = 'silent';
  await written(output);
  return code;
}

/** How long whoever reads the log may take for the last of it, ms. */
const LAST_LINES_MS = 2_000;

/**
 * Lines are written beside the event loop, so that a slow reader of them holds up no call: what is on its way when the
 * process ends would be overtaken, or lost.
 */
async function written(output: ReturnType<typeof destination>): Promise<void> {
  const done = new Promise<void>((resolve) => output.once('close', resolve));
  output.end();
  await Promise.race([done, delay(LAST_LINES_MS)]);
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  },
);
