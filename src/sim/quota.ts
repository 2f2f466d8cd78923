import { type KubeObject, pods, type Resource } from '../kube/objects.ts';
import { parseTime } from '../lib/time.ts';
import type { AnyObject } from './stored-object.ts';

export const resourceQuotas: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};

/** Pods that have ended, or are past their grace period, weigh nothing. */
function weighs({ kind, metadata, status }: AnyObject, nowMs: number): boolean {
  if (kind !== pods.kind) return true;
  const { deletionTimestamp, deletionGracePeriodSeconds: seconds = 0 } = metadata;
  const isOver = deletionTimestamp !== undefined && nowMs >= (parseTime(deletionTimestamp) ?? 0) + seconds * 1_000;
  return !isOver && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** How many objects of a kind count against a quota, of all of them in its namespace. Pure. */
export function quotaUsage(objects: readonly AnyObject[], nowMs: number): number {
  return objects.filter((object) => weighs(object, nowMs)).length;
}

/** Why one more object would be too many, in the words of the API server. Only numbers of objects are counted. Pure. */
export function quotaRefusal(
  quotas: readonly AnyObject[],
  plural: string,
  objects: readonly AnyObject[],
  nowMs: number,
): string | undefined {
  const used = quotaUsage(objects, nowMs);
  for (const { metadata, spec } of quotas) {
    const hard = Object.entries((spec?.hard ?? {}) as Readonly<Record<string, string>>);
    for (const [name, limit] of hard) {
      if ((name === plural || name === `count/${plural}`) && used >= Number(limit))
        return `exceeded quota: ${metadata.name}, requested: ${name}=1, used: ${name}=${used}, limited: ${name}=${limit}`;
    }
  }
  return undefined;
}
