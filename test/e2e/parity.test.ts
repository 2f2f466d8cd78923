import { spawn } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { labels } from '../../src/api/v1alpha1/naming.ts';
import { leases } from '../../src/kube/objects.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { comparableStatus } from '../parity/support/comparable.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { builtCli, hourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';

const real = new RealCluster(useCluster({ profile: 'instant' }));
beforeAll(() => real.installCrd('ours'));

describe('environment values', () => {
  it('OP-11 come into no log line, at no level, in no mode', async () => {
    await real.namespace('secrets');
    const config = { environment: { KEY: 'letmein-1' }, env: [{ name: 'TOKEN', value: 'letmein-2' }], args: ['--quiet'] };
    await real.ask('secrets', 'x', { config });
    await real.ask('secrets', 'bad', { config, image: 'avs:pull-fails' });
    const on = ['-n', 'secrets', '--kubeconfig', real.kubeconfig];
    const runs = [
      await hourglass(['once', '--dry-run', '--log-level', 'debug', ...on]),
      await hourglass(['once', '--wait', '5s', '--log-level', 'debug', '--log-format', 'json', ...on]),
      await hourglass(['once', '-o', 'json', '--debug', ...on]),
      await hourglass(['explain', 'bad', ...on]),
      await hourglass(['snapshot', 'x', ...on]),
    ];
    expect(runs[1]?.stderr).toContain('performer-x');
    expect(runs.map(({ stdout, stderr }) => stdout + stderr).join('\n')).not.toContain('letmein');
    const events = await real.kubectl('get', 'events', '-n', 'secrets', '-o', 'json');
    expect(events).not.toContain('letmein');
  });
});

describe('names', () => {
  it.each(['a'.repeat(54), 'with.dots'])('OP-12 that leave no room for a Service are refused when they are made: %s', async (name) => {
    await expect(real.ask('default', name)).rejects.toThrow(/metadata\.name|53|dots/);
  });

  it('OP-12 of 53 characters come up', async () => {
    await real.namespace('long');
    await real.ask('long', 'a'.repeat(53));
    expect((await real.once('long', '--wait', '20s')).result).toBe('Converged');
    expect((await real.services('long')).map((service) => service.metadata?.name)).toEqual([`performer-${'a'.repeat(53)}`]);
  });
});

describe('addresses', () => {
  it('OP-13 of any form, which the CRD of the original takes, give pods the API server takes', async () => {
    await real.installCrd('chart');
    await real.namespace('addresses');
    for (const [name, avsAddress] of Object.entries({ a: 'My AVS', b: '-x-', c: '_', d: `0x${'f'.repeat(80)}`, e: 'ü' })) {
      await real.ask('addresses', name, { avsAddress });
    }
    expect((await real.once('addresses', '--wait', '20s')).result).toBe('Converged');
    expect((await real.pods('addresses')).map((pod) => pod.metadata?.labels?.[labels.avs])).toEqual([
      'my-avs',
      'x',
      '',
      `0x${'f'.repeat(61)}`,
      '',
    ]);
    await real.installCrd('ours');
  });
});

describe('the entry point of the original', () => {
  it('OP-22 takes its flags and variables, serves health and metrics, and says what has no effect', async () => {
    await real.namespace('managed');
    await real.ask('managed', 'x');
    const manager = join(dirname(real.kubeconfig), 'manager.js');
    await symlink(await builtCli(), manager);
    const [metricsPort = 0, probePort = 0] = await findFreePorts(2);
    const flags = [
      `--metrics-bind-address=127.0.0.1:${metricsPort}`,
      `--health-probe-bind-address=127.0.0.1:${probePort}`,
      '--leader-elect=false',
      '--metrics-secure=false',
      '--enable-http2=false',
      '--webhook-port=9443',
      '--cert-dir=nowhere',
      '--zap-devel',
      '--zap-log-level=info',
      '--zap-encoder=json',
    ];
    const env = { PATH: process.env.PATH ?? '', KUBECONFIG: real.kubeconfig, NAMESPACE: 'managed', LOG_LEVEL: 'info' };
    const child = spawn(process.execPath, [manager, ...flags], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
    });
    try {
      const get = async (port: number, path: string): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        return answer.text();
      };
      await until('the Performer', async () =>
        (await real.performers('managed')).every((performer) => readyOf(performer) === 'True Serving'),
      );
      await until('readiness', async () => (await get(probePort, 'readyz')) !== '');
      expect(await get(probePort, 'healthz')).not.toBe('');
      expect(await get(metricsPort, 'metrics')).toContain('# TYPE');
    } catch (error) {
      throw new Error(`the operator said:\n${said}`, { cause: error });
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended, said).toBe(0);
    expect(said).toMatch(/--webhook-port has no effect/);
    expect(said).not.toMatch(/--metrics-secure has no effect/);
  });

  it.each([
    ['--no-such-flag', 'x'],
    ['--leader-elect=maybe', 'maybe'],
  ])('OP-22 refuses %s', async (flag, _value) => {
    const { code } = await hourglass(['watch', flag]);
    expect(code).toBe(2);
  });
});

