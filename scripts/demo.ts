/**
 * The main job, shown on a real API server: Performers converge to Pods and Services, once and watched, through a change, a loss and a deletion.
 * Each step prints the line that does the same by hand. Ends 0 only if every step came out as it should.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { labels, performerPodsSelector } from '../src/api/v1alpha1/naming.ts';
import { controllerOf, pods, services } from '../src/kube/objects.ts';
import type { KubeApi } from '../src/kube/port.ts';
import { createKubeApi } from '../src/kube-client/client.ts';
import { loadClusterConfig } from '../src/kube-client/load-config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { startEmbeddedCluster } from '../src/testbed/embedded-cluster.ts';
import { untilEstablished } from '../src/testbed/kubectl.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { ensureTool } from '../src/testbed/tools.ts';
import { buildCli } from './build.ts';
import { type Collected, collectOutput } from './collect-output.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const namespace = 'hourglass-demo';
const samples = join(root, 'manifests/samples');
const crdFile = join(root, 'manifests/crd/hourglass.eigenlayer.io_performers.yaml');

interface DemoCluster {
  readonly kubeconfig: string;
  readonly kubectl: readonly string[];
  stop(): Promise<void>;
}

interface DemoOptions {
  readonly kubeconfig?: string;
  readonly image?: string;
  readonly help?: boolean;
}

const usage = 'usage: npm run demo [-- --kubeconfig FILE --image REF]';
const interrupted = new AbortController();
const signalNumbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
for (const [name, number] of Object.entries(signalNumbers)) {
  process.on(name, () => {
    say(`\n${name}: ending what was started`);
    process.exitCode = 128 + number;
    interrupted.abort(new Error(name));
    for (const child of running) child.kill('SIGTERM');
  });
}
/** Children that must not outlive the demo. */
const running = new Set<ChildProcess>();
const options = readOptions();

if (options === undefined) {
  process.exitCode = 2;
} else if (options.help === true) {
  say(usage);
  say('  Without options: on a cluster of its own, made and removed by the demo.');
  say('  --kubeconfig FILE   on your cluster, in namespace hourglass-demo; the CRD is left installed');
  say('  --image REF         an image your cluster can pull that serves gRPC with grpc.health.v1; the samples name made-up ones');
} else {
  await demo(options).then(
    (code) => {
      process.exitCode ??= code;
    },
    (error: unknown) => {
      if (!interrupted.signal.aborted) say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode ??= 1;
    },
  );
}

