import type { ObjectKey, Pod } from '../src/kube/objects.ts';
import type { Change, Write } from '../src/oracle/kit.ts';

/** One task of the load, as its caller tells of it. */
export interface Call {
  readonly kind: 'answered' | 'failed';
  readonly id: string;
  readonly atMs: number;
  readonly tookMs: number;
  /** The pod that answered. */
  readonly instance?: string;
  /** Its uid: some give the next pod the same name. */
  readonly uid?: string;
  readonly version?: string;
  /** How often that pod began this task. */
  readonly runs?: number;
  /** gRPC code of a failure. */
  readonly code?: number;
  readonly details?: string;
}

/** The same, with who called whom. */
export interface LoadCall extends Call {
  readonly performer: string;
  /** Node of the caller. */
  readonly from: string;
}

/** A holder of a Lease was heard. */
export interface Renewal {
  /** `operator`, or the name of a node. */
  readonly of: string;
  readonly holder: string;
  readonly atMs: number;
  readonly durationMs: number;
}

/** A pod of the operator as it was seen. */
export interface OperatorPod {
  readonly atMs: number;
  readonly key: ObjectKey;
  readonly after: Pod | undefined;
}

/** What the operator asked the API server for, by the audit log. */
export interface OperatorRequest {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly pod: string;
  readonly verb: string;
  /** '' for what is no resource. */
  readonly plural: string;
  readonly uri: string;
  readonly code: number;
}

/** All that was seen of a cluster in one experiment, in the order it came; times by the clock of whoever looked, ms since the epoch. */
export interface Observations {
  readonly calls: readonly LoadCall[];
  /** A pod (uid) began a task. */
  readonly begun: readonly { readonly id: string; readonly uid: string }[];
  readonly changes: readonly Change[];
  /** From the audit log; undefined where there is none to read, or it was begun anew meanwhile. */
  readonly writes: readonly Write[] | undefined;
  /** Of the operator, in every namespace and reads as well; undefined where `writes` is. */
  readonly requests: readonly OperatorRequest[] | undefined;
  readonly renewals: readonly Renewal[];
  readonly operatorPods: readonly OperatorPod[];
  /** A kubelet ended the connection through which it told what a caller says, though that goes on. */
  readonly hangUps: readonly { readonly node: string; readonly atMs: number }[];
}

/** When what came, ms since the epoch. */
export interface Times {
  readonly beganMs: number;
  /** The fault was asked for. */
  readonly askedMs: number;
  /** It was first felt where it acts, not where it was asked for; `askedMs` when it never was. */
  readonly feltMs: number;
  /** Its end was asked for, or came by itself; `feltMs` for what happens in an instant. */
  readonly healedMs: number;
  /** Everything was as asked again; undefined when it never was. */
  readonly convergedMs: number | undefined;
  readonly endedMs: number;
}

/** Whom it met. */
export interface Met {
  readonly performer: string;
  /** Name and uid of its pod, and of the pods of the operator where those were meant. */
  readonly pods: readonly { readonly name: string; readonly uid: string }[];
  /** Nodes that were cut off or off: what callers there say is not judged. */
  readonly nodes: readonly string[];
  /** A Performer that was asked for while the operator could not hear of it, or that cannot run. */
  readonly asked?: string;
}

/** Whether one of these pods answered. Pure. */
export function isAnswerOf({ kind, uid, instance }: Call, pods: Met['pods']): boolean {
  return kind === 'answered' && pods.some((pod) => (uid === undefined ? pod.name === instance : pod.uid === uid));
}
