import type { PodView } from './pod-view.ts';
import { type Rules, secondMs } from './rules.ts';

/** Where EndpointSlices may not be read: kube-proxies know a ready pod by then. */
const routedAfterMs = 2_000;

export function isInService(pod: PodView): boolean {
  return pod.word === 'serving' || pod.word === 'starting' || pod.word === 'lost';
}

/** Whether enough time has passed since it became ready. */
export function isAvailable(pod: PodView, nowMs: number): boolean {
  return pod.word === 'serving' && pod.availableAtMs !== undefined && nowMs >= pod.availableAtMs;
}

/** Server time from which a ready pod counts as routed where nobody can tell. */
export function routedAtMs(pod: PodView): number {
  return (pod.readySinceMs ?? 0) + routedAfterMs + secondMs;
}

/** Whether calls reach it. */
export function isRouted(pod: PodView, nowMs: number): boolean {
  return pod.routed ?? nowMs >= routedAtMs(pod);
}

/** Under `Strict` a pod on a lost node, or one that terminates where nodes cannot be seen, keeps its place until it is proven that it does not run. */
export function isHeld(pod: PodView, rules: Rules): boolean {
  if (!rules.strictNodeLoss || pod.ended) return false;
  if (pod.word === 'lost') return pod.node.word === 'lost';
  return pod.word === 'leaving' && pod.node.name !== undefined && pod.node.word !== 'well' && pod.node.word !== 'gone';
}

/** Counts as not running any more, though its object is there. */
export function isGone(pod: PodView, rules: Rules): boolean {
  return pod.node.word === 'gone' || (pod.node.word === 'lost' && !rules.strictNodeLoss);
}
