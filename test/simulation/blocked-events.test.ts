import { describe, expect, it } from 'vitest';
import { everyBlockedEvent, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each event of each scenario under %s, unseen until some later write', async (mode) => {
  const probes = await probeScenarios(mode);
  const all = { pairs: 0, missed: 0 };

  it.each(probes)('$name: what is decided without it harms nothing', async (probe) => {
    const pairs = everyBlockedEvent(probe);
    const { came, wrong } = await runVariants(probe, pairs);
    expect(wrong).toEqual([]);
    const missed = came.get('event-blocked') ?? 0;
    // A run of the CronJob that only lists reads nothing between two writes of its own: there is nothing to miss.
    if (mode === 'watch') expect(missed).toBe(pairs.length);
    else expect(missed).toBeGreaterThan(0);
    all.pairs += pairs.length;
    all.missed += missed;
  });

  it('is missed in most pairs', () => {
    console.log(`${mode}: ${all.missed} of ${all.pairs} pairs`);
    expect(all.missed * 2).toBeGreaterThan(all.pairs);
  });
});
