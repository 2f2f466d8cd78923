import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../../scripts/collect-output.ts';
import { TaskError } from '../../../src/performer/kit.ts';
import { serve } from '../../support/served-performer.ts';
import { projectRoot } from '../../support/sources.ts';

const task = (...args: readonly string[]): Promise<Collected> =>
  collectOutput(spawn(process.execPath, [join(projectRoot, 'scripts/execute-task.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));

describe('npm run task', () => {
  it('prints what the performer answers', async () => {
    const { performer } = await serve();
    expect(await task(`127.0.0.1:${performer.port}`, 'hello')).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
  });

  it('says with which code the performer refused, and exits 1', async () => {
    const refuse = (): never => {
      throw new TaskError('FAILED_PRECONDITION', 'chain not synced');
    };
    const { performer } = await serve({ executeTask: refuse });
    const { code, stderr } = await task(`127.0.0.1:${performer.port}`);
    expect([code, stderr]).toEqual([1, `hourglass: 127.0.0.1:${performer.port}: FAILED_PRECONDITION: chain not synced\n`]);
  });

  it('wants an address', async () => {
    expect(await task()).toMatchObject({ code: 2, stderr: expect.stringContaining('usage') });
  });
});
