import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tailLog } from '../../../../chaos/cluster/log-tail.ts';

describe('tailLog', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hourglass-log-'));
    path = join(dir, 'audit.log');
    writeFileSync(path, 'before\n');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('reads what came since, as often as it is asked', () => {
    const read = tailLog(path);
    expect(read()).toBe('');
    appendFileSync(path, 'one\n');
    appendFileSync(path, 'two\n');
    expect([read(), read()]).toEqual(['one\ntwo\n', 'one\ntwo\n']);
  });

  it('reads a log that was begun later from its first line on', () => {
    rmSync(path);
    const read = tailLog(path);
    expect(read()).toBeUndefined();
    writeFileSync(path, 'one\n');
    expect(read()).toBe('one\n');
  });

  it.each([
    { name: 'was cut short', how: (): void => truncateSync(path, 2) },
    {
      name: 'was begun anew and is longer than before',
      how: (): void => {
        renameSync(path, `${path}.1`);
        writeFileSync(path, 'a longer line than the one before\n');
      },
    },
  ])('knows nothing of a log that $name', ({ how }) => {
    const read = tailLog(path);
    appendFileSync(path, 'one\n');
    how();
    expect(read()).toBeUndefined();
  });
});
