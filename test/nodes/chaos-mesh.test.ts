import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { findChaosTools } from '../../src/testbed/nodes/chaos-mesh.ts';
import { prepareMachine } from '../../src/testbed/nodes/machine.ts';
import { pauseImage } from '../../src/testbed/nodes/node-plan.ts';
import { createProgress, silentProgress } from '../../src/testbed/progress.ts';
import { until } from '../parity/support/real-cluster.ts';
import { buildTimeoutMs, findNodeTools } from '../support/cluster.ts';

let cluster: EmbeddedCluster;

beforeAll(async () => {
  const report = createProgress(process.stderr);
  prepareMachine(report, true, true);
  const tools = { ...(await findNodeTools()), chaos: await findChaosTools(report) };
  cluster = await startEmbeddedCluster({ profile: 'nodes', tools, report: silentProgress, detach: false });
}, buildTimeoutMs);
afterAll(async () => {
  await cluster?.stop();
}, 60_000);

const run = (...args: readonly string[]): Promise<string> => kubectl(cluster, args);
const apply = (object: object): Promise<string> => kubectl(cluster, ['apply', '-f', '-'], { input: JSON.stringify(object) });
const chaos = (kind: string, name: string, spec: object): Promise<string> =>
  apply({ apiVersion: 'chaos-mesh.org/v1alpha1', kind, metadata: { name, namespace: 'default' }, spec });
const isReady = async (node: string): Promise<boolean> => (await run('get', 'node', node, '--no-headers')).includes(' Ready ');

async function startPod(name: string, node: string, hostNetwork: boolean): Promise<void> {
  const containers = [{ name: 'pause', image: pauseImage, imagePullPolicy: 'IfNotPresent' }];
  const spec = { nodeName: node, hostNetwork, tolerations: [{ operator: 'Exists' }], containers };
  await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app: name } }, spec });
  await run('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=30s');
}

/** How often an experiment was carried out and taken back, by its own records, which are no proof that anything happened. */
async function recordsOf(kind: string, name: string): Promise<readonly { readonly injected: number; readonly recovered: number }[]> {
  const { status } = JSON.parse(await run('get', kind, name, '-n', 'default', '-o', 'json')) as {
    readonly status?: {
      readonly experiment?: {
        readonly containerRecords?: readonly { readonly injectedCount: number; readonly recoveredCount: number }[];
      };
    };
  };
  const records = status?.experiment?.containerRecords ?? [];
  return records.map(({ injectedCount, recoveredCount }) => ({ injected: injectedCount, recovered: recoveredCount }));
}

describe('Chaos Mesh on real nodes', () => {
  it('cuts a kubelet off from the API server, and lets it back when the time is over', async () => {
    await startPod('anchor', 'n1', true);
    await chaos('NetworkChaos', 'cut', {
      action: 'partition',
      mode: 'all',
      duration: '20s',
      direction: 'both',
      selector: { namespaces: ['default'], labelSelectors: { app: 'anchor' } },
      externalTargets: ['10.10.0.1', '10.96.0.1'],
    });
    await until('n1 to be lost', async () => !(await isReady('n1')));
    expect(await isReady('n2')).toBe(true);
    await until('n1 to be back', () => isReady('n1'));
    await until('the experiment to be taken back', async () => (await recordsOf('networkchaos', 'cut'))[0]?.recovered === 1);
    expect(await recordsOf('networkchaos', 'cut')).toEqual([{ injected: 1, recovered: 1 }]);
    await run('delete', 'networkchaos', 'cut', '--timeout=20s');
  });

  it('kills a pod', async () => {
    await startPod('victim', 'n2', false);
    await chaos('PodChaos', 'kill', {
      action: 'pod-kill',
      mode: 'one',
      selector: { namespaces: ['default'], labelSelectors: { app: 'victim' } },
    });
    await until('the pod to be gone', async () => (await run('get', 'pod', 'victim', '--ignore-not-found')) === '');
    expect(await recordsOf('podchaos', 'kill')).toMatchObject([{ injected: 1 }]);
  });
});
