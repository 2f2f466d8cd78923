import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { ObjectKey, Pod, Service } from '../../kube/objects.ts';
import type { Json } from '../../lib/canonical-json.ts';
import type { RemovalReason } from './rollout.ts';

/** The object an action changes, with the version the decision was made on. */
export interface ActionTarget {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** One write, as data. `why` is one word for logs and for people who read a plan. */
export type Action =
  | { readonly kind: 'create'; readonly resource: 'Pod'; readonly object: Pod }
  | { readonly kind: 'create'; readonly resource: 'Service'; readonly object: Service }
  | {
      readonly kind: 'patch';
      readonly resource: 'Pod' | 'Service' | 'Performer' | 'PerformerStatus';
      readonly target: ActionTarget;
      readonly patch: Json;
      /** `Withdraw` takes a pod out of service, `Adopt` makes an orphan ours, `Mark` adds labels of ours; a status patch carries its reason. */
      readonly why: 'Withdraw' | 'Adopt' | 'Mark' | 'Drift' | 'LegacyFinalizer' | Reason;
    }
  | {
      readonly kind: 'delete';
      readonly resource: 'Pod' | 'Service';
      readonly target: ActionTarget;
      readonly why: RemovalReason | 'PerformerDeleted' | 'PerformerGone' | 'FormerPerformer';
    };

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** What makes two Events the same one. */
  readonly since: string;
}

/** What the pass found: `settled` nothing to do · `waiting` for the cluster or for our own writes · `stalled` until a user acts. */
export interface Verdict {
  readonly kind: 'settled' | 'waiting' | 'stalled';
  readonly reason: Reason;
  readonly message: string;
}

export interface Plan {
  readonly verdict: Verdict;
  /** In the order they must run. */
  readonly actions: readonly Action[];
  /** Told once the status that says the same is stored. */
  readonly events: readonly PlannedEvent[];
  /** What must be shown to be current before something is taken away. */
  readonly proof: 'none' | 'performer' | 'performer-and-pods';
  /** Something about the state is not yet in the status. */
  readonly unsaid: boolean;
  readonly requeueAfterMs?: number;
}

/** `creating Pod performer-x`: what an action does, for messages. Pure. */
export function describeAction(action: Action): string {
  if (action.kind === 'create') return `creating ${action.resource} ${nameOf(action)}`;
  const verb = action.kind === 'patch' ? 'patching' : 'deleting';
  return `${verb} ${action.resource} ${nameOf(action)} (${action.why})`;
}

/** The object as the target of an action, with what was seen as its precondition. Pure. */
export function targetOf(object: Pod | Service): ActionTarget {
  const { name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
  return { name, uid, resourceVersion };
}

/** The Performer as the target of an action. Pure. */
export function performerTarget(key: ObjectKey, performer: Pick<ActionTarget, 'uid' | 'resourceVersion'>): ActionTarget {
  return { name: key.name, uid: performer.uid, resourceVersion: performer.resourceVersion };
}

/** The name of the object an action makes or changes. Pure. */
export function nameOf(action: Action): string {
  return action.kind === 'create' ? (action.object.metadata?.name ?? '') : action.target.name;
}

/** A deletion, or a pod's withdrawal from the Service. Pure. */
export function takesAway(action: Action): boolean {
  return action.kind === 'delete' ? action.why !== 'FormerPerformer' : action.kind === 'patch' && action.why === 'Withdraw';
}

/** Whether the Performer must be shown to be current first. Pure. */
export function needsProof(action: Action): boolean {
  return action.kind === 'delete' || (action.kind === 'patch' && (action.why === 'Withdraw' || action.why === 'Adopt'));
}
