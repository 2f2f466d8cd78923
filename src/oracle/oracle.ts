import type { Performer } from '../api/v1alpha1/performer.ts';
import type { KubeFaultCode } from '../kube/faults.ts';
import type { EndpointSlice, KubeObject, Node, ObjectKey, Pod, Service } from '../kube/objects.ts';

/** The kinds an oracle sees, by the name of each in a `ClusterView`. */
export interface SeenKinds {
  readonly performers: Performer;
  readonly pods: Pod;
  readonly services: Service;
  readonly endpointSlices: EndpointSlice;
  readonly nodes: Node;
}

/** The cluster as it stands after a change; by `keyText`. Never changed by an oracle. */
export type ClusterView = { readonly [Kind in keyof SeenKinds]: ReadonlyMap<string, SeenKinds[Kind]> };

/** One object that came, changed or went. */
export interface Change<Kind extends keyof SeenKinds = keyof SeenKinds> {
  /** The API server's time, ms since the epoch. */
  readonly atMs: number;
  readonly kind: Kind;
  readonly key: ObjectKey;
  readonly before: SeenKinds[Kind] | undefined;
  readonly after: SeenKinds[Kind] | undefined;
}

/** One write that reached the API server, as its audit log has it. */
export interface Write {
  readonly atMs: number;
  /** Who wrote: the user name, or the process in a simulation. Operators under test start with `operator`. */
  readonly actor: string;
  /** Since when the process of that name runs, where it is known: another one knows nothing of what the last one learned. */
  readonly processSinceMs?: number;
  readonly verb: 'create' | 'patch' | 'update' | 'delete';
  readonly plural: string;
  readonly subresource?: 'status';
  readonly key: ObjectKey;
  /** What the caller asked for: the sent object of a create, the patch, the options of a delete. */
  readonly sent: unknown;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  /** `ok`, or the fault by which the API server refused it. */
  readonly result: 'ok' | KubeFaultCode;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  /** By the world's own knowledge, not the actor's: it held the Lease, or nobody had to, when the API server took the write. Undefined where nobody can tell. */
  readonly entitled?: boolean;
  /** Whether the caller never heard what became of it; that turns out later, and only in a simulation. */
  readonly outcome?: { readonly isUnknown: boolean };
}

/** One line that an operator writes into its log. */
export interface LogLine {
  readonly atMs: number;
  readonly actor: string;
  readonly text: string;
}

/** One call of a client through a performer's Service. */
export interface Answer {
  readonly atMs: number;
  /** The Performer called. */
  readonly key: ObjectKey;
  /** The node the client is on. */
  readonly from: string;
  /** The pod that answered; undefined: nobody did. */
  readonly podUid: string | undefined;
  /** Whether the client's node knew any pod to send it to; left out where nobody can tell. */
  readonly routed?: boolean;
  /** Whether client and pod are on opposite sides of a cut, or the client is on the side without the API server, or on a node that is off. */
  readonly insideCut: boolean;
}

/** One instance of a performer's container that runs, whatever the API server believes. */
export interface Instance {
  readonly podUid: string;
  readonly key: ObjectKey;
  readonly node: string;
}

export interface Violation {
  readonly oracle: string;
  readonly atMs: number;
  /** The object it is about, as `keyText`. */
  readonly key: string;
  /** What is, what should be, for a reader who knows only Kubernetes. */
  readonly message: string;
}

/** The end of a run: faults are over, the liveness deadline has passed, and nothing was to be written any more. */
export interface Rest {
  readonly atMs: number;
  readonly view: ClusterView;
  /** Writes by operators, Leases left out, in the window of silence before `atMs`. */
  readonly silentWrites: readonly Write[];
  /** How long status may take to follow a pod, ms: of a Performer whose pods changed since, nothing is said. Left out: no time at all. */
  readonly graceMs?: number;
}

/**
 * A statement about a cluster, in the words of the specification and not by the operator's own functions.
 * It is told everything in order and answers with what is wrong; it keeps its own memory and changes nothing.
 */
export interface Oracle {
  /** Stable, as in reports: `S1`, `L4`, … */
  readonly id: string;
  /** One sentence that a user can check. */
  readonly statement: string;
  /** How often its statement was put to a test so far; an oracle that stays at 0 proves nothing. */
  readonly evaluated: () => number;
  readonly onChange?: (change: Change, view: ClusterView) => readonly Violation[];
  readonly onWrite?: (write: Write, view: ClusterView) => readonly Violation[];
  readonly onLog?: (line: LogLine, view: ClusterView) => readonly Violation[];
  readonly onAnswer?: (answer: Answer, view: ClusterView) => readonly Violation[];
  /** What runs on the nodes changed. */
  readonly onInstances?: (instances: readonly Instance[], atMs: number, view: ClusterView) => readonly Violation[];
  readonly atRest?: (rest: Rest) => readonly Violation[];
}
