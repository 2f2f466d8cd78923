import { describe, expect, it } from 'vitest';
import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import type { Pod } from '../../src/kube/objects.ts';
import { isInService, isReady, isUnreachable } from '../../src/oracle/words.ts';
import { type RunResult, runPlan } from '../../src/sim/run.ts';
import { planSwarm, type RunPlan, type UserStep } from '../../src/sim/run-plan.ts';
import { loadSimulator } from './support/load.ts';

const [cutMs, cutForMs, nodes] = [60_000, 120_000, 5];
const own: Partial<PerformerSpecInput> = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1', nodeLossSeconds: 10 };
const asked: readonly Partial<PerformerSpecInput>[] = [
  {},
  { replicas: 3 },
  { strategy: { type: 'Recreate' } },
  { nodeLossPolicy: 'Strict', replicas: 2 },
  { scheduling: { tolerations: [{ operator: 'Exists' }] } },
];
const users = asked.map((spec, index): UserStep => {
  return { atMs: 1_000, do: 'create', key: { namespace: 'team-0', name: `p${index}` }, spec: { ...own, ...spec } as PerformerSpecInput };
});
const plan = (mode: RunPlan['mode']): RunPlan => ({
  ...planSwarm(1),
  mode,
  operators: 1,
  nodes,
  fronts: 1,
  timings: 'stock',
  clockRate: 1,
  onceEveryMs: 30_000,
  namespaces: ['team-0'],
  activeMs: cutMs + cutForMs + 30_000,
  users,
  faults: [{ id: 'all-nodes-cut', atMs: cutMs, forMs: cutForMs, draw: 0 }],
});

/** Each pod by uid, and whether it is in its Service. */
function podsOf({ view }: RunResult): ReadonlyMap<string, boolean> {
  const tell = (pod: Pod): [string, boolean] => [pod.metadata?.uid ?? '', isInService(pod, pod.metadata?.ownerReferences?.[0]?.name ?? '')];
  return new Map([...view.pods.values()].map(tell));
}

describe.each(['watch', 'once'] as const)('all kubelets cut off for 120 s under %s, with the timers of a stock cluster', async (mode) => {
  const before = await runPlan(plan(mode), { untilMs: cutMs - 1 });
  const during = await runPlan(plan(mode), { untilMs: cutMs + cutForMs - 1 });
  const after = await runPlan(plan(mode));

  it('takes no pod out of its Service and replaces none, then or once they are back', () => {
    expect([...podsOf(before).values()]).toEqual(Array.from({ length: 8 }, () => true));
    expect(podsOf(during)).toEqual(podsOf(before));
    expect(podsOf(after)).toEqual(podsOf(before));
    expect([...after.view.pods.values()].filter((pod) => !isReady(pod))).toEqual([]);
    expect(after.violations).toEqual([]);
  });

  it('lasts longer than the nodes may be silent and pods lost', () => {
    expect([...during.view.nodes.values()].filter(isUnreachable)).toHaveLength(nodes);
    expect([...during.view.pods.values()].filter(isReady)).toEqual([]);
    expect([...after.view.nodes.values()].filter(isUnreachable)).toEqual([]);
  });
});

it('harms an operator that looks at each node alone, and at whichever taint', async () => {
  const edits = [
    ['const mostNodes = 0.55;', 'const mostNodes = 2;'],
    ["taint.key === unreachableTaint && taint.effect === 'NoExecute'", 'taint.key === unreachableTaint'],
  ] as const;
  const simulator = await loadSimulator((path, source) => {
    if (path !== 'src/reconcile/plan/node-state.ts') return source;
    for (const [find] of edits) expect(source.split(find)).toHaveLength(2);
    return edits.reduce((text, [find, replace]) => text.replace(find, replace), source);
  });
  try {
    expect((await simulator.run(plan('watch'))).oracles).toContain('N3');
  } finally {
    await simulator.close();
  }
});
