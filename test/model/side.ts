import type { KubeObject } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { type JsonObject, mergePatch } from '../../src/sim/stored-object.ts';
import { bodyOf } from './bodies.ts';
import { kinds, own, type Target } from './kinds.ts';
import type { LogEntry, ObjectLog } from './object-log.ts';
import type { Operation } from './operations.ts';

export type ReadingOperation = Extract<Operation, { readonly verb: 'watch' }>;
export type QuotaOperation = Extract<Operation, { readonly verb: 'quota' }>;

/** A step with everything in it that one side has to send. */
export type Call =
  | { readonly verb: 'create'; readonly target: Target; readonly body: KubeObject }
  | { readonly verb: 'patch'; readonly target: Target; readonly body: Json; readonly status: boolean }
  | { readonly verb: 'put'; readonly target: Target; readonly body: KubeObject; readonly status: boolean }
  | { readonly verb: 'delete'; readonly target: Target; readonly body: DeleteBody };

export interface DeleteBody {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

/** One of the two clusters, as far as a sequence uses it: a namespace and its log. */
export interface Side {
  readonly log: ObjectLog;
  /** `ok`, or HTTP status and reason. */
  run(call: Call): Promise<string>;
  setQuota(hard: QuotaOperation['hard']): Promise<string>;
  /** What a watch of a kind tells until it has told `expected` events, or how it was refused. */
  watch(operation: ReadingOperation, from: string, expected: number | undefined): Promise<readonly LogEntry[] | string>;
}

/** What a step means in the terms of one side's uids and versions. */
export function callOf(operation: Exclude<Operation, ReadingOperation | QuotaOperation>, log: ObjectLog): Call {
  const { target } = operation;
  const name = target.kind === 'namespace' ? log.namespace : target.name;
  const namespace = kinds[target.kind].namespaced ? { namespace: log.namespace } : {};
  switch (operation.verb) {
    case 'create': {
      const { finalizers, owners } = operation;
      const metadata = {
        name,
        ...namespace,
        ...(finalizers === undefined ? {} : { finalizers }),
        ...(owners === undefined ? {} : { ownerReferences: owners.map((owner) => log.owner(owner)) }),
      };
      return { verb: 'create', target, body: bodyOf(target.kind, operation.body, metadata) };
    }
    case 'patch':
    case 'own': {
      const resourceVersion = log.version(target, operation.version);
      const patch = operation.verb === 'patch' ? operation.patch : ownersPatch(operation.owners.map((owner) => log.owner(owner)));
      const body = resourceVersion === undefined ? patch : mergeBoth(patch, { metadata: { resourceVersion } });
      return { verb: 'patch', target, body, status: operation.verb === 'patch' && operation.status === true };
    }
    case 'put': {
      const { kind, apiVersion, metadata, ...rest } = (log.latest(target) ??
        bodyOf(target.kind, 'plain', { name, ...namespace })) as KubeObject & JsonObject;
      const { uid: _uid, resourceVersion: _version, managedFields: _fields, ...kept } = metadata ?? {};
      const uid = log.uid(target, operation.uid);
      const resourceVersion = log.version(target, operation.version);
      const named = { ...kept, ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      const base = { kind: kind ?? kinds[target.kind].kind, apiVersion, metadata: named, ...rest } as unknown as JsonObject;
      return { verb: 'put', target, body: mergePatch(base, operation.patch) as KubeObject, status: operation.status === true };
    }
    case 'delete': {
      const uid = log.uid(target, operation.uid);
      const resourceVersion = log.version(target, operation.version);
      const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      const { policy, graceSeconds } = operation;
      const body: DeleteBody = {
        ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
        ...(policy === undefined ? {} : { propagationPolicy: policy }),
        ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      };
      return { verb: 'delete', target, body };
    }
  }
}

/** What the namespace is called on a side is no part of a call's meaning. */
export const nameOn = (log: ObjectLog, target: Target): string =>
  target.name === own.name && target.kind === own.kind ? log.namespace : target.name;

function ownersPatch(owners: readonly object[]): Json {
  return { metadata: { ownerReferences: owners.length === 0 ? null : (owners as readonly Json[]) } };
}

/** One patch that does what both do. */
function mergeBoth(patch: Json, other: { readonly metadata: JsonObject }): Json {
  const { metadata, ...rest } = patch as JsonObject;
  return { ...rest, metadata: { ...(metadata as JsonObject | undefined), ...other.metadata } };
}
