import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { namespaces, type Pod, pods, services } from '../../src/kube/objects.ts';
import { isNamespaceGone, RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { startHourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';

const real = new RealCluster(useCluster({ profile: 'instant' }));
beforeAll(() => real.installCrd('ours'));

const ready = async (namespace: string, name = 'x'): Promise<string> => readyOf(await real.kube.get(performers, { namespace, name }));
const said = async (namespace: string, name = 'x'): Promise<string> =>
  (await real.kube.get(performers, { namespace, name })).status?.conditions?.at(-1)?.message ?? '';
const nothing = { create: 0, patch: 0, delete: 0 };

interface Refusal {
  readonly id: 'FM-19' | 'FM-20';
  readonly what: string;
  readonly namespace: string;
  readonly spec?: object;
  readonly reason: string;
  readonly says: string;
  readonly refuse: (namespace: string) => Promise<unknown>;
  readonly heal: (namespace: string) => Promise<unknown>;
}

const policyRules = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
const inNamespace = (namespace: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': namespace } });

const refusals: readonly Refusal[] = [
  {
    id: 'FM-19',
    what: 'a quota',
    namespace: 'quota',
    reason: 'QuotaExceeded',
    says: 'exceeded quota',
    refuse: async (namespace) => {
      await real.kubectl('create', 'quota', 'none', '--hard=pods=0', '-n', namespace);
      await until(
        'the quota',
        async () => (await real.kubectl('get', 'quota', 'none', '-n', namespace, '-o', 'jsonpath={.status.hard.pods}')) === '0',
      );
    },
    heal: (namespace) => real.kubectl('delete', 'quota', 'none', '-n', namespace),
  },
  {
    id: 'FM-19',
    what: 'a LimitRange',
    namespace: 'limits',
    spec: { resources: { requests: { cpu: '10m' }, limits: { cpu: '2' } } },
    reason: 'LimitExceeded',
    says: 'maximum cpu usage per Container is 1',
    refuse: (namespace) =>
      real.apply({
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'small', namespace },
        spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] },
      }),
    heal: (namespace) => real.kubectl('delete', 'limitrange', 'small', '-n', namespace),
  },
  {
    id: 'FM-20',
    what: 'Pod Security',
    namespace: 'restricted',
    reason: 'PodSecurityViolation',
    says: 'violates PodSecurity "restricted',
    refuse: (namespace) => real.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'),
    // OP-19: the profile of that name is what the namespace asks for.
    heal: (namespace) => real.change(namespace, 'x', { security: { profile: 'restricted' } }),
  },
  {
    id: 'FM-20',
    what: 'a webhook that does not answer',
    namespace: 'webhook',
    reason: 'WebhookDenied',
    says: 'failed calling webhook "deny.example.com"',
    refuse: (namespace) =>
      real.apply({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'silent' },
        webhooks: [
          {
            name: 'deny.example.com',
            clientConfig: { url: 'https://127.0.0.1:9/deny' },
            rules: [policyRules],
            namespaceSelector: inNamespace(namespace),
            failurePolicy: 'Fail',
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            timeoutSeconds: 1,
          },
        ],
      }),
    heal: () => real.kubectl('delete', 'validatingwebhookconfiguration', 'silent'),
  },
  {
    id: 'FM-20',
    what: 'an admission policy',
    namespace: 'policy',
    reason: 'WebhookDenied',
    says: "ValidatingAdmissionPolicy 'no-pods'",
    refuse: async (namespace) => {
      const about = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'no-pods' } };
      await real.apply({
        ...about,
        kind: 'ValidatingAdmissionPolicy',
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: { resourceRules: [policyRules] },
          validations: [{ expression: 'false', message: 'no pods here' }],
        },
      });
      await real.apply({
        ...about,
        kind: 'ValidatingAdmissionPolicyBinding',
        spec: { policyName: 'no-pods', validationActions: ['Deny'], matchResources: { namespaceSelector: inNamespace(namespace) } },
      });
      const probe = ['run', 'probe', '--image=probe:1', '--dry-run=server', '-n', namespace];
      await until('the policy', async () =>
        real.kubectl(...probe).then(
          () => false,
          () => true,
        ),
      );
    },
    heal: () => real.kubectl('delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', 'no-pods'),
  },
  {
    id: 'FM-20',
    what: 'a missing service account',
    namespace: 'account',
    spec: { config: { serviceAccountName: 'later' } },
    reason: 'ReferenceMissing',
    says: '"later" not found',
    refuse: () => Promise.resolve(),
    heal: (namespace) => real.kubectl('create', 'serviceaccount', 'later', '-n', namespace),
  },
  {
    id: 'FM-20',
    what: 'a missing RuntimeClass',
    namespace: 'runtime',
    spec: { scheduling: { runtimeClass: 'later' } },
    reason: 'ReferenceMissing',
    says: 'RuntimeClass "later" not found',
    refuse: () => Promise.resolve(),
    heal: () => real.apply({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'later' }, handler: 'runc' }),
  },
  {
    id: 'FM-20',
    what: 'a missing PriorityClass',
    namespace: 'priority',
    spec: { scheduling: { priorityClassName: 'later' } },
    reason: 'ReferenceMissing',
    says: 'no PriorityClass with name later was found',
    refuse: () => Promise.resolve(),
    heal: () => real.kubectl('create', 'priorityclass', 'later', '--value=10'),
  },
];

