import { setTimeout as sleep } from 'node:timers/promises';
import { coreEvents } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import type { ComponentFault } from '../../src/testbed/component-faults.ts';
import { find, type Lab, patchNewest, remove, until } from '../cluster/lab.ts';
import { ours } from '../experiment.ts';
import type { Met } from '../observations.ts';
import { type ChaosStatus, explainRecords, hasRecords, isInjected, isRecovered, isTakenUp, whereItMayBe } from '../records.ts';
import type { ChaosObject } from '../render.ts';
import { chaosKinds, type StoredChaos } from './chaos-kinds.ts';

export interface Said {
  readonly holds: boolean;
  readonly detail: string;
}

/** A fault on its way: whoever begins one ends it. */
export interface Injection {
  /** @param signal ends what it waits for; what was begun stays to be healed. @throws its reason where nothing was begun yet */
  inject(signal?: AbortSignal): Promise<void>;
  /** Whether it was injected, by its own records. */
  status(): Promise<Said>;
  /** Takes it back, and what was made for it; what is not there is fine. */
  heal(): Promise<Said>;
  /** Whom it has met meanwhile, beside those that it was aimed at. */
  alsoMet?(): Met['pods'];
  /** Aborted when it cannot go on as it was to: there is nothing more to wait for. */
  readonly gaveUp?: AbortSignal;
}

/** Waits until its time is over, or until it cannot go on. @throws the reason of `signal` */
export async function hold({ gaveUp }: Pick<Injection, 'gaveUp'>, forMs: number, signal: AbortSignal): Promise<void> {
  const ends = gaveUp === undefined ? signal : AbortSignal.any([signal, gaveUp]);
  await sleep(Math.max(0, forMs), undefined, { signal: ends }).catch(() => signal.throwIfAborted());
}

/**
 * How long it is waited for. `takeUpMs`: a controller whose API server was away looks for it again after half a minute of back-off.
 * `selectMs`, `tries`: its view of pods may be older still; it selects once, so what it says to have selected nobody is made anew.
 * `forceMs`: one that waits for a daemon looks up once that call is over, after a minute.
 */
const patience = { takeUpMs: 60_000, selectMs: 5_000, tries: 4, recoverMs: 30_000, forceMs: 75_000 };
/** For one that is to meet nobody. */
export const patienceForNobody = { ...patience, tries: 1 };
const forcedAnnotation = 'chaos-mesh.chaos-mesh.org/cleanFinalizer';
const pausedAnnotation = 'experiment.chaos-mesh.org/pause';

