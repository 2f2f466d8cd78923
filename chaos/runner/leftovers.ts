import { keyOf, keyText, nodes } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import { ours } from '../experiment.ts';
import { chaosKinds, type StoredChaos } from './chaos-kinds.ts';
import { removeExperiment } from './injection.ts';
import { describeEntry, type Journal } from './journal.ts';
import { undoable } from './testbed-injection.ts';

const [[ourKey, ourValue]] = Object.entries(ours) as [[string, string]];

/** A part of the control plane that was started anew serves within it. */
const serveLimitMs = 60_000;

/**
 * Takes back what an earlier run of this program did beside the cluster's objects, by its journal, and waits until the cluster answers:
 * without it the cluster may not answer at all. What cannot be taken back from here stays in the journal.
 */
export async function healJournal(lab: Lab, journal: Journal, report: ProgressReporter): Promise<void> {
  for (const entry of journal.read()) {
    const { what, remedy } = describeEntry(entry);
    const injection = undoable(lab, entry);
    if (injection === undefined) {
      report.warn(`${what} by an earlier run, and this is not the kubeconfig that the testbed wrote: use that one, or ${remedy}`);
      continue;
    }
    report.warn(`${what} by an earlier run: taking it back`);
    const { holds, detail } = await injection.heal();
    if (!holds) throw new TestbedError(`${what}: ${detail}, although it was taken back; see its log, or make another cluster`);
    journal.remove(entry);
    await until('the API server to answer', () => lab.kube.list(nodes).then(() => true), serveLimitMs);
  }
}

/**
 * Takes back the experiments that an earlier run of this program left behind when it was killed, by the mark that they carry.
 *
 * @throws TestbedError for an experiment of somebody else's: two at once would judge each other
 */
export async function healExperiments(lab: Lab, report: ProgressReporter): Promise<void> {
  for (const resource of Object.values(chaosKinds)) {
    for (const object of (await lab.kube.list<StoredChaos>(resource)).items) {
      if (object.metadata?.labels?.[ourKey] !== ourValue)
        throw new TestbedError(
          `${resource.kind} ${keyText(keyOf(object))}: an experiment that is not of this program is on the cluster; delete it, or wait for its end: kubectl delete ${resource.plural} -n ${keyOf(object).namespace} ${keyOf(object).name}`,
        );
      report.warn(`taking back ${resource.kind} ${keyText(keyOf(object))}, which an earlier run left behind`);
      const removal = await removeExperiment(lab, object);
      if (removal.how === 'forced') report.warn(`${resource.kind} ${keyText(keyOf(object))}: ${removal.detail}`);
      if (removal.how === 'stays')
        throw new TestbedError(
          `${resource.kind} ${keyText(keyOf(object))}: it does not go, even without its finalizer; see that chaos-controller-manager runs, and delete it by hand`,
        );
    }
  }
}
