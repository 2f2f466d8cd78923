import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectOutput } from '../../scripts/collect-output.ts';
import { type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { coreEvents, namespaces } from '../../src/kube/objects.ts';
import type { EventRecord, KubeApi } from '../../src/kube/port.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { builtCli, hourglass, startHourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';

const crd = fileURLToPath(new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url));
const cluster = useCluster({ profile: 'instant' });
const namespace = 'told';
let dir: string;
let kube: KubeApi & { close(): void };

async function connect(kubeconfig: string, warn: (message: string) => void = () => undefined): Promise<typeof kube> {
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  return createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-test', warn });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hourglass-telemetry-'));
  kube = await connect(cluster.get().kubeconfig);
  await kubectl(cluster.get(), ['apply', '--server-side', '-f', crd]);
  await until('the CRD to be served', () =>
    kube.list(performers).then(
      () => true,
      () => false,
    ),
  );
  await kube.create(namespaces, { metadata: { name: namespace } });
});
afterAll(async () => {
  (kube as typeof kube | undefined)?.close();
  await rm(dir, { recursive: true, force: true });
});

const spec: PerformerSpecInput = { avsAddress: `0x${'a1'.repeat(20)}`, image: 'avs:1' };
const ask = (name: string): Promise<unknown> =>
  kube.create(performers, { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', metadata: { name, namespace }, spec });
const on = (...args: string[]): string[] => [
  ...args,
  '-n',
  namespace,
  '--lease-namespace',
  namespace,
  '--kubeconfig',
  cluster.get().kubeconfig,
];

async function get(port: number, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  while (!(await holds())) {
    if (systemClock.monotonicMs() - startedMs > 30_000) throw new Error(`waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

describe('watch, started as the Go operator is', () => {
  it('takes its flags, serves metrics and health, logs JSON, and ends in order', async () => {
    const {
      child,
      result,
      line: seen,
    } = await startHourglass(
      on(
        'watch',
        '--metrics-bind-address=127.0.0.1:0',
        '--health-probe-bind-address',
        '127.0.0.1:0',
        '--leader-elect',
        '--zap-log-level=info',
        '--webhook-port=9443',
        '--metrics-secure',
      ),
    );
    let text = '';
    child.stderr?.on('data', (chunk: string) => {
      text += chunk;
    });
    // What follows the last line break is half a line.
    const lines = (): readonly Line[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const portOf = (what: string): number => Number(lines().find((one) => one.msg === 'serving' && one.what === what)?.port);
    await seen(/"leading"/);
    await ask('watched');
    await until('the Performer', async () => (await get(portOf('metrics'), '/metrics')).text.includes('reason="Serving"} 1'));

    const { status, text: metrics } = await get(portOf('metrics'), '/metrics');
    expect(status).toBe(200);
    for (const metric of [
      'controller_runtime_reconcile_total{controller="performer",result="success"}',
      'workqueue_adds_total{name="performer",controller="performer"}',
      'rest_client_requests_total{method="POST",code="201"}',
      'leader_election_master_status{name="b8e8a8a8.hourglass.eigenlayer.io"} 1',
      'hourglass_cache_stale{kind="pods"} 0',
      'hourglass_writes_total{verb="create",kind="Pod"} 1',
      'hourglass_writes_total{verb="create",kind="Service"} 1',
    ])
      expect(metrics).toContain(metric);
    expect(metrics).not.toContain('watched');
    expect(await get(portOf('health'), '/healthz')).toEqual({ status: 200, text: 'ok' });
    expect((await get(portOf('health'), '/readyz?verbose')).text).toMatch(
      /^\[\+\]cache-performers ok\n(?:\[\+\].* ok\n)+readyz check passed\n$/,
    );

    child.kill('SIGTERM');
    expect((await result).code).toBe(0);
    expect(
      lines()
        .filter(({ level }) => level === 'warn')
        .map(({ msg }) => msg),
    ).toEqual([
      '--metrics-secure has no effect: metrics are served over plain HTTP',
      '--webhook-port has no effect: there is no webhook server',
    ]);
    expect(lines().find(({ did }) => Array.isArray(did) && did.includes('create Pod performer-watched'))).toMatchObject({
      key: `${namespace}/watched`,
    });
    expect(lines().at(-1)?.msg).toBe('stopped');
  });

  it('says which port is taken, and exits 1', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr } = await hourglass(on('watch', '--health-probe-bind-address', `127.0.0.1:${port}`));
    server.close();
    expect(stderr).toContain(`serving health on 127.0.0.1:${port}: the port is taken; choose another one, or 0 for off`);
    expect(code).toBe(1);
  });
});

describe('without a command', () => {
  it('the program named manager watches', async () => {
    const manager = join(dir, 'manager');
    await symlink(await builtCli(), manager);
    const child = spawn(process.execPath, [manager, ...on('--zap-devel', '--leader-elect=false')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    const result = collectOutput(child, (all) => {
      stderr = all;
    });
    await until('the watch', async () => stderr.includes('running without a Lease') || child.exitCode !== null);
    child.kill('SIGTERM');
    expect((await result).code).toBe(0);
  });
});

describe('Events on a real API server', () => {
  const record = (name: string): EventRecord => ({
    regarding: { apiVersion: 'v1', kind: 'Namespace', namespace, name: namespace, uid: 'u' },
    name,
    type: 'Warning',
    reason: 'Testing',
    message: 'first',
    action: 'Test',
  });
  const find = async (name: string) => (await kube.list(coreEvents, { namespace, fieldSelector: `metadata.name=${name}` })).items[0];

  it('have a series that is counted up', async () => {
    await kube.event(record('told.1'));
    expect((await find('told.1'))?.series).toBeUndefined();
    await kube.event({ ...record('told.1'), series: { count: 2, lastSeenMs: kube.serverNowMs() } });
    await kube.event({ ...record('told.1'), series: { count: 5, lastSeenMs: kube.serverNowMs() } });
    expect(await find('told.1')).toMatchObject({ message: 'first', reportingComponent: 'hourglass-test', series: { count: 5 } });
    expect(await kubectl(cluster.get(), ['get', 'events', '-n', namespace, 'told.1', '--no-headers'])).toContain('Testing');
  });

  it('go to core/v1 for an account that may not use events.k8s.io', async () => {
    const rules = [
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'old', namespace }, rules };
    await kubectl(cluster.get(), ['apply', '-f', '-'], { input: JSON.stringify(role) });
    await kubectl(cluster.get(), ['create', 'serviceaccount', 'old', '-n', namespace]);
    await kubectl(cluster.get(), ['create', 'rolebinding', 'old', '-n', namespace, '--role=old', `--serviceaccount=${namespace}:old`]);
    const token = (await kubectl(cluster.get(), ['create', 'token', 'old', '-n', namespace])).trim();
    const text = (await readFile(cluster.get().kubeconfig, 'utf8'))
      .replace(/client-certificate-data: .*/, `token: ${token}`)
      .replace(/\n.*client-key-data: .*/, '');
    const path = join(dir, 'old');
    await writeFile(path, text);
    const warnings: string[] = [];
    const old = await connect(path, (message) => warnings.push(message));
    try {
      await old.event(record('old.1'));
      await old.event({ ...record('old.1'), series: { count: 3, lastSeenMs: old.serverNowMs() } });
      await old.event(record('old.2'));
    } finally {
      old.close();
    }
    expect(await find('old.1')).toMatchObject({ count: 3, source: { component: 'hourglass-test' } });
    expect(await find('old.2')).toMatchObject({ count: 1 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^Events are written as core\/v1: .*forbidden/);
  });
});
