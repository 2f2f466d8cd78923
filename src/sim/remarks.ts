import { labels } from '../api/v1alpha1/naming.ts';
import type { Performer } from '../api/v1alpha1/performer.ts';
import { type KubeObject, keyText, type Node, type Pod } from '../kube/objects.ts';
import type { Json } from '../lib/canonical-json.ts';
import type { SeenKinds } from '../oracle/oracle.ts';
import { isDeleting, isEnded, isReady, isSelected, performerOf, withdrawnAtMs } from '../oracle/words.ts';

/** The Performer that controls the object, else the one it is labelled for; empty: none. */
export function performerKeyOf(object: KubeObject): string {
  const { namespace = '', labels: own } = object.metadata ?? {};
  const name = performerOf(object)?.name ?? own?.[labels.performer];
  return name === undefined ? '' : keyText({ namespace, name });
}

/** What an object is now, for a line of the trace. */
export function stateOf(kind: keyof SeenKinds, object: KubeObject | undefined): { readonly state?: string } {
  if (object === undefined) return {};
  if (kind === 'performers') return { state: isDeleting(object) ? 'deleting' : (readyOf((object as Performer).status ?? {}) ?? 'unknown') };
  if (kind === 'pods') return { state: stateOfPod(object as Pod) };
  if (kind === 'nodes') return { state: (object as Node).spec?.taints?.map(({ key }) => key.replace(/^.*\//, '')).join('+') || 'ready' };
  return { state: 'there' };
}

function stateOfPod(pod: Pod): string {
  if (isDeleting(pod) || isEnded(pod)) return 'leaving';
  if (withdrawnAtMs(pod) !== undefined || !isSelected(pod, performerOf(pod)?.name ?? '')) return 'out';
  return isReady(pod) ? 'serving' : 'starting';
}

/** What of an object changed that a reader of the story wants to know. */
export function describe(kind: keyof SeenKinds, before: KubeObject, after: KubeObject): string {
  const words: string[] = [];
  const was = before as { readonly spec?: Json; readonly status?: Record<string, Json> };
  const is = after as typeof was;
  if (after.metadata?.deletionTimestamp !== undefined && before.metadata?.deletionTimestamp === undefined) words.push('is being deleted');
  if (kind === 'performers' && after.metadata?.generation !== before.metadata?.generation)
    words.push(`generation ${after.metadata?.generation}`);
  for (const [name, read] of Object.entries(remarks)) {
    const now = read(is.status ?? {}, is.spec, after);
    if (now !== read(was.status ?? {}, was.spec, before) && now !== undefined) words.push(`${name} ${now}`);
  }
  return words.length === 0 ? 'changes' : words.join(', ');
}

/** `False (Unschedulable)` */
function readyOf(status: object): string | undefined {
  const ready = (status as { readonly conditions?: Conditions }).conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? undefined : `${ready.status}${ready.reason === undefined ? '' : ` (${ready.reason})`}`;
}

type Conditions = readonly { readonly type: string; readonly status: string; readonly reason?: string }[];

const remarks: Readonly<Record<string, (status: Record<string, Json>, spec: Json | undefined, object: KubeObject) => string | undefined>> =
  {
    phase: ({ phase }) => (typeof phase === 'string' ? phase : undefined),
    Ready: (status) => readyOf(status),
    node: (_status, spec) => (spec as { readonly nodeName?: string } | undefined)?.nodeName,
    withdrawn: (_status, _spec, { metadata }) => metadata?.annotations?.['hourglass.eigenlayer.io/withdrawn-at'],
    taints: (_status, spec) => {
      const taints = (spec as { readonly taints?: readonly { readonly key: string; readonly effect: string }[] } | undefined)?.taints;
      return taints?.map(({ key, effect }) => `${key}:${effect}`).join('+');
    },
  };
