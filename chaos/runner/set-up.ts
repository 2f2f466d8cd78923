import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { directPods, startPodProxy } from '../../src/testbed/nodes/pod-proxy.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import type { Lab } from '../cluster/lab.ts';
import type { Fault } from '../experiment.ts';
import { findLeaderNode } from './aim.ts';
import type { Journal } from './journal.ts';
import { ask } from './stage.ts';
import type { Means } from './testbed-injection.ts';

/** What a fault needs to be there before its baseline. */
export interface SetUp {
  readonly means: Means;
  /** Takes away what stands on no cluster; Performers that were asked for go with all others of the experiment. */
  readonly clear: () => Promise<void>;
}

/**
 * Leads the operator through a proxy of this process where the fault is on its way to the API server, and asks for the Performers that it
 * is to look after where the fault is about many, or for one beside the operator that leads where the fault is to meet both.
 *
 * @param asked what names of Performers begin with
 * @throws TestbedError with everything taken away again
 */
export async function setUp(lab: Lab, fault: Fault, journal: Journal, asked: string, seed: number): Promise<SetUp> {
  const count = fault.kind === 'calm' || fault.kind === 'api-squeeze' ? fault.performers : 0;
  const crowd = Array.from({ length: count }, (_, at) => `${asked}-${at + 1}`);
  if (fault.kind === 'calm') for (const name of crowd) await ask(lab, name);
  if (fault.kind === 'node' && fault.leader === true) await ask(lab, asked, {}, preferring(await findLeaderNode(lab)));
  if (fault.kind !== 'api-path') return { means: { journal, crowd }, clear: async () => undefined };
  const { registryDir, subject } = lab;
  if (registryDir === undefined || subject.operator === undefined) throw new TestbedError('a proxy needs a cluster of the testbed');
  const { namespace, name } = subject.operator.deployment;
  const entry = { does: 'detour', namespace, name } as const;
  const proxy = await startPodProxy(registryDir, { seed });
  const clear = async (): Promise<void> => {
    try {
      await directPods(lab, { namespace, name });
    } finally {
      await proxy.close();
    }
    journal.remove(entry);
  };
  journal.add(entry);
  try {
    await directPods(lab, { namespace, name }, proxy);
  } catch (error) {
    await clear();
    throw error;
  }
  return { means: { journal, proxy, crowd }, clear };
}

/** A pod that starts on this node, and may follow on another one. Pure. */
function preferring(node: string | undefined): Partial<PerformerSpecInput> {
  if (node === undefined) return {};
  const preference = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [node] }] };
  return {
    scheduling: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] } } },
  };
}