describe('a pod the API server refuses', () => {
  const isToldAndHeals = async ({ namespace, spec, reason, says, refuse, heal }: Refusal): Promise<void> => {
    await real.namespace(namespace);
    await refuse(namespace);
    await real.ask(namespace, 'x', spec);
    await real.once(namespace);
    expect(await ready(namespace)).toBe(`False ${reason}`);
    expect(await said(namespace)).toContain(says);
    expect(await real.kubectl('get', 'events', '-n', namespace, '--field-selector', `reason=${reason}`, '-o', 'name')).toContain('event/');
    await heal(namespace);
    await until('it to heal', async () => (await real.once(namespace, '--wait', '5s')).result === 'Converged');
    expect(await ready(namespace)).toBe('True Serving');
  };
  const of = (id: Refusal['id']): readonly Refusal[] => refusals.filter((refusal) => refusal.id === id);

  it.each(of('FM-19'))('FM-19 for $what says so, and comes up when that is over', isToldAndHeals);
  it.each(of('FM-20'))('FM-20 for $what says so, and comes up when that is over', isToldAndHeals);
});

describe('an object of somebody else', () => {
  it.each(['pod', 'service'])(
    'FM-24 under our name, a %s, is left alone and named; once it is gone the Performer comes up',
    async (kind) => {
      const namespace = `taken-${kind}`;
      await real.namespace(namespace);
      const metadata = { name: 'performer-x', namespace };
      const foreign =
        kind === 'pod'
          ? await real.kube.create(pods, { metadata, spec: { containers: [{ name: 'web', image: 'web:1' }] } })
          : await real.kube.create(services, { metadata, spec: { ports: [{ port: 80 }] } });
      await real.ask(namespace, 'x');
      await real.once(namespace);
      expect(await ready(namespace)).toBe('False NameConflict');
      const found = await (kind === 'pod' ? real.kube.get(pods, metadata) : real.kube.get(services, metadata));
      expect([found.metadata?.uid, found.metadata?.labels]).toEqual([foreign.metadata?.uid, undefined]);
      await real.kubectl('delete', kind, 'performer-x', '-n', namespace, '--force', '--grace-period=0');
      expect((await real.once(namespace, '--wait', '20s')).result).toBe('Converged');
    },
  );
});

