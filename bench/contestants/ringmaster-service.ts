import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { loadConfig } from '../../src/config.ts';
import { startService } from '../../src/service.ts';
import { cpuMs } from '../round.ts';
import { answer, type Order, surroundings } from './child.ts';

/** Ringmaster itself, wired as `ringmaster --config FILE` wires it, in a process that tells what CPU it has used. */
const config = loadConfig(surroundings().config, process.env);
const logger = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
const service = await startService(config, { version: 'bench', logger });
const profiles = process.execArgv.find((arg) => arg.startsWith('--cpu-prof-dir='))?.slice('--cpu-prof-dir='.length);
if (profiles !== undefined) mkdirSync(profiles, { recursive: true });

process.on('message', (order: Order) => {
  if (order.do === 'cpu') answer({ is: 'cpu', ms: cpuMs() });
  else if (order.do === 'end') void service.close().then(() => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
answer({ is: 'ready' });
