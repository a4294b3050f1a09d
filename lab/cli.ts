import { parseArgs } from 'node:util';
import { labDir, labProcesses, readLab, startLab, stopLab } from './lab.ts';

const USAGE = `lab up|down|status [--dir FOLDER] [--offset N] [--append-only] [--remove]
  up      bring the lab up: Asterisk, Redis, telephones; does nothing where it is up
  down    take it down; --remove also forgets its passwords and logs
  status  what runs
  --dir     run folder, with lab.json in it (RINGMASTER_LAB_DIR, or lab/.run)
  --offset  added to every port, so that two labs run side by side; use multiples of 100 (RINGMASTER_LAB_OFFSET)`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dir: { type: 'string' },
      offset: { type: 'string' },
      'append-only': { type: 'boolean' },
      remove: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const dir = labDir(values.dir);
  if (values.help) return console.log(USAGE);
  switch (positionals[0]) {
    case 'up': {
      const lab = await startLab({
        dir,
        ...(values.offset === undefined ? {} : { offset: Number(values.offset) }),
        appendOnly: values['append-only'] ?? false,
        progress: (line) => console.log(line),
      });
      return console.log(
        `The lab is up: Asterisk ${lab.file.asterisk.version}, SIP on 127.0.0.1:${lab.ports.sip}, ` +
          `${lab.file.phones.length} telephones.\n${dir}/lab.json tells all of it; ${lab.file.config} is for Ringmaster.`,
      );
    }
    case 'down':
      await stopLab(dir, { remove: values.remove ?? false });
      return console.log('The lab is down.');
    case 'status': {
      const lab = await readLab(dir);
      for (const [part, pid] of Object.entries(labProcesses(lab))) console.log(`${part}: ${pid ?? 'does not run'}`);
      return;
    }
    default:
      console.error(USAGE);
      process.exitCode = 2;
  }
}

try {
  await main();
} catch (error) {
  console.error(`lab: ${(error as Error).message}`);
  process.exitCode = 1;
}
