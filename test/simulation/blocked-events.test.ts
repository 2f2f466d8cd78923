import { describe, expect, it } from 'vitest';
import { everyBlockedEvent, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each event of each scenario under %s, unseen until some later write', async (mode) => {
  const probes = await probeScenarios(mode);

  it.each(probes)('$name: what is decided without it harms nothing', async (probe) => {
    const pairs = everyBlockedEvent(probe);
    const { came, wrong } = await runVariants(probe, pairs);
    expect(wrong).toEqual([]);
    const missed = came.get('event-blocked') ?? 0;
    // A run of the CronJob that only lists reads nothing between two writes of its own: there is nothing to miss.
    if (mode === 'watch') expect(missed).toBe(pairs.length);
    else expect(missed).toBeGreaterThan(pairs.length / 2);
  });
});
