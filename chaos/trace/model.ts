import { performers } from '../../src/api/v1alpha1/performer.ts';
import { isKubeFault } from '../../src/kube/faults.ts';
import { type KubeObject, namespaces, type ObjectKey, pods, type Resource, services } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { ourCrd, performerRules } from '../../src/sim/crds.ts';
import { type KindRules, kindIdOf } from '../../src/sim/kind-rules.ts';
import { MemoryServer } from '../../src/sim/memory-server.ts';
import { podRules } from '../../src/sim/pod-rules.ts';
import { serviceRules } from '../../src/sim/service-rules.ts';
import type { AnyObject } from '../../src/sim/stored-object.ts';
import type { AuditEntry } from '../audit.ts';
import type { Request } from './history.ts';

/** What an API server makes of a write: the object as it stands then, or nothing where it is gone at once; or the status by which it refuses. */
export type Answer = { readonly code: 200; readonly object: KubeObject | undefined } | { readonly code: number; readonly reason: string };

const resources: Readonly<Record<Request['kind'], Resource<KubeObject>>> = { pods, services, performers };

/** By kind, as the simulator has them. */
export const rulesOf = (): Readonly<Record<Request['kind'], KindRules>> => ({
  pods: podRules,
  services: serviceRules(),
  performers: performerRules(ourCrd),
});

const noNamespaceRules: KindRules = { statusSubresource: false, countsGeneration: false };

/** What the simulator's API server answers to the same write, made on that object, or where there is none of that name. Pure. */
export function answerOfModel({ entry, kind, key, atMs }: Request, before: KubeObject | undefined): Answer {
  const server = new MemoryServer(stillAt(atMs), 'trace');
  const resource = resources[kind];
  server.register(resource, rulesOf()[kind]);
  server.register(namespaces, noNamespaceRules);
  server.store.put(kindIdOf(namespaces), { metadata: { name: key.namespace, uid: 'namespace' } } as unknown as AnyObject);
  const stored = before === undefined ? undefined : server.store.put(kindIdOf(resource), before as AnyObject);
  // Each side counts versions for itself: the one that was meant, or another.
  const versionOf = (named: string | undefined): string | undefined =>
    named === undefined || named === '' ? undefined : named === before?.metadata?.resourceVersion ? stored?.metadata.resourceVersion : '1';
  try {
    return { code: 200, object: carryOut(server, resource, key, entry, versionOf) };
  } catch (error) {
    if (!isKubeFault(error)) throw error;
    return { code: error.status ?? 500, reason: error.message };
  }
}

function carryOut(
  server: MemoryServer,
  resource: Resource<KubeObject>,
  key: ObjectKey,
  { verb, objectRef, requestObject = {} }: AuditEntry,
  versionOf: (named: string | undefined) => string | undefined,
): KubeObject | undefined {
  const part = objectRef?.subresource === 'status' ? { subresource: 'status' as const } : {};
  const { metadata } = requestObject;
  const resourceVersion = versionOf(metadata?.resourceVersion);
  const sent = metadata === undefined ? requestObject : { ...requestObject, metadata: { ...metadata, resourceVersion } };
  if (verb === 'create') return server.create(resource, sent as KubeObject);
  if (verb === 'patch') return server.patch(resource, key, sent as unknown as Json, part);
  if (verb === 'update') return server.replace(resource, key, sent as KubeObject, part);
  const { preconditions, ...options } = requestObject as DeleteBody;
  const meant = {
    ...(preconditions?.uid === undefined ? {} : { uid: preconditions.uid }),
    ...(preconditions?.resourceVersion === undefined ? {} : { resourceVersion: versionOf(preconditions.resourceVersion) ?? '1' }),
  };
  return server.delete(resource, key, { ...options, ...meant });
}

interface DeleteBody {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** Nothing happens by itself within one answer. */
function stillAt(atMs: number): Clock {
  return { nowMs: () => atMs, monotonicMs: () => 0, timer: () => () => undefined };
}
