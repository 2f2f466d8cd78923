import { keyOf, keyText, nodes } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import { ours } from '../experiment.ts';
import { chaosKinds, type StoredChaos } from './chaos-kinds.ts';
import { componentInjection, removeExperiment } from './injection.ts';
import type { Journal } from './journal.ts';

const [[ourKey, ourValue]] = Object.entries(ours) as [[string, string]];

/** A part of the control plane that was started anew serves within it. */
const serveLimitMs = 60_000;

/**
 * Takes back what an earlier run of this program did beside the cluster's objects, by its journal, and waits until the cluster answers:
 * without it the cluster may not answer at all. What cannot be taken back from here stays in the journal.
 */
export async function healJournal(lab: Lab, journal: Journal, report: ProgressReporter): Promise<void> {
  for (const entry of journal.read()) {
    const { part, does } = entry;
    if (lab.componentFaults === undefined) {
      const verb = does === 'stop' ? 'start' : 'continue';
      report.warn(
        `${part} was left without an answer by an earlier run, and this is not the kubeconfig that the testbed wrote: use that one, or bin/hourglass dev component ${verb} ${part}`,
      );
      continue;
    }
    report.warn(`letting ${part} go on, which an earlier run left without an answer`);
    const { holds, detail } = await componentInjection(lab.componentFaults[does], part).heal();
    if (!holds) throw new TestbedError(`${part}: ${detail}, although it was let go on; see its log, or make another cluster`);
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
