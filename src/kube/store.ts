import { sameJson } from '../lib/canonical-json.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from './objects.ts';
import type { ListResult, WatchEvent } from './port.ts';
import { compareResourceVersions } from './resource-version.ts';

/** `before` is undefined for an object that is new, `after` for one that is gone; both are there, perhaps with different uids, otherwise. */
export type ChangeListener<T> = (before: T | undefined, after: T | undefined) => void;

export interface ObjectStoreOptions<T extends KubeObject> {
  /** By name: the values under which `byIndex` finds an object. Must be pure and must not throw. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  /** What is kept of an object; must keep name, namespace, uid and resourceVersion. Default: all but `metadata.managedFields`. */
  readonly project?: (object: T) => T;
  /** What is taken; all by default. It may select less than the reflector does: the rest is neither kept nor told of. */
  readonly selects?: (object: T) => boolean;
}

interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** How many gone uids are remembered, so that late news of them brings nothing back. */
const maxTombstones = 4_096;

/**
 * The newest state known of the objects a reflector selects: its lists and watch events, overlaid by our own writes, so that
 * a pass never decides on a view older than its last write. No object ever moves back to an older resourceVersion.
 */
export class ObjectStore<T extends KubeObject> {
  /** What lists and watches must apply to each object before `replace` and `apply` get it. */
  readonly project: (object: T) => T;
  /** How often a listener threw, and what it threw last; the store and the other listeners went on. */
  readonly listenerErrors: { count: number; last?: unknown } = { count: 0 };
  /** Whether an object is taken; who gathers a list may leave out the others. */
  readonly selects: (object: T) => boolean;
  readonly #objects = new Map<string, T>();
  /** Index name → value → the one object, or key → object where there are several: a map for each would cost more than the object. */
  readonly #indexed = new Map<string, Map<string, T | Map<string, T>>>();
  /** uid → resourceVersion at which it went, or undefined where our own delete did not tell. Oldest first. */
  readonly #tombstones = new Map<string, string | undefined>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #indexes: readonly (readonly [string, (object: T) => readonly string[]])[];
  #resourceVersion = '';
  #listVersion = '';
  /** The version of a list that was older than what was seen before it, and so not taken. */
  #refusedVersion: string | undefined;

