import type { AuditEntry } from '../../chaos/audit.ts';
import { accountOf } from '../../chaos/subject.ts';
import type { Kind, Sight, Trace } from '../../chaos/trace/trace.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, type Resource } from '../../src/kube/objects.ts';
import { calmContext, createOracles, OracleBoard, type Write } from '../../src/oracle/kit.ts';
import { fastTimings } from '../../src/sim/nodes/timings.ts';
import { SimOperator } from '../../src/sim/operators.ts';
import { SimWorld } from '../../src/sim/sim-world.ts';

const account = accountOf('hourglass-system', 'hourglass-operator');
const kinds: Readonly<Record<string, Kind>> = {
  pods: 'pods',
  services: 'services',
  nodes: 'nodes',
  'performers.hourglass.eigenlayer.io': 'performers',
  'endpointslices.discovery.k8s.io': 'endpointSlices',
};

/** A simulated operator and all that an API server's watches and audit log would tell of it. */
export class SimRecord {
  readonly world: SimWorld;
  readonly operator: SimOperator;
  readonly #sights: Sight[] = [];
  readonly #entries: AuditEntry[] = [];

  constructor(seed: number) {
    const board = new OracleBoard(createOracles(calmContext));
    this.world = new SimWorld({ seed, nodes: 3, fronts: 2, timings: fastTimings, board, keeps: 0 });
    this.world.createNamespace('ns');
    const { store } = this.world.server;
    for (const node of store.list('nodes')) this.#see('nodes', node, Number(node.metadata.resourceVersion), true);
    store.onChange(({ kindId, after, object, revision }) => {
      const kind = kinds[kindId];
      if (kind !== undefined) this.#see(kind, object, revision, false, after === undefined);
    });
    this.world.onEffect = (write) => this.#entries.push(toEntry(write));
    this.operator = new SimOperator(this.world, { name: 'operator-0', mode: 'watch' });
    this.operator.start();
  }

  async run(seconds: number): Promise<void> {
    await this.world.clock.runUntil(this.world.clock.monotonicMs() + seconds * 1_000);
  }

  ask(object: KubeObject): void {
    this.world.server.create(performers as Resource<KubeObject>, object);
  }

  change(name: string, spec: object): void {
    const key = { namespace: 'ns', name };
    this.world.server.patch(performers as Resource<KubeObject>, key, { spec } as never, {});
  }

  #see(kind: Kind, object: KubeObject, version: number, first: boolean, gone = false): void {
    const base = { kind, key: keyOf(object), uid: object.metadata?.uid ?? '', version, atMs: this.world.clock.nowMs() };
    this.#sights.push({ ...base, ...(first ? { first } : {}), ...(gone ? {} : { object }) });
  }

  trace(): Trace {
    return { namespace: 'ns', account, sights: this.#sights, entries: this.#entries };
  }
}

const codes: Readonly<Record<string, number>> = { ok: 200, conflict: 409, alreadyExists: 409, notFound: 404, invalid: 422, forbidden: 403 };

function toEntry({ atMs, actor, verb, plural, subresource, key, sent, preconditions, result, after }: Write): AuditEntry {
  const body = sent as KubeObject;
  const requestObject =
    verb === 'delete' ? { preconditions } : verb === 'patch' ? { ...body, metadata: { ...body.metadata, ...preconditions } } : body;
  return {
    stage: 'ResponseComplete',
    verb,
    userAgent: 'hourglass-operator/simulated',
    user: { username: account, extra: { 'authentication.kubernetes.io/pod-name': [actor] } },
    objectRef: { resource: plural, ...(subresource === undefined ? {} : { subresource }), ...key },
    requestReceivedTimestamp: new Date(atMs).toISOString(),
    stageTimestamp: new Date(atMs).toISOString(),
    requestObject: requestObject as NonNullable<AuditEntry['requestObject']>,
    ...(after === undefined ? {} : { responseObject: after }),
    responseStatus: { code: codes[result] ?? 500 },
  };
}
