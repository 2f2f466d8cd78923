import type { Node, Pod } from '../../kube/objects.ts';

export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];
type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number];

export const unreachable = 'node.kubernetes.io/unreachable';
export const outOfService = 'node.kubernetes.io/out-of-service';
export const unschedulable = 'node.kubernetes.io/unschedulable';

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? ''));
}

/** The first taint that keeps a pod off a node. Pure. */
export function findUntolerated(pod: Pod, node: Node): Taint | undefined {
  const hard = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return hard.find((taint) => !pod.spec?.tolerations?.some((toleration) => tolerates(toleration, taint)));
}

/** How long a pod may stay under the NoExecute taints of its node; Infinity where it may stay for good. Pure. */
export function stayMs(pod: Pod, node: Node): number {
  let least = Number.POSITIVE_INFINITY;
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    for (const { tolerationSeconds } of matching) if (tolerationSeconds !== undefined) least = Math.min(least, tolerationSeconds * 1_000);
  }
  return Math.max(0, least);
}

export function hasTaint(node: Node, key: string, effect?: string): boolean {
  return node.spec?.taints?.some((taint) => taint.key === key && (effect === undefined || taint.effect === effect)) ?? false;
}

/** The node with the taint, unless it has it. Pure. */
export function withTaint(node: Node, taint: Taint): Node {
  if (hasTaint(node, taint.key, taint.effect)) return node;
  return { ...node, spec: { ...node.spec, taints: [...(node.spec?.taints ?? []), taint] } };
}

/** The node without the taints of that key, or of one effect alone. Pure. */
export function withoutTaint(node: Node, key: string, effect?: string): Node {
  if (!hasTaint(node, key, effect)) return node;
  const taints = (node.spec?.taints ?? []).filter((taint) => taint.key !== key || (effect !== undefined && taint.effect !== effect));
  return { ...node, spec: { ...node.spec, taints } };
}
