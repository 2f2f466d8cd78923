import { labels } from '../../../src/api/v1alpha1/naming.ts';
import type { Performer } from '../../../src/api/v1alpha1/performer.ts';
import { type EndpointSlice, type KubeObject, keyOf, type Node, type Pod, type Service } from '../../../src/kube/objects.ts';
import { formatTime } from '../../../src/lib/time.ts';
import { createOracles } from '../../../src/oracle/all.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { calmContext, type OracleContext } from '../../../src/oracle/define.ts';
import type { SeenKinds, Write } from '../../../src/oracle/oracle.ts';

export const startMs = Date.parse('2026-01-01T00:00:00Z');
export const context: OracleContext = {
  viewLagMs: 2_000,
  proofLagMs: 1_000,
  clockAheadMs: 0,
  endpointLagMs: 2_000,
  settleMs: 10_000,
  lateUntilMs: () => Number.NEGATIVE_INFINITY,
  waitFactor: 1,
  knowsWrites: true,
  calmSinceMs: () => 0,
};

const owner = { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: 'x', uid: 'u1', controller: true };

export function performer(
  spec: object = {},
  change: { generation?: number; uid?: string; deleting?: boolean; status?: object; finalizers?: string[] } = {},
): Performer {
  const { generation = 1, uid = 'u1', deleting = false, status, finalizers } = change;
  return {
    metadata: {
      namespace: 'a',
      name: 'x',
      uid,
      generation,
      resourceVersion: '1',
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(deleting ? { deletionTimestamp: formatTime(startMs) } : {}),
    },
    spec: { avsAddress: `0x${'a'.repeat(40)}`, image: 'i:1', config: { grpcPort: 9090 }, ...spec },
    ...(status === undefined ? {} : { status }),
  } as Performer;
}

export interface PodFacts {
  readonly name?: string;
  readonly ownerUid?: string;
  readonly image?: string;
  readonly revision?: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly phase?: string;
  readonly node?: string;
  readonly deleting?: boolean;
  /** Seconds after the start at which it was withdrawn. */
  readonly outAt?: number;
  readonly bornAt?: number;
}

export function pod(facts: PodFacts = {}): Pod {
  const {
    name = 'performer-x',
    ownerUid = 'u1',
    image = 'i:1',
    revision = 'r1',
    ready = true,
    started = ready,
    phase = 'Running',
    node = 'n1',
  } = facts;
  const { outAt, deleting = false, bornAt = 0 } = facts;
  return {
    metadata: {
      namespace: 'a',
      name,
      uid: `${ownerUid}/${name}`,
      resourceVersion: '1',
      creationTimestamp: formatTime(startMs + bornAt * 1_000),
      labels: {
        app: 'hourglass-performer',
        [labels.instance]: 'x',
        ...(revision === '' ? {} : { [labels.revision]: revision }),
        ...(outAt === undefined ? { [labels.performer]: 'x' } : {}),
      },
      ...(outAt === undefined ? {} : { annotations: { 'hourglass.eigenlayer.io/withdrawn-at': formatTime(startMs + outAt * 1_000) } }),
      ...(deleting ? { deletionTimestamp: formatTime(startMs) } : {}),
      ownerReferences: [{ ...owner, uid: ownerUid }],
    },
    spec: { nodeName: node, containers: [{ name: 'performer', image, ports: [{ name: 'grpc', containerPort: 9090 }] }] },
    status: {
      phase,
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'performer', ready, started, restartCount: 0, image, imageID: '' }],
    },
  } as unknown as Pod;
}

export const later = (index: number, facts: PodFacts = {}): Pod => pod({ name: `performer-x-abcd-${index}`, ...facts });

export function service(change: object = {}, spec: object = {}): Service {
  const ports = [{ name: 'grpc', port: 9090, targetPort: 'grpc', protocol: 'TCP' }];
  return {
    metadata: { namespace: 'a', name: 'performer-x', uid: 's1', resourceVersion: '1', ownerReferences: [owner], ...change },
    spec: { type: 'ClusterIP', selector: { [labels.performer]: 'x' }, ports, ...spec },
  } as Service;
}

export function node(name = 'n1', unreachable = false): Node {
  const taints = unreachable ? [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] : [];
  return {
    metadata: { name },
    spec: { taints },
    status: { conditions: [{ type: 'Ready', status: unreachable ? 'Unknown' : 'True' }] },
  } as unknown as Node;
}

export function slice(...uids: readonly string[]): EndpointSlice {
  const endpoints = uids.map((uid) => ({ addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { uid } }));
  return {
    addressType: 'IPv4',
    metadata: { namespace: 'a', name: 'performer-x-1', labels: { 'kubernetes.io/service-name': 'performer-x' } },
    endpoints,
  } as EndpointSlice;
}

