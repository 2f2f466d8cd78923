import { describe, expect, it } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import { buildDeployment, buildPerformer, type Deployment, deployments } from '../../../../chaos/cluster/workloads.ts';
import { chaosNamespace } from '../../../../chaos/experiment.ts';
import { otherName, rollOut } from '../../../../chaos/runner/rollout.ts';
import { ourSubject, plainDeployment, type Subject } from '../../../../chaos/subject.ts';
import { performers } from '../../../../src/api/v1alpha1/performer.ts';
import { namespaces } from '../../../../src/kube/objects.ts';
import type { RealNodes } from '../../../../src/testbed/nodes/real-nodes.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryCluster } from '../../../support/memory-cluster.ts';

const first = 'registry.example.com:5000/avs:1';
const second = 'registry.example.com:5000/avs:chaos-next';

async function setUp(subject: Subject) {
  const cluster = new MemoryCluster({ clock: new FakeClock() });
  cluster.registerKind(performers, { statusSubresource: true });
  cluster.registerKind(deployments, { statusSubresource: true });
  const kube = cluster.api();
  await kube.create(namespaces, { metadata: { name: chaosNamespace } });
  const tags: string[] = [];
  const nodes = { names: ['n1', 'n2'], run: (name: string, argv: readonly string[]) => tags.push([name, ...argv.slice(-2)].join(' ')) };
  const lab = { kube, subject, performerImage: first } as unknown as Lab;
  return { kube, tags, again: () => rollOut(lab, nodes as unknown as RealNodes, 'alpha') };
}

describe('a rollout', () => {
  it('changes the image of a Performer and nothing else, and back the next time', async () => {
    const { kube, tags, again } = await setUp(ourSubject(''));
    const { spec } = await kube.create(performers, buildPerformer(chaosNamespace, 'alpha', first, { A: '1' }));
    const specNow = async () => (await kube.get(performers, { namespace: chaosNamespace, name: 'alpha' })).spec;
    await again();
    expect(await specNow()).toEqual({ ...(spec as object), image: second });
    expect(tags).toEqual([`n1 ${first} ${second}`, `n2 ${first} ${second}`]);
    await again();
    expect(await specNow()).toEqual(spec);
  });

  it('changes the image of a Deployment in the same way', async () => {
    const { kube, again } = await setUp(plainDeployment);
    const { deployment } = buildDeployment(chaosNamespace, 'alpha', first);
    await kube.create(deployments, deployment);
    const specNow = async (): Promise<Deployment['spec']> =>
      (await kube.get(deployments, { namespace: chaosNamespace, name: deployment.metadata?.name ?? '' })).spec;
    await again();
    expect(await specNow()).toEqual(buildDeployment(chaosNamespace, 'alpha', second).deployment.spec);
    await again();
    expect(await specNow()).toEqual(deployment.spec);
  });

  it.each([first, 'registry.example.com:5000/avs', 'registry.example.com:5000/avs@sha256:0a', 'registry.example.com:5000/avs:1@sha256:0a'])(
    'has another name for %s',
    (image) => {
      expect(otherName(image)).toBe(second);
    },
  );
});