/** Undefined, and the usage printed, when they cannot be read. */
function readOptions(): DemoOptions | undefined {
  try {
    const { values } = parseArgs({
      options: { kubeconfig: { type: 'string' }, image: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.kubeconfig === undefined || values.image !== undefined) return values;
    say(`--kubeconfig needs --image: the samples name made-up images, which your cluster cannot pull.\n${usage}`);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  return undefined;
}

async function demo({ kubeconfig, image }: DemoOptions): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  step('Build the CLI', 'npm run build');
  await buildCli(join(root, 'dist'));
  const cluster = await openCluster(kubeconfig);
  const config = await loadClusterConfig({
    kubeconfig: cluster.kubeconfig,
    env: {},
    readFile: (path) => readFile(path),
    homeDir: homedir(),
  });
  const kube = createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-demo' });
  let finished = false;
  try {
    await showOnce(cluster, image);
    await showWatch(cluster, kube, image);
    finished = true;
  } finally {
    for (const child of running) child.kill('SIGKILL');
    kube.close();
    if (!finished && kubeconfig !== undefined) {
      say(`Left on your cluster: kubectl delete performers --all -n ${namespace}; kubectl delete namespace ${namespace}`);
    }
    await cluster.stop();
  }
  say(`\nDone in ${seconds(systemClock.monotonicMs() - startedMs)}.`);
  if (kubeconfig === undefined) {
    say('Go on by hand: bin/hourglass dev up, the `export KUBECONFIG=…` it prints, then the lines marked with $ above.');
    say('No kubectl? bin/hourglass dev kubectl -- …');
  }
  return 0;
}

async function openCluster(kubeconfig: string | undefined): Promise<DemoCluster> {
  const report = createProgress(process.stderr);
  if (kubeconfig !== undefined) {
    step('Use your cluster', `export KUBECONFIG=${kubeconfig}`);
    // A cluster of one's own needs no Go where kubectl is at hand.
    const found = (await run('kubectl', ['version', '--client']).catch(() => undefined))?.code === 0;
    const kubectl = found ? ['kubectl'] : [await ensureTool('control-plane', report), 'kubectl'];
    return { kubeconfig, kubectl: [...kubectl, '--kubeconfig', kubeconfig], stop: () => Promise.resolve() };
  }
  const controlPlane = await ensureTool('control-plane', report);
  const kwok = await ensureTool('kwok', report);
  step(
    'Start a cluster: etcd, API server, controller-manager, scheduler; KWOK plays the kubelets',
    'bin/hourglass dev up --profile node-like',
  );
  const cluster = await startEmbeddedCluster({
    profile: 'node-like',
    tools: { controlPlane, kwok },
    report,
    detach: false,
    signal: interrupted.signal,
  });
  return {
    kubeconfig: cluster.kubeconfig,
    kubectl: cluster.kubectl,
    stop: async () => {
      step('Remove the cluster', 'bin/hourglass dev down');
      for (const line of await cluster.stop()) say(`  ${line}`);
    },
  };
}

async function showOnce(cluster: DemoCluster, image: string | undefined): Promise<void> {
  step('Install the CRD', 'bin/hourglass crd | kubectl apply --server-side -f -');
  await kubectl(cluster, ['apply', '--server-side', '-f', crdFile]);
  await kubectl(cluster, untilEstablished('crd/performers.hourglass.eigenlayer.io'));
  step('Ask for three performers', `kubectl create namespace ${namespace}; kubectl apply -n ${namespace} -f manifests/samples`);
  await kubectl(cluster, ['create', 'namespace', namespace], true);
  await kubectl(cluster, ['apply', '-n', namespace, '-f', samples]);
  if (image !== undefined) {
    for (const name of await performerNames(cluster)) await patchSpec(cluster, name, { image });
  }

  step('Converge them by a job that ends', `bin/hourglass once --wait 60s -n ${namespace}`);
  say(await hourglass(cluster, ['once', '--wait', '60s', '-n', namespace]));
  await kubectl(cluster, ['get', 'performers,pods,services', '-n', namespace], false, true);

  step('Run it again: what is settled costs no write', `bin/hourglass once -n ${namespace} -o json`);
  const report = JSON.parse(await hourglass(cluster, ['once', '-n', namespace, '-o', 'json'])) as {
    result: string;
    writes: { create: number; patch: number; delete: number };
    durationMs: number;
  };
  say(`  result ${report.result}, writes ${JSON.stringify(report.writes)}, ${report.durationMs} ms`);
  if (report.result !== 'Converged' || report.writes.create + report.writes.patch + report.writes.delete !== 0) {
    throw new Error('the second run was to write nothing');
  }
}

async function showWatch(cluster: DemoCluster, kube: KubeApi, ownImage: string | undefined): Promise<void> {
  step('Keep them converged by a process that stays', `bin/hourglass watch -n ${namespace}`);
  const watch = startWatch(cluster);
  await watch.ready;
  const [first = 'basic'] = await performerNames(cluster);

  const image = ownImage ?? 'ghcr.io/example-avs/performer:1.1.0';
  const version = { image, version: '1.1.0' };
  step(
    'Change an image: the new pod is ready before the old one goes',
    `kubectl patch performer ${first} -n ${namespace} --type merge -p '${JSON.stringify({ spec: version })}'`,
  );
  await showRollout(cluster, kube, first, version);

  await showRepair(cluster, kube, first);

  step('Delete the performers: nothing is left', `kubectl delete performers --all -n ${namespace}`);
  await kubectl(cluster, ['delete', 'performers', '--all', '-n', namespace, '--wait=false']);
  const goneMs = await timeUntil(async () => {
    const left = [...(await listPods(kube)), ...(await listServices(kube))];
    return left.length === 0;
  }, 'pods and Services to go');
  say(`  no Pod and no Service of a performer is left after ${seconds(goneMs)}`);

  step('Stop the watch', 'kill -TERM its pid');
  watch.child.kill('SIGTERM');
  const code = await watch.exited;
  if (code !== 0) throw new Error(`watch ended with exit code ${code}`);
  say('  it drained and ended 0');
  await kubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']);
}

async function showRollout(cluster: DemoCluster, kube: KubeApi, name: string, change: Record<string, string>): Promise<void> {
  const before = (await listPods(kube)).filter((pod) => controllerOf(pod)?.name === name).map((pod) => pod.metadata?.name ?? '');
  const old = before[0] ?? '';
  await patchSpec(cluster, name, change);
  const startedMs = systemClock.monotonicMs();
  const seen: string[] = [];
  const note = (text: string): void => {
    if (seen.includes(text)) return;
    seen.push(text);
    say(`  ${seconds(systemClock.monotonicMs() - startedMs).padStart(7)}  ${text}`);
  };
  await timeUntil(async () => {
    const ours = (await listPods(kube)).filter((pod) => controllerOf(pod)?.name === name);
    const next = ours.find((pod) => !before.includes(pod.metadata?.name ?? ''));
    const former = ours.find((pod) => pod.metadata?.name === old);
    if (next !== undefined) note(`${next.metadata?.name} is created; ${old} serves`);
    if (next !== undefined && isReady(next) && former !== undefined) note(`${next.metadata?.name} is ready; ${old} is still there`);
    if (former !== undefined && former.metadata?.labels?.[labels.performer] === undefined) note(`${old} is out of the Service and drains`);
    if (former === undefined) note(`${old} is gone`);
    return former === undefined && next !== undefined && isReady(next);
  }, `the rollout of ${name}`);
  const order = [seen.findIndex((text) => text.includes('is ready')), seen.findIndex((text) => text.endsWith('is gone'))];
  if ((order[0] ?? -1) < 0 || (order[1] ?? -1) < (order[0] ?? 0)) throw new Error('the old pod went before the new one was ready');
}

async function showRepair(cluster: DemoCluster, kube: KubeApi, name: string): Promise<void> {
  const lost = (await listPods(kube)).find((pod) => controllerOf(pod)?.name === name);
  step('Lose a pod by force', `kubectl delete pod ${lost?.metadata?.name} -n ${namespace} --force --grace-period=0`);
  await kubectl(cluster, ['delete', 'pod', lost?.metadata?.name ?? '', '-n', namespace, '--force', '--grace-period=0']);
  const repairMs = await timeUntil(async () => {
    const ours = (await listPods(kube)).filter((pod) => controllerOf(pod)?.name === name);
    return ours.some((pod) => isReady(pod) && pod.metadata?.uid !== lost?.metadata?.uid);
  }, `another pod of ${name}`);
  const next = (await listPods(kube)).find((pod) => controllerOf(pod)?.name === name);
  say(`  ${lost?.metadata?.name} was lost; ${next?.metadata?.name} is ready ${seconds(repairMs)} later`);
}

function startWatch(cluster: DemoCluster): { child: ChildProcess; ready: Promise<void>; exited: Promise<number | null> } {
  const args = [join(root, 'dist/hourglass.js'), 'watch', '-n', namespace, '--lease-namespace', namespace, '--log-format', 'text'];
  const child = startChild(process.execPath, [...args, '--kubeconfig', cluster.kubeconfig]);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = new Promise<void>((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const line of chunk.split('\n')) if (line !== '') say(`  | ${line}`);
      if (/ (leading|running without a Lease)/.test(text)) resolve();
    });
    void exited.then((code) => reject(new Error(`watch ended with exit code ${code}:\n${text}`)));
  });
  return { child, ready, exited };
}

