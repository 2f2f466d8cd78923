import { effectivePort } from '../api/v1alpha1/defaults.ts';
import { containerName, labels, versionLabelValue } from '../api/v1alpha1/naming.ts';
import type { PerformerSpec } from '../api/v1alpha1/performer.ts';
import type { Pod } from '../kube/objects.ts';
import { formatTime } from '../lib/time.ts';
import { describeAction, type Plan } from './plan/actions.ts';
import { checkPlan } from './plan/check-plan.ts';
import { type PodsByOwner, sortPods } from './plan/ownership.ts';
import { planPerformer } from './plan/plan.ts';
import { contextOf, type PodView } from './plan/pod-view.ts';
import { rulesOf } from './plan/rules.ts';
import type { Settings, Snapshot } from './plan/snapshot.ts';

export interface PodExplanation {
  readonly name: string;
  /** As in `PodView`, or whose the pod is where it is not ours. */
  readonly word: PodView['word'] | 'rival' | 'leftover' | 'foreign';
  readonly revision: string | undefined;
  readonly node: string | undefined;
  /** Why it is not what the spec asks for, or what keeps it from serving. */
  readonly remark: string;
}

/** One pass, told: what was seen, what was decided and why, what is waited for. Plain JSON. */
export interface Explanation {
  readonly performer: string;
  /** The API server's time of the look, RFC 3339. */
  readonly seenAt: string;
  readonly exists: boolean;
  readonly generation: number | undefined;
  readonly observedGeneration: number | undefined;
  /** Of the spec. */
  readonly revision: string | undefined;
  /** That serves, by the stored status. */
  readonly servingRevision: string | undefined;
  readonly pods: readonly PodExplanation[];
  readonly service: string;
  readonly verdict: Plan['verdict'];
  /** What the pass would write, in order; empty when nothing is to be done now. */
  readonly actions: readonly string[];
  /** The first thing that is not as the spec wants it. */
  readonly because: string;
  readonly waitsFor: string;
  readonly looksAgainAfterMs: number | undefined;
}

/** What one pass makes of a snapshot, for people. Pure. */
export function explain(snapshot: Snapshot, settings: Settings): Explanation {
  const plan = checkPlan(planPerformer(snapshot, settings), snapshot);
  const { performer, key } = snapshot;
  const spec = performer?.parsed.valid === true ? performer.parsed.spec : undefined;
  const owned =
    spec === undefined || performer === undefined
      ? undefined
      : sortPods(
          snapshot.pods,
          key,
          performer.uid,
          contextOf(snapshot, { image: spec.image, revision: performer.revision, rules: rulesOf(spec) }),
        );
  const pods = explainPods(snapshot, owned, spec, performer?.revision);
  const { verdict } = plan;
  return {
    performer: `${key.namespace}/${key.name}`,
    seenAt: formatTime(snapshot.nowMs),
    exists: performer !== undefined,
    generation: performer?.generation,
    observedGeneration: performer?.status?.observedGeneration,
    revision: performer?.revision,
    servingRevision: performer?.status?.revision,
    pods,
    service: describeService(snapshot),
    verdict,
    actions: plan.actions.map(describeAction),
    because: findCause(plan, pods, snapshot),
    waitsFor: describeWait(plan),
    looksAgainAfterMs: plan.requeueAfterMs,
  };
}

function explainPods(
  snapshot: Snapshot,
  owned: PodsByOwner | undefined,
  spec: PerformerSpec | undefined,
  revision: string | undefined,
): readonly PodExplanation[] {
  const byUid = new Map((owned?.ours ?? []).map((view) => [view.uid, view] as const));
  const rivals = new Set(owned?.rivals);
  const leftovers = new Set(owned?.leftovers);
  return snapshot.pods
    .map((pod): PodExplanation => {
      const view = byUid.get(pod.metadata?.uid ?? '');
      const base = { name: pod.metadata?.name ?? '', revision: pod.metadata?.labels?.[labels.revision], node: pod.spec?.nodeName };
      if (view !== undefined) return { ...base, word: view.word, revision: view.revision, remark: remarkOn(view, pod, spec, revision) };
      if (rivals.has(pod)) return { ...base, word: 'rival', remark: 'made by another operator after ours; left alone' };
      if (leftovers.has(pod)) return { ...base, word: 'leftover', remark: 'belongs to a former Performer of this name' };
      return { ...base, word: 'foreign', remark: 'not ours; never touched' };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function remarkOn(view: PodView, pod: Pod, spec: PerformerSpec | undefined, revision: string | undefined): string {
  if (view.word === 'out')
    return `withdrawn at ${view.withdrawnAtMs === undefined ? 'an unknown time' : formatTime(view.withdrawnAtMs)}, drains`;
  if (view.ended) return view.trouble?.message ?? 'ended';
  if (view.word === 'leaving') return 'is being deleted';
  const parts: string[] = [];
  if (spec !== undefined && view.revision !== revision) parts.push(`is of a former spec: ${firstDifference(pod, spec)}`);
  if (!['well', 'unknown'].includes(view.node.word))
    parts.push(`node ${view.node.name} is ${view.node.word === 'gone' ? 'gone' : 'unreachable'}`);
  if (view.trouble !== undefined) parts.push(`${view.trouble.reason}: ${view.trouble.message}`);
  if (view.word === 'serving' && view.routed === false) parts.push('no EndpointSlice calls it ready yet');
  return parts.join('; ');
}

/** What a pod shows of its spec; environment and the like are not in view, only that their fingerprint differs. */
function firstDifference(pod: Pod, spec: PerformerSpec): string {
  const container = pod.spec?.containers?.find(({ name }) => name === containerName);
  if (container?.image !== spec.image) return `image ${container?.image} → ${spec.image}`;
  const port = container.ports?.[0]?.containerPort;
  if (port !== effectivePort(spec)) return `port ${port} → ${effectivePort(spec)}`;
  const version = pod.metadata?.labels?.[labels.version] ?? '';
  if (version !== versionLabelValue(spec.version ?? '')) return `version ${version} → ${spec.version ?? ''}`;
  return 'another field that pods are made from';
}

function describeService({ service }: Snapshot): string {
  if (service === undefined) return 'does not exist';
  const ports = (service.spec?.ports ?? []).map((port) => `${port.name ?? 'unnamed'} ${port.port}`).join(', ');
  return `${service.metadata?.name}: ${service.spec?.clusterIP ?? 'no address'}, ports ${ports}`;
}

function findCause(plan: Plan, pods: readonly PodExplanation[], snapshot: Snapshot): string {
  if (snapshot.performer === undefined) return 'there is no Performer of this name';
  if (plan.verdict.kind === 'settled') return 'everything is as the spec asks for';
  // What keeps the new from coming tells more than what the old one is.
  const odd = pods.filter((pod) => pod.remark !== '');
  const first = odd.find((pod) => pod.word !== 'serving') ?? odd[0];
  return first === undefined ? plan.verdict.message : `Pod ${first.name} ${first.word}: ${first.remark}`;
}

function describeWait(plan: Plan): string {
  if (plan.verdict.kind === 'settled') return 'nothing';
  if (plan.verdict.kind === 'stalled' || plan.verdict.reason === 'Paused') return 'a user';
  if (plan.actions.length > 0) return 'the next pass, which sees what this one wrote';
  return plan.verdict.reason === 'Draining' ? 'former pods to drain and end' : 'the cluster';
}
