import { labels } from '../../../src/api/v1alpha1/naming.ts';

/** A way in which our pod is meant to differ from that of the Go operator, by the places it shows at. */
export interface Difference {
  readonly name: string;
  readonly because: string;
  /** Places in the pod, as paths; a place stands for all below it. */
  readonly at: readonly string[];
}

const container = 'spec.containers.0';

/** Every intended difference; one that is not listed is a fault. The first match counts. */
export const differences = [
  {
    name: 'marks',
    because: 'Revision, index and instance are how rollouts, NetworkPolicies and people find a pod.',
    at: [labels.instance, labels.revision, labels.index].map((label) => `metadata.labels.${label}`),
  },
  { name: 'version label', because: '`version` has an effect: it rolls, and is shown.', at: [`metadata.labels.${labels.version}`] },
  { name: 'valid AVS label', because: 'The original gives one the API server refuses.', at: [`metadata.labels.${labels.avs}`] },
  {
    name: 'owner',
    because: 'A child never holds up the deletion of its Performer.',
    at: ['metadata.ownerReferences.0.blockOwnerDeletion'],
  },
  {
    name: 'probes',
    because: 'A startup probe with a budget in place of a fixed delay; readiness is asked for every second.',
    at: [`${container}.startupProbe`, `${container}.readinessProbe`, `${container}.livenessProbe`],
  },
  { name: 'token', because: 'No API token in code of others unless an account is named.', at: ['spec.automountServiceAccountToken'] },
  { name: 'service links', because: 'Variables of every Service of the namespace are nobody’s wish.', at: ['spec.enableServiceLinks'] },
  { name: 'grace period', because: 'Written out, so that it can be set.', at: ['spec.terminationGracePeriodSeconds'] },
  { name: 'priority class', because: 'The original drops it.', at: ['spec.priorityClassName'] },
  { name: 'runtime class', because: 'That of the TEE asked for.', at: ['spec.runtimeClassName'] },
  { name: 'GPU resource', because: 'What device plugins offer is `nvidia.com/gpu`.', at: [`${container}.resources`] },
  { name: 'hardware nodes', because: 'GPU model and TEE choose nodes.', at: ['spec.affinity'] },
  { name: 'custom labels', because: 'The original ignores them.', at: ['spec.nodeSelector'] },
  { name: 'environment', because: 'One order, each name once, no entry without a source, and `env`.', at: [`${container}.env`] },
  {
    name: 'empty lists',
    because: 'An empty command or list of arguments is the same as none.',
    at: [`${container}.command`, `${container}.args`],
  },
  {
    name: 'security',
    because: 'A level of the Pod Security Standards that is asked for.',
    at: ['spec.securityContext', `${container}.securityContext`],
  },
] as const satisfies readonly Difference[];

export type DifferenceName = (typeof differences)[number]['name'];

/** Paths at which two values differ, the shallowest that tells. Pure. */
export function diffPaths(a: unknown, b: unknown, path = ''): readonly string[] {
  if (a === b) return [];
  const isTree = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
  if (!isTree(a) || !isTree(b) || Array.isArray(a) !== Array.isArray(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    diffPaths(a[key], b[key], path === '' ? key : `${path}.${key}`),
  );
}

/** The difference a path belongs to; undefined for one nobody meant. Pure. */
export function nameOf(path: string): DifferenceName | undefined {
  return differences.find(({ at }) => at.some((place) => path === place || path.startsWith(`${place}.`)))?.name;
}
