import { beforeEach, describe, expect, it } from 'vitest';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { endpointSlices, type KubeObject, keyOf, nodes, type ObjectKey, pods, type Resource } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { createOracles } from '../../../src/oracle/all.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { calmContext } from '../../../src/oracle/define.ts';
import { observeCluster } from '../../../src/oracle/observe.ts';
import type { Write } from '../../../src/oracle/oracle.ts';
import { isRoutable } from '../../../src/oracle/words.ts';
import type { MemoryCluster } from '../../support/memory-cluster.ts';
import { TestOperator } from '../../support/operator.ts';

const key = { namespace: 'default', name: 'x' };

/** The operator's calls, told to a board once their changes were seen. */
function audited(operator: TestOperator, board: OracleBoard): KubeApi {
  const kube = operator.cluster.api();
  const tell = async <T>(
    verb: Write['verb'],
    resource: Resource<KubeObject>,
    on: ObjectKey,
    sent: unknown,
    options: object,
    call: () => Promise<T>,
  ): Promise<T> => {
    const before = operator.cluster.find(resource, on);
    const result = await call();
    await new Promise((resolve) => setImmediate(resolve));
    const after = operator.cluster.find(resource, on);
    const { uid, resourceVersion, subresource } = options as { uid?: string; resourceVersion?: string; subresource?: 'status' };
    board.write({
      atMs: operator.clock.nowMs(),
      actor: 'operator-1',
      verb,
      plural: resource.plural,
      key: on,
      sent,
      before,
      after,
      result: 'ok',
      preconditions: { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      ...(subresource === undefined ? {} : { subresource }),
    });
    return result;
  };
  return {
    list: (...args) => kube.list(...args),
    get: (...args) => kube.get(...args),
    watch: (...args) => kube.watch(...args),
    create: (resource, object, options) =>
      tell('create', resource, keyOf(object), object, {}, () => kube.create(resource, object, options)),
    patch: (resource, on, patch, options) => tell('patch', resource, on, patch, options, () => kube.patch(resource, on, patch, options)),
    delete: (resource, on, options) => tell('delete', resource, on, undefined, options, () => kube.delete(resource, on, options)),
    event: (...args) => kube.event(...args),
    serverNowMs: () => kube.serverNowMs(),
  };
}

/** What the endpoint controller does for Service `performer-x`. */
function route(cluster: MemoryCluster): void {
  const on = { ...key, name: 'performer-x-1' };
  const ready = cluster.objects(pods).filter((pod) => isRoutable(pod, 'x'));
  const endpoints = ready.map((pod) => ({
    addresses: ['10.0.0.1'],
    conditions: { ready: true },
    targetRef: { uid: pod.metadata?.uid ?? '' },
  }));
  const metadata = { ...on, labels: { 'kubernetes.io/service-name': 'performer-x' } };
  if (cluster.find(endpointSlices, on) === undefined)
    void cluster.api().create(endpointSlices, { addressType: 'IPv4', metadata, endpoints });
  else cluster.update(endpointSlices, on, (slice) => ({ ...slice, endpoints }));
}

describe('oracles beside the real operator', () => {
  let operator: TestOperator;
  let board: OracleBoard;
  let stop: AbortController;
  beforeEach(async () => {
    operator = new TestOperator();
    operator.cluster.registerKind(endpointSlices, { statusSubresource: false });
    board = new OracleBoard(createOracles(calmContext));
    stop = new AbortController();
    const observing = observeCluster({
      kube: operator.cluster.api(),
      clock: operator.clock,
      signal: stop.signal,
      random: () => 0.5,
      onChange: (change) => {
        board.change(change);
        if (change.kind === 'pods') operator.clock.timer(100, () => route(operator.cluster));
      },
    });
    await operator.letPass(observing);
    return () => stop.abort();
  });
  const run = async (): Promise<void> => {
    const watch = await operator.watch(audited(operator, board));
    await operator.clock.advance(40_000);
    await watch.stop();
  };
  const rest = (): readonly string[] => {
    board.rest({ atMs: operator.clock.nowMs(), silentWrites: [] });
    return board.violations.map((one) => `${one.oracle} ${one.key}: ${one.message}`);
  };
  const evaluated = (...ids: readonly string[]): boolean =>
    ids.every((id) => (board.oracles.find((one) => one.id === id)?.evaluated() ?? 0) > 0);

  it('find nothing wrong with a life of a Performer', async () => {
    await operator.ask('x', { replicas: 2, config: { environment: { TOKEN: 'correct-horse' } } });
    await run();
    operator.change('x', { image: 'avs:2' });
    await run();
    operator.change('x', { replicas: 1 });
    await run();
    expect(rest()).toEqual([]);
    expect(evaluated('S1', 'R1', 'R2', 'S2', 'W1', 'W2', 'S4', 'S6', 'S5', 'S5f', 'S8', 'S7', 'S7w', 'L5', 'L1', 'L4', 'S3')).toBe(true);
    operator.cluster.remove(performers, key);
    await run();
    expect(rest()).toEqual([]);
    expect(operator.cluster.objects(pods)).toEqual([]);
  });

  it.each([{ type: 'Recreate' as const }, { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }])(
    'find nothing wrong with $type',
    async (strategy) => {
      await operator.ask('x', { strategy, nodeLossPolicy: 'Strict' });
      await run();
      operator.change('x', { image: 'avs:2' });
      await run();
      expect(rest()).toEqual([]);
    },
  );

  it.each(['Route', 'Strict'] as const)('find nothing wrong with a lost node under %s', async (nodeLossPolicy) => {
    for (const name of ['node-2', 'node-3']) await operator.cluster.api().create(nodes, { metadata: { name } });
    await operator.ask('x', { nodeLossPolicy });
    await run();
    const since = new Date(operator.clock.nowMs()).toISOString();
    operator.cluster.update(nodes, { namespace: '', name: 'node-1' }, (node) => ({
      ...node,
      spec: { ...node.spec, taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: since }] },
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' }] },
    }));
    operator.cluster.setPodStatus(
      { namespace: 'default', name: 'performer-x' },
      { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: since }] },
    );
    await run();
    expect(board.violations).toEqual([]);
    const names = operator.cluster.objects(pods).map((pod) => keyOf(pod).name);
    expect(names.includes('performer-x')).toBe(nodeLossPolicy === 'Strict');
    expect(evaluated('S6')).toBe(nodeLossPolicy === 'Route');
  });
});