export function ready(change: object = {}, conditionChange: object = {}): object {
  const condition = (type: string, status: string): object => ({
    type,
    status,
    reason: 'Serving',
    message: 'm',
    observedGeneration: 1,
    lastTransitionTime: formatTime(startMs),
    ...(type === 'Ready' ? conditionChange : {}),
  });
  return {
    observedGeneration: 1,
    phase: 'Running',
    ready: true,
    podName: 'performer-x',
    podIP: '10.0.0.1',
    replicas: 1,
    readyReplicas: 1,
    updatedReplicas: 1,
    conditions: [
      condition('Available', 'True'),
      condition('Progressing', 'False'),
      condition('Degraded', 'False'),
      condition('Ready', 'True'),
    ],
    ...change,
  };
}

export function notReady(reason: string, stalled = false): object {
  const condition = (type: string, status: string): object => ({
    type,
    status,
    reason,
    message: 'm',
    observedGeneration: 1,
    lastTransitionTime: formatTime(startMs),
  });
  const side = condition(stalled ? 'Stalled' : 'Reconciling', 'True');
  return {
    observedGeneration: 1,
    phase: stalled ? 'Failed' : 'Pending',
    ready: false,
    conditions: [condition('Available', 'False'), side, condition('Ready', 'False')],
  };
}

interface Sides {
  readonly before?: KubeObject | undefined;
  readonly after?: KubeObject | undefined;
  /** The patch changed nothing: the version stays. */
  readonly isIdle?: boolean;
}

/** A cluster that is told step by step, in seconds, and what the oracles make of it. */
export class Story {
  readonly board: OracleBoard;
  nowMs = startMs;

  constructor(change: Partial<OracleContext> = {}, board?: OracleBoard) {
    this.board = board ?? new OracleBoard(createOracles({ ...calmContext, ...context, ...change }));
  }

  /** Ids of the oracles that found something wrong, each once. */
  get found(): readonly string[] {
    return [...new Set(this.board.violations.map((one) => one.oracle))].toSorted();
  }

  evaluated(id: string): number {
    return this.board.oracles.find((oracle) => oracle.id === id)?.evaluated() ?? 0;
  }

  at(seconds: number): this {
    this.nowMs = startMs + seconds * 1_000;
    return this;
  }

  has(...objects: readonly KubeObject[]): this {
    for (const object of objects) this.#put(object);
    return this;
  }

  lacks(...objects: readonly KubeObject[]): this {
    for (const object of objects)
      this.board.change({ atMs: this.nowMs, kind: kindOf(object), key: keyOf(object), before: object as never, after: undefined });
    return this;
  }

  /** A write by an operator that took effect; a deletion leaves nothing. */
  writes(change: Partial<Write> & Sides): this {
    const { before } = change;
    const after = before === undefined || change.after === undefined || change.isIdle === true ? change.after : renewed(change.after);
    const object = after ?? before ?? {};
    const verb = before === undefined ? 'create' : after === undefined ? 'delete' : 'patch';
    if ((change.result ?? 'ok') === 'ok') {
      if (after === undefined) this.lacks(object);
      else this.#put(after);
    }
    const { uid = '', resourceVersion = '' } = before?.metadata ?? {};
    const preconditions = verb === 'create' ? {} : verb === 'delete' ? { uid, resourceVersion } : { resourceVersion };
    this.board.write({
      atMs: this.nowMs,
      actor: 'operator-1',
      verb,
      plural: kindOf(object),
      key: keyOf(object),
      sent: after,
      preconditions,
      result: 'ok',
      ...change,
      before,
      after,
    });
    return this;
  }

  rests(silentWrites: readonly Write[] = []): this {
    this.board.rest({ atMs: this.nowMs, silentWrites });
    return this;
  }

  #put(object: KubeObject): void {
    const kind = kindOf(object);
    const { namespace, name } = keyOf(object);
    const before = this.board.view[kind].get(namespace === '' ? name : `${namespace}/${name}`);
    this.board.change({ atMs: this.nowMs, kind, key: keyOf(object), before: before as never, after: object as never });
  }
}

/** As the API server stores what was patched. */
function renewed(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: `${object.metadata?.resourceVersion}1` } };
}

function kindOf(object: KubeObject): keyof SeenKinds {
  if ('endpoints' in object) return 'endpointSlices';
  const spec = (object as { spec?: object }).spec ?? {};
  if ('containers' in spec) return 'pods';
  if ('ports' in spec) return 'services';
  return 'taints' in spec ? 'nodes' : 'performers';
}
