import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeDeath, findDeathCause, readLastLines } from '../../../src/testbed/component-log.ts';

describe('findDeathCause', () => {
  it.each([
    { name: 'a port in use', line: 'failed to listen on 127.0.0.1:6443: bind: address already in use', cause: 'PortInUse' },
    { name: 'a full disk', line: 'failed to create WAL: write 0.tmp: no space left on device', cause: 'DiskFull' },
    { name: 'a used up quota', line: 'write: disk quota exceeded', cause: 'DiskFull' },
    { name: 'a directory that may not be written', line: 'mkdir /x: permission denied', cause: 'PermissionDenied' },
    { name: 'anything else', line: 'panic: runtime error', cause: 'Unknown' },
  ])('sees $name', ({ line, cause }) => {
    expect(findDeathCause(['started', line])).toBe(cause);
  });
});

describe('describeDeath', () => {
  it('names the component, how it ended, its log and the last lines', () => {
    const text = describeDeath('etcd', 'signal SIGKILL', '/c/logs/etcd.log', 'Unknown', ['one', 'two']);
    expect(text).toBe('etcd ended (signal SIGKILL); its log says why\n  log: /c/logs/etcd.log\n  | one\n  | two');
  });

  it('says what to do about a full disk', () => {
    expect(describeDeath('etcd', 'exit code 1', '/c/logs/etcd.log', 'DiskFull', ['no space left on device'])).toContain(
      'the disk is full: free some space',
    );
  });

  it('shows the cause of a panic, not the pages about where it was', () => {
    const trace = Array.from({ length: 40 }, (_, index) => `\tmain.go:${index}`);
    const text = describeDeath('etcd', 'exit code 2', '/c/logs/etcd.log', 'Unknown', [
      'panic: the cause',
      'goroutine 1 [running]:',
      ...trace,
    ]);
    expect(text).toContain('  | panic: the cause');
    expect(text).not.toContain('main.go');
  });

  it('cuts lines that would fill the screen', () => {
    expect(describeDeath('kwok', 'exit code 1', '/c/logs/kwok.log', 'Unknown', ['x'.repeat(5_000)]).length).toBeLessThan(800);
  });
});

describe('readLastLines', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hourglass-log-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('reads the end of a long log, without empty lines', () => {
    const path = join(dir, 'long.log');
    writeFileSync(path, `${'x'.repeat(100_000)}\none\n\ntwo\n`);
    expect(readLastLines(path, 100).slice(-2)).toEqual(['one', 'two']);
  });

  it('reads nothing from a log that does not exist', () => {
    expect(readLastLines(join(dir, 'none.log'))).toEqual([]);
  });
});