function isReady(pod: {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

async function listPods(kube: KubeApi) {
  return (await kube.list(pods, { namespace, labelSelector: performerPodsSelector })).items;
}

async function listServices(kube: KubeApi) {
  return (await kube.list(services, { namespace, labelSelector: performerPodsSelector })).items;
}

async function timeUntil(holds: () => Promise<boolean>, what: string): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  while (!(await holds())) {
    interrupted.signal.throwIfAborted();
    if (systemClock.monotonicMs() - startedMs > 60_000) throw new Error(`waited 60 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return systemClock.monotonicMs() - startedMs;
}

async function performerNames(cluster: DemoCluster): Promise<string[]> {
  const text = await kubectl(cluster, ['get', 'performers', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']);
  return text.split(/\s+/).filter((name) => name !== '');
}

async function patchSpec(cluster: DemoCluster, name: string, change: Record<string, string>): Promise<void> {
  await kubectl(cluster, ['patch', 'performer', name, '-n', namespace, '--type', 'merge', '-p', JSON.stringify({ spec: change })]);
}

async function kubectl(cluster: DemoCluster, args: readonly string[], mayFail = false, show = false): Promise<string> {
  const [program = '', ...prefix] = cluster.kubectl;
  const result = await run(program, [...prefix, '--request-timeout=30s', ...args]);
  if (result.code !== 0 && !mayFail) throw new Error(`kubectl ${args.join(' ')}: ${result.stderr.trim()}`);
  if (show) say(result.stdout.trimEnd().replace(/^/gm, '  '));
  return result.stdout;
}

async function hourglass(cluster: DemoCluster, args: readonly string[]): Promise<string> {
  const cli = join(root, 'dist/hourglass.js');
  const result = await run(process.execPath, [cli, ...args, '--lease-namespace', namespace, '--kubeconfig', cluster.kubeconfig]);
  if (result.code !== 0)
    throw new Error(`hourglass ${args.join(' ')} ended with exit code ${result.code}: ${result.stderr.trim()}\n${result.stdout}`);
  return result.stdout.trimEnd().replace(/^/gm, args.includes('json') ? '' : '  ');
}

/** A child that ends with this process, however that ends; our own programs also learn of a kill -9. */
function startChild(program: string, args: readonly string[]): ChildProcess {
  const isNode = program === process.execPath;
  const endWithParent = pathToFileURL(join(root, 'scripts', 'end-with-parent.mjs')).href;
  const child = isNode
    ? spawn(program, ['--import', endWithParent, ...args], {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: { ...process.env, HOURGLASS_PARENT_FD: '3' },
      })
    : spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

async function run(program: string, args: readonly string[]): Promise<Collected> {
  const ended = await collectOutput(startChild(program, args));
  interrupted.signal.throwIfAborted();
  return ended;
}

function step(title: string, line: string): void {
  say(`\n${process.stdout.isTTY ? `\u001b[1m${title}\u001b[0m` : title}`);
  say(`  $ ${line}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
