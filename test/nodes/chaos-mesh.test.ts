import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clustersHome, registryDirOf } from '../../src/testbed/cluster-state.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { agentUrlOf, findChaosTools } from '../../src/testbed/nodes/chaos-mesh.ts';
import { prepareMachine } from '../../src/testbed/nodes/machine.ts';
import { openNodeFaults } from '../../src/testbed/nodes/node-faults.ts';
import { pauseImage } from '../../src/testbed/nodes/node-plan.ts';
import { openRealNodes, type RealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import { statFields } from '../../src/testbed/proc.ts';
import { createProgress, silentProgress } from '../../src/testbed/progress.ts';
import { until } from '../parity/support/real-cluster.ts';
import { buildTimeoutMs, findNodeTools } from '../support/cluster.ts';

let cluster: EmbeddedCluster;
let nodes: RealNodes;

beforeAll(async () => {
  const report = createProgress(process.stderr);
  prepareMachine(report, true, true);
  const tools = { ...(await findNodeTools()), chaos: await findChaosTools(report) };
  cluster = await startEmbeddedCluster({ profile: 'nodes', tools, report: silentProgress, detach: false });
  nodes = openRealNodes(registryDirOf(clustersHome(process.env), cluster.name), tools.controlPlane);
}, buildTimeoutMs);
afterAll(async () => {
  await cluster?.stop();
}, 60_000);

const run = (...args: readonly string[]): Promise<string> => kubectl(cluster, args);
const apply = (object: object): Promise<string> => kubectl(cluster, ['apply', '-f', '-'], { input: JSON.stringify(object) });
const chaos = (kind: string, name: string, spec: object): Promise<string> =>
  apply({ apiVersion: 'chaos-mesh.org/v1alpha1', kind, metadata: { name, namespace: 'default' }, spec });
const condition = (node: string, type: string): Promise<string> =>
  run('get', 'node', node, '-o', `jsonpath={.status.conditions[?(@.type=="${type}")].status}`);
const isReady = async (node: string): Promise<boolean> => (await condition(node, 'Ready')) === 'True';
const becomes = (node: string, ready: boolean): Promise<void> =>
  until(`${node} to be ${ready ? 'back' : 'lost'}`, async () => (await isReady(node)) === ready);
/** Says which container a pod has, and how often it was started again. */
const containerOf = (pod: string): Promise<string> =>
  run('get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}');
/** As another process opens it: nothing is remembered but what stands on the machine. */
const faults = (): ReturnType<typeof openNodeFaults> => openNodeFaults(nodes);
/** Processes of a node in one of these states, as /proc names them. */
const pidsIn = (node: string, states: string): readonly number[] =>
  nodes.pids(node).filter((pid) => states.includes(statFields(pid)[0] ?? '-'));

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
    await becomes('n1', false);
    expect(await isReady('n2')).toBe(true);
    await becomes('n1', true);
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

  it('powers a node off by its agent, and on again when the time is over', async () => {
    await chaos('PhysicalMachineChaos', 'off', {
      action: 'user_defined',
      mode: 'one',
      duration: '30s',
      address: [agentUrlOf('n3')],
      uid: 'off-1',
      user_defined: { attackCmd: 'power-off', recoverCmd: 'power-on' },
    });
    await until('n3 to be off', async () => !nodes.isOn('n3'));
    await becomes('n3', false);
    await until('n3 to be on', async () => nodes.isOn('n3'));
    await becomes('n3', true);
    await until('the experiment to be taken back', async () => (await recordsOf('physicalmachinechaos', 'off'))[0]?.recovered === 1);
    expect(await recordsOf('physicalmachinechaos', 'off')).toEqual([{ injected: 1, recovered: 1 }]);
    await run('delete', 'physicalmachinechaos', 'off', '--timeout=20s');
  });

  it('finds a node as the machine of its name', async () => {
    await chaos('PhysicalMachineChaos', 'hang', {
      action: 'process',
      mode: 'one',
      selector: { physicalMachines: { 'chaos-mesh': ['n2'] } },
      uid: 'hang-1',
      process: { process: 'kubelet', signal: 19 },
    });
    await until('the kubelet to stand still', async () => faults()['kubelet-hang'].isThere('n2'));
    await run('delete', 'physicalmachinechaos', 'hang', '--timeout=20s');
    expect(faults()['kubelet-hang'].isThere('n2')).toBe(false);
  });

  it('runs no command that an experiment brings, and says what it knows', async () => {
    const mark = join(cluster.dir, 'mark');
    await chaos('PhysicalMachineChaos', 'command', {
      action: 'user_defined',
      mode: 'one',
      address: [agentUrlOf('n3')],
      uid: 'command-1',
      user_defined: { attackCmd: `touch ${mark}`, recoverCmd: 'true' },
    });
    await until('the agent to refuse', async () =>
      (await run('get', 'events', '-o', 'jsonpath={.items[*].message}')).includes('it runs no commands, it knows these names: power-off'),
    );
    expect(await recordsOf('physicalmachinechaos', 'command')).toMatchObject([{ injected: 0 }]);
    expect(existsSync(mark)).toBe(false);
    await run('annotate', 'physicalmachinechaos', 'command', 'chaos-mesh.chaos-mesh.org/cleanFinalizer=forced');
    await run('delete', 'physicalmachinechaos', 'command', '--timeout=20s');
  });
});

