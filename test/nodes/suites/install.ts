import { beforeAll, describe, expect, it } from 'vitest';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import type { NodesCluster } from '../support/nodes-cluster.ts';

/** The operator installed as users install it, in both modes; gone again at the end. */
export function describeInstall(cluster: NodesCluster): void {
  describe('the operator as users install it', () => {
    describe.each(['watch', 'once'] as const)('the operator installed as users install it, %s', (mode) => {
      const namespace = `tasks-${mode}`;
      const serving = (name: string): Promise<void> =>
        until(`${name} to serve`, async () => readyOf(await cluster.kube.get(performers, { namespace, name })) === 'True Serving');

      beforeAll(async () => {
        await cluster.namespace(namespace);
        await cluster.install(mode);
        return async () => {
          await cluster.uninstall(mode);
        };
      });

      it('answers a task by the DNS name of the Performer', async () => {
        await cluster.performer(namespace, 'first');
        if (mode === 'once') await cluster.runOnce();
        await serving('first');
        const caller = await cluster.startCaller(namespace, 'caller', {
          TARGET: `performer-first.${namespace}.svc.cluster.local:8080`,
          RATE: '20',
          SECONDS: '2',
        });
        const calls = await caller.stop();
        expect(calls.filter(({ kind }) => kind === 'failed')).toEqual([]);
        expect(calls.length).toBeGreaterThan(0);
        expect(new Set(calls.map(({ instance }) => instance))).toEqual(new Set(['performer-first']));
      });
    });
  });
}
