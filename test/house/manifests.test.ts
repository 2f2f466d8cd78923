import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { projectRoot } from '../../scripts/generate.ts';
import { renderInstall } from '../../scripts/manifests.ts';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { parseDuration } from '../../src/cli/options.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { permissions } from '../../src/reconcile/permissions.ts';

type Manifest = KubeObject & { readonly kind: string; readonly spec: Record<string, unknown>; readonly rules?: readonly Rule[] };
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly image: string;
    readonly command: readonly string[];
    readonly args: readonly string[];
    readonly resources: { readonly limits: object };
  }[];
}

interface BenchManifest {
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly image: string;
          readonly args: readonly string[];
          readonly env: readonly { readonly name: string }[];
        }[];
      };
    };
  };
}

const readText = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const readManifests = (path: string): readonly Manifest[] =>
  parseAllDocuments(readText(path)).map((document) => document.toJS() as Manifest);
const { version } = JSON.parse(readText('package.json')) as { version: string };

const deployment = parse(readText('manifests/watch/deployment.yaml')) as {
  spec: { selector: { matchLabels: Record<string, string> }; template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
};
const cronJob = parse(readText('manifests/once/cron-job.yaml')) as {
  spec: {
    startingDeadlineSeconds: number;
    jobTemplate: { spec: { activeDeadlineSeconds: number; template: { metadata: { labels: Record<string, string> }; spec: PodSpec } } };
  };
};
const watchPod = deployment.spec.template;
const oncePod = cronJob.spec.jobTemplate.spec.template;
const optionMs = ({ spec }: { spec: PodSpec }, name: string): number =>
  parseDuration(spec.containers[0]?.args.find((arg) => arg.startsWith(`${name}=`))?.split('=')[1] ?? '');

/** `get /pods` and the like; with the name, where only that is granted. */
const grantsOf = (rules: readonly Rule[] = []): readonly string[] =>
  rules
    .flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
      verbs.map((verb) => [verb, `${apiGroups.join()}/${resources.join()}`, ...(resourceNames ?? [])].join(' ')),
    )
    .toSorted();
const needsOf = (...scopes: readonly string[]): readonly string[] =>
  permissions
    .filter(({ scope }) => scopes.includes(scope))
    .flatMap(({ scope, group, resource, verbs }) =>
      verbs.map((verb) => `${verb} ${group}/${resource}${scope === 'own' && verb !== 'create' ? ` ${leaseName}` : ''}`),
    )
    .toSorted();

