import { describe, expect, it } from 'vitest';
import { besideFaultIds, writeFaultIds } from '../../src/sim/faults/faults.ts';
import { scenarios } from '../../src/sim/scenarios.ts';
import { loadSimulator } from './support/load.ts';
import { everyBesideFault, everyWriteFault, fittingAll, probeScenarios, runVariants } from './support/variants.ts';

describe.each(['watch', 'once'] as const)('each write of each scenario under %s', async (mode) => {
  const probes = await probeScenarios(mode);
  /** By fault, the scenarios in which it never came. */
  const lacking = new Map<string, string[]>();
  const besides = new Map<string, number>();

  it.each(probes)('$name: whatever becomes of one write', async (probe) => {
    const { came, wrong } = await runVariants(probe, everyWriteFault(probe));
    expect(wrong).toEqual([]);
    const never = writeFaultIds.filter((id) => (came.get(id) ?? 0) === 0);
    for (const id of never) lacking.set(id, [...(lacking.get(id) ?? []), probe.name]);
    // Some scenarios write no patch and no delete to a pod or a Service, which is what somebody else deletes.
    expect(never.filter((id) => id !== 'target-gone')).toEqual([]);
    expect(fittingAll.map((id) => [id, came.get(id)])).toEqual(fittingAll.map((id) => [id, probe.writes]));
  });

  it.each(probes)('$name: whatever becomes of one of the first writes of a Lease or an Event', async (probe) => {
    const { came, wrong } = await runVariants(probe, everyBesideFault(probe));
    expect(wrong).toEqual([]);
    expect(besideFaultIds.filter((id) => id.startsWith('lease-') && (came.get(id) ?? 0) === 0)).toEqual([]);
    for (const [id, times] of came) besides.set(id, (besides.get(id) ?? 0) + times);
  });

  it('brings the faults of Events in some of the scenarios', () => {
    expect(besideFaultIds.filter((id) => (besides.get(id) ?? 0) === 0)).toEqual([]);
  });

  it('brings each fault by its name in half of the scenarios at least', () => {
    expect([...lacking].filter(([, names]) => names.length * 2 > probes.length)).toEqual([]);
  });
});

it('the end without the fault is what finds an operator whose later pods lack a label, which nothing else does', async () => {
  const find = '[labels.avs]: avsLabelValue(spec.avsAddress),';
  const simulator = await loadSimulator((path, source) => {
    if (path !== 'src/reconcile/plan/pod.ts') return source;
    expect(source.split(find)).toHaveLength(2);
    return source.replace(find, `...(index > 0 ? {} : { ${find} }),`);
  });
  try {
    const [{ plan }] = scenarios as readonly [(typeof scenarios)[number]];
    const calm = { ...plan, activeMs: 40_000 };
    const deleted = { ...calm, faults: [{ id: 'pod-deleted', atMs: 15_000, draw: 0 } as const] };
    const { end } = await simulator.run(calm);
    expect((await simulator.run(deleted)).oracles).toEqual([]);
    expect((await simulator.run(deleted, end)).oracles).toEqual(['D1']);
    expect((await simulator.run(calm, end)).oracles).toEqual([]);
  } finally {
    await simulator.close();
  }
});
