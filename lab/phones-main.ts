/** The process that hosts a lab's standing telephones. Argument: the file that `LabPhones` writes; none: the environment. */
import { readFileSync } from 'node:fs';
import { Phone } from './phone/phone.ts';
import { type PhonesPlan, phonesPlan, planFromEnvironment } from './phones.ts';
import { agentBehaviour, agentTone, customerBehaviour, customerTone, STANDING_AGENTS } from './standing.ts';

const [, , planFile] = process.argv;
const plan: PhonesPlan =
  planFile === undefined
    ? planFromEnvironment(process.env)
    : phonesPlan.parse(JSON.parse(readFileSync(planFile, 'utf8')));
const server = { host: plan.server, port: plan.sip };
const log = (who: string) => (problem: Error) =>
  console.error(`${new Date().toISOString()} ${who}: ${problem.message}`);

const agents = await Phone.open({
  host: plan.host,
  port: plan.agents,
  dn: 'agents',
  tone: agentTone,
  behaviour: agentBehaviour,
  server,
  onProblem: log('agents'),
});
const customers = await Phone.open({
  host: plan.host,
  port: plan.customers,
  dn: 'customers',
  tone: customerTone,
  behaviour: customerBehaviour,
  server,
  demands: { username: 'ringmaster', password: plan.carrierPassword },
  onProblem: log('customers'),
});

/** Registers everybody who is to be registered. */
async function registerAll(): Promise<void> {
  await Promise.all(
    STANDING_AGENTS.filter((agent) => agent.registered).map(({ dn }) =>
      agents.register({ username: dn, password: plan.phonePassword, registrar: server }),
    ),
  );
}

async function close(): Promise<void> {
  await Promise.all([agents.close(), customers.close()]);
  process.exit(0);
}

process.on('SIGTERM', () => void close());
process.on('SIGINT', () => void close());
// Asterisk was restarted and has forgotten who is registered.
process.on('SIGHUP', () => {
  agents.renew().catch((error: Error) => console.error(`registering again: ${error.message}`));
});

await registerAll();
if (process.send) {
  process.send('ready');
  process.disconnect();
}
console.log(`${new Date().toISOString()} standing: agents on ${agents.port}, customers on ${customers.port}`);
