import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import { callerLabels, chaosNamespace, type Experiment, type Fault, operatorLabels } from '../../../../chaos/experiment.ts';
import { aim } from '../../../../chaos/runner/aim.ts';
import { ourSubject } from '../../../../chaos/subject.ts';
import { performerSelector } from '../../../../src/api/v1alpha1/naming.ts';
import { endpointSlices, leases, namespaces, pods, services } from '../../../../src/kube/objects.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryCluster } from '../../../support/memory-cluster.ts';

const power: Fault = { kind: 'node', does: 'power-off', most: true };
const experiment = (fault: Fault): Experiment => ({
  id: 'C0',
  title: '',
  fault,
  lastsMs: { full: 1_000 },
  injector: 'chaos-mesh',
  steady: [],
  bounds: [],
  convergesMs: 1_000,
});

/** A cluster whose operator leads on `leader`, with the pods of the Performers on these nodes, and the load on each. */
async function setUp({ leader, alpha, beta }: Readonly<Record<'leader' | 'alpha' | 'beta', string>>): Promise<Lab> {
  const cluster = new MemoryCluster({ clock: new FakeClock() });
  cluster.registerKind(endpointSlices, { statusSubresource: false });
  const kube = cluster.api();
  const subject = ourSubject('');
  const { lease = { namespace: '', name: '' }, deployment = lease } = subject.operator ?? {};
  const put = (namespace: string, name: string, nodeName: string, labels: Readonly<Record<string, string>>): Promise<unknown> =>
    kube.create(pods, { metadata: { namespace, name, labels }, spec: { nodeName, containers: [{ name: 'a', image: 'a' }] } });
  for (const name of [deployment.namespace, chaosNamespace]) await kube.create(namespaces, { metadata: { name } });
  await put(deployment.namespace, 'operator-a', leader, operatorLabels);
  await kube.create(leases, { metadata: lease, spec: { holderIdentity: 'operator-a' } });
  await kube.create(services, {
    metadata: { namespace: 'default', name: 'kubernetes' },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
  });
  for (const node of ['n1', 'n2', 'n3']) await put(chaosNamespace, `caller-alpha-${node}`, node, callerLabels);
  await put(chaosNamespace, 'a-0', alpha, performerSelector('alpha'));
  await put(chaosNamespace, 'b-0', beta, performerSelector('beta'));
  return { kube, subject } as unknown as Lab;
}

describe('most nodes', () => {
  it.each([
    { name: "are all but the leader's", where: { leader: 'n1', alpha: 'n2', beta: 'n3' }, nodes: ['n2', 'n3'] },
    { name: "are all but the leader's, whoever's pod stands there", where: { leader: 'n3', alpha: 'n3', beta: 'n1' }, nodes: ['n1', 'n2'] },
  ])('$name', async ({ where, nodes }) => {
    const lab = await setUp(where);
    for (const round of [0, 1, 2, 3]) {
      const { met, targets } = await aim(lab, experiment(power), 1, round);
      expect([met.nodes, targets.machines]).toEqual([nodes, nodes]);
      expect(nodes).toContain(met.performer === 'alpha' ? where.alpha : where.beta);
    }
  });
});

describe('a node that falls silent', () => {
  const silent = ['power-off', 'freeze', 'link-down'] as const;

  it.each(silent)("is, by %s, not the leader's where a Performer stands elsewhere", async (does) => {
    const lab = await setUp({ leader: 'n1', alpha: 'n1', beta: 'n2' });
    for (const round of [0, 1, 2, 3]) {
      const { met } = await aim(lab, experiment({ kind: 'node', does }), 1, round);
      expect(met).toMatchObject({ performer: 'beta', nodes: ['n2'] });
    }
  });

  it.each([{ fault: power, nodes: 'most' }, ...silent.map((does) => ({ fault: { kind: 'node', does } satisfies Fault, nodes: 'one' }))])(
    "is none, of $nodes by $fault.does, where every Performer stands beside the leader: one's bounds are not the other's",
    async ({ fault }) => {
      const lab = await setUp({ leader: 'n1', alpha: 'n1', beta: 'n1' });
      await expect(aim(lab, experiment(fault), 1, 0)).rejects.toThrow(
        'experiment C0: its target is not there: every Performer stands on node n1, where the operator is that leads',
      );
    },
  );

  it('is that of the drawn Performer where nobody leads', async () => {
    const lab = await setUp({ leader: 'n1', alpha: 'n1', beta: 'n1' });
    const { lease = { namespace: '', name: '' } } = lab.subject.operator ?? {};
    const { uid = '', resourceVersion = '' } = (await lab.kube.get(leases, lease)).metadata ?? {};
    await lab.kube.delete(leases, lease, { uid, resourceVersion });
    expect((await aim(lab, experiment({ kind: 'node', does: 'power-off' }), 1, 0)).met.nodes).toEqual(['n1']);
  });

  it('is any where the operator that leads goes on', async () => {
    const lab = await setUp({ leader: 'n1', alpha: 'n1', beta: 'n2' });
    const nodes = await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (round) =>
        (await aim(lab, experiment({ kind: 'node', does: 'kubelet-hang' }), 1, round)).met.nodes.join(),
      ),
    );
    expect([...new Set(nodes)].toSorted()).toEqual(['n1', 'n2']);
  });
});

