import { describe, expect, it } from 'vitest';
import { formatPeers, renderPeers } from '../../../chaos/peers-table.ts';
import { makeChaosReport as report, makeChaosRun as run } from '../../support/chaos-reports.ts';

const ours = report(
  [
    run('passed', { figures: { 'outage ms': 2_000, 'pods created': 1 } }),
    run('passed', { round: 1, figures: { 'outage ms': 3_000, 'pods created': 1 } }),
    run('inconclusive', { round: 2, figures: { 'outage ms': 90_000 } }),
    run('inconclusive', { id: 'C5' }),
  ],
  { subject: 'ours' },
);
const plain = report([run('passed', { figures: { 'pods created': 1 } }), run('passed', { round: 1, figures: { 'outage ms': 40_000 } })], {
  subject: 'deployment',
  leftOut: [{ id: 'C5', title: 'the operator is cut off', why: 'it has no operator of its own' }],
});

describe('subjects side by side', () => {
  const text = formatPeers([ours, plain]);

  it('have p50 and the largest of what is conclusive, and how often it came at all', () => {
    expect(text).toMatch(/C1 +a pod is killed +outage ms +2,?000 \(3,?000\) +40,?000 in 1 of 2/);
  });

  it('say what could not be done, and what is open', () => {
    expect(text).toMatch(/C5 +a pod is killed +outage ms +inconclusive +it has no operator of its own/);
  });

  it('have one row where nobody could be put to it', () => {
    const leftOut = [{ id: 'C7h', title: 'the node of the leader', why: 'it has no operator of its own' }];
    const rows = formatPeers([{ ...plain, leftOut }, report([], { subject: 'peer', leftOut })])
      .split('\n')
      .filter((line) => line.startsWith('C7h'));
    expect(rows).toEqual([
      expect.stringMatching(/C7h +the node of the leader +– +it has no operator of its own +it has no operator of its own/),
    ]);
  });

  it('are told as a page with what they were taken on', () => {
    const page = renderPeers([ours, plain]);
    expect(page).toContain('ours: 4 runs, 2 inconclusive; deployment: 2 runs, 0 inconclusive');
    expect(page).toContain('| id | experiment | figure | ours | deployment |');
  });
});
