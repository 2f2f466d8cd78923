import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../scripts/generate.ts';
import { appLabelValue, labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { coreEvents, type KubeObject, leases, pods, services } from '../../src/kube/objects.ts';
import { kubectl, untilEstablished } from '../../src/testbed/kubectl.ts';
import { isNamespaceGone, RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { may, whileWatching } from '../support/as-account.ts';
import { grantedRights, readRights, renderRights } from '../support/audit-rights.ts';
import { useCluster } from '../support/cluster.ts';
import { LonelyNode } from '../support/lonely-node.ts';

const cluster = useCluster({ profile: 'instant', audit: true });
const real = new RealCluster(cluster);
const manifests = join(projectRoot, 'manifests');
const system = 'hourglass-system';
const account = 'hourglass-operator';

const ready = async (namespace: string, name = 'x'): Promise<string> => readyOf(await real.kube.get(performers, { namespace, name }));
const isReady =
  (namespace: string, name = 'x') =>
  async (): Promise<boolean> =>
    (await ready(namespace, name)) === 'True Serving';
const has = async (namespace: string, name: string, type: string): Promise<boolean> =>
  (await real.kube.get(performers, { namespace, name })).status?.conditions?.some((one) => one.type === type && one.status === 'True') ??
  false;
const parseAll = (text: string): readonly KubeObject[] => parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata?.namespace ?? '-'}/${metadata?.name}`;
const byName = (objects: readonly KubeObject[]): Record<string, KubeObject> =>
  Object.fromEntries(objects.map((object) => [nameOf(object), object]));
const build = async (folder: string): Promise<readonly KubeObject[]> => parseAll(await real.kubectl('kustomize', join(manifests, folder)));

/** Names of all that an installation could leave behind. */
async function remains(): Promise<readonly string[]> {
  const kinds =
    'namespaces,clusterroles,clusterrolebindings,roles,rolebindings,deployments,cronjobs,pdb,networkpolicies,leases,serviceaccounts,services';
  return (
    await real.kubectl('get', kinds, '-A', '-o', 'jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}')
  )
    .split('\n')
    .filter((name) => !name.includes('Lease kube-') && name !== '')
    .toSorted();
}

describe('kustomize', () => {
  it.each([
    { file: 'install-watch.yaml', folder: 'all' },
    { file: 'install-once.yaml', folder: 'all-once' },
  ])('gives for $folder what stands in $file', async ({ file, folder }) => {
    expect(byName(await build(folder))).toEqual(byName(parseAll(readFileSync(join(manifests, file), 'utf8'))));
  });

  it.each(['namespaced', 'namespaced-once'])('gives for %s nothing outside its namespace, and every subject in it', async (folder) => {
    const all = await build(folder);
    expect(new Set(all.map(({ metadata }) => metadata?.namespace))).toEqual(new Set(['hourglass-performers']));
    expect(JSON.stringify(all)).not.toContain(system);
    expect(JSON.stringify(all)).toContain('HOURGLASS_NAMESPACE');
  });
});

describe('bench', () => {
  it('is taken by the API server as it stands', async () => {
    await real.kubectl('apply', '-f', join(manifests, 'bench/namespace.yaml'));
    const said = await real.kubectl('apply', '-k', join(manifests, 'bench'), '--dry-run=server');
    await real.kubectl('delete', '-f', join(manifests, 'bench/namespace.yaml'));
    const kinds = said
      .trim()
      .split('\n')
      .map((line) => line.replace(/\/.*/, '').replace(/\..*/, ''));
    expect(kinds.toSorted()).toEqual(['configmap', 'job', 'namespace', 'role', 'rolebinding', 'serviceaccount']);
  });
});

describe('install-watch.yaml', () => {
  const file = join(manifests, 'install-watch.yaml');
  let before: readonly string[];
  let kubeconfig: string;

  beforeAll(async () => {
    before = await remains();
    await real.kubectl('apply', '-f', file);
    await real.kubectl(...untilEstablished('crd/performers.hourglass.eigenlayer.io'));
    kubeconfig = await real.kubeconfigOf(system, account);
  });

  it('brings up two replicas on two nodes, which Pod Security admits', async () => {
    await real.kubectl('rollout', 'status', 'deployment/hourglass-operator', '-n', system, '--timeout=30s');
    const replicas = (await real.kube.list(pods, { namespace: system })).items;
    expect(new Set(replicas.map(({ spec }) => spec?.nodeName)).size).toBe(2);
    const refused = real.kubectl('run', 'probe', '--image=probe:1', '--privileged', '--dry-run=server', '-n', system);
    await expect(refused).rejects.toThrow('violates PodSecurity "restricted');
  });

  it('changes nothing when it is applied again', async () => {
    const generations = async (): Promise<string> =>
      real.kubectl('get', '-f', file, '-o', 'jsonpath={range .items[*]}{.kind} {.metadata.uid} {.metadata.generation}{"\\n"}{end}');
    const first = await generations();
    await real.kubectl('apply', '-f', file);
    expect(await generations()).toBe(first);
    // Exits 1 where there is a difference.
    expect(await real.kubectl('diff', '-f', file)).toBe('');
  });

  describe('with the rights it gives', () => {
    const ns = 'tenant';

    beforeAll(() => real.namespace(ns));

    it('once converges, rolls out and leaves a cluster that is settled', async () => {
      await real.ask(ns, 'first', { drainSeconds: 1 });
      await real.once(ns, '--wait', '20s', '--kubeconfig', kubeconfig);
      await real.change(ns, 'first', { image: 'avs:2' });
      const { result, stderr } = await real.once(ns, '--wait', '20s', '--kubeconfig', kubeconfig);
      expect([result, stderr]).toEqual(['Converged', '']);
      expect((await real.kube.list(leases, { namespace: system })).items).toHaveLength(1);
      await real.ask(ns, 'slow', { image: 'avs:never-ready' });
      for (const writes of [3, 0]) {
        const report = await real.once(ns, '--kubeconfig', kubeconfig);
        expect([report.result, report.stderr]).toEqual(['Waiting', '']);
        expect(Object.values(report.writes).reduce((sum, count) => sum + count)).toBe(writes);
      }
    });

    it('watch does all it is there for', async () => {
      const said = await whileWatching(kubeconfig, {}, async () => {
        // A pod under our name without our labels is met by its name alone.
        const foreign = { metadata: { name: 'performer-taken', namespace: ns }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
        await real.kube.create(pods, foreign);
        await real.ask(ns, 'taken');
        await until('the conflict', async () => (await ready(ns, 'taken')) === 'False NameConflict');

        // A pod of somebody else that the Service selects; the same trouble twice is one Event, counted up.
        const uid = await real.kubectl('get', 'configmap', 'kube-root-ca.crt', '-n', ns, '-o', 'jsonpath={.metadata.uid}');
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid, controller: true };
        const marks = { [labels.app]: appLabelValue, [labels.performer]: 'first' };
        const stranger = { ...foreign, metadata: { name: 'stranger', namespace: ns, labels: marks, ownerReferences: [owner] } };
        for (const times of [1, 2]) {
          await real.kube.create(pods, stranger);
          const count = async (): Promise<number> => {
            const { items } = await real.kube.list(coreEvents, { namespace: ns, fieldSelector: 'reason=ForeignPod' });
            return Math.max(0, ...items.map((event) => (event as { series?: { count: number } }).series?.count ?? 1));
          };
          await until(`Event ${times}`, async () => (await count()) >= times);
          await real.kubectl('delete', 'pod', 'stranger', '-n', ns, '--force', '--grace-period=0');
          await until('the stranger to be forgotten', async () => !(await has(ns, 'first', 'ForeignPod')));
        }

        // A Service that somebody keeps changing is repaired, and then looked at for who does it.
        for (const value of ['a', 'b', 'c', 'd']) {
          const spec = JSON.stringify({ spec: { selector: { [labels.performer]: value } } });
          await real.kubectl('patch', 'service', 'performer-first', '-n', ns, '--type', 'merge', '-p', spec);
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        await until('the other writer', () => has(ns, 'first', 'ForeignWriter'));

        // One that the Go operator left, with its finalizer.
        await real.ask(ns, 'old');
        const finalizers = JSON.stringify({ metadata: { finalizers: [legacyFinalizer] } });
        await real.kubectl('patch', 'performer', 'old', '-n', ns, '--type', 'merge', '-p', finalizers);
        await until('the old one', isReady(ns, 'old'));
        await real.kubectl('delete', 'performer', 'old', '-n', ns, '--timeout=25s');
        await until('its Service to go', async () =>
          (await real.kube.list(services, { namespace: ns })).items.every((one) => one.metadata?.name !== 'performer-old'),
        );

        const node = new LonelyNode(real);
        await node.start();
        await real.ask(ns, 'far');
        await until('its pod', async () => (await real.pods(ns)).some(({ spec }) => spec?.nodeName === 'lonely'));
        await node.tell(ns, 'performer-far', 'True');
        await until('it to serve', isReady(ns, 'far'));
        await node.openOthers();
        await node.lose();
        await node.tell(ns, 'performer-far', 'False');
        await until(
          'a pod elsewhere',
          async () => (await real.kube.get(performers, { namespace: ns, name: 'far' })).status?.podName !== 'performer-far',
        );
        await until('it to serve again', isReady(ns, 'far'));
      });
      expect(said).not.toContain('forbidden');
    }, 180_000);

    it('a Performer with the restricted profile runs where Pod Security asks for it', async () => {
      await real.namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
      await real.ask('strict', 'x', { security: { profile: 'restricted' } });
      expect((await real.once('strict', '--wait', '20s', '--kubeconfig', kubeconfig)).result).toBe('Converged');
    });

    it('every verb is used, and nothing is denied', async () => {
      const rights = await readRights(cluster.get().auditLog ?? '', system, account);
      console.log(renderRights(rights));
      expect([...rights.denied.keys()]).toEqual([]);
      expect(grantedRights().filter((right) => !rights.allowed.has(right))).toEqual([]);
      expect([...rights.allowed.keys()].filter((right) => !grantedRights().includes(right))).toEqual([]);
    });

    it.each([
      { verb: 'get', resource: 'secrets' },
      { verb: 'list', resource: 'secrets' },
      { verb: 'get', resource: 'configmaps' },
      { verb: 'patch', resource: 'nodes' },
      { verb: 'delete', resource: 'nodes' },
      { verb: 'create', resource: 'performers.hourglass.eigenlayer.io' },
      { verb: 'delete', resource: 'performers.hourglass.eigenlayer.io' },
      { verb: 'create', resource: 'deployments.apps' },
      { verb: 'create', resource: 'clusterrolebindings.rbac.authorization.k8s.io' },
      { verb: 'create', resource: 'leases.coordination.k8s.io' },
    ])('may not $verb $resource', async ({ verb, resource }) => {
      expect(await may(cluster.get(), `${system}:${account}`, 'list', 'pods', ns)).toBe(true);
      expect(await may(cluster.get(), `${system}:${account}`, verb, resource, ns)).toBe(false);
    });
  });

  it('lets whoever may edit a namespace have Performers there, and whoever may view it see them', async () => {
    for (const role of ['edit', 'view']) {
      await real.kubectl('create', 'rolebinding', role, `--clusterrole=${role}`, `--serviceaccount=tenant:${role}`, '-n', 'tenant');
      const performer = 'performers.hourglass.eigenlayer.io';
      await until('the roles to be put together', () => may(cluster.get(), `tenant:${role}`, 'list', performer, 'tenant'));
      expect(await may(cluster.get(), `tenant:${role}`, 'create', performer, 'tenant')).toBe(role === 'edit');
      expect(await may(cluster.get(), `tenant:${role}`, 'patch', 'performers/status.hourglass.eigenlayer.io', 'tenant')).toBe(false);
    }
  });

  it('is joined by the CronJob, whose pods Pod Security admits and the Deployment does not count', async () => {
    await real.kubectl('apply', '-k', join(manifests, 'once'));
    await real.kubectl('patch', 'cronjob', 'hourglass-once', '-n', system, '-p', '{"spec":{"suspend":true}}');
    await real.kubectl('create', 'job', 'by-hand', '--from=cronjob/hourglass-once', '-n', system);
    const ofOnce = async (): Promise<readonly KubeObject[]> =>
      (await real.kube.list(pods, { namespace: system, labelSelector: 'app.kubernetes.io/component=once' })).items;
    await until('its pod', async () => (await ofOnce()).length > 0);
    const endpoints = await real.kubectl('get', 'endpointslices', '-n', system, '-o', 'jsonpath={.items[*].endpoints[*].targetRef.name}');
    expect(endpoints.split(' ').filter((name) => name.startsWith('by-hand'))).toEqual([]);
    // What a kubelet says of a pod that ends, and KWOK does not; a Job waits for it.
    for (const { metadata } of await ofOnce()) {
      const ended = ['--subresource=status', '--type', 'merge', '-p', '{"status":{"phase":"Succeeded"}}'];
      await real.kubectl('patch', 'pod', metadata?.name ?? '', '-n', system, ...ended);
    }
  });

  it('leaves, uninstalled by its label, the CRD and the Performers that serve', async () => {
    // The namespace controller gives pods their grace period.
    await kubectl(cluster.get(), ['delete', '-f', file, '-l', 'app.kubernetes.io/name=hourglass-operator'], { timeoutMs: 90_000 });
    await until('the namespace to go', () => isNamespaceGone(real.kube, system));
    const left = (await remains()).filter((name) => !before.includes(name) && !/(?:tenant|strict)(?:$|\/)/.test(name));
    expect(left).toEqual([]);
    expect(await real.kubectl('get', 'crd', '-o', 'name')).toContain('performers.hourglass.eigenlayer.io');
    expect(await real.pods('strict')).toHaveLength(1);
  });
});

describe('chaos', () => {
  const runner = 'hourglass-chaos-runner:hourglass-chaos';

  it('lets its account do faults, Performers and pods wherever they are, see what is judged, and nothing else', async () => {
    const before = await remains();
    await real.kubectl('apply', '-k', join(manifests, 'chaos'));
    const denied: string[] = [];
    for (const namespace of ['hourglass-chaos', system]) {
      for (const right of [
        'create networkchaos.chaos-mesh.org',
        'list podchaos.chaos-mesh.org',
        'watch performers.hourglass.eigenlayer.io',
        'delete pods',
      ]) {
        const [verb = '', resource = ''] = right.split(' ');
        if (!(await may(cluster.get(), runner, verb, resource, namespace))) denied.push(right);
      }
    }
    expect(denied).toEqual([]);
    for (const resource of ['nodes', 'deployments.apps', 'secrets'])
      expect([resource, await may(cluster.get(), runner, 'patch', resource, system)]).toEqual([resource, false]);
    await real.kubectl('delete', '-k', join(manifests, 'chaos'));
    expect(await remains()).toEqual(before);
  });
});
