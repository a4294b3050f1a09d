import { describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../../src/cti/agent-status.ts';
import { STATUS_STORIES, type StatusStory } from '../../support/status-stories.ts';
import { Conferring } from './conferring.ts';

describe('every status that a call gives', () => {
  it.each(Object.entries(STATUS_STORIES) as [AgentStatus, StatusStory][])('%s', (status, { story, of, carriedBy }) => {
    const { events, statuses } = story(new Conferring());
    const carrying = events.filter((e) => 'agentStatus' in e && e.agentStatus === status);
    expect(carrying.map((e) => [e.messageID, 'thisDN' in e && e.thisDN])).toContainEqual(carriedBy);
    for (const dn of of) expect(statuses.findLast((s) => s.dn === dn)).toEqual({ dn, status });
  });
});
