import { describe, expect, it } from 'vitest';
import { everyWriteFault, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each write of each scenario under %s', async (mode) => {
  const probes = await probeScenarios(mode);

  it.each(probes)('$name: whatever becomes of one write', async (probe) => {
    const { came, wrong } = await runVariants(probe, everyWriteFault(probe));
    expect(wrong).toEqual([]);
    expect(came).toBeGreaterThan(probe.writes * 5);
  });
});
