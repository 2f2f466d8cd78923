import { beforeAll, describe, expect, it } from 'vitest';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { NodesCluster, operatorNamespace } from './support/nodes-cluster.ts';

const cluster = new NodesCluster();
const namespace = 'operated';

beforeAll(async () => {
  await cluster.namespace(namespace);
  await cluster.install('watch');
});

const serving = (name: string): Promise<void> =>
  until(`${name} to serve`, async () => readyOf(await cluster.kube.get(performers, { namespace, name })) === 'True Serving');
const leader = (): Promise<string> =>
  cluster.kubectl('get', 'lease', '-n', operatorNamespace, leaseName, '-o', 'jsonpath={.spec.holderIdentity}');
/** Identity and restarts of every performer's pod. */
const podsNow = async (): Promise<readonly string[]> =>
  (await cluster.pods(namespace))
    .map(({ metadata, status }) => `${metadata?.name} ${metadata?.uid} ${status?.containerStatuses?.[0]?.restartCount}`)
    .toSorted();

describe('the operator, as a Deployment', () => {
  it('goes on with a new leader when the one it had is killed', async () => {
    await cluster.performer(namespace, 'before');
    await serving('before');
    const pods = await podsNow();
    const old = await leader();
    await cluster.kubectl('delete', 'pod', '-n', operatorNamespace, old, '--grace-period=0', '--force');
    await cluster.performer(namespace, 'after');
    await serving('after');
    expect(await leader()).not.toBe(old);
    expect(await podsNow()).toEqual(expect.arrayContaining([...pods]));
  });

  it('is itself rolled without a performer being touched', async () => {
    const pods = await podsNow();
    await cluster.kubectl('rollout', 'restart', '-n', operatorNamespace, 'deployment/hourglass-operator');
    await cluster.kubectl('rollout', 'status', '-n', operatorNamespace, 'deployment/hourglass-operator', '--timeout=25s');
    await cluster.performer(namespace, 'later');
    await serving('later');
    expect(await podsNow()).toEqual(expect.arrayContaining([...pods]));
  });

  it('leaves a once beside it nothing to write', async () => {
    await cluster.install('once');
    expect(await cluster.runOnce()).toMatch(/holds the Lease, this run only looked/);
    await cluster.uninstall('once');
  });

  it('leaves nothing of its own behind when it is uninstalled, and performers serve on', async () => {
    const pods = await podsNow();
    await cluster.kubectl(
      'delete',
      '-f',
      'manifests/install-watch.yaml',
      '-l',
      'app.kubernetes.io/name=hourglass-operator',
      '--timeout=60s',
    );
    const left = await cluster.kubectl('get', 'clusterroles,clusterrolebindings,namespaces,crds', '-o', 'name');
    expect(left.split('\n').filter((name) => name.includes('hourglass'))).toEqual([
      'customresourcedefinition.apiextensions.k8s.io/performers.hourglass.eigenlayer.io',
    ]);
    expect(await podsNow()).toEqual(pods);
  });
});

describe('once, as a CronJob alone', () => {
  it('makes, rolls and deletes what is asked for', async () => {
    await cluster.install('once');
    await cluster.change(namespace, 'later', { config: { grpcPort: 8080, environment: { ROUND: '2' } }, drainSeconds: 0 });
    const old = (await podsNow()).find((pod) => pod.startsWith('performer-later')) ?? '';
    await until('the rollout to end', async () => {
      await cluster.runOnce();
      const pods = await podsNow();
      return !pods.includes(old) && pods.filter((pod) => pod.startsWith('performer-later')).length === 1;
    });
    await cluster.kubectl('delete', 'performers', '--all', '-n', namespace);
    await until('their pods to go', async () => (await podsNow()).length === 0);
    expect((await cluster.services(namespace)).length).toBe(0);
  });
});
