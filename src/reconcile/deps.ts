import type { ObjectKey } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { OptionalReads } from './optional-reads.ts';
import type { Plan } from './plan/actions.ts';
import type { Settings } from './plan/snapshot.ts';
import type { World } from './world.ts';
import { WriterWatch } from './writer-watch.ts';

export interface ReconcileDeps {
  readonly kube: KubeApi;
  readonly world: World;
  readonly settings: Settings;
  /** False: plan, write nothing, say what would be done. Asked before each write, since a Lease can be lost between two. */
  readonly mayWrite: () => boolean;
  readonly optional: OptionalReads;
  readonly writers: WriterWatch;
  /** Told of each plan, before it is carried out. */
  readonly onPlan?: (key: ObjectKey, plan: Plan) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Fills in what a run keeps to itself. */
export function createDeps(parts: Omit<ReconcileDeps, 'optional' | 'writers'>): ReconcileDeps {
  return { ...parts, optional: new OptionalReads(parts.log), writers: new WriterWatch() };
}
