import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AGENT_STATUSES, AgentStatus } from '../../../src/cti/agent-status.ts';
import { CONNECTION_STATUS_TABLE, CONNECTION_STATUSES } from '../../../src/cti/connection-status.ts';
import { ERRORS } from '../../../src/cti/errors.ts';
import { FLOW_STATUSES, FlowStatus } from '../../../src/cti/flow-status.ts';
import { EMAIL_STATUSES, EmailStatus, SMS_STATUSES, SmsStatus } from '../../../src/cti/message-status.ts';
import { CUSTOMER, RESTING_CARRIERS, type Resting, STATUS_STORIES } from '../../support/status-stories.ts';

const page = readFileSync(new URL('../../../docs/statuses.md', import.meta.url), 'utf8');
const rows = new Set(page.split('\n').filter((line) => line.startsWith('|')));

describe('the statuses', () => {
  it('are as many as the seed lists', () => {
    expect(Object.keys(AGENT_STATUSES)).toHaveLength(44);
    expect(Object.keys(FLOW_STATUSES)).toHaveLength(39);
    expect(Object.keys(SMS_STATUSES)).toHaveLength(8);
    expect(Object.keys(EMAIL_STATUSES)).toHaveLength(13);
  });

  it('keep the seed’s numbers of the flow statuses, 1 to 40 without 26', () => {
    const numbers = Object.values(FLOW_STATUSES).map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, i) => i + 1).filter((n) => n !== 26));
  });

  it('all have a meaning and a schema that takes them', () => {
    for (const [name, meaning] of Object.entries(AGENT_STATUSES)) {
      expect(meaning.length).toBeGreaterThan(5);
      expect(AgentStatus.parse(name)).toBe(name);
    }
    for (const [name, { meaning }] of Object.entries(FLOW_STATUSES)) {
      expect(meaning.length).toBeGreaterThan(5);
      expect(FlowStatus.parse(name)).toBe(name);
    }
    for (const name of Object.keys(SMS_STATUSES)) expect(SmsStatus.parse(name)).toBe(name);
    for (const name of Object.keys(EMAIL_STATUSES)) expect(EmailStatus.parse(name)).toBe(name);
    expect(AgentStatus.safeParse('Asleep').success).toBe(false);
    expect(FlowStatus.safeParse('Asleep').success).toBe(false);
  });
});

/** The event that carries an agent status, and whose it is where it is not the agent's own. */
function carrierOf(status: AgentStatus): string {
  if (status in RESTING_CARRIERS) return RESTING_CARRIERS[status as Resting];
  const { carriedBy, of } = STATUS_STORIES[status as keyof typeof STATUS_STORIES];
  const [name, dn] = carriedBy;
  if (of.length > 1) return `${name} of the supervisor`;
  if (of.includes(dn)) return name;
  return `${name} of the ${dn === CUSTOMER ? 'customer' : 'third party, if an outside number'}`;
}

describe('docs/statuses.md', () => {
  it('says what the code says', () => {
    const expected = [
      ...CONNECTION_STATUS_TABLE.map(({ row, when, status }) => `| ${row} | ${when} | ${status} |`),
      ...Object.entries(CONNECTION_STATUSES).map(([name, meaning], i) => `| ${i + 1} | ${name} | ${meaning} |`),
      ...Object.entries(AGENT_STATUSES).map(
        ([name, meaning]) => `| ${name} | ${meaning} | ${carrierOf(name as AgentStatus)} |`,
      ),
      ...Object.entries(FLOW_STATUSES).map(([name, { number, meaning }]) => `| ${number} | ${name} | ${meaning} |`),
      ...Object.entries(SMS_STATUSES).map(([name, meaning]) => `| ${name} | ${meaning} |`),
      ...Object.entries(EMAIL_STATUSES).map(([name, meaning]) => `| ${name} | ${meaning} |`),
      ...Object.values(ERRORS).map(({ code, name, meaning }) => `| ${code} | ${name} | ${meaning} |`),
    ];
    expect(expected.filter((row) => !rows.has(row))).toEqual([]);
  });
});
