import { expect, it } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import { chaosNamespace, operatorLabels } from '../../../../chaos/experiment.ts';
import type { Journal } from '../../../../chaos/runner/journal.ts';
import { setUp } from '../../../../chaos/runner/set-up.ts';
import { ourSubject } from '../../../../chaos/subject.ts';
import { performers } from '../../../../src/api/v1alpha1/performer.ts';
import { leases, namespaces, pods } from '../../../../src/kube/objects.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryCluster } from '../../../support/memory-cluster.ts';

it('asks for a Performer that starts beside the operator that leads, and may follow elsewhere', async () => {
  const cluster = new MemoryCluster({ clock: new FakeClock() });
  cluster.registerKind(performers, { statusSubresource: true });
  const kube = cluster.api();
  const subject = ourSubject('');
  const { deployment, lease } = subject.operator ?? {};
  const namespace = deployment?.namespace ?? '';
  for (const name of [namespace, chaosNamespace]) await kube.create(namespaces, { metadata: { name } });
  await kube.create(leases, { metadata: lease ?? {}, spec: { holderIdentity: 'operator-b' } });
  for (const [name, nodeName] of [
    ['operator-a', 'n1'],
    ['operator-b', 'n2'],
  ] as const)
    await kube.create(pods, {
      metadata: { namespace, name, labels: operatorLabels },
      spec: { nodeName, containers: [{ name: 'manager', image: 'a' }] },
    });
  const lab = { kube, subject, performerImage: 'avs:1' } as unknown as Lab;
  await setUp(lab, { kind: 'node', does: 'power-off', leader: true }, {} as Journal, 'asked-c7h-0', 1);
  const { spec } = await kube.get(performers, { namespace: chaosNamespace, name: 'asked-c7h-0' });
  const preference = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n2'] }] };
  const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] };
  expect(spec).toMatchObject({ drainSeconds: 2, nodeLossPolicy: 'Route', scheduling: { affinity: { nodeAffinity } } });
});
