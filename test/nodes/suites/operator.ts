import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { operatorNamespace } from '../../../chaos/experiment.ts';
import { leaseName } from '../../../src/api/v1alpha1/naming.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { clusterPaths } from '../../../src/testbed/components.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import type { NodesCluster } from '../support/nodes-cluster.ts';

/** The operator itself: its leaders, its own rollout, its end, and the CronJob. */
export function describeOperator(cluster: NodesCluster): void {
  describe('the operator itself', () => {
    const namespace = 'operated';

    beforeAll(async () => {
      await cluster.namespace(namespace);
      await cluster.install('watch');
    });

    const serving = (name: string): Promise<void> => until(`${name} to serve`, async () => (await ready(name)) === 'True Serving');
    const ready = async (name: string): Promise<string> => readyOf(await cluster.kube.get(performers, { namespace, name }));
    /** What a pod asked the API server to do, by the audit log. */
    const readVerbs = async (pod: string): Promise<ReadonlySet<string>> => {
      const lines = (await readFile(clusterPaths(cluster.cluster.dir).auditLog, 'utf8')).split('\n').filter((line) => line.includes(pod));
      const entries = lines.map(
        (line) => JSON.parse(line) as { verb: string; user: { extra?: Readonly<Record<string, readonly string[]>> } },
      );
      const isFrom = ({ extra }: { readonly extra?: Readonly<Record<string, readonly string[]>> }): boolean =>
        extra?.['authentication.kubernetes.io/pod-name']?.includes(pod) === true;
      return new Set(entries.filter(({ user }) => isFrom(user)).map(({ verb }) => verb));
    };
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
        await cluster.kubectl('rollout', 'status', '-n', operatorNamespace, 'deployment/hourglass-operator', '--timeout=120s');
        await cluster.performer(namespace, 'later');
        await serving('later');
        expect(await podsNow()).toEqual(expect.arrayContaining([...pods]));
      });

      it('leaves a once beside it nothing to write', async () => {
        await cluster.install('once');
        // Something is under way while it looks.
        await cluster.performer(namespace, 'beside', { START_DELAY_MS: '3000' });
        const { said, pod } = await cluster.runOnce();
        expect(said).toMatch(/holds the Lease, this run only looked/);
        await serving('beside');
        const verbs = await readVerbs(pod);
        expect(verbs.size).toBeGreaterThan(0);
        expect([...verbs].filter((verb) => !['get', 'list', 'watch'].includes(verb))).toEqual([]);
        await cluster.uninstall('once');
      });
    });

    describe('once, as a CronJob alone', () => {
      beforeAll(() => cluster.uninstall('watch'));

      const runsByItself = async (): Promise<readonly string[]> =>
        (await cluster.kubectl('get', 'jobs', '-n', operatorNamespace, '-o', 'name'))
          .split('\n')
          .filter((job) => job.includes('hourglass-once-'));

      it('makes what is asked for at its own times', async () => {
        await cluster.install('once');
        await cluster.performer(namespace, 'timely');
        await until('timely to serve', async () => (await ready('timely')) === 'True Serving', 150_000);
        expect(await runsByItself()).not.toEqual([]);
      });

      it('makes, rolls and deletes what is asked for', async () => {
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
        await cluster.uninstall('once');
      });
    });
  });
}
