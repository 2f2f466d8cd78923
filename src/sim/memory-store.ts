import { KubeFault } from '../kube/faults.ts';
import { keyOf, keyText, type ObjectKey } from '../kube/objects.ts';
import { type AnyObject, deepFreeze } from './stored-object.ts';

/** One revision of the cluster: what an object was and what it became. `after` of a removal is undefined. */
export interface Change {
  readonly revision: number;
  /** Which kind, as `plural.group`. */
  readonly kindId: string;
  readonly before: AnyObject | undefined;
  readonly after: AnyObject | undefined;
  /** Carries the revision as its resourceVersion, also for a removal. */
  readonly object: AnyObject;
}

/** Histories longer than this lose their older half, like that of an etcd that is compacted. */
const historyLimit = 20_000;

/** Objects, their one counter of revisions, and the history that watches resume from. Knows nothing of what an object means. */
export class MemoryStore {
  readonly #kinds = new Map<string, Map<string, AnyObject>>();
  readonly #byUid = new Map<string, AnyObject>();
  /** Lists that were asked for, until something of the kind changes. */
  readonly #ordered = new Map<string, readonly AnyObject[]>();
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  // Just below a change of length, so that whoever compares versions as text is found out early.
  #revision = 95;
  #compactedRevision = 0;
  /** The revision up to which a kind's history is gone, where that is more. */
  readonly #forgotten = new Map<string, number>();

  get revision(): number {
    return this.#revision;
  }

  find(kindId: string, key: ObjectKey): AnyObject | undefined {
    return this.#kinds.get(kindId)?.get(keyText(key));
  }

  findByUid(uid: string): AnyObject | undefined {
    return this.#byUid.get(uid);
  }

  /** All objects of a kind, in the order of their keys, as etcd gives them. */
  list(kindId: string): readonly AnyObject[] {
    const known = this.#ordered.get(kindId);
    if (known !== undefined) return known;
    const found = [...(this.#kinds.get(kindId)?.entries() ?? [])];
    const ordered = found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
    this.#ordered.set(kindId, ordered);
    return ordered;
  }

  /** Stores a state under the next revision. */
  put(kindId: string, object: AnyObject): AnyObject {
    const before = this.find(kindId, keyOf(object));
    const after = this.#stamp(object);
    const objects = this.#kinds.get(kindId) ?? new Map<string, AnyObject>();
    this.#kinds.set(kindId, objects);
    objects.set(keyText(keyOf(after)), after);
    this.#byUid.set(after.metadata.uid ?? '', after);
    this.#record({ revision: this.#revision, kindId, before, after, object: after });
    return after;
  }

  /** Shows an object otherwise at the version it has: no watch and no history tells of it. */
  restate(kindId: string, object: AnyObject): void {
    const before = this.find(kindId, keyOf(object));
    const after = deepFreeze(object);
    this.#kinds.get(kindId)?.set(keyText(keyOf(after)), after);
    this.#byUid.set(after.metadata.uid ?? '', after);
    this.#ordered.delete(kindId);
    for (const listener of this.#listeners) listener({ revision: this.#revision, kindId, before, after, object: after });
  }

  /** Removes an object under the next revision. Its last state, stamped with that revision, is what watchers see. */
  remove(kindId: string, object: AnyObject): AnyObject {
    const before = this.find(kindId, keyOf(object));
    const last = this.#stamp(object);
    this.#kinds.get(kindId)?.delete(keyText(keyOf(object)));
    this.#byUid.delete(object.metadata.uid ?? '');
    this.#record({ revision: this.#revision, kindId, before, after: undefined, object: last });
    return last;
  }

  /** The changes after a revision, oldest first. @throws KubeFault `expired` when the history, that of the kind if one is told, does not reach back that far */
  changesAfter(revision: number, kindId?: string): readonly Change[] {
    const remembered = Math.max(this.#compactedRevision, this.#forgotten.get(kindId ?? '') ?? 0);
    if (revision < remembered) {
      const message = `watching: the resourceVersion ${revision} is older than what the cluster remembers (${remembered}); list again`;
      throw new KubeFault('expired', message, { status: 410, reason: 'Expired' });
    }
    return this.#history.filter((change) => change.revision > revision);
  }

  /** Forgets the history up to a revision, by default all of it. */
  compact(revision: number = this.#revision): void {
    this.#compactedRevision = Math.max(this.#compactedRevision, revision);
    this.#history = this.#history.filter((change) => change.revision > this.#compactedRevision);
  }

  /** Forgets the history of one kind, as the watch cache does that is begun anew. */
  forget(kindId: string): void {
    this.#forgotten.set(kindId, this.#revision);
  }

  /** Calls `listener` in the same instant as each change; the returned function ends that. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #stamp(object: AnyObject): AnyObject {
    this.#revision += 1;
    return deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } });
  }

  #record(change: Change): void {
    this.#ordered.delete(change.kindId);
    this.#history.push(change);
    if (this.#history.length > historyLimit) this.compact(this.#revision - historyLimit / 2);
    for (const listener of this.#listeners) listener(change);
  }
}
