import { type PerformerSpecInput, type PerformerStatus, performers } from '../../../src/api/v1alpha1/performer.ts';
import type { WriteCounts } from '../../../src/kube/counting.ts';
import { type ObjectKey, type Pod, pods, services } from '../../../src/kube/objects.ts';
import { type OriginalSpec, originalPerformer, originalPod, originalService, originalStatus } from '../../fixtures/original/objects.ts';
import { TestOperator } from '../../support/operator.ts';
import { type CrdName, installCrd } from './crd.ts';

export const avsAddress = '0x00000000000000000000000000000000000000a1';
export const keyOf = (name: string): ObjectKey => ({ namespace: 'default', name });
export const total = (writes: WriteCounts): number => writes.create + writes.patch + writes.delete;
export const imageOf = (pod: Pod): string | undefined => pod.spec?.containers[0]?.image;

/** The operator on a cluster that has this CRD. @param readyAfterMs from a pod's creation to its readiness */
export function operatorOn(crd: CrdName = 'ours', readyAfterMs = 400): TestOperator {
  const operator = new TestOperator(readyAfterMs);
  installCrd(operator.cluster, crd);
  return operator;
}

/** One Performer, served. */
export async function servedPerformer(spec: Partial<PerformerSpecInput> = {}, crd: CrdName = 'ours'): Promise<TestOperator> {
  const operator = operatorOn(crd);
  await operator.ask('x', spec);
  await operator.once(30_000);
  return operator;
}

/** What the Go operator leaves of a Performer that it has brought up: itself with its finalizer and status, Pod and Service. */
export async function leaveByOriginal(operator: TestOperator, name: string, spec: OriginalSpec): Promise<Pod> {
  const { cluster } = operator;
  const key = keyOf(name);
  const kube = cluster.api();
  const performer = await kube.create(performers, originalPerformer(key, spec));
  const uid = performer.metadata?.uid ?? '';
  await kube.create(pods, originalPod(key, uid, spec));
  await kube.create(services, originalService(key, uid, spec));
  await operator.clock.advance(1_000);
  const readyTime = '2026-01-01T00:00:01Z';
  cluster.update(performers, key, (stored) => ({
    ...stored,
    status: { ...stored.status, ...originalStatus(key, 'Running', true, readyTime) },
  }));
  const pod = cluster.find(pods, { namespace: key.namespace, name: `performer-${name}` });
  if (pod === undefined) throw new Error('the pod went');
  return pod;
}

/** The status, which must be there. */
export function statusOf(operator: TestOperator, name = 'x'): PerformerStatus {
  const status = operator.status(name);
  if (status === undefined) throw new Error(`Performer ${name} has no status`);
  return status;
}

/** Reason and message of a condition. */
export function conditionOf(
  operator: TestOperator,
  type = 'Ready',
  name = 'x',
): { status: string; reason: string; message: string } | undefined {
  const found = statusOf(operator, name).conditions?.find((condition) => condition.type === type);
  return found === undefined ? undefined : { status: found.status, reason: found.reason, message: found.message };
}

/** Pods that carry the Service's label, are ready and stay. */
export function serving(operator: TestOperator, name = 'x'): readonly Pod[] {
  return operator
    .pods()
    .filter(
      (pod) =>
        pod.metadata?.labels?.['hourglass.eigenlayer.io/performer'] === name &&
        pod.metadata.deletionTimestamp === undefined &&
        pod.status?.phase === 'Running' &&
        pod.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true,
    );
}