describe('the manifests', () => {
  it.each([
    { path: 'rbac/cluster-role.yaml', scopes: ['watched', 'cluster'] },
    { path: 'rbac/lease-role.yaml', scopes: ['own'] },
    { path: 'rbac-namespaced/role.yaml', scopes: ['watched', 'own'] },
    { path: 'node-reader/cluster-role.yaml', scopes: ['cluster'] },
  ])('grant in $path what is needed there, and no more', ({ path, scopes }) => {
    expect(grantsOf(readManifests(`manifests/${path}`)[0]?.rules)).toEqual(needsOf(...scopes));
  });

  it.each(['install-watch.yaml', 'install-once.yaml'])('%s holds each object once, and no other namespace than ours', (path) => {
    const all = readManifests(`manifests/${path}`);
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(all.map(({ metadata }) => metadata?.namespace))).toEqual(new Set([undefined, 'hourglass-system']));
  });

  it('mark all but the CRD as ours, which is what an uninstall goes by', () => {
    for (const path of ['install-watch.yaml', 'install-once.yaml']) {
      const unmarked = readManifests(`manifests/${path}`).filter(
        ({ metadata }) => metadata?.labels?.['app.kubernetes.io/name'] !== 'hourglass-operator',
      );
      expect(unmarked.map(({ kind }) => kind)).toEqual(['CustomResourceDefinition']);
    }
  });

  it('run the version of this package', () => {
    for (const { metadata, spec } of [watchPod, oncePod]) {
      expect(metadata.labels['app.kubernetes.io/version']).toBe(version);
      expect(spec.containers.map(({ image }) => image)).toEqual([`registry.example.com/hourglass-operator:${version}`]);
    }
  });

  it('measure with images of this version, by a scenario that the image holds, and set only variables that it knows', () => {
    const [job, config] = ['job', 'config-map'].map((name) => parse(readText(`manifests/bench/${name}.yaml`)) as BenchManifest);
    const { image, args = [], env = [] } = job?.spec?.template.spec.containers[0] ?? {};
    expect([image, config?.data?.BENCH_IMAGE]).toEqual(
      ['k6', 'test-performer'].map((name) => `registry.example.com/hourglass-${name}:${version}`),
    );
    const scenario = readText(args.at(-1)?.replace('/hourglass/', '') ?? '');
    const known: readonly string[] = scenario.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
    const set = [...env.map(({ name }) => name), ...Object.keys(config?.data ?? {})];
    expect(set.filter((name) => !name.startsWith('K6_') && !known.includes(name))).toEqual([]);
  });

  it('start what the image holds, without a limit of CPU', () => {
    for (const { spec } of [watchPod, oncePod]) {
      expect(spec.containers.map(({ command }) => command)).toEqual([['/manager']]);
      expect(spec.containers.map(({ resources }) => Object.keys(resources.limits))).toEqual([['memory']]);
    }
  });

  it('give a drain, its Events and the Lease the time they take', () => {
    expect(optionMs(watchPod, '--drain') + 2_000 + 5_000).toBeLessThan(watchPod.spec.terminationGracePeriodSeconds * 1_000);
  });

  it('end a run before the next minute, and give its image a minute to be pulled', () => {
    const longestMs = optionMs(oncePod, '--wait') + 3_000 + 5_000;
    expect(longestMs).toBeLessThan(60_000);
    expect(longestMs + 60_000).toBeLessThan(cronJob.spec.jobTemplate.spec.activeDeadlineSeconds * 1_000);
    expect(cronJob.spec.startingDeadlineSeconds).toBeGreaterThanOrEqual(10);
  });

  it('keep runs of once out of what selects the replicas of watch', () => {
    const selects = Object.entries(deployment.spec.selector.matchLabels);
    expect(selects.every(([name, value]) => watchPod.metadata.labels[name] === value)).toBe(true);
    expect(selects.every(([name, value]) => oncePod.metadata.labels[name] === value)).toBe(false);
  });

  it('are all reached by a kustomization', () => {
    const listed = globSync('manifests/**/kustomization.yaml', { cwd: projectRoot }).flatMap((path) => {
      const { resources = [] } = parse(readText(path)) as { resources?: readonly string[] };
      return resources.map((name) => join(path, '..', name)).filter((target) => target.endsWith('.yaml'));
    });
    const files = globSync('manifests/*/**/*.yaml', { cwd: projectRoot, exclude: ['manifests/samples/**', '**/kustomization.yaml'] });
    expect(listed.toSorted()).toEqual(files.toSorted());
  });

  it('hold nothing of chaos, but for what is there for it', () => {
    const files = globSync('manifests/**/*.yaml', { cwd: projectRoot, exclude: ['manifests/chaos/**'] });
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((path) => /chaos/i.test(`${path} ${readText(path)}`))).toEqual([]);
    const chaos = globSync('manifests/chaos/*-*.yaml', { cwd: projectRoot }).flatMap(readManifests);
    expect(chaos.filter(({ metadata }) => metadata?.labels?.['app.kubernetes.io/name'] !== 'hourglass-chaos')).toEqual([]);
  });

  it('are not built into one file where that would lose a change', async () => {
    const read = (path: string): Promise<string> =>
      Promise.resolve(path === 'a/kustomization.yaml' ? 'resources: [b.yaml]\nnamePrefix: x-\n' : '');
    await expect(renderInstall('a', read)).rejects.toThrow('namePrefix would be left out');
  });
});
