import { describe, expect, it } from 'vitest';
import { silentProgress } from '../../src/testbed/progress.ts';
import { buildTimeoutMs, findClusterTools } from '../support/cluster.ts';
import { compareModel } from './compare-model.ts';
import { exceptions } from './exceptions.ts';
import { formatFinding } from './story.ts';

const campaign = { sequences: 150, seed: 20_260, length: 12, width: 24, enough: 5 };

describe('the memory cluster beside a real API server', () => {
  it(
    'answers, changes and tells the same in 150 random sequences',
    async () => {
      const signal = AbortSignal.timeout(buildTimeoutMs);
      const result = await compareModel({ ...campaign, tools: await findClusterTools(), report: silentProgress, signal });
      const { sequences, operations, findings, unsteady, exceptions: needed, answers } = result;
      console.log(`${sequences} sequences, ${operations} operations, ${findings.length} differences; exceptions ${JSON.stringify(needed)}`);
      for (const finding of unsteady) console.log(`not seen again: ${formatFinding(finding)}`);
      expect(findings.map(formatFinding).join('\n\n')).toBe('');
      expect(unsteady.length).toBeLessThan(5);
      expect(sequences).toBe(campaign.sequences);
      // Sequences in which everything is refused would agree, too.
      for (const verb of ['create', 'patch', 'put', 'delete', 'quota']) expect(answers[`${verb} ok`], verb).toBeGreaterThan(10);
      // Most owners come with a creation.
      expect(answers['own ok']).toBeGreaterThan(0);
      for (const answer of ['409 Conflict', '403 Forbidden', '422 Invalid', '404 NotFound', '409 AlreadyExists'])
        expect(
          Object.keys(answers).some((one) => one.endsWith(answer)),
          answer,
        ).toBe(true);
    },
    buildTimeoutMs,
  );

  it('has few exceptions, each with a reason', () => {
    expect(exceptions.length).toBeLessThanOrEqual(10);
    expect(exceptions.filter(({ reason }) => reason.length < 80)).toEqual([]);
  });
});
