import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readState } from '../../src/testbed/cluster-state.ts';
import { type ClusterTools, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { behaviorAnnotation } from '../../src/testbed/kwok-stages.ts';
import { silentProgress } from '../../src/testbed/progress.ts';
import { buildTimeoutMs, findClusterTools } from '../support/cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const timeoutMs = 90_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
interface UpJson {
  readonly name: string;
  readonly kubeconfig: string;
  readonly dir: string;
  readonly pids: Readonly<Record<string, number>>;
}

let tools: ClusterTools;
let stateHome: string;

beforeAll(async () => {
  tools = await findClusterTools();
}, buildTimeoutMs);
beforeEach(() => {
  stateHome = mkdtempSync(join(tmpdir(), 'hourglass-dev-'));
});
afterEach(async () => {
  await dev('down', '--all');
  expect(findProcesses()).toEqual([]);
  rmSync(stateHome, { recursive: true });
}, timeoutMs);

function startDev(...args: readonly string[]): ChildProcess {
  const env = { ...process.env, XDG_STATE_HOME: stateHome };
  return spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'dev', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const dev = (...args: readonly string[]): Promise<Ended> => collect(startDev(...args));

async function up(...args: readonly string[]): Promise<UpJson> {
  const { code, stdout, stderr } = await dev('up', '--json', ...args);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as UpJson;
}

/** Command lines of all processes that name this test's folder, in their arguments or environment: our own look, not the testbed's. */
function findProcesses(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const [command, environment] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${entry}/${name}`, 'utf8'));
      return `${command}${environment}`.includes(stateHome) ? [`${entry} ${command?.replaceAll('\0', ' ').slice(0, 120)}`] : [];
    } catch {
      return [];
    }
  });
}

const clustersDir = (): string => join(stateHome, 'hourglass', 'clusters');
const use = (cluster: UpJson): { kubectl: string[] } => ({
  kubectl: [tools.controlPlane, 'kubectl', `--kubeconfig=${cluster.kubeconfig}`],
});

function pod(name: string, image: string, behavior?: string): object {
  const annotations = behavior === undefined ? {} : { [behaviorAnnotation]: behavior };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec: { containers: [{ name: 'performer', image }] } };
}

interface PodStatus {
  readonly phase: string;
  readonly podIP?: string;
  readonly containerStatuses?: readonly {
    readonly ready: boolean;
    readonly restartCount: number;
    readonly image: string;
    readonly state: { readonly waiting?: { readonly reason: string; readonly message: string } };
  }[];
}

/** What a person would read of each pod: `Running ready`, `Pending ImagePullBackOff`, … */
async function readPods(cluster: UpJson): Promise<Record<string, string>> {
  const list = JSON.parse(await kubectl(use(cluster), ['get', 'pods', '-o', 'json'])) as {
    items: { metadata: { name: string }; status: PodStatus }[];
  };
  const describeStatus = ({ phase, containerStatuses: [container] = [] }: PodStatus): string =>
    [phase, container?.state.waiting?.reason ?? (container === undefined ? 'new' : container.ready ? 'ready' : 'unready')].join(' ');
  return Object.fromEntries(list.items.map((item) => [item.metadata.name, describeStatus(item.status)]));
}

describe('dev up, status, down', () => {
  it('gives a cluster that kubectl can use, says what it is, and leaves nothing', { timeout: timeoutMs }, async () => {
    expect((await dev('status')).stdout).toContain('No clusters');
    const startedMs = performance.now();
    const { code, stdout } = await dev('up', '--json');
    const seconds = (performance.now() - startedMs) / 1_000;
    expect(code).toBe(0);
    const cluster = JSON.parse(stdout) as UpJson;
    expect(Object.keys(cluster).toSorted()).toEqual(['dir', 'kubeconfig', 'name', 'pids']);
    expect(Object.keys(cluster.pids)).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok']);

    expect(await kubectl(use(cluster), ['get', 'nodes', '-o', 'name'])).toBe('node/fake-0\nnode/fake-1\nnode/fake-2\nnode/fake-3\n');
    await kubectl(use(cluster), ['apply', '-f', '-'], { input: JSON.stringify(pod('one', 'example/performer:1')) });
    await kubectl(use(cluster), ['wait', 'pod/one', '--for=condition=Ready', '--timeout=10s']);

    const again = await up();
    expect(again.pids).toEqual(cluster.pids);
    expect((await dev('kubectl', '--', 'get', 'pods', '-o', 'name')).stdout).toBe('pod/one\n');
    const status = JSON.parse((await dev('status', '--json')).stdout) as {
      clusters: { name: string; state: string; processes: unknown[] }[];
    };
    expect(status.clusters).toMatchObject([{ name: 'dev', state: 'ready', processes: { length: 5 } }]);

    const down = await dev('down');
    for (const [name, pid] of Object.entries(cluster.pids)) expect(down.stdout).toContain(`ended ${name} (pid ${pid})`);
    expect(down.stdout).toContain(`removed ${cluster.dir}`);
    expect(findProcesses()).toEqual([]);
    expect(readdirSync(clustersDir())).toEqual([]);
    console.info(`dev up: ${seconds.toFixed(1)} s`);
  });

  it('says that there is nothing to remove', { timeout: timeoutMs }, async () => {
    const { code, stdout } = await dev('down', '--name', 'none');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('no cluster none') });
    expect((await dev('down', '--all')).stdout).toContain('nothing to remove');
  });

  it('runs two clusters side by side; one goes, the other stays; --dir is honoured and cleaned', { timeout: timeoutMs }, async () => {
    const dir = join(stateHome, 'elsewhere');
    const [left, right] = await Promise.all([
      up('--name', 'left', '--profile', 'none'),
      up('--name', 'right', '--profile', 'none', '--dir', dir),
    ]);
    expect(right.kubeconfig).toBe(join(dir, 'kubeconfig'));
    expect(Object.keys(left.pids)).not.toContain('kwok');
    await dev('down', '--name', 'left');
    expect(await kubectl(use(right), ['get', 'namespace', 'default', '-o', 'name'])).toBe('namespace/default\n');
    writeFileSync(join(dir, 'mine'), '');
    expect((await dev('down', '--name', 'right')).stdout).toContain(`removed the cluster's files from ${dir}`);
    expect(readdirSync(dir)).toEqual(['mine']);
    expect(readdirSync(clustersDir())).toEqual([]);
  });
});

