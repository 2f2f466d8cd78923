import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Performer, type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { type builtInSubjects, lineOf, startOfPeer } from '../../src/bench/subject-start.ts';
import { namespaces, type Pod, pods, type Service, services } from '../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { startHourglass } from '../support/cli.ts';
import { buildTimeoutMs, useCluster } from '../support/cluster.ts';

const crd = fileURLToPath(new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url));
const cluster = useCluster({ profile: 'instant', audit: true });
const namespace = 'compared';
const restMs = 3_000;
const avsAddress = `0x${'A1'.repeat(20)}`;
/** Between them they have all that a peer reads. */
const specs: Readonly<Record<string, PerformerSpecInput>> = {
  a: { avsAddress, image: 'avs:1' },
  b: { avsAddress, image: 'avs:1', version: '1.2', config: {} },
  c: { avsAddress, image: 'avs:1', imagePullPolicy: 'Always', imagePullSecrets: [{ name: 'secret' }], terminationGracePeriodSeconds: 5 },
  d: { avsAddress, image: 'avs:1', config: { grpcPort: 7000, command: ['run'], args: ['-v'], serviceAccountName: 'default' } },
  e: {
    avsAddress,
    image: 'avs:1',
    config: { environment: { Z: '1', A: '2' }, env: [{ name: 'B', value: '3' }] },
    resources: { requests: { cpu: '10m' }, limits: { memory: '64Mi' } },
  },
};
const count = Object.keys(specs).length;

let kube: KubeClient;
let ours: Readonly<Record<string, unknown>>;
let peer: ChildProcess | undefined;

beforeAll(async () => {
  const config = await loadClusterConfig({
    kubeconfig: cluster.get().kubeconfig,
    env: {},
    readFile: (path) => readFile(path),
    homeDir: '/',
  });
  kube = createKubeApi(config, { clock: systemClock, userAgent: 'peers-test' });
  await kubectl(cluster.get(), ['apply', '--server-side', '-f', crd]);
  await vi.waitFor(() => kube.list(performers), { timeout: 30_000, interval: 100 });
  await kube.create(namespaces, { metadata: { name: namespace } });
  await kubectl(cluster.get(), ['wait', '--for=create', '--timeout=30s', '-n', namespace, 'serviceaccount/default']);
  const watch = await startHourglass(['watch', '--lease-namespace', namespace, '--kubeconfig', cluster.get().kubeconfig]);
  await askForAll();
  ours = await describeObjects();
  await deleteAll();
  watch.child.kill('SIGTERM');
  await watch.result;
}, buildTimeoutMs);
// Whatever a test left, the next one begins with nothing.
afterEach(async () => {
  await endPeer();
  await deleteAll();
}, 120_000);
// Undefined only where the cluster never came up.
afterAll(() => (kube as typeof kube | undefined)?.close());

async function startPeer(name: keyof typeof builtInSubjects): Promise<void> {
  const [port = 0] = await findFreePorts(1);
  const line = lineOf(await startOfPeer(name, createProgress(process.stderr)), port);
  const env = { PATH: process.env.PATH ?? '', KUBECONFIG: cluster.get().kubeconfig };
  peer = spawn('sh', ['-c', line], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), {
    timeout: 20_000,
    interval: 50,
  });
}

async function endPeer(): Promise<void> {
  const process = peer;
  peer = undefined;
  if (process === undefined || process.exitCode !== null) return;
  const ended = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGTERM');
  await ended;
}

/** All Performers, each ready. */
async function askForAll(): Promise<readonly Performer[]> {
  const apiVersion = 'hourglass.eigenlayer.io/v1alpha1';
  for (const [name, spec] of Object.entries(specs))
    await kube.create(performers, { apiVersion, kind: 'Performer', metadata: { name, namespace }, spec });
  return vi.waitFor(
    async () => {
      const { items } = await kube.list(performers, { namespace });
      expect(items.filter(({ status }) => status?.ready === true)).toHaveLength(count);
      return items;
    },
    { timeout: 20_000, interval: 100 },
  );
}

/** The garbage collector learns of a new kind once in 30 s: until then children whose Performer is gone stay. */
async function deleteAll(): Promise<void> {
  await kubectl(cluster.get(), ['delete', 'performers', '--all', '-n', namespace, '--wait=false']);
  const left = async (): Promise<readonly object[]> => [
    ...(await kube.list(performers, { namespace })).items,
    ...(await kube.list(pods, { namespace })).items,
    ...(await kube.list(services, { namespace })).items,
  ];
  await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 90_000, interval: 100 });
}

/** Pods and Services as they are stored, without what differs from one making to the next. */
async function describeObjects(): Promise<Readonly<Record<string, unknown>>> {
  const { items: allPods } = await kube.list(pods, { namespace });
  const { items: allServices } = await kube.list(services, { namespace });
  const plain = (_: string, value: unknown): unknown => (value === undefined ? null : value);
  return JSON.parse(JSON.stringify({ pods: allPods.map(describePod), services: allServices.map(describeService) }, plain));
}

