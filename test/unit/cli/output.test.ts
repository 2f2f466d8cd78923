import { describe, expect, it } from 'vitest';
import { judgeOutcomes, type OnceReport, renderOnce, renderTable } from '../../../src/cli/output.ts';
import { parseSnapshot } from '../../../src/cli/snapshot-file.ts';
import type { Outcome } from '../../../src/controller/outcome.ts';

const outcome = (kind: Outcome['kind']): Outcome =>
  kind === 'failed'
    ? { kind, reason: 'x', message: '', retry: 'backoff' }
    : { kind, reason: 'x', message: '', again: false, unsaid: false };

describe('the verdict over all keys', () => {
  it.each<[Outcome['kind'][], string]>([
    [[], 'Converged'],
    [['settled'], 'Converged'],
    [['settled', 'waiting'], 'Waiting'],
    [['waiting', 'stalled'], 'Stalled'],
    [['stalled', 'failed', 'settled'], 'Failed'],
  ])('of %j is %s', (kinds, verdict) => {
    expect(judgeOutcomes(kinds.map(outcome))).toBe(verdict);
  });
});

describe('the text of once', () => {
  const report: OnceReport = {
    result: 'Waiting',
    writer: 'this',
    performers: 2,
    passes: 3,
    writes: { create: 2, patch: 1, delete: 0 },
    keys: [
      { key: 'team-a/x', outcome: 'settled', reason: 'Serving', message: 'pod performer-x serves' },
      { key: 'team-a/long-name', outcome: 'waiting', reason: 'Starting', message: 'pod performer-long-name is not ready yet' },
    ],
    durationMs: 1234,
  };

  it('is a table and one line of sum', () => {
    expect(renderOnce(report, { dryRun: false, width: 200 })).toBe(
      [
        'PERFORMER          OUTCOME   REASON     MESSAGE',
        'team-a/x           settled   Serving    pod performer-x serves',
        'team-a/long-name   waiting   Starting   pod performer-long-name is not ready yet',
        '',
        'Waiting: 2 Performers, 3 writes (2 create, 1 patch, 0 delete), 1.2 s',
      ].join('\n'),
    );
  });

  it('says who writes when it is not this run', () => {
    expect(renderOnce({ ...report, writer: 'operator-0' }, { dryRun: false, width: 200 })).toContain('operator-0 holds the Lease');
  });

  it('fits the terminal', () => {
    expect(renderTable(['A', 'B'], [['1', 'x'.repeat(50)]], 20).every((line) => line.length <= 20)).toBe(true);
  });
});

describe('a snapshot file', () => {
  it.each([
    { text: 'no json', says: 'not JSON' },
    { text: '[]', says: 'Make one with' },
    { text: '{"key":{"namespace":"a","name":"b"}}', says: 'nowMs' },
  ])('that is $text gets a message that says what is wrong and how to make one', ({ text, says }) => {
    expect(() => parseSnapshot(text, 'file.json')).toThrow(says);
    expect(() => parseSnapshot(text, 'file.json')).toThrow('file.json');
  });
});
