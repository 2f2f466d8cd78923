import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { coreEvents, leases, pods } from '../../src/kube/objects.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { may, whileWatching } from '../support/as-account.ts';
import { readRights } from '../support/audit-rights.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ profile: 'instant', audit: true });
const real = new RealCluster(cluster);
beforeAll(() => real.installCrd('ours'));

const manifests = join(projectRoot, 'manifests');
const account = 'hourglass-operator';
const ready = async (namespace: string, name: string): Promise<string> => readyOf(await real.kube.get(performers, { namespace, name }));
const denied = async (namespace: string, name = account): Promise<readonly string[]> => [
  ...(await readRights(cluster.get().auditLog ?? '', namespace, name)).denied.keys(),
];

describe('the operator of one namespace', () => {
  const namespaces = ['team-a', 'team-b'];
  const folders: string[] = [];
  const kubeconfigs: Record<string, string> = {};
  const envOf = (namespace: string): Record<string, string> => ({ HOURGLASS_NAMESPACE: namespace, HOURGLASS_LEASE_NAMESPACE: namespace });

  beforeAll(async () => {
    for (const namespace of [...namespaces, 'nobodys']) {
      await real.namespace(namespace);
      await real.ask(namespace, 'x', { drainSeconds: 1 });
    }
    for (const namespace of namespaces) {
      const folder = await mkdtemp(join(tmpdir(), 'hourglass-overlay-'));
      folders.push(folder);
      const overlay = { namespace, resources: [relative(folder, join(manifests, 'namespaced'))] };
      await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
      await real.kubectl('apply', '-k', folder);
      kubeconfigs[namespace] = await real.kubeconfigOf(namespace, account);
    }
  });
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  it('stands in several namespaces, one each', async () => {
    for (const namespace of namespaces) {
      await real.kubectl('rollout', 'status', 'deployment/hourglass-operator', '-n', namespace, '--timeout=30s');
      const replica = (await real.kube.list(pods, { namespace, labelSelector: 'app.kubernetes.io/component=watch' })).items[0];
      expect(replica?.spec?.serviceAccountName).toBe(account);
    }
  });

  it('keeps the Performers there, each with a Lease of its own, and no others', async () => {
    await whileWatching(kubeconfigs['team-a'] ?? '', envOf('team-a'), async () => {
      await until('its Performer', async () => (await ready('team-a', 'x')) === 'True Serving');
      await whileWatching(kubeconfigs['team-b'] ?? '', envOf('team-b'), async () => {
        await until('the other one', async () => (await ready('team-b', 'x')) === 'True Serving');
        await real.change('team-a', 'x', { image: 'avs:2' });
        await until('the rollout', async () => (await real.pods('team-a')).every(({ spec }) => spec?.containers[0]?.image === 'avs:2'));
        await until('it to serve', async () => (await ready('team-a', 'x')) === 'True Serving');
        for (const namespace of namespaces) expect((await real.kube.list(leases, { namespace })).items).toHaveLength(1);
      });
    });
    expect(await real.pods('nobodys')).toEqual([]);
  });

  it('does without nodes, which alone it is denied, and sees them once it may', async () => {
    for (const namespace of namespaces) {
      expect((await denied(namespace)).filter((right) => !/^(?:get|list|watch) nodes$/.test(right))).toEqual([]);
    }
    expect(await may(cluster.get(), `team-a:${account}`, 'list', 'nodes')).toBe(false);
    await real.kubectl('apply', '-k', join(manifests, 'node-reader'));
    const role = '--clusterrole=hourglass-operator-node-reader';
    await real.kubectl('create', 'clusterrolebinding', 'nodes-team-a', role, `--serviceaccount=team-a:${account}`);
    expect(await may(cluster.get(), `team-a:${account}`, 'list', 'nodes')).toBe(true);
  });

  it.each([
    { verb: 'list', resource: 'pods', namespace: 'team-b' },
    { verb: 'delete', resource: 'pods', namespace: 'team-b' },
    { verb: 'list', resource: 'performers.hourglass.eigenlayer.io', namespace: 'team-b' },
    { verb: 'list', resource: 'pods', namespace: '' },
    { verb: 'get', resource: 'leases.coordination.k8s.io', namespace: 'team-b' },
    { verb: 'get', resource: 'secrets', namespace: 'team-a' },
    { verb: 'patch', resource: 'nodes', namespace: '' },
  ])('of team-a may not $verb $resource in "$namespace"', async ({ verb, resource, namespace }) => {
    expect(await may(cluster.get(), `team-a:${account}`, 'delete', 'pods', 'team-a')).toBe(true);
    expect(await may(cluster.get(), `team-a:${account}`, verb, resource, namespace)).toBe(false);
  });
});

describe('the role that installations of the Go operator have', () => {
  const namespace = 'field';
  let kubeconfig: string;

  beforeAll(async () => {
    await real.namespace(namespace);
    kubeconfig = await real.accountKubeconfig(namespace, 'old');
    const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
    await real.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'in-the-field' },
      rules: [
        { apiGroups: [''], resources: ['pods', 'services', 'endpoints', 'events'], verbs },
        { apiGroups: ['apps'], resources: ['deployments'], verbs },
        {
          apiGroups: ['hourglass.eigenlayer.io'],
          resources: ['performers', 'performers/status', 'performers/finalizers'],
          verbs,
        },
      ],
    });
    await real.kubectl('create', 'clusterrolebinding', 'in-the-field', '--clusterrole=in-the-field', `--serviceaccount=${namespace}:old`);
  });

  it('is enough to converge and roll out; what is off is said', async () => {
    await real.ask(namespace, 'x', { drainSeconds: 1 });
    await real.ask(namespace, 'bad', { image: 'avs:pull-fails' });
    const said = await whileWatching(kubeconfig, { HOURGLASS_NAMESPACE: namespace, HOURGLASS_LEASE_NAMESPACE: namespace }, async () => {
      await until('it to serve', async () => (await ready(namespace, 'x')) === 'True Serving');
      await real.change(namespace, 'x', { image: 'avs:2' });
      await until('the rollout', async () => {
        const status = (await real.kube.get(performers, { namespace, name: 'x' })).status;
        return (
          status?.observedGeneration === 2 && (await ready(namespace, 'x')) === 'True Serving' && (await real.pods(namespace)).length === 2
        );
      });
      await until('what is wrong', async () => (await ready(namespace, 'bad')) === 'False ImagePullFailed');
    });
    expect(said).toMatch(/without a Lease/);
    expect(said).toMatch(/cannot read endpointslices: a new pod takes over 2 s after it is ready/);
    expect(said).toMatch(/cannot read nodes/);
    const { items } = await real.kube.list(coreEvents, { namespace, fieldSelector: 'reason=ImagePullFailed' });
    expect(items).toHaveLength(1);
    expect((await denied(namespace, 'old')).map((right) => right.split(' ')[1])).toEqual(
      expect.arrayContaining(['leases', 'nodes', 'endpointslices', 'events']),
    );
  });
});
