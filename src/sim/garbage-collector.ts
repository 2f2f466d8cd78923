import { type KubeObject, namespaces, type OwnerReference, pods, type Resource } from '../kube/objects.ts';
import { kindIdOf } from './kind-rules.ts';
import type { MemoryServer } from './memory-server.ts';
import type { Change } from './memory-store.ts';
import type { AnyObject } from './stored-object.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

interface Stored {
  readonly resource: Resource<KubeObject>;
  readonly object: AnyObject;
}

/**
 * The cluster's garbage and namespace controllers: a while after a change, dependents whose owners are all gone are deleted, owners that are
 * deleted in the foreground wait for theirs, orphaned ones lose their references, and a namespace that goes takes its objects with it.
 *
 * @param delayMs between a change and the sweep it leads to
 */
export function startGarbageCollector(server: MemoryServer, delayMs: number): void {
  let isDue = false;
  server.store.onChange((change) => {
    if (isDue || !isOfInterest(change)) return;
    isDue = true;
    server.clock.timer(delayMs, () => {
      isDue = false;
      sweep(server);
    });
  });
}

function isOfInterest({ before, after }: Change): boolean {
  if (after === undefined || after.metadata.deletionTimestamp !== undefined) return true;
  return (after.metadata.ownerReferences?.length ?? 0) > 0 && after.metadata.ownerReferences !== before?.metadata.ownerReferences;
}

function sweep(server: MemoryServer): void {
  const all = server.resources().flatMap((resource) =>
    server.store
      .list(kindIdOf(resource))
      .filter(({ metadata }) => metadata.ownerReferences !== undefined || metadata.deletionTimestamp !== undefined)
      .map((object) => ({ resource, object })),
  );
  const dependents = new Map<string, Stored[]>();
  for (const stored of all) {
    for (const { uid } of stored.object.metadata.ownerReferences ?? []) {
      const known = dependents.get(uid);
      if (known === undefined) dependents.set(uid, [stored]);
      else known.push(stored);
    }
  }
  const dependentsOf = ({ object }: Stored): readonly Stored[] => dependents.get(object.metadata.uid ?? '') ?? [];
  // Another step of the same sweep may have changed an object; that change has led to a sweep of its own.
  const isCurrent = ({ object }: Stored): boolean => server.store.findByUid(object.metadata.uid ?? '') === object;
  // Dependents first: those that do not block their owner are taken while it still waits.
  for (const stored of all) if (isCurrent(stored)) sweepDependent(server, stored, dependentsOf(stored).length > 0);
  for (const stored of all) if (isCurrent(stored)) sweepOwner(server, stored, dependentsOf(stored));
}

function sweepOwner(server: MemoryServer, owner: Stored, dependents: readonly Stored[]): void {
  const { finalizers = [], deletionTimestamp, uid } = owner.object.metadata;
  if (deletionTimestamp === undefined) return;
  const owns = (reference: OwnerReference): boolean => reference.uid === uid;
  if (owner.object.kind === namespaces.kind) sweepNamespace(server, owner);
  if (finalizers.includes(orphan)) {
    for (const dependent of dependents) dropOwners(server, dependent, owns);
    dropFinalizer(server, owner, orphan);
  } else if (finalizers.includes(foreground)) {
    const isBlocked = dependents.some(({ object }) =>
      object.metadata.ownerReferences?.some((reference) => owns(reference) && reference.blockOwnerDeletion === true),
    );
    if (!isBlocked) dropFinalizer(server, owner, foreground);
  }
}

function sweepDependent(server: MemoryServer, stored: Stored, isOwner: boolean): void {
  const { resource, object } = stored;
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0 || object.metadata.deletionTimestamp !== undefined) return;
  const owners = references.map((reference) => findOwner(server, object, reference));
  const isSolid = owners.map((owner) => owner !== undefined && !isWaitingForDependents(owner));
  if (!isSolid.includes(true)) {
    const waits = owners.some((owner) => owner !== undefined);
    server.remove(resource, object, { propagationPolicy: waits && isOwner ? 'Foreground' : 'Background' });
  } else if (isSolid.includes(false)) {
    dropOwners(server, stored, (reference) => isSolid[references.indexOf(reference)] !== true);
  }
}

/** An owner of a namespaced object lives in its namespace or in none. */
function findOwner(server: MemoryServer, object: AnyObject, reference: OwnerReference): AnyObject | undefined {
  const owner = server.store.findByUid(reference.uid);
  if (owner === undefined || owner.kind !== reference.kind || owner.metadata.name !== reference.name) return undefined;
  const { namespace } = owner.metadata;
  return namespace === undefined || namespace === object.metadata.namespace ? owner : undefined;
}

function isWaitingForDependents({ metadata }: AnyObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(foreground);
}

function dropOwners(server: MemoryServer, { resource, object }: Stored, goes: (reference: OwnerReference) => boolean): void {
  const current = server.store.findByUid(object.metadata.uid ?? '');
  if (current === undefined) return;
  const ownerReferences = (current.metadata.ownerReferences ?? []).filter((reference) => !goes(reference));
  server.write(resource, current, { ...current, metadata: { ...current.metadata, ownerReferences } });
}

function dropFinalizer(server: MemoryServer, { resource, object }: Stored, finalizer: string): void {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  server.write(resource, object, { ...object, metadata: { ...object.metadata, finalizers } });
}

/** Pods go first; the rest is taken once they have gone. */
function sweepNamespace(server: MemoryServer, namespace: Stored): void {
  const { name } = namespace.object.metadata;
  const left = (resource: Resource<KubeObject>): AnyObject[] =>
    server.store.list(kindIdOf(resource)).filter((object) => object.metadata.namespace === name);
  const take = (resource: Resource<KubeObject>): void => {
    for (const object of left(resource)) server.remove(resource, object, { propagationPolicy: 'Background' });
  };
  take(pods);
  if (left(pods).length > 0) return;
  const namespaced = server.resources().filter((resource) => resource.namespaced);
  for (const resource of namespaced) take(resource);
  if (namespaced.every((resource) => left(resource).length === 0)) dropFinalizer(server, namespace, 'kubernetes');
}