describe("the leader's node", () => {
  const atLeader = experiment({ kind: 'node', does: 'power-off', leader: true });
  const askFor = (lab: Lab, nodeName: string): Promise<unknown> =>
    lab.kube.create(pods, {
      metadata: { namespace: chaosNamespace, name: 'asked-0', labels: performerSelector('asked-c0-0') },
      spec: { nodeName, containers: [{ name: 'a', image: 'a' }] },
    });

  it('is met with the Performer that was asked for there', async () => {
    const lab = await setUp({ leader: 'n1', alpha: 'n2', beta: 'n3' });
    await askFor(lab, 'n1');
    const { met, targets } = await aim(lab, atLeader, 1, 0);
    expect(met).toMatchObject({ performer: 'asked-c0-0', pods: [{ name: 'asked-0' }], nodes: ['n1'] });
    expect(met.asked).toBeUndefined();
    expect(targets.machines).toEqual(['n1']);
  });

  it('is met with a Performer of the load that stands there and keeps others off', async () => {
    const lab = await setUp({ leader: 'n1', alpha: 'n2', beta: 'n1' });
    await askFor(lab, 'n3');
    const { met, targets } = await aim(lab, atLeader, 1, 0);
    expect(met).toMatchObject({ performer: 'beta', nodes: ['n1'] });
    expect(targets.machines).toEqual(['n1']);
  });

  it.each([
    { name: 'no Performer stands there', where: { leader: 'n1', alpha: 'n2', beta: 'n3' }, says: 'no Performer is on node n1, where' },
    { name: 'all of the load do', where: { leader: 'n1', alpha: 'n1', beta: 'n1' }, says: 'every Performer stands on node n1' },
  ])('is not met where $name', async ({ where, says }) => {
    const lab = await setUp(where);
    await askFor(lab, 'n2');
    await expect(aim(lab, atLeader, 1, 0)).rejects.toThrow(says);
  });
});

describe('several faults at once', () => {
  it('meet the same Performer, and each whom it means of those that run, once the API server has said where it is', async () => {
    const lab = await setUp({ leader: 'n1', alpha: 'n2', beta: 'n3' });
    const slice = {
      metadata: { namespace: 'default', name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
    };
    const ended = { namespace: 'hourglass-system', name: 'operator-ended' };
    const { metadata } = await lab.kube.create(pods, {
      metadata: { ...ended, labels: operatorLabels },
      spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'a' }] },
    });
    await lab.kube.patch(
      pods,
      ended,
      { status: { phase: 'Succeeded' } },
      {
        subresource: 'status',
        resourceVersion: metadata?.resourceVersion ?? '',
      },
    );
    const faults: readonly Fault[] = [
      { kind: 'partition', between: 'operator-api' },
      { kind: 'pod-kill', graceSeconds: 0 },
    ];
    const aimed = aim(lab, experiment({ kind: 'together', faults }), 1, 0);
    await sleep(20);
    await lab.kube.create(endpointSlices, slice);
    const { met, targets } = await aimed;
    expect(met).toMatchObject({ pods: [{ name: met.performer === 'alpha' ? 'a-0' : 'b-0' }], nodes: [], asked: 'asked-c0-0' });
    expect(targets.parts?.map((part) => part.pods)).toEqual([
      { namespace: 'hourglass-system', names: ['operator-a'] },
      { namespace: chaosNamespace, names: met.pods.map(({ name }) => name) },
    ]);
    expect(targets.parts?.[0]?.addresses).toEqual(['10.96.0.1', '10.0.0.1']);
  });
});