describe('dev up that ends half-way', () => {
  it.each<{ moment: string; isNow: () => boolean }>([
    { moment: 'its folder exists', isNow: () => existsSync(join(clustersDir(), 'dev')) },
    { moment: 'its files are being written', isNow: () => existsSync(join(clustersDir(), 'dev', 'certificates')) },
    { moment: 'etcd is being started', isNow: () => existsSync(join(clustersDir(), 'dev', 'logs', 'etcd.log')) },
    { moment: 'the API server is recorded', isNow: () => readRecordedPid('kube-apiserver') > 0 },
    { moment: 'KWOK is being started', isNow: () => existsSync(join(clustersDir(), 'dev', 'logs', 'kwok.log')) },
  ])('killed the moment $moment, leaves nothing behind `dev down`', { timeout: timeoutMs }, async ({ isNow }) => {
    const child = startDev('up');
    const ended = collect(child);
    await expect.poll(isNow, { timeout: 30_000, interval: 2 }).toBe(true);
    child.kill('SIGKILL');
    await ended;
    expect((await dev('down')).code).toBe(0);
    expect(findProcesses()).toEqual([]);
    expect(readdirSync(clustersDir())).toEqual([]);
  });

  it('is ended by `dev down`', { timeout: timeoutMs }, async () => {
    const ended = collect(startDev('up'));
    await expect.poll(() => readRecordedPid('etcd'), { timeout: 20_000, interval: 20 }).toBeGreaterThan(0);
    expect((await dev('down')).code).toBe(0);
    expect((await ended).code).not.toBe(0);
    expect(findProcesses()).toEqual([]);
    expect(readdirSync(clustersDir())).toEqual([]);
  });

  it('names the component that died, its log and the log file, and keeps the log until `dev down`', { timeout: timeoutMs }, async () => {
    const ended = collect(startDev('up'));
    await expect.poll(() => readRecordedPid('etcd'), { timeout: 20_000, interval: 20 }).toBeGreaterThan(0);
    process.kill(readRecordedPid('etcd'), 'SIGKILL');
    const { code, stdout, stderr } = await ended;
    const logPath = join(clustersDir(), 'dev', 'logs', 'etcd.log');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('etcd ended (signal SIGKILL)');
    expect(stderr).toContain(`log: ${logPath}`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(logPath)).toBe(true);
    expect(findProcesses()).toEqual([]);
    expect((await dev('status')).stdout).toContain('failed');
  });

  it('refuses a directory with something in it, in one line', { timeout: timeoutMs }, async () => {
    writeFileSync(join(stateHome, 'mine'), '');
    const { code, stderr } = await dev('up', '--dir', stateHome);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not empty.*--dir/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a port that another process takes first', () => {
  it.each([
    { port: 'the API server', index: 0 },
    { port: 'etcd', index: 1 },
  ])('is left to it: $port gets another one', { timeout: timeoutMs }, async ({ index }) => {
    const squatter = createServer();
    await once(squatter.listen(0, '127.0.0.1'), 'listening');
    const taken = (squatter.address() as AddressInfo).port;
    let asked = 0;
    const cluster = await startEmbeddedCluster({
      profile: 'none',
      tools,
      report: silentProgress,
      detach: false,
      home: clustersDir(),
      choosePorts: async (count) => {
        asked += 1;
        const ports = await findFreePorts(count);
        return asked === 1 ? ports.with(index, taken) : ports;
      },
    });
    expect(asked).toBe(2);
    expect(Object.values(cluster.ports)).not.toContain(taken);
    expect(await kubectl(cluster, ['get', 'namespace', 'default', '-o', 'name'])).toBe('namespace/default\n');
    await cluster.stop();
    squatter.close();
  });
});

describe('dev up --no-detach', () => {
  it('ends its cluster on SIGTERM and leaves nothing', { timeout: timeoutMs }, async () => {
    const child = startDev('up', '--no-detach', '--json');
    const ended = collect(child);
    await once(child.stdout ?? child, 'data');
    expect(findProcesses().length).toBeGreaterThan(5);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(findProcesses()).toEqual([]);
    expect(readdirSync(clustersDir())).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('takes its processes along when it is killed', { timeout: timeoutMs }, async () => {
    const child = startDev('up', '--no-detach', '--json');
    const ended = collect(child);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGKILL');
    await ended;
    await expect.poll(findProcesses, { timeout: 2_000 }).toEqual([]);
  });
});

describe.each(['instant', 'node-like'])('pods of profile %s', (profile) => {
  it('do what their annotation or image asks for, and follow when that changes', { timeout: timeoutMs }, async () => {
    const cluster = await up('--profile', profile, '--nodes', '2');
    const items = [
      pod('runs', 'example/performer:1'),
      pod('pull-fails', 'example/performer:pull-fails'),
      pod('crashes', 'example/performer:2-crashes'),
      pod('never-ready', 'example/performer:1', 'never-ready'),
    ];
    await kubectl(use(cluster), ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
    await expect
      .poll(() => readPods(cluster), { timeout: 10_000, interval: 300 })
      .toEqual({
        runs: 'Running ready',
        'pull-fails': 'Pending ImagePullBackOff',
        crashes: 'Running CrashLoopBackOff',
        'never-ready': 'Running unready',
      });

    await kubectl(use(cluster), ['set', 'image', 'pod/pull-fails', 'performer=example/performer:3']);
    await kubectl(use(cluster), ['set', 'image', 'pod/runs', 'performer=example/performer:crashes']);
    await kubectl(use(cluster), ['annotate', 'pod/never-ready', `${behaviorAnnotation}-`]);
    await expect
      .poll(() => readPods(cluster), { timeout: 10_000, interval: 300 })
      .toEqual({
        runs: 'Running CrashLoopBackOff',
        'pull-fails': 'Running ready',
        crashes: 'Running CrashLoopBackOff',
        'never-ready': 'Running ready',
      });

    await kubectl(use(cluster), ['delete', 'pods', '--all', '--timeout=10s']);
    expect(await readPods(cluster)).toEqual({});
    await dev('down');
  });
});

function readRecordedPid(component: string): number {
  const reading = readState(join(clustersDir(), 'dev'));
  return reading.kind === 'state' ? (reading.state.processes[component]?.pid ?? 0) : 0;
}
