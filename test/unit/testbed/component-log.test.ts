import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainDeath, explainNodes, findDeathCause, readLastLines } from '../../../src/testbed/component-log.ts';

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

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hourglass-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function writeLog(name: string, ...lines: readonly string[]): string {
  const path = join(dir, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

describe('explainDeath', () => {
  it('names the component, how it ended, its log and the last lines', () => {
    const log = writeLog('etcd.log', 'one', '', 'two');
    expect(explainDeath('etcd', 'signal SIGKILL', log)).toEqual({
      cause: 'Unknown',
      message: `etcd ended (signal SIGKILL); its log says why\n  log: ${log}\n  | one\n  | two`,
    });
  });

  it('says what to do about a full disk', () => {
    const { cause, message } = explainDeath('etcd', 'exit code 1', writeLog('etcd.log', 'no space left on device'));
    expect(cause).toBe('DiskFull');
    expect(message).toContain('the disk is full: free some space');
  });

  it('shows the cause of a panic, not the pages about where it was', () => {
    const trace = Array.from({ length: 40 }, (_, index) => `\tmain.go:${index}`);
    const { message } = explainDeath('etcd', 'exit code 2', writeLog('etcd.log', 'panic: the cause', 'goroutine 1 [running]:', ...trace));
    expect(message).toContain('  | panic: the cause');
    expect(message).not.toContain('main.go');
  });

  it('cuts lines that would fill the screen', () => {
    expect(explainDeath('kwok', 'exit code 1', writeLog('kwok.log', 'x'.repeat(5_000))).message.length).toBeLessThan(800);
  });

  it('says so where the log does not exist', () => {
    expect(explainDeath('kwok', 'exit code 1', join(dir, 'none.log')).message).toContain('(the log is empty)');
  });
});

describe('readLastLines', () => {
  it('reads the end of a long log, without empty lines', () => {
    expect(readLastLines(writeLog('long.log', 'x'.repeat(100_000), 'one', '', 'two'), 100).slice(-2)).toEqual(['one', 'two']);
  });

  it('reads nothing from a log that does not exist', () => {
    expect(readLastLines(join(dir, 'none.log'))).toEqual([]);
  });
});

describe('explainNodes', () => {
  it('names each node that is not Ready, with what is known of it and the end of its logs', () => {
    const kubelet = writeLog('n2-kubelet.log', 'started', 'failed to run Kubelet: misconfiguration');
    const lines = explainNodes(
      new Map([
        ['n1', 'Ready'],
        ['n2', 'Ready is False: container runtime is down'],
      ]),
      ['n1', 'n2', 'n3'],
      dir,
    );
    expect(lines).toEqual([
      'n2: Ready is False: container runtime is down',
      `  log: ${join(dir, 'n2.log')}`,
      `  log: ${kubelet}`,
      '  | started',
      '  | failed to run Kubelet: misconfiguration',
      'n3: has not registered',
      `  log: ${join(dir, 'n3.log')}`,
      `  log: ${join(dir, 'n3-kubelet.log')}`,
    ]);
  });
});
