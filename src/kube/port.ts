import type { Json } from '../lib/canonical-json.ts';
import type { KubeObject, ObjectKey, Resource } from './objects.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the whole call; default 30 s. Watches have none. */
  readonly timeoutMs?: number;
}

export interface ListOptions<T extends KubeObject = KubeObject> extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * What is kept of an object, applied as soon as it is parsed, so that no more than a page of whole ones is ever in memory.
   * Pure; keeps name, namespace, uid and resourceVersion. Lists and watches never carry `metadata.managedFields`.
   */
  readonly project?: (object: T) => T;
}

export interface ListResult<T> {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface WatchOptions<T extends KubeObject = KubeObject> extends ListOptions<T> {
  /** '' with `initialEvents`. */
  readonly resourceVersion: string;
  /** A watch-list: the objects as they are now come first, as ADDED, then a BOOKMARK with `initialEventsEnd`. Servers that cannot do it throw `invalid`, or ignore it. */
  readonly initialEvents?: boolean;
  /** The server ends the stream after this long. */
  readonly timeoutSeconds?: number;
  /** Called once, when the server has taken the watch, before its first event. */
  readonly onOpen?: () => void;
}

/** `BOOKMARK` carries no object, only how far the stream has come. An ERROR event is thrown as a `KubeFault`. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: true };

export interface PatchOptions extends CallOptions {
  readonly subresource?: 'status';
  /** The version the decision was made on. A different one stored gives the fault `conflict`. */
  readonly resourceVersion: string;
}

export interface DeleteOptions extends CallOptions {
  /** Both as seen by the decision; a difference gives the fault `conflict`. */
  readonly uid: string;
  readonly resourceVersion: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** An Event on an object. Two with the same `name` are one: the second is dropped. */
export interface EventRecord {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  /** Name of the Event object, derived from what it tells, so that a repeated pass does not repeat it. */
  readonly name: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly action: string;
  /** Present when the Event of this name is stored and what it tells came again: how often by now, and when last by the server's time. */
  readonly series?: { readonly count: number; readonly lastSeenMs: number };
}

/**
 * Kubernetes as the operator sees it. Implemented over HTTP by `src/kube-client` and in memory by `src/sim`; one contract suite runs on both.
 *
 * Every method rejects with a `KubeFault` and nothing else. Objects are plain JSON and never changed by either side after they crossed.
 */
export interface KubeApi {
  /** All pages of a consistent list (read from etcd or as fresh as that). Items carry `apiVersion` and `kind`. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions<T>): Promise<ListResult<T>>;
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: CallOptions): Promise<T>;
  /**
   * Events after `resourceVersion`, bookmarks included. Ends when the server ends the stream; throws `expired` when the version is too old,
   * `unreachable` within seconds when the connection dies, also without a word.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions<T>): AsyncIterable<WatchEvent<T>>;
  /** The namespace is the object's own. */
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions): Promise<T>;
  /** A JSON merge patch (RFC 7396) of the object, or of its status. */
  patch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: Json, options: PatchOptions): Promise<T>;
  /** The object as it stands after the call: still there and terminating, or undefined when it is gone at once. */
  delete<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: DeleteOptions): Promise<T | undefined>;
  event(event: EventRecord, options?: CallOptions): Promise<void>;
  /** The API server's time: its newest `Date` header, moved on by the monotonic clock. The local clock before the first answer. Whole seconds at best: a wait that decides adds 1 s. */
  serverNowMs(): number;
}
