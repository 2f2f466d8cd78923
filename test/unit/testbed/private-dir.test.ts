import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePrivateDir } from '../../../src/testbed/private-dir.ts';

describe('makePrivateDir', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'hourglass-private-'));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  it('makes what is missing for the owner alone, and is content with what is there', () => {
    makePrivateDir(join(base, 'a', 'b'));
    makePrivateDir(join(base, 'a', 'b'));
    expect([join(base, 'a'), join(base, 'a', 'b')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  it.runIf(process.platform === 'linux')('gives up where nothing can be made', () => {
    expect(() => makePrivateDir('/proc/hourglass')).toThrow(/ENOENT/);
  });
});