describe('the role of the operator', () => {
  it('OP-23 is enough to lead, roll out and report with a service account that has nothing else', async () => {
    await real.namespace('account');
    const kubeconfig = await real.accountKubeconfig('account', 'operator');
    await real.kubectl('apply', '-f', join(projectRoot, 'manifests/rbac/cluster-role.yaml'));
    const role = '--clusterrole=hourglass-operator-manager-role';
    await real.kubectl('create', 'clusterrolebinding', 'account', role, '--serviceaccount=account:operator');
    await real.grantLease('account', 'operator');
    await real.ask('account', 'x', { drainSeconds: 1 });
    await real.ask('account', 'bad', { image: 'avs:pull-fails' });
    const run = () => real.once('account', '--wait', '6s', '--lease-namespace', 'account', '--kubeconfig', kubeconfig);
    const first = await run();
    await real.change('account', 'x', { image: 'avs:2' });
    const second = await run();
    expect(second.keys.map(({ key, reason }) => `${key} ${reason}`)).toEqual(['account/bad ImagePullFailed', 'account/x Serving']);
    expect(first.stderr + second.stderr).not.toContain('forbidden');
    expect((await real.kube.list(leases, { namespace: 'account' })).items).toHaveLength(1);
    expect(await real.kubectl('get', 'events', '-n', 'account', '--field-selector', 'reason=ImagePullFailed', '-o', 'name')).toContain(
      'event/',
    );
  });
});

describe('converging', () => {
  const pairs: Readonly<Record<string, readonly [object, object]>> = {
    port: [{ config: { grpcPort: 8080 } }, { config: { grpcPort: 9091 } }],
    environment: [{ config: { environment: { B: '2', A: '1' } } }, { config: { env: [{ name: 'A', value: '3' }] } }],
    nothing: [{ version: '2', resources: { requests: { cpu: '10m' } }, security: { profile: 'restricted' } }, {}],
    replicas: [{ replicas: 3 }, { replicas: 2, image: 'avs:2' }],
    recreate: [{}, { image: 'avs:2', strategy: { type: 'Recreate' } }],
    probes: [{ probes: { readiness: { periodSeconds: 15 } } }, { scheduling: { tolerations: [{ operator: 'Exists' }] } }],
  };
  const whole = (change: object): object => ({
    avsAddress: '0x00000000000000000000000000000000000000a1',
    image: 'avs:1',
    drainSeconds: 1,
    ...change,
  });
  /** What must be the same whichever way it came about. */
  const outcomeIn = async (namespace: string): Promise<unknown> => ({
    pods: (await real.pods(namespace))
      .map(({ metadata, spec }) => {
        const { [labels.index]: _index, ...marks } = metadata?.labels ?? {};
        return { marks, spec: { ...spec, nodeName: '' } };
      })
      .toSorted((a, b) => ((a.marks[labels.instance] ?? '') < (b.marks[labels.instance] ?? '') ? -1 : 1)),
    services: (await real.services(namespace)).map(({ metadata, spec }) => [metadata?.name, spec?.selector, spec?.ports]),
    statuses: (await real.performers(namespace)).map(({ status }) => comparableStatus(status)),
  });

  it('from one spec to another ends where a new Performer of the other does, and is not written to again', async () => {
    for (const namespace of ['direct', 'changed']) await real.namespace(namespace);
    for (const [name, [before, after]] of Object.entries(pairs)) {
      await real.ask('direct', name, whole(after));
      await real.ask('changed', name, whole(before));
    }
    expect((await real.once('direct', '--wait', '30s')).result).toBe('Converged');
    expect((await real.once('changed', '--wait', '30s')).result).toBe('Converged');
    for (const [name, [, after]] of Object.entries(pairs)) {
      const stored = JSON.parse(await real.kubectl('get', 'performer', name, '-n', 'changed', '-o', 'json')) as object;
      await real.replace({ ...stored, spec: whole(after) });
    }
    expect((await real.once('changed', '--wait', '60s')).result).toBe('Converged');
    expect(await outcomeIn('changed')).toEqual(await outcomeIn('direct'));
    expect((await real.once('changed')).writes).toEqual({ create: 0, patch: 0, delete: 0 });
  });

  it('through a bad spec and back ends where it was, with the very pods', async () => {
    const before = { outcome: await outcomeIn('direct'), uids: (await real.pods('direct')).map((pod) => pod.metadata?.uid) };
    for (const name of ['port', 'environment', 'nothing']) await real.change('direct', name, { image: 'avs:pull-fails' });
    expect((await real.once('direct', '--wait', '3s')).result).toBe('Waiting');
    expect((await real.performers('direct')).every(({ status }) => status?.ready === true)).toBe(true);
    for (const name of ['port', 'environment', 'nothing']) await real.change('direct', name, { image: 'avs:1' });
    expect((await real.once('direct', '--wait', '20s')).result).toBe('Converged');
    expect((await real.pods('direct')).map((pod) => pod.metadata?.uid)).toEqual(before.uids);
    expect(await outcomeIn('direct')).toEqual(before.outcome);
  });
});