function describeMeta({ metadata }: Pod | Service): object {
  const revision = 'hourglass.eigenlayer.io/revision';
  const labels = Object.entries(metadata?.labels ?? {}).map(([key, value]) => [
    key,
    key === revision ? `${value.length} characters` : value,
  ]);
  const owners = metadata?.ownerReferences?.map((owner) => ({ ...owner, uid: '' }));
  return {
    name: metadata?.name,
    labels: Object.fromEntries(labels),
    owners,
    finalizers: metadata?.finalizers,
    annotations: metadata?.annotations,
  };
}

function describePod(pod: Pod): object {
  const token = /kube-api-access-\w+/g;
  return { ...describeMeta(pod), spec: JSON.parse(JSON.stringify({ ...pod.spec, nodeName: '' }).replaceAll(token, 'token')) };
}

function describeService(service: Service): object {
  return { ...describeMeta(service), spec: { ...service.spec, clusterIP: '', clusterIPs: [] } };
}

interface AuditLine {
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
}

/**
 * The writes of whoever calls itself by that name, as `verb kind`; each is in the log once it is answered. Those that were refused are left
 * out: a peer whose cache has not seen its own pod yet makes it once more, is told that it exists, and looks again.
 */
async function readWrites(agent: string): Promise<readonly string[]> {
  const lines = (await readFile(cluster.get().auditLog ?? '', 'utf8')).split('\n').slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(({ verb, userAgent = '' }) => userAgent.startsWith(agent) && ['create', 'update', 'patch', 'delete'].includes(verb))
    .filter(({ responseStatus }) => (responseStatus?.code ?? 0) < 300)
    .map(
      ({ verb, objectRef }) => `${verb} ${objectRef?.resource}${objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`}`,
    );
}

describe.each([
  { name: 'controller-runtime', agent: 'peer-controller-runtime' },
  { name: 'controller-runtime-tuned', agent: 'peer-controller-runtime' },
  { name: 'floor', agent: 'peer-floor' },
] as const)('the peer $name', ({ name, agent }) => {
  it('makes the objects we make, says so in status, then rests, and leaves nothing behind', async () => {
    await startPeer(name);
    const before = (await readWrites(agent)).length;
    const made = await askForAll();
    for (const { metadata, status } of made) {
      const child = `performer-${metadata?.name}`;
      const grpcEndpoint = `${child}.${namespace}.svc.cluster.local`;
      expect(status).toMatchObject({ observedGeneration: 1, phase: 'Running', podName: child, serviceName: child, grpcEndpoint });
      expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    }
    expect(await describeObjects()).toEqual(ours);

    await sleep(1_000);
    const writes = (await readWrites(agent)).slice(before);
    await sleep(restMs);
    expect((await readWrites(agent)).slice(before)).toEqual(writes);
    const creations = writes.filter((write) => write.startsWith('create'));
    expect(creations.toSorted()).toEqual([...Array<string>(count).fill('create pods'), ...Array<string>(count).fill('create services')]);
    expect(writes.length / count).toBeLessThan(8);
    if (name === 'floor')
      expect(writes.filter((write) => !creations.includes(write))).toEqual(Array<string>(count).fill('patch performers/status'));

    await deleteAll();
  });
});

describe.each(['controller-runtime', 'controller-runtime-tuned'] as const)('the peer %s', (name) => {
  it('replaces a pod that is gone, and one of a former image', async () => {
    await startPeer(name);
    await askForAll();
    const key = { namespace, name: 'performer-a' };
    const old = await kube.get(pods, key);
    await kubectl(cluster.get(), ['delete', 'pod', key.name, '-n', namespace, '--wait=false']);
    const pod = await vi.waitFor(() => readyPodOtherThan(old, 'avs:1'), { timeout: 20_000, interval: 100 });
    await kubectl(cluster.get(), ['patch', 'performer', 'a', '-n', namespace, '--type=merge', '-p', '{"spec":{"image":"avs:2"}}']);
    await vi.waitFor(() => readyPodOtherThan(pod, 'avs:2'), { timeout: 20_000, interval: 100 });
  });
});

/** The pod of Performer `a` and its status agree that it is a new one and ready. */
async function readyPodOtherThan(old: Pod, image: string): Promise<Pod> {
  const pod = await kube.get(pods, { namespace, name: 'performer-a' });
  const performer = await kube.get(performers, { namespace, name: 'a' });
  expect(pod.metadata?.uid).not.toBe(old.metadata?.uid);
  expect(pod.spec?.containers[0]?.image).toBe(image);
  expect(performer.status).toMatchObject({ ready: true, podIP: pod.status?.podIP, observedGeneration: performer.metadata?.generation });
  return pod;
}

describe.each([
  { name: 'floor-headless', addresses: Object.keys(specs).map(() => 'None') },
  { name: 'floor-without-service', addresses: [] },
] as const)('the peer $name', ({ name, addresses }) => {
  it('makes the pods we make, and Services of its own kind', async () => {
    await startPeer(name);
    await askForAll();
    expect((await describeObjects()).pods).toEqual(ours.pods);
    const { items } = await kube.list(services, { namespace });
    expect(items.map(({ spec }) => spec?.clusterIP)).toEqual(addresses);
  }, 150_000);
});