  constructor(options: ObjectStoreOptions<T> = {}) {
    this.#indexes = Object.entries(options.indexes ?? {});
    for (const [name] of this.#indexes) this.#indexed.set(name, new Map());
    this.project = options.project ?? withoutManagedFields;
    this.selects = options.selects ?? (() => true);
  }

  /** How far lists and watch events have brought the store; '' before the first list. Own writes do not move it. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  /** All objects, in no order that means anything. */
  list(): T[] {
    return [...this.#objects.values()];
  }

  /** The objects whose index function gave `value`. @throws RangeError for an index the store was not made with: a caller's bug */
  byIndex(index: string, value: string): readonly T[] {
    const values = this.#indexed.get(index);
    if (values === undefined) throw new RangeError(`the store has no index ${index}`);
    const found = values.get(value);
    if (found === undefined) return [];
    return found instanceof Map ? [...found.values()] : [found];
  }

  /**
   * Takes a whole list of projected objects: what it lacks goes, except what we wrote after it was read; nothing moves back.
   *
   * A consistent list is never older than events before it. One that is came from a server that lags, and changes nothing; when the
   * next list is as old and has moved on from there, the cluster's history was put back (a restored etcd): that one is taken as it is,
   * for no version seen before means anything then.
   *
   * @returns false when the list was not taken: list again
   */
  replace(list: ListResult<T>): boolean {
    const isOlder = compareResourceVersions(list.resourceVersion, this.#resourceVersion) < 0;
    const historyReset =
      isOlder && this.#refusedVersion !== undefined && compareResourceVersions(list.resourceVersion, this.#refusedVersion) >= 0;
    this.#refusedVersion = isOlder && !historyReset ? list.resourceVersion : undefined;
    if (isOlder && !historyReset) return false;
    if (historyReset) this.#tombstones.clear();
    const changes: Change<T>[] = [];
    const present = new Set<string>();
    const presentUids = new Set<string | undefined>();
    for (const raw of list.items) {
      presentUids.add(raw.metadata?.uid);
      if (!this.selects(raw)) continue;
      present.add(keyText(keyOf(raw)));
      if (historyReset || this.#isNews(raw) || this.#readsOtherwise(raw)) this.#put(raw, changes);
    }
    for (const [text, object] of this.#objects) {
      const wroteSince = !historyReset && compareResourceVersions(object.metadata?.resourceVersion, list.resourceVersion) > 0;
      if (!present.has(text) && !wroteSince) this.#remove(text, object, changes);
    }
    // A uid that the list still shows was deleted by us after the list was read: its DELETED event is on its way.
    for (const uid of this.#tombstones.keys()) if (!presentUids.has(uid)) this.#tombstones.delete(uid);
    this.#resourceVersion = list.resourceVersion;
    this.#listVersion = list.resourceVersion;
    this.#notify(changes);
    return true;
  }

  /** Takes one watch event, its object projected. One that is not newer than what is known of its object changes nothing. */
  apply(event: WatchEvent<T>): void {
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata?.resourceVersion;
    if (version !== undefined && compareResourceVersions(version, this.#resourceVersion) > 0) this.#resourceVersion = version;
    if (event.type === 'BOOKMARK') return;
    const changes: Change<T>[] = [];
    if (event.type === 'DELETED') this.#gone(event.object, changes);
    else if (!this.selects(event.object)) {
      // It may have been of those that are taken; of all others nothing is remembered.
      if (this.get(keyOf(event.object)) !== undefined) this.#gone(event.object, changes);
    } else if (this.#isNews(event.object)) this.#put(event.object, changes);
    this.#notify(changes);
  }

  /** Takes the answer of our own create or patch: it is seen from now on. One that is not selected leaves, as by its event. */
  wrote(object: T): void {
    if (!this.selects(object)) {
      const left: Change<T>[] = [];
      this.#gone(object, left);
      this.#notify(left);
      return;
    }
    const stored = this.get(keyOf(object));
    // The list that was read after this write does not have it: it is gone again, or not selected.
    const overtaken = stored === undefined && compareResourceVersions(object.metadata?.resourceVersion, this.#listVersion) <= 0;
    if (overtaken || !this.#isNews(object)) return;
    const changes: Change<T>[] = [];
    this.#put(this.project(object), changes);
    this.#notify(changes);
  }

  /** Takes our own delete that was immediate: the object is gone now, and late news of this uid does not bring it back. */
  deleted(key: ObjectKey, uid: string): void {
    this.#bury(uid, undefined);
    const stored = this.get(key);
    if (stored?.metadata?.uid !== uid) return;
    const changes: Change<T>[] = [];
    this.#remove(keyText(key), stored, changes);
    this.#notify(changes);
  }

  /** Calls `listener` after each change; the returned function ends that. */
  onChange(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whether the state is newer than all we know of that name and that uid. resourceVersions of one kind have one order, so this holds across uids too. */
  #isNews(object: T): boolean {
    const version = object.metadata?.resourceVersion;
    const uid = object.metadata?.uid;
    if (uid !== undefined && this.#tombstones.has(uid)) {
      const goneAt = this.#tombstones.get(uid);
      if (goneAt === undefined || compareResourceVersions(version, goneAt) <= 0) return false;
    }
    const stored = this.get(keyOf(object));
    return stored === undefined || compareResourceVersions(version, stored.metadata?.resourceVersion) > 0;
  }

  /** Whether a version that is known reads otherwise now: another CRD shows fields, or hides them. */
  #readsOtherwise(object: T): boolean {
    const stored = this.get(keyOf(object));
    return stored?.metadata?.resourceVersion === object.metadata?.resourceVersion && !sameJson(stored, object);
  }

  /** DELETED also tells that an object left the selector: the version lets it come back with a newer one. */
  #gone(object: T, changes: Change<T>[]): void {
    const { uid, resourceVersion } = object.metadata ?? {};
    if (uid !== undefined) this.#bury(uid, resourceVersion);
    const stored = this.get(keyOf(object));
    if (stored === undefined || stored.metadata?.uid !== uid) return;
    if (compareResourceVersions(resourceVersion, stored.metadata?.resourceVersion) < 0) return;
    this.#remove(keyText(keyOf(stored)), stored, changes);
  }

  #bury(uid: string, version: string | undefined): void {
    this.#tombstones.delete(uid);
    this.#tombstones.set(uid, version);
    const oldest = this.#tombstones.size > maxTombstones ? this.#tombstones.keys().next().value : undefined;
    if (oldest !== undefined) this.#tombstones.delete(oldest);
  }

  #put(object: T, changes: Change<T>[]): void {
    const text = keyText(keyOf(object));
    const before = this.#objects.get(text);
    // All that can throw comes before the first change.
    const entries = this.#indexes.map(([name, valuesOf]) => [this.#indexed.get(name), valuesOf(object)] as const);
    if (before !== undefined) this.#unindex(text, before);
    this.#objects.set(text, object);
    for (const [values, own] of entries) {
      for (const value of own) {
        const found = values?.get(value);
        if (found === undefined) values?.set(value, object);
        else if (found instanceof Map) found.set(text, object);
        else if (keyText(keyOf(found)) !== text)
          values?.set(
            value,
            new Map([
              [keyText(keyOf(found)), found],
              [text, object],
            ]),
          );
      }
    }
    changes.push({ before, after: object });
  }

  #remove(text: string, before: T, changes: Change<T>[]): void {
    this.#objects.delete(text);
    this.#unindex(text, before);
    changes.push({ before, after: undefined });
  }

  #unindex(text: string, object: T): void {
    for (const [name, valuesOf] of this.#indexes) {
      const values = this.#indexed.get(name);
      for (const value of valuesOf(object)) {
        const found = values?.get(value);
        if (found instanceof Map) found.delete(text);
        if (found !== undefined && (found instanceof Map ? found.size === 0 : keyText(keyOf(found)) === text)) values?.delete(value);
      }
    }
  }

  /** After the store is whole again, so that a listener sees the state it is told of. */
  #notify(changes: readonly Change<T>[]): void {
    for (const { before, after } of changes) {
      for (const listener of this.#listeners) {
        try {
          listener(before, after);
        } catch (error) {
          this.listenerErrors.count += 1;
          this.listenerErrors.last = error;
        }
      }
    }
  }
}

/** Field ownership is a third of a list's bytes and nothing here decides on it. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  // Set, not deleted: `delete` makes V8 keep the object as a slow dictionary.
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
