import { appLabelValue, labels, performerSelector } from '../../api/v1alpha1/naming.ts';
import { controllerOf, type ObjectKey, type Pod, type Service } from '../../kube/objects.ts';
import { type Json, sameJson } from '../../lib/canonical-json.ts';
import { type Action, targetOf } from './actions.ts';
import { isChildOf } from './owner.ts';
import { buildOwner } from './pod.ts';
import { hasImageOf, type PodContext, type PodView, viewPod } from './pod-view.ts';

export interface PodsByOwner {
  /** Controlled by this Performer, or to be adopted in this pass. In name order. */
  readonly ours: readonly PodView[];
  /** Patches that make pods ours, or give the marks of ours to those an earlier operator made. */
  readonly claims: readonly Action[];
  /** Made under our owner by another writer beside ours: left alone. */
  readonly rivals: readonly Pod[];
  /** Controlled by a former Performer of this name. */
  readonly leftovers: readonly Pod[];
  /** Nobody's that we know: never touched. */
  readonly foreign: readonly Pod[];
}

/**
 * Whose each pod of a snapshot is. Pure; the order of `pods` is irrelevant.
 *
 * @param uid of the Performer
 */
export function sortPods(pods: readonly Pod[], key: ObjectKey, uid: string, context: PodContext): PodsByOwner {
  const sorted: Record<'controlled' | 'orphans' | 'leftovers' | 'foreign', Pod[]> = {
    controlled: [],
    orphans: [],
    leftovers: [],
    foreign: [],
  };
  for (const pod of pods) sorted[whose(pod, key.name, uid)].push(pod);
  const candidates = [...sorted.controlled, ...sorted.orphans];
  const views = new Map(candidates.map((pod) => [pod, viewPod(pod, context)] as const));
  const viewOf = (pod: Pod): PodView => views.get(pod) ?? viewPod(pod, context);
  const isCurrent = (pod: Pod): boolean => viewOf(pod).revision === context.revision;
  const marked = candidates.filter((pod) => isMarked(pod) && isInService(pod, key.name));
  const oldest = marked.map((pod) => pod.metadata?.creationTimestamp ?? '').toSorted()[0];
  const isFilled = marked.filter((pod) => isCurrent(pod) && !viewOf(pod).ended).length >= context.rules.replicas;
  // Whoever makes pods without our marks while ours serve is another operator at work on the same Performer. The one of ours that showed it
  // may be gone by now: a pod that those of the newest spec leave no room for was made beside them, and nothing of ours goes for it. That one acts on images alone.
  const isRival = (pod: Pod): boolean =>
    !isMarked(pod) &&
    oldest !== undefined &&
    ((pod.metadata?.creationTimestamp ?? '') >= oldest || (isFilled && hasImageOf(pod, context) && !viewOf(pod).ended));
  const kept = [...sorted.controlled.filter((pod) => !isRival(pod)), ...sorted.orphans];
  const claims = kept.flatMap((pod) => {
    const patch = planClaim(pod, viewOf(pod), key, uid, context);
    return patch === undefined ? [] : [patch];
  });
  return {
    ours: kept.map(viewOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    claims: claims.toSorted((a, b) => (a.target.name < b.target.name ? -1 : 1)),
    rivals: sorted.controlled.filter((pod) => isRival(pod) && pod.metadata?.deletionTimestamp === undefined),
    leftovers: sorted.leftovers,
    foreign: sorted.foreign,
  };
}

/** Whether a Service nobody controls is one of ours: orphaned with its Performer, or restored from a backup. Pure. */
export function isAdoptable(service: Service, performerName: string): boolean {
  const marked = service.metadata?.labels?.[labels.app] === appLabelValue;
  return controllerOf(service) === undefined && (marked || sameJson(service.spec?.selector, performerSelector(performerName)));
}

/** The owners of an object with the Performer as the one that controls it. Pure. */
export function withOwner(object: Pod | Service, key: ObjectKey, uid: string): Json {
  return [...(object.metadata?.ownerReferences ?? []), buildOwner(key, uid)] as unknown as Json;
}

function whose(pod: Pod, name: string, uid: string): 'controlled' | 'orphans' | 'leftovers' | 'foreign' {
  if (isChildOf(pod, name, uid)) return 'controlled';
  if (isChildOf(pod, name, undefined)) return 'leftovers';
  const { labels: marks = {}, deletionTimestamp } = pod.metadata ?? {};
  const marked = marks[labels.app] === appLabelValue && (marks[labels.performer] === name || marks[labels.instance] === name);
  return controllerOf(pod) === undefined && marked && deletionTimestamp === undefined ? 'orphans' : 'foreign';
}

/** Whether it was made with our marks, some of which another hand may have taken off. */
function isMarked(pod: Pod): boolean {
  const marks = pod.metadata?.labels ?? {};
  return marks[labels.revision] !== undefined || marks[labels.index] !== undefined;
}

function isInService(pod: Pod, performerName: string): boolean {
  return pod.metadata?.deletionTimestamp === undefined && pod.metadata?.labels?.[labels.performer] === performerName;
}

/** What a live pod of ours lacks of our marks, as one patch. Revision and index are read off what stands there, never moved. */
function planClaim(pod: Pod, view: PodView, key: ObjectKey, uid: string, context: PodContext): (Action & { kind: 'patch' }) | undefined {
  if (pod.metadata?.deletionTimestamp !== undefined || context.revision === '') return undefined;
  const marks = pod.metadata?.labels ?? {};
  const wanted: Record<string, string> = { [labels.app]: appLabelValue, [labels.instance]: key.name };
  // One that is to be rolled anyway needs no mark of the present revision.
  if (view.revision === context.revision) Object.assign(wanted, { [labels.revision]: view.revision, [labels.index]: String(view.index) });
  const lacking = Object.fromEntries(Object.entries(wanted).filter(([label, value]) => isLacking(label, marks[label], value)));
  const orphaned = !isChildOf(pod, key.name, uid);
  if (view.ended && !orphaned) return undefined;
  if (Object.keys(lacking).length === 0 && !orphaned) return undefined;
  const metadata: Record<string, Json> = {
    ...(Object.keys(lacking).length === 0 ? {} : { labels: lacking }),
    ...(orphaned ? { ownerReferences: withOwner(pod, key, uid) } : {}),
  };
  return { kind: 'patch', resource: 'Pod', target: targetOf(pod), patch: { metadata }, why: orphaned ? 'Adopt' : 'Mark' };
}

/** Marks by which others find the pod are put right; those we only count by are added where they are missing. */
function isLacking(label: string, observed: string | undefined, wanted: string): boolean {
  return label === labels.app || label === labels.instance ? observed !== wanted : observed === undefined;
}
