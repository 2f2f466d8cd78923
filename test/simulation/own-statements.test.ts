import { describe, expect, it } from 'vitest';
import { scenarios } from '../../src/sim/scenarios.ts';
import { loadSimulator } from './support/load.ts';

const plan = scenarios.find(({ name }) => name === 'create')?.plan;
if (plan === undefined) throw new Error('no scenario is called create');

/** What a run says first when a line of the product throws. */
async function runThrowing(file: string, line: string): Promise<{ readonly oracles: readonly string[]; readonly first: string }> {
  const simulator = await loadSimulator((path, source) => {
    if (path !== file) return source;
    expect(source.split(line)).toHaveLength(2);
    return source.replace(line, `if (Date.length > 0) throw new TypeError('a bug'); ${line}`);
  });
  try {
    return await simulator.run(plan as NonNullable<typeof plan>);
  } finally {
    await simulator.close();
  }
}

describe('a run', () => {
  it('in which a pass throws is B1, by the Performer it was for', async () => {
    const { oracles, first } = await runThrowing('src/reconcile/reconcile.ts', 'const snapshot = await observe(');
    expect(oracles).toContain('B1');
    expect(first).toMatch(/^B1 team-0\/x: a pass threw: TypeError: a bug/);
  });

  it('in which the operator ends by itself is B2, by its name', async () => {
    const { oracles, first } = await runThrowing('src/operator/watch.ts', 'filled = true;');
    expect(oracles).toContain('B2');
    expect(first).toMatch(/^B2 operator-0: the process ended by itself: TypeError: a bug/);
  });
});
