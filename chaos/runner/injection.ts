import { isKubeFault } from '../../src/kube/faults.ts';
import { keyOf } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import type { ComponentFault } from '../../src/testbed/component-faults.ts';
import { find, type Lab, remove, until } from '../cluster/lab.ts';
import { ours } from '../experiment.ts';
import { explainRecords, isInjected, isRecovered } from '../records.ts';
import type { ChaosObject } from '../render.ts';
import { chaosKinds, type StoredChaos } from './chaos-kinds.ts';

export interface Said {
  readonly holds: boolean;
  readonly detail: string;
}

/** A fault on its way: whoever begins one ends it. */
export interface Injection {
  inject(): Promise<void>;
  /** Whether it was injected, by its own records. */
  status(): Promise<Said>;
  /** Takes it back, and what was made for it; what is not there is fine. */
  heal(): Promise<Said>;
}

const recoverLimitMs = 30_000;
/** A controller that waits for a daemon looks up once that call is over, after a minute. */
const forceLimitMs = 75_000;
const forcedAnnotation = 'chaos-mesh.chaos-mesh.org/cleanFinalizer';
const pausedAnnotation = 'experiment.chaos-mesh.org/pause';

/** By a resource of Chaos Mesh. @param lasts whether there is something to take back */
export function chaosMeshInjection(lab: Lab, object: ChaosObject, lasts: boolean): Injection {
  const resource = chaosKinds[object.kind];
  const now = (): Promise<StoredChaos | undefined> => find<StoredChaos>(lab, resource, object);
  return {
    inject: async () => {
      const labels = { ...object.metadata.labels, ...ours };
      await lab.kube.create<StoredChaos>(resource, { ...object, metadata: { ...object.metadata, labels } });
    },
    status: async () => {
      const status = (await now())?.status;
      const holds = isInjected(status);
      const count = status?.experiment?.containerRecords?.length ?? 0;
      return { holds, detail: holds ? `${count} of ${count}` : explainRecords(status) };
    },
    heal: async () => {
      if (!lasts) {
        await removeExperiment(lab, object);
        return { holds: true, detail: 'nothing to take back' };
      }
      // Paused, it is taken back and its records stay to be read; deleted, they would go with it.
      await annotate(lab, object, { [pausedAnnotation]: 'true' });
      let last: StoredChaos | undefined;
      const isBack = async (): Promise<boolean> => {
        last = await now();
        return isRecovered(last?.status);
      };
      const isRecoveredInTime = await comes(isBack, recoverLimitMs);
      const detail = isRecoveredInTime ? 'all of it' : `not within ${recoverLimitMs / 1_000} s: ${explainRecords(last?.status)}`;
      const removal = await removeExperiment(lab, object, isRecoveredInTime ? recoverLimitMs : 0);
      return { holds: isRecoveredInTime && removal === 'gone', detail: removal === 'gone' ? detail : `${detail}; ${removal}` };
    },
  };
}

const comes = (holds: () => Promise<boolean>, limitMs: number): Promise<boolean> =>
  until('', holds, limitMs).then(
    () => true,
    () => false,
  );

/**
 * Deletes an experiment; one whose finalizer stays, since nobody takes it back, loses it by force.
 *
 * @param patienceMs before there is force
 */
export async function removeExperiment(
  lab: Lab,
  object: ChaosObject | StoredChaos,
  patienceMs = recoverLimitMs,
): Promise<'gone' | 'its finalizer was taken off by force' | 'it is still there'> {
  const resource = chaosKinds[object.kind as ChaosObject['kind']];
  const isGone = async (): Promise<boolean> => (await find(lab, resource, object)) === undefined;
  await remove(lab, resource, object);
  if (await comes(isGone, patienceMs)) return 'gone';
  await annotate(lab, object, { [forcedAnnotation]: 'forced' });
  return (await comes(isGone, forceLimitMs)) ? 'its finalizer was taken off by force' : 'it is still there';
}

/** Whoever writes it meanwhile; one that is gone is left alone. */
async function annotate(lab: Lab, object: ChaosObject | StoredChaos, annotations: Readonly<Record<string, string>>): Promise<void> {
  const resource = chaosKinds[object.kind as ChaosObject['kind']];
  for (let tries = 0; ; tries += 1) {
    const resourceVersion = (await find(lab, resource, object))?.metadata?.resourceVersion;
    if (resourceVersion === undefined) return;
    try {
      await lab.kube.patch(resource, keyOf(object), { metadata: { annotations } } as Json, { resourceVersion });
      return;
    } catch (error) {
      if (isKubeFault(error, 'notFound')) return;
      if (!isKubeFault(error, 'conflict') || tries === 20) throw error;
    }
  }
}

/** What befalls a part of the control plane, by the testbed that started it. */
export function componentInjection({ apply, undo, isThere }: ComponentFault, part: string): Injection {
  return {
    inject: () => apply(part),
    status: async () => (isThere(part) ? { holds: true, detail: `${part} answers nobody` } : { holds: false, detail: `${part} runs` }),
    heal: async () => {
      await undo(part);
      return isThere(part) ? { holds: false, detail: `${part} answers nobody` } : { holds: true, detail: `${part} goes on` };
    },
  };
}
