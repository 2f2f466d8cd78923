import type { Lab } from '../cluster/lab.ts';
import { chaosNamespace, type Experiment, isTestbedFault, partsOf } from '../experiment.ts';
import { type ChaosObject, render, type Targets } from '../render.ts';
import { chaosMeshInjection, patienceForNobody } from './injection.ts';

/** Documentation's own address (RFC 5737), a label and a machine that nobody has. */
const nobody: Targets = {
  pods: { namespace: chaosNamespace, labels: { app: 'nobody' } },
  addresses: ['192.0.2.1'],
  machines: ['nobody'],
  uid: 'listening',
};
/** After minutes without an API server a controller looks again within a minute or so, each kind by itself. */
const patience = { ...patienceForNobody, takeUpMs: 120_000 };

/** One resource that meets nobody for each kind that an experiment needs. Pure. */
export function renderForNobody(experiment: Experiment): readonly ChaosObject[] {
  const { fault } = experiment;
  if (isTestbedFault(fault)) return [];
  const all = partsOf(fault).map((part) => render({ ...experiment, fault: part }, nobody, 0));
  return [...Map.groupBy(all, ({ kind }) => kind)].flatMap(([kind, same]) =>
    same.slice(0, 1).map((one) => ({ ...one, metadata: { ...one.metadata, name: `listening-${kind.toLowerCase()}` } })),
  );
}

/**
 * Waits until Chaos Mesh takes up what an experiment needs: one that is told of its fault a minute late is no longer watched for it. Where it
 * does not listen at all, the experiment says so itself.
 */
export async function untilListening(lab: Lab, experiment: Experiment, signal: AbortSignal): Promise<void> {
  for (const object of renderForNobody(experiment)) {
    const injection = chaosMeshInjection(lab, object, false, patience);
    try {
      await injection.inject(signal);
    } finally {
      await injection.heal();
    }
  }
}