describe('edits', () => {
  it('FM-25 of everything a pod cannot change in place roll it, and keep the address of the Service', async () => {
    await real.namespace('immutable');
    await real.ask('immutable', 'x', { drainSeconds: 0 });
    await real.once('immutable', '--wait', '20s');
    const [before] = await real.services('immutable');
    await real.change('immutable', 'x', {
      config: { grpcPort: 9000, command: ['serve'], environment: { A: '1' } },
      resources: { limits: { cpu: '1' } },
      terminationGracePeriodSeconds: 5,
      security: { profile: 'baseline' },
    });
    expect((await real.once('immutable', '--wait', '30s')).result).toBe('Converged');
    const [after] = await real.services('immutable');
    expect(after?.spec?.clusterIP).toBe(before?.spec?.clusterIP);
    expect(after?.spec?.ports?.map(({ port }) => port)).toEqual([9000]);
    expect((await real.pods('immutable')).map((pod) => pod.spec?.containers[0]?.command)).toEqual([['serve']]);
    expect((await real.once('immutable')).writes).toEqual(nothing);
  });

  it('FM-26 of what we made are put right, what others add stays, and a scaled Performer scales', async () => {
    const namespace = 'edits';
    await real.namespace(namespace);
    await real.ask(namespace, 'x', { drainSeconds: 0 });
    await real.once(namespace, '--wait', '20s');
    await real.kubectl('annotate', 'pod', 'performer-x', '-n', namespace, 'mesh.example/status=on');
    await real.kubectl('label', 'service', 'performer-x', '-n', namespace, 'team=a');
    expect((await real.once(namespace)).writes).toEqual(nothing);
    await real.kubectl(
      'patch',
      'service',
      'performer-x',
      '-n',
      namespace,
      '--type',
      'merge',
      '-p',
      '{"spec":{"selector":{"other":"yes"},"type":"NodePort"}}',
    );
    expect((await real.once(namespace, '--wait', '30s')).result).toBe('Converged');
    const [service] = await real.services(namespace);
    expect(service).toMatchObject({
      metadata: { labels: { team: 'a' } },
      spec: { type: 'NodePort', selector: { [labels.performer]: 'x' } },
    });
    expect(Object.keys(service?.spec?.selector ?? {})).toEqual([labels.performer]);
    await real.kubectl('scale', 'performer', 'x', '--replicas=3', '-n', namespace);
    expect((await real.once(namespace, '--wait', '20s')).result).toBe('Converged');
    expect(await real.pods(namespace)).toHaveLength(3);
  });

  it('FM-30 of a megabyte of environment reach the pod, and leave the status small', async () => {
    const namespace = 'huge';
    await real.namespace(namespace);
    const environment = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`V${index}`, 'v'.repeat(250_000)]));
    await real.ask(namespace, 'x', { config: { environment } });
    await real.ask(namespace, 'y');
    const report = await real.once(namespace, '--wait', '10s');
    expect(report.keys.map(({ key, reason }) => `${key} ${reason}`)).toEqual(['huge/x Serving', 'huge/y Serving']);
    const performer = await real.kube.get(performers, { namespace, name: 'x' });
    expect(JSON.stringify(performer.status).length).toBeLessThan(4_000);
  });
});

describe('an end', () => {
  it('FM-17 with a finalizer nobody removes takes the children along, whatever cascade is asked for', async () => {
    await real.namespace('finalizers');
    for (const [name, finalizers] of Object.entries({ kept: ['else.where/forgotten'], old: [legacyFinalizer] })) {
      await real.ask('finalizers', name);
      await real.kubectl(
        'patch',
        'performer',
        name,
        '-n',
        'finalizers',
        '--type',
        'merge',
        '-p',
        JSON.stringify({ metadata: { finalizers } }),
      );
    }
    await real.once('finalizers', '--wait', '20s');
    await real.kubectl('delete', 'performer', 'kept', '-n', 'finalizers', '--wait=false', '--cascade=foreground');
    await real.kubectl('delete', 'performer', 'old', '-n', 'finalizers', '--wait=false');
    await real.once('finalizers', '--wait', '3s');
    await until(
      'the children to go',
      async () => (await real.pods('finalizers')).length + (await real.services('finalizers')).length === 0,
    );
    await until('the other to go', async () => (await real.performers('finalizers')).length === 1);
    const [kept] = await real.performers('finalizers');
    expect(kept?.metadata?.finalizers).toContain('else.where/forgotten');
    expect(kept?.status).toMatchObject({ phase: 'Terminating', ready: false });
    await real.kubectl('patch', 'performer', 'kept', '-n', 'finalizers', '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}');
  });

  it('FM-18 of the namespace stops new pods, says so, and is held up by nothing of ours', async () => {
    const namespace = 'ending';
    await real.namespace(namespace);
    await real.ask(namespace, 'x');
    await real.once(namespace, '--wait', '20s');
    await real.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'holds', namespace, finalizers: ['else.where/holds'] } });
    await real.whileWatching(namespace, async () => {
      await real.kubectl('delete', 'namespace', namespace, '--wait=false');
      await until('all but the ConfigMap to go', async () =>
        [await real.performers(namespace), await real.pods(namespace), await real.services(namespace)].every((list) => list.length === 0),
      );
      await real.kubectl('patch', 'configmap', 'holds', '-n', namespace, '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}');
      await until('the namespace to go', () => isNamespaceGone(real.kube, namespace));
    });
  });

  it('FM-18 of the namespace, met while a Performer in it is kept, is a reason of its own', async () => {
    const namespace = 'ending-kept';
    await real.namespace(namespace);
    await real.ask(namespace, 'x');
    // Ahead of the deletion of its content: the Performer stays, with nothing of it made yet.
    await real.kubectl(
      'patch',
      'performer',
      'x',
      '-n',
      namespace,
      '--type',
      'merge',
      '-p',
      '{"metadata":{"finalizers":["else.where/holds"]}}',
    );
    await real.kubectl('delete', 'namespace', namespace, '--wait=false');
    await until(
      'the deletion to reach it',
      async () => (await real.kube.get(performers, { namespace, name: 'x' })).metadata?.deletionTimestamp !== undefined,
    );
    const report = await real.once(namespace);
    expect(report.writes).toMatchObject({ create: 0, delete: 0 });
    expect((await real.kube.get(namespaces, { namespace: '', name: namespace })).status?.phase).toBe('Terminating');
    await real.kubectl('patch', 'performer', 'x', '-n', namespace, '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}');
  });
});

