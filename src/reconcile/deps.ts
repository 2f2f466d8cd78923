import type { ObjectKey } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import type { Plan } from './plan/actions.ts';
import type { Settings } from './plan/snapshot.ts';
import type { World } from './world.ts';

export interface ReconcileDeps {
  readonly kube: KubeApi;
  readonly world: World;
  readonly settings: Settings;
  /** False: plan, write nothing, say what would be done. Asked before each pass, since a Lease can be lost. */
  readonly mayWrite: () => boolean;
  /** Pod names found taken that no list of ours shows, per key: read live until they are free. A cache, no more. */
  readonly heldNames: Map<string, Set<string>>;
  /** Told of each plan, before it is carried out. */
  readonly onPlan?: (key: ObjectKey, plan: Plan) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}
