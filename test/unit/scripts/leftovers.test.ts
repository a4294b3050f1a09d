import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { leftovers } from '../../../scripts/leftovers.ts';

describe('leftovers', () => {
  it('finds a process by the mark in its environment, and nobody else', async () => {
    const mark = randomUUID();
    const child = spawn('sh', ['-c', 'echo runs; exec cat'], { env: { ...process.env, MARK: mark } });
    const ended = once(child, 'exit');
    try {
      await once(child.stdout, 'data');
      expect(leftovers(`MARK=${mark}`).map((one) => one.pid)).toEqual([child.pid]);
      expect(leftovers(`MARK=${mark.slice(1)}`)).toEqual([]);
    } finally {
      child.kill();
      await ended;
    }
    expect(leftovers(`MARK=${mark}`)).toEqual([]);
  });
});