describe('a fault of a node', () => {
  it('freezes it with its pods, which are the same once it has thawed', async () => {
    await startPod('frozen', 'n3', false);
    const before = await containerOf('frozen');
    for (let twice = 0; twice < 2; twice += 1) await faults().freeze.apply('n3');
    expect(pidsIn('n3', 'RS')).toEqual([]);
    await becomes('n3', false);
    for (let twice = 0; twice < 2; twice += 1) await faults().freeze.undo('n3');
    await becomes('n3', true);
    expect(await containerOf('frozen')).toBe(before);
  });

  it('lets its kubelet hang, while its pods go on, and crash', async () => {
    await startPod('kept', 'n3', false);
    const before = await containerOf('kept');
    const kubelet = nodes.kubelet('n3');
    await faults()['kubelet-hang'].apply('n3');
    await becomes('n3', false);
    expect(pidsIn('n3', 'T')).toEqual([kubelet]);
    await faults()['kubelet-hang'].undo('n3');
    await becomes('n3', true);
    await faults()['kubelet-crash'].apply('n3');
    await faults()['kubelet-crash'].undo('n3');
    expect(nodes.kubelet('n3')).not.toBe(kubelet);
    await becomes('n3', true);
    expect(await containerOf('kept')).toBe(before);
  });

  it('fills its disk, and leaves those of the others and of the machine alone', async () => {
    for (let twice = 0; twice < 2; twice += 1) await faults()['disk-full'].apply('n3');
    await until('pressure', async () => (await condition('n3', 'DiskPressure')) === 'True');
    expect(await condition('n2', 'DiskPressure')).toBe('False');
    for (let twice = 0; twice < 2; twice += 1) await faults()['disk-full'].undo('n3');
    await until('no pressure', async () => (await condition('n3', 'DiskPressure')) === 'False');
  });

  it('is done, and undone, once, also of a node that is off', async () => {
    for (const id of ['power-off', 'link-down', 'api-cut', 'freeze', 'kubelet-hang'] as const) {
      const fault = faults()[id];
      expect(fault.isThere('n3')).toBe(false);
      await fault.undo('n3');
      for (let twice = 0; twice < 2; twice += 1) await fault.apply('n3');
      expect(faults()[id].isThere('n3')).toBe(true);
      for (let twice = 0; twice < 2; twice += 1) await faults()[id].undo('n3');
      expect(fault.isThere('n3')).toBe(false);
    }
    await faults()['power-off'].apply('n3');
    for (const { id, isThere, undo } of Object.values(faults()).filter(({ undoId }) => undoId !== 'power-on')) {
      expect([id, isThere('n3')]).toEqual([id, false]);
      await undo('n3');
    }
    await expect(faults().freeze.apply('n3')).rejects.toThrow('node n3: no kubelet runs on it, it may be off');
    await faults().reboot.apply('n3');
    await becomes('n3', true);
  });

  it('names the nodes there are', async () => {
    for (const { apply, undo } of Object.values(faults())) {
      await expect(apply('n9')).rejects.toThrow('node n9: cluster');
      await expect(undo('n9')).rejects.toThrow('node n9: cluster');
    }
  });
});
