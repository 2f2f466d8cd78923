import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations, labels, performerPodsSelector } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, performers } from '../../src/api/v1alpha1/performer.ts';
import type { OnceReport } from '../../src/cli/output.ts';
import { namespaces, type Pod, pods, type Service, services } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { kubectl, untilEstablished } from '../../src/testbed/kubectl.ts';
import { hourglass, startHourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';

const crd = fileURLToPath(new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url));
const cluster = useCluster({ profile: 'instant', audit: true });
let kube: KubeApi & { close(): void };
// Undefined only where the cluster never came up.
const closeKube = (): void => (kube as typeof kube | undefined)?.close();
const kubeconfig = (): string => cluster.get().kubeconfig;
const on = (...args: string[]): string[] => [...args, '--kubeconfig', kubeconfig()];

beforeAll(async () => {
  const config = await loadClusterConfig({ kubeconfig: kubeconfig(), env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  kube = createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-test' });
});
afterAll(closeKube);

async function installCrd(): Promise<void> {
  await kubectl(cluster.get(), ['apply', '--server-side', '--force-conflicts', '-f', crd]);
  await kubectl(cluster.get(), untilEstablished('crd/performers.hourglass.eigenlayer.io'));
}

async function ask(namespace: string, specs: Record<string, Record<string, unknown>>): Promise<void> {
  await kube.create(namespaces, { metadata: { name: namespace } }).catch(() => undefined);
  for (const [name, spec] of Object.entries(specs)) {
    await kube.create(performers, {
      apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
      kind: 'Performer',
      metadata: { name, namespace },
      spec,
    });
  }
}

const threeSpecs = {
  basic: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' },
  ported: {
    avsAddress: '0x00000000000000000000000000000000000000a2',
    image: 'avs:1',
    config: { grpcPort: 9000, environment: { B: '2', A: '1' } },
  },
  versioned: {
    avsAddress: '0x00000000000000000000000000000000000000a3',
    image: 'avs:1',
    version: '1.2.3',
    resources: { requests: { cpu: '10m' } },
  },
};

const listPods = async (namespace: string): Promise<readonly Pod[]> =>
  (await kube.list(pods, { namespace, labelSelector: performerPodsSelector })).items;
const listServices = async (namespace: string): Promise<readonly Service[]> =>
  (await kube.list(services, { namespace, labelSelector: performerPodsSelector })).items;
const getPerformer = (namespace: string, name: string): Promise<Performer> => kube.get(performers, { namespace, name });

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  while (!(await holds())) {
    if (systemClock.monotonicMs() - startedMs > 45_000) throw new Error(`waited 45 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Runs `act` beside a watch that has come so far as to say `ready`; the watch must end 0 when it is told to. */
async function whileWatching(
  args: string[],
  ready: RegExp,
  act: (line: (pattern: RegExp) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { child, result, line } = await startHourglass(on('watch', ...args, '--log-format', 'text'));
  try {
    await line(ready);
    await act(line);
  } finally {
    child.kill('SIGTERM');
  }
  expect((await result).code).toBe(0);
}

const isSettled = async (namespace: string, image = 'avs:1'): Promise<boolean> => {
  const [performerList, podList] = await Promise.all([kube.list(performers, { namespace }), listPods(namespace)]);
  return (
    podList.length === performerList.items.length &&
    podList.every((pod) => pod.spec?.containers[0]?.image === image) &&
    performerList.items.every((performer) => performer.status?.conditions?.at(-1)?.status === 'True')
  );
};

/** Pods and Services without what differs between any two: uids, addresses, times, the node, the hash in a name. */
async function shapeOf(namespace: string): Promise<unknown> {
  const uidHash = (text: string): string => text.replace(/-[0-9a-f]{4}-(\d+)$/, '-HASH-$1');
  return {
    pods: (await listPods(namespace)).map((pod) => ({
      name: uidHash(pod.metadata?.name ?? ''),
      labels: pod.metadata?.labels,
      owner: pod.metadata?.ownerReferences?.map(({ kind, name, controller }) => ({ kind, name, controller })),
      spec: { ...pod.spec, nodeName: '' },
    })),
    services: (await listServices(namespace)).map((service) => ({
      name: service.metadata?.name,
      labels: service.metadata?.labels,
      spec: { ...service.spec, clusterIP: '', clusterIPs: [] },
    })),
  };
}

interface AuditEntry {
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource: string; readonly namespace?: string; readonly name?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
}

/** Writes of the operator in a namespace that the API server let through, by the audit log. */
async function writesIn(namespace: string): Promise<string[]> {
  const text = await readFile(cluster.get().auditLog ?? '', 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter((entry) => entry.userAgent?.startsWith('hourglass-operator') === true && entry.objectRef?.namespace === namespace)
    .filter(
      (entry) => ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(entry.verb) && entry.objectRef?.resource !== 'leases',
    )
    .map((entry) =>
      [entry.verb, entry.objectRef?.resource, entry.objectRef?.subresource, entry.responseStatus?.code]
        .filter((part) => part !== undefined)
        .join(' '),
    );
}

describe('before the CRD is there', () => {
  it('once says how to install it, and exits 1', async () => {
    const { code, stderr } = await hourglass(on('once'));
    expect(stderr).toContain('hourglass crd | kubectl apply');
    expect(stderr).not.toContain('at ');
    expect(code).toBe(1);
  });
});

describe('once', () => {
  beforeAll(installCrd);

  it('converges three Performers to three Pods and three Services, and then writes nothing', async () => {
    await ask('by-once', threeSpecs);
    const first = await hourglass(on('once', '--wait', '30s', '-o', 'json', '-n', 'by-once'));
    expect(first.stderr).toContain('Running without a Lease');
    const report = JSON.parse(first.stdout) as OnceReport;
    expect(report).toMatchObject({ result: 'Converged', writer: 'this', performers: 3 });
    expect(first.code).toBe(0);
    expect(await listPods('by-once')).toHaveLength(3);
    expect(await listServices('by-once')).toHaveLength(3);

    const second = await hourglass(on('once', '-o', 'json', '-n', 'by-once'));
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ result: 'Converged', passes: 3, writes: { create: 0, patch: 0, delete: 0 } });
  });

  it('needs three writes for a Performer that is ready at once', async () => {
    expect((await writesIn('by-once')).toSorted()).toEqual(
      ['create pods 201', 'create services 201', 'patch performers status 200'].flatMap((line) => [line, line, line]),
    );
  });

  it('needs four at most for one that it leaves waiting, status included, and exits 3', async () => {
    await ask('slow', { slow: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:never-ready' } });
    const first = await hourglass(on('once', '-o', 'json', '-n', 'slow'));
    expect(JSON.parse(first.stdout)).toMatchObject({
      result: 'Waiting',
      keys: [{ key: 'slow/slow', outcome: 'waiting', reason: 'Starting' }],
    });
    expect(first.code).toBe(3);
    expect((await getPerformer('slow', 'slow')).status).toMatchObject({ phase: 'Pending', ready: false, observedGeneration: 1 });
    const again = await hourglass(on('once', '--waiting-ok', '-n', 'slow'));
    expect(again.code).toBe(0);
    expect((await writesIn('slow')).length).toBeLessThanOrEqual(4);
  });

  it('with --dry-run says what it would do and does nothing', async () => {
    await ask('dry', { dry: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    const { code, stdout } = await hourglass(on('once', '--dry-run', '-n', 'dry'));
    expect(stdout).toContain('creating Pod performer-dry');
    expect(code).toBe(3);
    expect(await listPods('dry')).toHaveLength(0);
    expect(await writesIn('dry')).toEqual([]);
  });

  it('leaves a foreign pod under its name alone, says so, and goes on with the others', async () => {
    await ask('conflict', {
      taken: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' },
      free: { avsAddress: '0x00000000000000000000000000000000000000a2', image: 'avs:1' },
    });
    const foreign = {
      metadata: { name: 'performer-taken', namespace: 'conflict' },
      spec: { containers: [{ name: 'web', image: 'web:1' }] },
    };
    const before = await kube.create(pods, foreign);
    const { code, stdout } = await hourglass(on('once', '--wait', '30s', '-o', 'json', '-n', 'conflict'));
    const report = JSON.parse(stdout) as OnceReport;
    expect(report.result).toBe('Stalled');
    expect(code).toBe(3);
    expect(report.keys.map((row) => `${row.key} ${row.outcome} ${row.reason}`)).toEqual([
      'conflict/free settled Serving',
      'conflict/taken stalled NameConflict',
    ]);
    const after = await kube.get(pods, { namespace: 'conflict', name: 'performer-taken' });
    expect(after.metadata?.uid).toBe(before.metadata?.uid);
    expect(after.metadata?.labels).toBeUndefined();
    expect((await getPerformer('conflict', 'taken')).status?.conditions?.at(-1)).toMatchObject({
      type: 'Ready',
      status: 'False',
      reason: 'NameConflict',
    });
  });

  it('names the cause when an image cannot be pulled, in status and as an Event', async () => {
    await ask('bad-image', { bad: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:pull-fails' } });
    const { code } = await hourglass(on('once', '--wait', '5s', '-n', 'bad-image'));
    expect(code).toBe(3);
    expect((await getPerformer('bad-image', 'bad')).status?.conditions?.at(-1)).toMatchObject({ type: 'Ready', reason: 'ImagePullFailed' });
    expect(
      await kubectl(cluster.get(), ['get', 'events', '-n', 'bad-image', '--field-selector', 'reason=ImagePullFailed', '-o', 'name']),
    ).toContain('event/');
  });

  it('says in status what the API server denies', async () => {
    await ask('quota', { denied: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    await kubectl(cluster.get(), ['create', 'quota', 'none', '--hard=pods=0', '-n', 'quota']);
    await until(
      'the quota to bite',
      async () =>
        (await kubectl(cluster.get(), ['get', 'quota', 'none', '-n', 'quota', '-o', 'jsonpath={.status.hard.pods}'])).trim() === '0',
    );
    const { code, stdout } = await hourglass(on('once', '-n', 'quota'));
    expect(stdout).toContain('exceeded quota');
    expect(code).toBe(1);
    expect((await getPerformer('quota', 'denied')).status?.conditions?.at(-1)).toMatchObject({ reason: 'QuotaExceeded' });
  });
});

describe('watch', () => {
  it('ends in the same objects as once, through a changed image and a pod deleted by force', async () => {
    await ask('by-watch', threeSpecs);
    await whileWatching(['-n', 'by-watch'], /running without a Lease/, async () => {
      await until('the watch to settle', () => isSettled('by-watch'));
      expect(await shapeOf('by-watch')).toEqual(await shapeOf('by-once'));

      for (const namespace of ['by-watch', 'by-once']) {
        for (const name of Object.keys(threeSpecs)) {
          await kubectl(cluster.get(), [
            'patch',
            'performer',
            name,
            '-n',
            namespace,
            '--type',
            'merge',
            '-p',
            '{"spec":{"image":"avs:2"}}',
          ]);
        }
      }
      const rolled = await hourglass(on('once', '--wait', '60s', '-n', 'by-once'));
      expect(rolled.stdout).toContain('Converged');
      await until('the watch to roll out', () => isSettled('by-watch', 'avs:2'));
      expect(await shapeOf('by-watch')).toEqual(await shapeOf('by-once'));

      for (const namespace of ['by-watch', 'by-once']) {
        const [lost] = await listPods(namespace);
        await kubectl(cluster.get(), ['delete', 'pod', lost?.metadata?.name ?? '', '-n', namespace, '--force', '--grace-period=0']);
      }
      expect((await hourglass(on('once', '--wait', '30s', '-n', 'by-once'))).code).toBe(0);
      await until('the watch to repair', () => isSettled('by-watch', 'avs:2'));
      expect(await shapeOf('by-watch')).toEqual(await shapeOf('by-once'));
    });
  });

  it('needs three writes for each Performer that is ready at once', async () => {
    await ask('counted', {});
    await whileWatching(['-n', 'counted'], /running without a Lease/, async () => {
      await ask('counted', threeSpecs);
      await until('the watch to settle', () => isSettled('counted'));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    });
    expect((await writesIn('counted')).toSorted()).toEqual(
      ['create pods 201', 'create services 201', 'patch performers status 200'].flatMap((text) => [text, text, text]),
    );
  });

  it('puts a Service right that somebody changed, and keeps what is not its own', async () => {
    await ask('drift', { drift: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    await whileWatching(['-n', 'drift'], /running without a Lease/, async () => {
      await until('the Performer to settle', () => isSettled('drift'));
      const change = {
        spec: {
          type: 'NodePort',
          selector: { stranger: 'yes' },
          ports: [
            { name: 'grpc', port: 1234, targetPort: 1 },
            { name: 'metrics', port: 9100 },
          ],
        },
      };
      await kubectl(cluster.get(), ['patch', 'service', 'performer-drift', '-n', 'drift', '--type', 'merge', '-p', JSON.stringify(change)]);
      await until('the repair', async () => (await listServices('drift'))[0]?.spec?.ports?.[0]?.port === 8080);
      const [service] = await listServices('drift');
      expect(service?.spec?.selector).toEqual({ [labels.performer]: 'drift' });
      expect(service?.spec?.type).toBe('NodePort');
      expect(service?.spec?.ports).toMatchObject([
        { name: 'grpc', port: 8080, targetPort: 'grpc' },
        { name: 'metrics', port: 9100 },
      ]);
    });
  });

  it('takes an old pod out of the Service only once the new one is ready', async () => {
    await ask('order', { order: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    await whileWatching(['-n', 'order'], /running without a Lease/, async () => {
      await until('the Performer to settle', () => isSettled('order'));
      await kubectl(cluster.get(), ['patch', 'performer', 'order', '-n', 'order', '--type', 'merge', '-p', '{"spec":{"image":"avs:2"}}']);
      let withdrawn = false;
      await until('the old pod to go', async () => {
        const all = await listPods('order');
        const serving = all.filter(
          (pod) =>
            pod.metadata?.labels?.[labels.performer] === 'order' &&
            pod.metadata.deletionTimestamp === undefined &&
            pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
        );
        expect(serving.length).toBeGreaterThan(0);
        withdrawn ||= all.some((pod) => pod.metadata?.annotations?.[annotations.withdrawnAt] !== undefined);
        return all.length === 1 && all[0]?.spec?.containers[0]?.image === 'avs:2';
      });
      expect(withdrawn).toBe(true);
    });
  });

  it('leaves nothing of a deleted Performer', async () => {
    await ask('gone', { gone: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    expect((await hourglass(on('once', '--wait', '30s', '-n', 'gone'))).code).toBe(0);
    await whileWatching(['-n', 'gone'], /running without a Lease/, async () => {
      await kubectl(cluster.get(), ['delete', 'performer', 'gone', '-n', 'gone', '--wait=false']);
      await until('everything to go', async () => (await listPods('gone')).length + (await listServices('gone')).length === 0);
    });
  });
});

describe('the Lease', () => {
  beforeAll(async () => {
    await kube.create(namespaces, { metadata: { name: 'hourglass-system' } });
    await ask('leased', { one: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
  });

  it('is given back by once, so that the next run takes it at once', async () => {
    for (const identity of ['first', 'second']) {
      const { code, stdout } = await hourglass(on('once', '--wait', '30s', '-o', 'json', '-n', 'leased', '--lease-identity', identity));
      expect(JSON.parse(stdout)).toMatchObject({ writer: 'this', result: 'Converged' });
      expect(code).toBe(0);
    }
  });

  it('is not touched by a once that finds nothing to do', async () => {
    const version = async (): Promise<string> =>
      (
        await kubectl(cluster.get(), [
          'get',
          'lease',
          '-n',
          'hourglass-system',
          'b8e8a8a8.hourglass.eigenlayer.io',
          '-o',
          'jsonpath={.metadata.resourceVersion}',
        ])
      ).trim();
    const before = await version();
    const { code, stdout } = await hourglass(on('once', '-o', 'json', '-n', 'leased'));
    expect(JSON.parse(stdout)).toMatchObject({ result: 'Converged', writes: { create: 0, patch: 0, delete: 0 } });
    expect(code).toBe(0);
    expect(await version()).toBe(before);
  });

  it('held by a watch keeps once from writing, not from telling the state', async () => {
    await whileWatching(['-n', 'leased', '--lease-identity', 'the-watch'], /leading/, async () => {
      const { code, stdout } = await hourglass(on('once', '--wait', '20s', '-o', 'json', '-n', 'leased'));
      expect(JSON.parse(stdout)).toMatchObject({ writer: 'the-watch', result: 'Converged', writes: { create: 0, patch: 0, delete: 0 } });
      expect(code).toBe(0);
    });
    const lease = await kubectl(cluster.get(), [
      'get',
      'lease',
      '-n',
      'hourglass-system',
      '-o',
      'jsonpath={.items[0].spec.holderIdentity}',
    ]);
    expect(lease).toBe('');
  });
});

describe('an API server that falls silent', () => {
  it('is waited for by a watch that leads, whose process stays', async () => {
    await ask('outage', { before: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    const apiServer = cluster.get().pids['kube-apiserver'] ?? 0;
    await whileWatching(['-n', 'outage', '--lease-identity', 'outage'], /leading/, async (line) => {
      try {
        await until('the first Performer', () => isSettled('outage'));
        process.kill(apiServer, 'SIGSTOP');
        await line(/asking for the Lease failed/);
        process.kill(apiServer, 'SIGCONT');
        await ask('outage', { after: { avsAddress: '0x00000000000000000000000000000000000000a2', image: 'avs:1' } });
        await until('the second Performer', async () => (await listPods('outage')).length === 2 && (await isSettled('outage')));
      } finally {
        process.kill(apiServer, 'SIGCONT');
      }
    });
  });
});

describe('snapshot and plan', () => {
  it('print the same plan twice, without the cluster and without environment values', async () => {
    const shot = await hourglass(on('snapshot', 'ported', '-n', 'by-once'));
    expect(shot.code).toBe(0);
    expect(shot.stdout).toContain('hmac:');
    expect(shot.stdout).not.toMatch(/"A": "1"/);
    const plans = await Promise.all([1, 2].map(() => hourglass(['plan', '--snapshot', '-'], { input: shot.stdout })));
    expect(plans[0]?.code).toBe(0);
    expect(plans[0]?.stdout).toBe(plans[1]?.stdout);
    expect(JSON.parse(plans[0]?.stdout ?? '')).toMatchObject({ actions: [], verdict: { kind: 'settled' } });
  });
});

describe('bad input', () => {
  const written = async (name: string, text: string): Promise<string> => {
    const path = join(dirname(kubeconfig()), name);
    await writeFile(path, text);
    return path;
  };

  it.each<{ name: string; args: () => Promise<string[]>; code: number; says: RegExp }>([
    { name: 'an unknown option', args: async () => ['once', '--nope'], code: 2, says: /unknown option/ },
    { name: 'a duration that is none', args: async () => ['once', '--wait', 'soon'], code: 2, says: /30s/ },
    {
      name: 'a kubeconfig that is not there',
      args: async () => ['once', '--kubeconfig', '/nowhere/config'],
      code: 1,
      says: /\/nowhere\/config/,
    },
    {
      name: 'a kubeconfig that is no YAML',
      args: async () => ['once', '--kubeconfig', await written('broken', '{[: :')],
      code: 1,
      says: /broken/,
    },
    { name: 'a context that is not in it', args: async () => [...on('once'), '--context', 'nope'], code: 1, says: /nope/ },
    { name: 'no kubeconfig at all', args: async () => ['once'], code: 1, says: /--kubeconfig/ },
    {
      name: 'a cluster that cannot be reached',
      args: async () => [
        'once',
        '--kubeconfig',
        await written('closed', (await readFile(kubeconfig(), 'utf8')).replace(/server: .*/, 'server: https://127.0.0.1:9')),
      ],
      code: 7,
      says: /127\.0\.0\.1:9/,
    },
    {
      name: 'a snapshot that is not JSON',
      args: async () => ['plan', '--snapshot', await written('no.json', 'nonsense')],
      code: 1,
      says: /not JSON/,
    },
    {
      name: 'a Performer that is not there',
      args: async () => on('snapshot', 'nobody', '-n', 'by-once'),
      code: 1,
      says: /by-once\/nobody/,
    },
  ])('$name gets one clear message and exit code $code', async ({ args, code, says }) => {
    const result = await hourglass(await args());
    expect(result.stderr).toMatch(says);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.code).toBe(code);
  });

  it('a forbidden verb is named with the account that lacks it', async () => {
    const token = (await kubectl(cluster.get(), ['create', 'token', 'default', '-n', 'by-once'])).trim();
    const text = (await readFile(kubeconfig(), 'utf8'))
      .replace(/client-certificate-data: .*/, `token: ${token}`)
      .replace(/\n.*client-key-data: .*/, '');
    const { code, stderr } = await hourglass(['once', '-n', 'by-once', '--kubeconfig', await written('weak', text)]);
    expect(stderr).toMatch(/forbidden/);
    expect(stderr).toContain('system:serviceaccount:by-once:default');
    expect(stderr).not.toContain(token);
    expect(code).toBe(1);
  });

  it('a spec that an old CRD let through is named by its field, and the others go on', async () => {
    await ask('old-crd', { good: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' } });
    // What the schema of today refuses can only be stored while there is no schema.
    const open = {
      spec: {
        versions: [
          {
            name: 'v1alpha1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    await kubectl(cluster.get(), ['patch', 'crd', 'performers.hourglass.eigenlayer.io', '--type', 'merge', '-p', JSON.stringify(open)]);
    await until('the open schema', () =>
      ask('old-crd', { bad: { avsAddress: '0x00000000000000000000000000000000000000a1', image: 7 } }).then(
        () => true,
        () => false,
      ),
    );
    const { code, stdout } = await hourglass(on('once', '--wait', '20s', '-o', 'json', '-n', 'old-crd'));
    await installCrd();
    expect(
      (JSON.parse(stdout) as OnceReport).keys.map((row) => `${row.key} ${row.outcome} ${row.reason} ${row.message.includes('spec.image')}`),
    ).toEqual(['old-crd/bad stalled InvalidSpec true', 'old-crd/good settled Serving false']);
    expect(code).toBe(3);
  });
});
