import { describe, expect, it } from 'vitest';
import { type Lab, until } from '../../../../chaos/cluster/lab.ts';
import { buildPerformer } from '../../../../chaos/cluster/workloads.ts';
import { chaosNamespace, ours } from '../../../../chaos/experiment.ts';
import { waitForCluster } from '../../../../chaos/runner/preflight.ts';
import { clearStage, leaveStage, setStage, unaskLeftovers } from '../../../../chaos/runner/stage.ts';
import { parsePerformerSpec, performers } from '../../../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../../../src/kube/faults.ts';
import { keyOf, namespaces } from '../../../../src/kube/objects.ts';
import { buildPod } from '../../../../src/reconcile/plan/pod.ts';
import { silentProgress } from '../../../../src/testbed/progress.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryCluster } from '../../../support/memory-cluster.ts';

function setUp() {
  const cluster = new MemoryCluster({ clock: new FakeClock() });
  cluster.registerKind(performers, { statusSubresource: true });
  const kube = cluster.api();
  const makeNamespace = (labels = {}): Promise<unknown> => kube.create(namespaces, { metadata: { name: chaosNamespace, labels } });
  return { cluster, kube, makeNamespace, lab: { kube, performerImage: 'avs:1', subject: {} } as unknown as Lab };
}
const signal = new AbortController().signal;

describe('the namespace of the experiments', () => {
  it('is refused, and left alone, where somebody else made it', async () => {
    const { cluster, lab, makeNamespace } = setUp();
    await makeNamespace({ team: 'a' });
    await expect(waitForCluster(lab, silentProgress, signal)).rejects.toThrow(
      /namespace hourglass-chaos: it is not of this program.* kubectl label namespace hourglass-chaos app\.kubernetes\.io\/managed-by=hourglass-chaos$/,
    );
    await clearStage(lab);
    expect(cluster.find(namespaces, { namespace: '', name: chaosNamespace })?.metadata?.deletionTimestamp).toBeUndefined();
  });

  it('is removed where it was given over', async () => {
    const { cluster, lab, makeNamespace } = setUp();
    await makeNamespace({ team: 'a', ...ours });
    await expect(waitForCluster(lab, silentProgress, signal)).rejects.toThrow(/^nodes: 0 are Ready/);
    await clearStage(lab);
    const left = cluster.find(namespaces, { namespace: '', name: chaosNamespace });
    expect(left === undefined || left.metadata?.deletionTimestamp !== undefined).toBe(true);
  });
});

describe('the namespace of an interrupted run', () => {
  const away = new KubeFault('unreachable', 'getting Namespace hourglass-chaos: nobody listens');

  it('is removed once the API server is back', async () => {
    const { cluster, kube, makeNamespace } = setUp();
    await makeNamespace(ours);
    let failures = 2;
    const get: typeof kube.get = (...call) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(away) : kube.get(...call);
    };
    const remove: typeof kube.delete = (...call) => kube.delete(...call);
    await leaveStage({ kube: { get, delete: remove } } as unknown as Lab, silentProgress);
    const left = cluster.find(namespaces, { namespace: '', name: chaosNamespace });
    expect(left === undefined || left.metadata?.deletionTimestamp !== undefined).toBe(true);
  });

  it('is told where the API server stays away, and hides nothing', async () => {
    const warned: string[] = [];
    const report = { ...silentProgress, warn: (line: string) => void warned.push(line) };
    await leaveStage({ kube: { get: () => Promise.reject(away) } } as unknown as Lab, report, 0);
    expect(warned).toEqual([`waited 0 s for namespace hourglass-chaos to be taken away: ${away.message}`]);
  });
});

describe('what a killed run asked for', () => {
  it('is taken away, and the Performers under fault stay', async () => {
    const { cluster, kube, lab, makeNamespace } = setUp();
    await makeNamespace(ours);
    for (const name of ['alpha', 'asked-c5-0']) await kube.create(performers, buildPerformer(chaosNamespace, name, 'avs:1'));
    await unaskLeftovers(lab);
    expect(cluster.objects(performers).map((one) => keyOf(one).name)).toEqual(['alpha']);
  });
});

describe('the Performers under fault', () => {
  it('stand apart where nodes allow it, by the label that their pods have', async () => {
    const { cluster, lab } = setUp();
    const end = new AbortController();
    const setting = setStage(lab, [], end.signal);
    await until('both to be asked for', async () => cluster.objects(performers).length === 2, 5_000);
    end.abort(new Error('seen'));
    await expect(setting).rejects.toThrow('seen');
    for (const performer of cluster.objects(performers)) {
      const parsed = parsePerformerSpec(performer.spec);
      if (!parsed.valid) throw new Error(JSON.stringify(parsed.issues));
      const { metadata, spec } = buildPod(
        keyOf(performer),
        '',
        parsed.spec,
        { revision: '', index: 0, failures: 0 },
        { securityProfile: 'restricted' },
      );
      const [term] = spec?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      expect(term?.podAffinityTerm.topologyKey).toBe('kubernetes.io/hostname');
      expect(metadata?.labels).toMatchObject(term?.podAffinityTerm.labelSelector?.matchLabels ?? { none: '' });
    }
  });
});

describe('until', () => {
  it('says what failed last when the time is over', async () => {
    const failing = until('the pods', () => Promise.reject(new Error('pods "a" is forbidden')), 0);
    await expect(failing).rejects.toThrow('waited 0 s for the pods: pods "a" is forbidden');
    await expect(until('the pods', async () => false, 0)).rejects.toThrow(/^waited 0 s for the pods$/);
  });
});
