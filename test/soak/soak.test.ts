import { expect, it } from 'vitest';
import { silentProgress } from '../../src/testbed/progress.ts';
import { buildTimeoutMs, findClusterTools } from '../support/cluster.ts';
import { runSoak } from './soak.ts';
import { formatSoak, soakGoals } from './soak-report.ts';

/** Counts must be met in every run; shares of time are judged in the long one. */
const counted = ['objects that differ in the end', 'changes never told', 'told an older state', 'writes the observer missed'];

it(
  'loses nothing in a minute of faults',
  async () => {
    const tools = await findClusterTools();
    const signal = new AbortController().signal;
    const result = await runSoak({ tools, report: silentProgress, minutes: 1, seed: 7, signal, settleMs: 20_000, resetAtEnd: true });
    console.log(formatSoak(result));
    const goals = soakGoals(result).filter(({ what }) => counted.includes(what));
    expect(Object.fromEntries(goals.map(({ what, measured }) => [what, measured]))).toEqual(
      Object.fromEntries(counted.map((what) => [what, 0])),
    );
  },
  buildTimeoutMs,
);
