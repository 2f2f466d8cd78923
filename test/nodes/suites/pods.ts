import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { operatorNamespace } from '../../../chaos/experiment.ts';
import { projectRoot } from '../../../scripts/generate.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import { type NodesCluster, performerImage } from '../support/nodes-cluster.ts';

/** What a pod is given, where it lands, and what becomes of one that fails. */
export function describePods(cluster: NodesCluster): void {
  describe('pods of Performers', () => {
    const namespace = 'pods';
    const operator = `system:serviceaccount:${operatorNamespace}:hourglass-operator`;

    beforeAll(async () => {
      await cluster.namespace(namespace);
      await cluster.install('watch');
      return async () => {
        await cluster.kubectl('taint', 'node', 'n2', 'nvidia.com/gpu-').catch(() => undefined);
        await cluster.kubectl('taint', 'node', 'n3', 'sgx-').catch(() => undefined);
      };
    });

    const serving = (name: string, where = namespace): Promise<void> =>
      until(`${name} to serve`, async () => readyOf(await cluster.kube.get(performers, { namespace: where, name })) === 'True Serving');
    const readyOfNow = async (name: string): Promise<string> => readyOf(await cluster.kube.get(performers, { namespace, name }));
    const nodeOf = (name: string): Promise<string> =>
      cluster.kubectl(
        'get',
        'pods',
        '-n',
        namespace,
        '-l',
        `hourglass.eigenlayer.io/performer=${name}`,
        '-o',
        'jsonpath={.items[*].spec.nodeName}',
      );

    /** A sample with the test performer's image, asking for no more memory than this machine has. */
    async function applySample(name: string): Promise<void> {
      const sample = parse(readFileSync(join(projectRoot, `manifests/samples/scheduling/${name}.yaml`), 'utf8')) as {
        spec: { image: string; resources?: unknown };
        metadata: object;
      };
      const { resources: _, ...spec } = sample.spec;
      await cluster.apply({ ...sample, metadata: { ...sample.metadata, namespace }, spec: { ...spec, image: performerImage } });
    }

    describe('a Secret that a performer is given', () => {
      const secret = 'tr0ub4dor-and-3';

      it('reaches the container, while the operator cannot read it and nothing tells it', async () => {
        await cluster.kubectl('create', 'secret', 'generic', 'chain', '-n', namespace, `--from-literal=token=${secret}`);
        // The test performer tells its VERSION in each answer.
        await cluster.ask(namespace, 'secretive', {
          image: performerImage,
          config: { grpcPort: 8080, environmentFrom: [{ name: 'VERSION', valueFrom: { secretKeyRef: { name: 'chain', key: 'token' } } }] },
        });
        await serving('secretive');
        const caller = await cluster.startCaller(namespace, 'caller', {
          TARGET: `performer-secretive.${namespace}.svc.cluster.local:8080`,
          SECONDS: '1',
        });
        expect(new Set((await caller.stop()).map(({ version }) => version))).toEqual(new Set([secret]));

        // kubectl says no by its exit code.
        await expect(cluster.kubectl('auth', 'can-i', 'list', 'secrets', '-A', `--as=${operator}`)).rejects.toThrow('exit code 1');
        const told = [
          await cluster.kubectl('logs', '-n', operatorNamespace, '-l', 'app.kubernetes.io/name=hourglass-operator', '--tail=-1'),
          await cluster.kubectl('get', 'performers,pods,events', '-A', '-o', 'yaml'),
        ];
        for (const text of told) expect(text).not.toContain(secret);
      });
    });

    describe('special hardware', () => {
      it('puts the GPU sample on the node that advertises one', async () => {
        await cluster.kubectl('label', 'node', 'n2', 'accelerator=nvidia-tesla-a100');
        await cluster.kubectl('patch', 'node', 'n2', '--subresource=status', '-p', '{"status":{"capacity":{"nvidia.com/gpu":"2"}}}');
        await cluster.kubectl('taint', 'node', 'n2', 'nvidia.com/gpu=present:NoSchedule');
        await applySample('gpu');
        await serving('gpu');
        expect(await nodeOf('gpu')).toBe('n2');
      });

      it('puts the TEE sample on the node that is labelled so, and lets it wait until there is one', async () => {
        await applySample('tee');
        await until('the wait to be said', async () =>
          readyOf(await cluster.kube.get(performers, { namespace, name: 'tee' })).startsWith('False Unschedulable'),
        );
        await cluster.kubectl('label', 'node', 'n3', 'intel.feature.node.kubernetes.io/sgx=true');
        await cluster.kubectl('taint', 'node', 'n3', 'sgx=enabled:NoSchedule');
        await serving('tee');
        expect(await nodeOf('tee')).toBe('n3');
      });

      it('runs a pod under the RuntimeClass that is asked for', async () => {
        // What containerd calls its own; a confidential one is named in the same way.
        await cluster.apply({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'named' }, handler: 'runc' });
        await cluster.performer(namespace, 'classed', {}, { scheduling: { runtimeClass: 'named' } });
        await serving('classed');
        const pod = (await cluster.pods(namespace)).find(({ metadata }) => metadata?.ownerReferences?.[0]?.name === 'classed');
        expect(pod?.spec?.runtimeClassName).toBe('named');
      });
    });

    describe('a container that ends', () => {
      const podsOf = async (name: string) =>
        (await cluster.pods(namespace)).filter(({ metadata }) => metadata?.ownerReferences?.[0]?.name === name);
      const restarts = async (name: string): Promise<number> => (await podsOf(name))[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0;

      it('by SIGKILL is started again in its pod, which is not replaced', async () => {
        await cluster.performer(namespace, 'shot');
        await serving('shot');
        const [before] = await podsOf('shot');
        await cluster.endContainer(namespace, 'performer-shot', 'SIGKILL');
        await until('the restart', async () => (await restarts('shot')) === 1);
        await serving('shot');
        expect((await podsOf('shot')).map(({ metadata }) => metadata?.uid)).toEqual([before?.metadata?.uid]);
      });

      it('at its entry point, again and again, is said to; what is right then takes its place', async () => {
        // The test performer refuses what it does not know, and exits.
        await cluster.performer(namespace, 'crashing', { AT_SIGTERM: 'nonsense' });
        await until('it to be said', async () => (await readyOfNow('crashing')) === 'False CrashLooping', 90_000);
        expect(await restarts('crashing')).toBeGreaterThan(0);
        expect(await podsOf('crashing')).toHaveLength(1);
        await cluster.change(namespace, 'crashing', { config: { environment: { AT_SIGTERM: 'drain' } } });
        await serving('crashing');
        await until('one pod to be left', async () => (await podsOf('crashing')).length === 1);
      });
    });

    describe('a namespace that enforces the restricted profile', () => {
      it('admits Performers of the restricted profile, which really run, and is told of others', async () => {
        await cluster.namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
        await cluster.performer('strict', 'hardened', {}, { security: { profile: 'restricted' } });
        await cluster.performer('strict', 'lax');
        await serving('hardened', 'strict');
        await until(
          'the refusal to be said',
          async () => readyOf(await cluster.kube.get(performers, { namespace: 'strict', name: 'lax' })) === 'False PodSecurityViolation',
        );
        // A once would wait for it as long as it may.
        await cluster.kubectl('delete', 'performer', 'lax', '-n', 'strict');
      });
    });
  });
}