describe('a watch', () => {
  it('FM-31 whose right is taken away says so in status and goes on when it is back', async () => {
    const namespace = 'rights';
    await real.namespace(namespace);
    const kubeconfig = await real.accountKubeconfig(namespace, 'operator');
    await real.kubectl('apply', '-f', join(projectRoot, 'manifests/rbac/cluster-role.yaml'));
    const bind = async (): Promise<unknown> =>
      real.kubectl(
        'create',
        'clusterrolebinding',
        'rights',
        '--clusterrole=hourglass-operator-manager-role',
        `--serviceaccount=${namespace}:operator`,
      );
    await bind();
    const args = ['watch', '-n', namespace, '--leader-elect=false', '--kubeconfig', kubeconfig, '--log-format', 'text'];
    const { child, result } = await startHourglass(args);
    try {
      await real.ask(namespace, 'before');
      await until('the first', async () => (await ready(namespace, 'before')) === 'True Serving');
      const rules = JSON.parse(await real.kubectl('get', 'clusterrole', 'hourglass-operator-manager-role', '-o', 'json')) as {
        rules: { resources: string[]; verbs: string[] }[];
      };
      const without = rules.rules.map((rule) => (rule.resources.includes('pods') ? { ...rule, verbs: ['get', 'list', 'watch'] } : rule));
      await real.apply({ ...rules, rules: without });
      await real.ask(namespace, 'after');
      await until('what it says', async () => (await ready(namespace, 'after')) === 'False WriteDenied');
      expect(await said(namespace, 'after')).toContain('cannot create resource "pods"');
      await real.kubectl('apply', '-f', join(projectRoot, 'manifests/rbac/cluster-role.yaml'));
      await until('the second', async () => (await ready(namespace, 'after')) === 'True Serving', 90_000);
    } finally {
      child.kill('SIGTERM');
    }
    expect((await result).code).toBe(0);
  });

  it('FM-27 outlives the CRD: objects go with it, and new ones are served once it is back', async () => {
    const namespace = 'reinstalled';
    await real.namespace(namespace);
    await real.ask(namespace, 'before');
    await real.whileWatching(namespace, async () => {
      await until('the first', async () => (await ready(namespace, 'before')) === 'True Serving');
      await real.removeCrd();
      await until('its objects to go', async () => (await real.pods(namespace)).length + (await real.services(namespace)).length === 0);
      await real.installCrd('chart');
      await real.ask(namespace, 'after');
      await until('the second', async () => (await ready(namespace, 'after')) === 'True Serving', 90_000);
    });
    expect((await real.once(namespace)).writes).toEqual(nothing);
    expect((await real.pods(namespace)).map((pod: Pod) => pod.metadata?.name)).toEqual(['performer-after']);
  });
});
