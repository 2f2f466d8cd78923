import { annotations, appLabelValue, labels } from '../../src/api/v1alpha1/naming.ts';
import { type PerformerSpec, type PerformerSpecInput, type PerformerStatus, parsePerformerSpec } from '../../src/api/v1alpha1/performer.ts';
import type { Pod, Service } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { formatTime } from '../../src/lib/time.ts';
import type { Action, Plan } from '../../src/reconcile/plan/actions.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import { computeRevision } from '../../src/reconcile/plan/revision.ts';
import { buildService } from '../../src/reconcile/plan/service.ts';
import type { PerformerView, Settings, Snapshot } from '../../src/reconcile/plan/snapshot.ts';

/** Values for rows about Performer `x` in namespace `team-a`, uid `uid-x`, that say only what a row is about. */
export const key = { namespace: 'team-a', name: 'x' };
export const uid = 'uid-x';
export const startMs = Date.parse('2026-01-01T00:00:00Z');
export const settings: Settings = { quietMs: 2_000, clusterDomain: 'cluster.local', securityProfile: 'privileged' };

export const specInput: PerformerSpecInput = { avsAddress: '0xAbc', image: 'avs:1', config: { grpcPort: 8080 } };

export function spec(change: Partial<PerformerSpecInput> = {}): PerformerSpec {
  const parsed = parsePerformerSpec({ ...specInput, ...change });
  if (!parsed.valid) throw new Error(`fixture: ${JSON.stringify(parsed.issues)}`);
  return parsed.spec;
}

export const revisionOf = (change: Partial<PerformerSpecInput> = {}): string => computeRevision(spec(change));

export function performer(change: Partial<PerformerSpecInput> = {}, view: Partial<PerformerView> = {}): PerformerView {
  const parsedSpec = spec(change);
  return {
    uid,
    resourceVersion: '10',
    generation: 1,
    createdAtMs: startMs,
    deleting: false,
    finalizers: [],
    parsed: { valid: true, spec: parsedSpec },
    revision: computeRevision(parsedSpec),
    status: { observedGeneration: -1 },
    ...view,
  };
}

export interface PodFacts {
  readonly name?: string;
  readonly image?: string;
  readonly revision?: string | null;
  readonly index?: number;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly createdAtMs?: number;
  readonly withdrawnAtMs?: number;
  /** Lost its label though nobody noted when. */
  readonly unlabelled?: boolean;
  readonly deleting?: boolean;
  readonly phase?: string;
  readonly ownerUid?: string;
  /** null: nobody controls it. */
  readonly ownerKind?: string | null;
  readonly port?: number;
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly unschedulable?: string;
  readonly node?: string;
  readonly generation?: number;
  readonly failures?: number;
  /** In place of the labels it would have. */
  readonly labels?: Readonly<Record<string, string>>;
}

export function pod(facts: PodFacts = {}): Pod {
  const name = facts.name ?? 'performer-x';
  const ready = facts.ready ?? true;
  const out = facts.withdrawnAtMs !== undefined || facts.unlabelled === true;
  const revision = facts.revision === undefined ? revisionOf() : facts.revision;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: key.namespace,
      uid: `uid-${name}`,
      resourceVersion: '20',
      creationTimestamp: formatTime(facts.createdAtMs ?? startMs),
      ...(facts.generation === undefined ? {} : { generation: facts.generation }),
      labels: facts.labels ?? {
        [labels.app]: appLabelValue,
        ...(out ? {} : { [labels.performer]: key.name }),
        ...(revision === null
          ? {}
          : { [labels.instance]: key.name, [labels.revision]: revision, [labels.index]: String(facts.index ?? 0) }),
      },
      annotations: {
        ...(facts.withdrawnAtMs === undefined ? {} : { [annotations.withdrawnAt]: formatTime(facts.withdrawnAtMs) }),
        ...(facts.failures === undefined ? {} : { [annotations.failures]: String(facts.failures) }),
      },
      ...(facts.deleting === true ? { deletionTimestamp: formatTime(startMs + 30_000) } : {}),
      ...(facts.ownerKind === null
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
                kind: facts.ownerKind ?? 'Performer',
                name: key.name,
                uid: facts.ownerUid ?? uid,
                controller: true,
              },
            ],
          }),
    },
    spec: {
      ...(facts.node === undefined ? {} : { nodeName: facts.node }),
      containers: [{ name: 'performer', image: facts.image ?? 'avs:1', ports: [{ name: 'grpc', containerPort: facts.port ?? 8080 }] }],
    },
    status: {
      phase: facts.phase ?? (ready ? 'Running' : 'Pending'),
      podIP: '10.244.0.7',
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(startMs + 1_000) },
        ...(facts.unschedulable === undefined
          ? []
          : [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: facts.unschedulable }]),
      ],
      containerStatuses: [
        {
          name: 'performer',
          image: facts.image ?? 'avs:1',
          imageID: '',
          ready,
          started: facts.started ?? ready,
          restartCount: 0,
          ...(facts.waiting === undefined ? {} : { state: { waiting: facts.waiting } }),
        },
      ],
    },
  } as Pod;
}

/** Our Service as the API server stores it. */
export function service(change: Partial<PerformerSpecInput> = {}): Service {
  const built = buildService(key, uid, spec(change), []);
  return {
    ...built,
    metadata: { ...built.metadata, uid: 'uid-service', resourceVersion: '30' },
    spec: { ...built.spec, clusterIP: '10.96.0.9', sessionAffinity: 'None' },
  } as Service;
}

export function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return { key, nowMs: startMs + 60_000, performer: performer(), pods: [], service: undefined, lastPass: false, ...change };
}

/** What is stored after `plan`: its status patch merged into the snapshot's Performer. */
export function withStatusOf(plan: Plan, before: Snapshot): Snapshot {
  const action = plan.actions.find((candidate) => candidate.resource === 'PerformerStatus');
  if (action?.kind !== 'patch' || before.performer === undefined) return before;
  const { status: patch } = action.patch as { status: Record<string, Json> };
  const merged = Object.fromEntries(Object.entries({ ...before.performer.status, ...patch }).filter(([, value]) => value !== null));
  return { ...before, performer: { ...before.performer, status: merged as PerformerStatus } };
}

/** A Performer that serves its newest spec and has said so. */
export function settled(change: Partial<Snapshot> = {}): Snapshot {
  const serving = snapshot({ pods: [pod()], service: service(), ...change });
  return withStatusOf(planPerformer(serving, settings), serving);
}

/** `create Pod performer-x`, `withdraw`…: a plan as lines. */
export function lines(actions: readonly Action[]): readonly string[] {
  return actions.map((action) =>
    action.kind === 'create'
      ? `create ${action.resource} ${action.object.metadata?.name}`
      : `${action.kind} ${action.resource} ${action.target.name} ${action.why}`,
  );
}
