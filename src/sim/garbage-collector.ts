import type { OwnerReference } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { kindIdOf } from './kind-rules.ts';
import type { MemoryKind, MemoryServer } from './memory-server.ts';
import type { Change, MemoryStore } from './memory-store.ts';
import type { AnyObject } from './stored-object.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * The cluster's garbage and namespace controllers: a while after a change, dependents whose owners are all gone are deleted, owners that are
 * deleted in the foreground wait for theirs, orphaned ones lose their references, and a namespace that goes takes its objects with it.
 */
export class GarbageCollector {
  readonly #store: MemoryStore;
  readonly #server: MemoryServer;
  readonly #clock: Clock;
  readonly #delayMs: number;
  #waiting = false;

  /** @param delayMs between a change and the sweep it leads to */
  constructor(store: MemoryStore, server: MemoryServer, clock: Clock, delayMs: number) {
    this.#store = store;
    this.#server = server;
    this.#clock = clock;
    this.#delayMs = delayMs;
    store.onChange((change) => {
      if (!this.#waiting && isOfInterest(change)) this.#schedule();
    });
  }

  #schedule(): void {
    this.#waiting = true;
    this.#clock.timer(this.#delayMs, () => {
      this.#waiting = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const objects: { readonly kind: MemoryKind; readonly object: AnyObject }[] = [];
    for (const kindId of this.#store.kindIds()) {
      const kind = this.#server.kindById(kindId);
      if (kind !== undefined) for (const object of this.#store.list(kindId)) objects.push({ kind, object });
    }
    const dependents = new Map<string, AnyObject[]>();
    for (const { object } of objects) {
      for (const owner of object.metadata.ownerReferences ?? []) dependents.set(owner.uid, [...(dependents.get(owner.uid) ?? []), object]);
    }
    for (const { kind, object } of objects) {
      if (this.#isCurrent(kind, object)) this.#sweepOwner(kind, object, dependents.get(object.metadata.uid ?? '') ?? []);
    }
    for (const { kind, object } of objects) {
      if (this.#isCurrent(kind, object)) this.#sweepDependent(kind, object, dependents.has(object.metadata.uid ?? ''));
    }
  }

  /** Another step of the same sweep may have changed it; that change has led to a sweep of its own. */
  #isCurrent(kind: MemoryKind, object: AnyObject): boolean {
    const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
    return this.#store.find(kindIdOf(kind.resource), key)?.metadata.resourceVersion === object.metadata.resourceVersion;
  }

  #sweepOwner(kind: MemoryKind, owner: AnyObject, dependents: readonly AnyObject[]): void {
    const { finalizers = [], deletionTimestamp, uid } = owner.metadata;
    if (deletionTimestamp === undefined) return;
    if (owner.kind === 'Namespace') this.#sweepNamespace(kind, owner);
    if (finalizers.includes(orphan)) {
      for (const dependent of dependents) this.#dropOwners(dependent, (reference) => reference.uid === uid);
      this.#dropFinalizer(kind, owner, orphan);
    } else if (finalizers.includes(foreground)) {
      const blocking = dependents.some((dependent) =>
        dependent.metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
      );
      if (!blocking) this.#dropFinalizer(kind, owner, foreground);
    }
  }

  #sweepDependent(kind: MemoryKind, object: AnyObject, isOwner: boolean): void {
    const references = object.metadata.ownerReferences ?? [];
    if (references.length === 0 || object.metadata.deletionTimestamp !== undefined) return;
    const owners = references.map((reference) => ({ reference, owner: this.#findOwner(object, reference) }));
    const solid = owners.filter(({ owner }) => owner !== undefined && !isWaitingForDependents(owner));
    if (solid.length === 0) {
      const waits = owners.some(({ owner }) => owner !== undefined);
      this.#server.remove(kind.resource, object, { propagationPolicy: waits && isOwner ? 'Foreground' : 'Background' });
    } else if (solid.length < owners.length) {
      this.#dropOwners(object, (reference) => !solid.some((one) => one.reference === reference));
    }
  }

  /** An owner of a namespaced object lives in its namespace or in none. */
  #findOwner(object: AnyObject, reference: OwnerReference): AnyObject | undefined {
    const owner = this.#store.findByUid(reference.uid);
    if (owner === undefined || owner.kind !== reference.kind || owner.metadata.name !== reference.name) return undefined;
    const namespace = owner.metadata.namespace;
    return namespace === undefined || namespace === object.metadata.namespace ? owner : undefined;
  }

  #dropOwners(object: AnyObject, goes: (reference: OwnerReference) => boolean): void {
    const current = this.#store.findByUid(object.metadata.uid ?? '');
    const kind = current === undefined ? undefined : this.#kindOf(current);
    if (current === undefined || kind === undefined) return;
    const kept = (current.metadata.ownerReferences ?? []).filter((reference) => !goes(reference));
    const { ownerReferences: _all, ...metadata } = current.metadata;
    this.#server.write(kind.resource, current, {
      ...current,
      metadata: kept.length > 0 ? { ...metadata, ownerReferences: kept } : metadata,
    });
  }

  #dropFinalizer(kind: MemoryKind, object: AnyObject, finalizer: string): void {
    const { finalizers = [], ...metadata } = object.metadata;
    const kept = finalizers.filter((name) => name !== finalizer);
    this.#server.write(kind.resource, object, { ...object, metadata: kept.length > 0 ? { ...metadata, finalizers: kept } : metadata });
  }

  #sweepNamespace(kind: MemoryKind, namespace: AnyObject): void {
    let left = 0;
    for (const kindId of this.#store.kindIds()) {
      const inside = this.#server.kindById(kindId);
      if (inside?.resource.namespaced !== true) continue;
      for (const object of this.#store.list(kindId)) {
        if (object.metadata.namespace !== namespace.metadata.name) continue;
        if (object.metadata.deletionTimestamp !== undefined || this.#server.remove(inside.resource, object) !== undefined) left += 1;
      }
    }
    if (left === 0) this.#dropFinalizer(kind, namespace, 'kubernetes');
  }

  #kindOf(object: AnyObject): MemoryKind | undefined {
    const slash = object.apiVersion.indexOf('/');
    const group = slash === -1 ? '' : object.apiVersion.slice(0, slash);
    return this.#store
      .kindIds()
      .map((kindId) => this.#server.kindById(kindId))
      .find((kind) => kind?.resource.kind === object.kind && kind.resource.group === group);
  }
}

function isOfInterest({ before, after }: Change): boolean {
  if (after === undefined) return true;
  if (after.metadata.deletionTimestamp !== undefined) return true;
  return (after.metadata.ownerReferences?.length ?? 0) > 0 && after.metadata.ownerReferences !== before?.metadata.ownerReferences;
}

function isWaitingForDependents(owner: AnyObject): boolean {
  return owner.metadata.deletionTimestamp !== undefined && (owner.metadata.finalizers ?? []).includes(foreground);
}
