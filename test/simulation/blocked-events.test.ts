import { describe, expect, it } from 'vitest';
import type { FaultStep } from '../../src/sim/faults/faults.ts';
import { probeScenarios, runVariants } from './support/variants.ts';

describe('each event of each scenario, unseen until some later write', async () => {
  const probes = await probeScenarios('watch');

  it.each(probes)('$name: what is decided without it harms nothing', async (probe) => {
    const pairs = Array.from({ length: probe.seen }, (_, event) =>
      Array.from({ length: probe.writes }, (_, write): FaultStep => ({ id: 'event-blocked', event: event + 1, untilWrite: write + 1 })),
    ).flat();
    const { came, wrong } = await runVariants(probe, pairs);
    expect(wrong).toEqual([]);
    expect(came).toBeGreaterThan(pairs.length * 0.9);
  });
});