/** By a resource of Chaos Mesh. @param lasts whether there is something to take back */
export function chaosMeshInjection(lab: Lab, object: ChaosObject, lasts: boolean, limits = patience): Injection {
  const resource = chaosKinds[object.kind];
  const now = (): Promise<StoredChaos | undefined> => find<StoredChaos>(lab, resource, object);
  /** By its controller's own word: records are missing, too, for as long as it is at it. */
  const selectsNobody = async (uid: string, signal: AbortSignal | undefined): Promise<boolean> => {
    let isSaid = false;
    const isDecided = async (): Promise<boolean> => {
      if (hasRecords((await now())?.status)) return true;
      const { items } = await lab.kube.list(coreEvents, {
        namespace: object.metadata.namespace,
        fieldSelector: `involvedObject.uid=${uid}`,
      });
      isSaid = items.some(({ message = '' }) => message.includes('no target has been selected'));
      return isSaid;
    };
    await comes(isDecided, limits.selectMs, signal);
    return isSaid && signal?.aborted !== true;
  };
  return {
    inject: async (signal) => {
      const labels = { ...object.metadata.labels, ...ours };
      for (let tries = 1; ; tries += 1) {
        signal?.throwIfAborted();
        const { metadata } = await lab.kube.create<StoredChaos>(resource, { ...object, metadata: { ...object.metadata, labels } });
        // What it does is not waited for here, and one that stays as it is says so itself.
        await comes(async () => isTakenUp((await now())?.status), limits.takeUpMs, signal);
        if (tries >= limits.tries || !(await selectsNobody(metadata?.uid ?? '', signal))) return;
        if ((await removeExperiment(lab, object, limits)).how !== 'gone' || signal?.aborted) return;
      }
    },
    status: async () => {
      const status = (await now())?.status;
      const holds = isInjected(status);
      const count = status?.experiment?.containerRecords?.length ?? 0;
      return { holds, detail: holds ? `${count} of ${count}` : explainRecords(status) };
    },
    heal: async () => {
      if (!lasts) {
        const { how, detail } = await removeExperiment(lab, object, limits);
        return how === 'gone' ? { holds: true, detail: 'nothing to take back' } : { holds: false, detail };
      }
      // Paused, it is taken back and its records stay to be read; deleted, they would go with it.
      if (!(await annotate(lab, object, { [pausedAnnotation]: 'true' }))) return { holds: true, detail: 'it is gone' };
      let last: StoredChaos | undefined;
      const isBack = async (): Promise<boolean> => {
        last = await now();
        return isRecovered(last?.status);
      };
      const { recoverMs } = limits;
      const isRecoveredInTime = await comes(isBack, recoverMs);
      const detail = isRecoveredInTime ? 'all of it' : `not within ${recoverMs / 1_000} s: ${explainRecords(last?.status)}`;
      const removal = await removeExperiment(lab, object, isRecoveredInTime ? limits : { ...limits, recoverMs: 0 });
      return {
        holds: isRecoveredInTime && removal.how === 'gone',
        detail: removal.how === 'gone' ? detail : `${detail}; ${removal.detail}`,
      };
    },
  };
}

export const comes = (holds: () => Promise<boolean>, limitMs: number, signal?: AbortSignal): Promise<boolean> =>
  until('', holds, limitMs, signal).then(
    () => true,
    () => false,
  );

interface Removal {
  readonly how: 'gone' | 'forced' | 'stays';
  /** What may be left of it, and what to do then. */
  readonly detail: string;
}

/**
 * Deletes an experiment; one whose finalizer stays, since nobody takes it back, loses it by force.
 *
 * @param limits `recoverMs`: before there is force
 */
export async function removeExperiment(lab: Lab, object: ChaosObject | StoredChaos, limits = patience): Promise<Removal> {
  const resource = chaosKinds[object.kind as ChaosObject['kind']];
  let status: ChaosStatus | undefined;
  const isGone = async (): Promise<boolean> => {
    const there = await find<StoredChaos>(lab, resource, object);
    status = there?.status ?? status;
    return there === undefined;
  };
  await remove(lab, resource, object);
  if (await comes(isGone, limits.recoverMs)) return { how: 'gone', detail: '' };
  await annotate(lab, object, { [forcedAnnotation]: 'forced' });
  if (!(await comes(isGone, limits.forceMs))) return { how: 'stays', detail: 'it is still there' };
  return { how: 'forced', detail: explainForce(object, isOver(object) ? [] : whereItMayBe(status)) };
}

/** A kill has no end that could be missed. Pure. */
function isOver({ spec }: ChaosObject | StoredChaos): boolean {
  return spec?.action === 'pod-kill' || spec?.action === 'container-kill';
}

/** What force leaves is on nobody's list any more. Pure. */
function explainForce({ kind }: ChaosObject | StoredChaos, left: readonly string[]): string {
  if (left.length === 0) return 'its finalizer was taken off by force';
  const next =
    kind === 'PhysicalMachineChaos'
      ? 'start that node again'
      : "delete that pod; where it has its node's network (anchor-…), reboot the node";
  return `its finalizer was taken off by force, and what it did may still be there, at ${left.join(', ')}: ${next}`;
}

/** @returns false where it is gone */
async function annotate(lab: Lab, object: ChaosObject | StoredChaos, annotations: Readonly<Record<string, string>>): Promise<boolean> {
  return await patchNewest(lab, chaosKinds[object.kind as ChaosObject['kind']], object, { metadata: { annotations } } as Json);
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
