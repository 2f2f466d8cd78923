import { beforeAll, describe, expect, it } from 'vitest';
import { operatorNamespace } from '../../../chaos/experiment.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { clusterPaths } from '../../../src/testbed/components.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import { grantedRights, readRights, renderRights } from '../../support/audit-rights.ts';
import type { NodesCluster } from '../support/nodes-cluster.ts';

/** Granted for what does not happen here; test/e2e/manifests.test.ts uses them all. */
const unused: Readonly<Record<string, string>> = {
  'list performers (hourglass.eigenlayer.io)': 'this API server streams its lists',
  'list services': 'this API server streams its lists',
  'list nodes': 'this API server streams its lists',
  'patch performers (hourglass.eigenlayer.io)': 'no Performer has the finalizer of the Go operator',
  'patch events (events.k8s.io)': 'no trouble comes twice within minutes',
};

/** What the operator was allowed to do and did, by the audit log of all cases before; and what is left when it is uninstalled. */
export function describeRights(cluster: NodesCluster): void {
  describe('the rights of the operator', () => {
    it('are those it used, none more, and it asked for no other', async () => {
      const rights = await readRights(clusterPaths(cluster.cluster.dir).auditLog, operatorNamespace, 'hourglass-operator');
      console.log(renderRights(rights));
      expect([...rights.denied.keys()]).toEqual([]);
      expect(grantedRights().filter((right) => !rights.allowed.has(right) && !(right in unused))).toEqual([]);
      expect([...rights.allowed.keys()].filter((right) => !grantedRights().includes(right))).toEqual([]);
    });
  });

  describe('the operator, uninstalled', () => {
    const namespace = 'left';
    /** Identity and restarts of every performer's pod. */
    const podsNow = async (): Promise<readonly string[]> =>
      (await cluster.pods(namespace)).map(({ metadata, status }) => `${metadata?.uid} ${status?.containerStatuses?.[0]?.restartCount}`);

    beforeAll(async () => {
      await cluster.namespace(namespace);
      await cluster.install('watch');
    });

    it('leaves nothing of its own but the CRD, and performers serve on', async () => {
      await cluster.performer(namespace, 'alone');
      await until(
        'alone to serve',
        async () => readyOf(await cluster.kube.get(performers, { namespace, name: 'alone' })) === 'True Serving',
      );
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
      expect(pods).toHaveLength(1);
      expect(await podsNow()).toEqual(pods);
      const caller = await cluster.startCaller(namespace, 'caller', {
        TARGET: `performer-alone.${namespace}.svc.cluster.local:8080`,
        SECONDS: '1',
      });
      expect(new Set((await caller.stop()).map(({ kind }) => kind))).toEqual(new Set(['answered']));
    });
  });
}
