import type { ParsedSpec, PerformerStatus } from '../../api/v1alpha1/performer.ts';
import type { Node, ObjectKey, Pod, Service } from '../../kube/objects.ts';

export interface PerformerView {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAtMs: number;
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
  /** As written, whether or not the rest of the spec can be read. */
  readonly managedBy?: string;
  readonly parsed: ParsedSpec;
  /** Of the spec; '' when it cannot be read. Stands here, so that a snapshot whose environment values are hashed still replays. */
  readonly revision: string;
  readonly status: PerformerStatus | undefined;
}

/** What is known of the nodes that pods of this Performer are bound to. */
export interface NodesSeen {
  /** By name; null: a live read found that there is no such node. A name that is missing is not known. */
  readonly byName: Readonly<Record<string, Node | null>>;
  /** Of the whole cluster. */
  readonly total: number;
  readonly unreachable: number;
}

export interface Denial {
  readonly kind: 'create' | 'patch' | 'delete';
  readonly resource: 'Pod' | 'Service';
  /** What the API server said. */
  readonly message: string;
  /** Server time before which it is not tried again; absent: as soon as the pass is repeated. */
  readonly untilMs?: number;
}

export interface ServiceWriter {
  /** Its field manager's name, '' where it is not known. */
  readonly manager: string;
  /** Server time until which we leave the Service alone. */
  readonly untilMs: number;
}

/** All that one pass sees of the world around one key: plain JSON, so that it can be stored, compared and replayed. */
export interface Snapshot {
  readonly key: ObjectKey;
  /** The API server's time, ms since the epoch, whole seconds at best. */
  readonly nowMs: number;
  /** Undefined when it does not exist (any more). */
  readonly performer: PerformerView | undefined;
  /** Pods controlled by a Performer of this name, selected by its label, or holding one of its names. Any order. */
  readonly pods: readonly Pod[];
  /** Whatever Service holds the Performer's Service name. */
  readonly service: Service | undefined;
  /** Undefined where nodes may not be read, or none matters now: no pod counts as lost then. */
  readonly nodes?: NodesSeen;
  /** uids of the pods that EndpointSlices of the Service call ready; undefined where none matters now, or where slices may not be read. */
  readonly routed?: readonly string[];
  /** The run ends after this pass: what is still unsaid in status is said now. */
  readonly lastPass: boolean;
  /** A write that the API server refused for good, in this pass or not long ago: it is not planned, and the status says so. */
  readonly denied?: Denial;
  /** Who keeps putting back what we put right on the Service: we leave it alone for a while. */
  readonly serviceWriter?: ServiceWriter;
  /** Somebody else keeps putting back the status: of it only the conditions are written until this server time; nothing, where those are put back too. */
  readonly statusDisputed?: { readonly untilMs: number; readonly whole: boolean };
  /** Fields of a status that the CRD at hand did not keep: they are not asked for again until this server time. */
  readonly statusUnkept?: { readonly untilMs: number; readonly fields: readonly string[] };
}

/** What the operator was told at start; never changes a Performer's revision. */
export interface Settings {
  /** How long a healthy start may stay out of the status. */
  readonly quietMs: number;
  /** Last part of the names of Services. */
  readonly clusterDomain: string;
  /** For Performers that name none. */
  readonly securityProfile: 'privileged' | 'baseline' | 'restricted';
}
