import { describe, expect, it } from 'vitest';
import { writeFaultIds } from '../../src/sim/faults/faults.ts';
import { everyWriteFault, fittingAll, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each write of each scenario under %s', async (mode) => {
  const probes = await probeScenarios(mode);
  /** By fault, the scenarios in which it never came. */
  const lacking = new Map<string, string[]>();

  it.each(probes)('$name: whatever becomes of one write', async (probe) => {
    const { came, wrong } = await runVariants(probe, everyWriteFault(probe));
    expect(wrong).toEqual([]);
    const never = writeFaultIds.filter((id) => (came.get(id) ?? 0) === 0);
    for (const id of never) lacking.set(id, [...(lacking.get(id) ?? []), probe.name]);
    // Some scenarios write no patch and no delete to a pod or a Service, which is what somebody else deletes.
    expect(never.filter((id) => id !== 'target-gone')).toEqual([]);
    expect(fittingAll.map((id) => [id, came.get(id)])).toEqual(fittingAll.map((id) => [id, probe.writesInTime]));
  });

  it('brings each fault by its name in half of the scenarios at least', () => {
    expect([...lacking].filter(([, names]) => names.length * 2 > probes.length)).toEqual([]);
  });
});
