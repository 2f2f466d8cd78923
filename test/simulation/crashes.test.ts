import { describe, expect, it } from 'vitest';
import { everyStep, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each await of each scenario under %s', async (mode) => {
  const probes = await probeScenarios(mode);

  it.each(probes)('$name: killed there and started again', async (probe) => {
    const steps = everyStep(probe);
    const { came, wrong } = await runVariants(probe, steps);
    expect(wrong).toEqual([]);
    // The last steps of a run may never be reached once an earlier one came otherwise, but they are the same up to the kill.
    expect(came.get('crash-at-step') ?? 0).toBe(steps.length);
  });
});
