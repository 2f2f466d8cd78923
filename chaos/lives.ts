import { annotations, labels } from '../src/api/v1alpha1/naming.ts';
import { controllerOf, type KubeObject, type Pod } from '../src/kube/objects.ts';
import type { Change } from '../src/oracle/kit.ts';

/** A pod of a Performer from its first sight to its last; times in ms since the epoch, absent for what did not happen. */
export interface PodLife {
  readonly name: string;
  readonly uid: string;
  readonly performer: string;
  node?: string;
  readonly seenMs: number;
  /** Whether it was there when the looking began. */
  readonly wasThere: boolean;
  /** Each time it became Ready, and each time it was no more. */
  readonly ready: { readonly fromMs: number; toMs?: number }[];
  withdrawnMs?: number;
  deletingMs?: number;
  goneMs?: number;
}

/** The performer whose pod it is, whoever made it; undefined for any other pod. Pure. */
export function performerOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind === 'Performer') return owner.name;
  return owner?.kind === 'ReplicaSet' ? pod.metadata?.labels?.[labels.performer] : undefined;
}

export const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** Whether an object was there when the looking began; what is seen first is what was there. Pure. */
export function wasThereAtFirst(changes: readonly Change[]): (object: KubeObject) => boolean {
  const firstMs = changes[0]?.atMs ?? 0;
  // Of the API server's times seconds are known.
  return ({ metadata }) => Date.parse(metadata?.creationTimestamp ?? '') < firstMs - 1_000;
}

/** The pods of all Performers in the order in which they were seen. Pure. */
export function readLives(changes: readonly Change[]): readonly PodLife[] {
  const lives = new Map<string, PodLife>();
  const wasThere = wasThereAtFirst(changes);
  for (const { kind, atMs, before, after } of changes) {
    const pod = (after ?? before) as Pod | undefined;
    const performer = pod === undefined ? undefined : performerOf(pod);
    const uid = pod?.metadata?.uid;
    if (kind !== 'pods' || pod === undefined || performer === undefined || uid === undefined) continue;
    const made = {
      name: pod.metadata?.name ?? '',
      uid,
      performer,
      seenMs: atMs,
      wasThere: wasThere(pod),
      ready: [],
    };
    const life: PodLife = lives.get(uid) ?? made;
    lives.set(uid, life);
    if (pod.spec?.nodeName !== undefined) life.node = pod.spec.nodeName;
    const last = life.ready.at(-1);
    const isUp = last !== undefined && last.toMs === undefined;
    if (isReady(after as Pod | undefined) !== isUp) {
      if (isUp) last.toMs = atMs;
      else life.ready.push({ fromMs: atMs });
    }
    if (after?.metadata?.annotations?.[annotations.withdrawnAt] !== undefined) life.withdrawnMs ??= atMs;
    if (after?.metadata?.deletionTimestamp !== undefined) life.deletingMs ??= atMs;
    if (after === undefined) life.goneMs ??= atMs;
  }
  return [...lives.values()];
}
