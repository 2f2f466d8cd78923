import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../src/api/v1alpha1/naming.ts';
import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { type Node, nodes, type Pod, pods } from '../../src/kube/objects.ts';
import { formatTime } from '../../src/lib/time.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import type { TestOperator } from '../support/operator.ts';
import { lines, performer, pod, revisionOf, service, settings, snapshot, startMs } from '../support/snapshots.ts';
import { conditionOf, keyOf, servedPerformer, serving, statusOf } from './support/world.ts';

const first = keyOf('performer-x');
const unreachable = (operator: TestOperator, ...effects: readonly string[]): object => ({
  taints: effects.map((effect) => ({ key: 'node.kubernetes.io/unreachable', effect, timeAdded: formatTime(operator.clock.nowMs()) })),
});

/** A served Performer whose pod stands on the node `far`, one of six. */
async function servedOnFar(spec: Partial<PerformerSpecInput> = {}): Promise<TestOperator> {
  const operator = await servedPerformer(spec);
  await operator.clock.advance(60_000);
  for (const name of ['far', 'b', 'c', 'd', 'e']) await operator.cluster.api().create(nodes, { metadata: { name } });
  operator.cluster.update(pods, first, (stored) => ({ ...stored, spec: { ...stored.spec, nodeName: 'far' } }) as Pod);
  return operator;
}

function changeNode(operator: TestOperator, name: string, spec: object, ready: string): void {
  operator.cluster.update(
    nodes,
    { namespace: '', name },
    (node) => ({ ...node, spec, status: { conditions: [{ type: 'Ready', status: ready }] } }) as Node,
  );
}

const setReady = (operator: TestOperator, ready: boolean): void =>
  operator.cluster.setPodStatus(first, {
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(operator.clock.nowMs()) }],
  });

const lose = (operator: TestOperator): void => {
  changeNode(operator, 'far', unreachable(operator, 'NoSchedule', 'NoExecute'), 'Unknown');
  setReady(operator, false);
};
const replaced = expect.stringMatching(/^performer-x-[0-9a-f]{4}-1$/);
const names = (list: readonly Pod[]): readonly (string | undefined)[] => list.map((one) => one.metadata?.name);

describe('a node that is lost', () => {
  it('FM-1 is said at the first sign, and its pod replaced once the node controller is sure', async () => {
    const operator = await servedOnFar();
    changeNode(operator, 'far', unreachable(operator, 'NoSchedule'), 'Unknown');
    setReady(operator, false);
    await operator.once();
    expect(conditionOf(operator, 'NodeLost')?.message).toContain('performer-x is on node far');
    expect(operator.pods()).toHaveLength(1);
    lose(operator);
    await operator.clock.advance(5_000);
    await operator.once(30_000);
    expect(names(serving(operator))).toEqual([replaced]);
    expect(statusOf(operator)).toMatchObject({ ready: true, podName: replaced });
  });

  it('FM-2 leaves a corpse that nothing waits for, and that nobody deletes by force', async () => {
    const operator = await servedOnFar();
    lose(operator);
    const { stop } = await operator.watch();
    await operator.clock.advance(30_000);
    operator.cluster.remove(pods, first);
    await operator.clock.advance(900_000);
    await stop();
    expect(names(serving(operator))).toEqual([replaced]);
    const corpse = operator.cluster.find(pods, first);
    expect(corpse?.metadata?.deletionGracePeriodSeconds).toBe(30);
    expect(corpse?.metadata?.labels).not.toHaveProperty(labels.performer);
    expect((await operator.once()).writes).toEqual({ create: 0, patch: 0, delete: 0 });
  });

  it('FM-3 is proof enough for Strict once a person says that it is off', async () => {
    const operator = await servedOnFar({ nodeLossPolicy: 'Strict' });
    lose(operator);
    await operator.clock.advance(60_000);
    await operator.once();
    expect(names(operator.pods())).toEqual(['performer-x']);
    changeNode(operator, 'far', { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] }, 'Unknown');
    await operator.once(30_000);
    expect(names(serving(operator))).toEqual([replaced]);
  });

  it('FM-4 is proof enough for Strict when its object is deleted', async () => {
    const operator = await servedOnFar({ nodeLossPolicy: 'Strict' });
    lose(operator);
    operator.cluster.remove(nodes, { namespace: '', name: 'far' });
    await operator.clock.advance(10_000);
    await operator.once(30_000);
    expect(names(serving(operator))).toEqual([replaced]);
  });

  it('FM-5 under Strict has no second pod beside it for as long as nothing is proven', async () => {
    const operator = await servedOnFar({ nodeLossPolicy: 'Strict' });
    lose(operator);
    const { stop } = await operator.watch();
    await operator.clock.advance(600_000);
    operator.cluster.remove(pods, first);
    await operator.clock.advance(600_000);
    await stop();
    expect(names(operator.pods())).toEqual(['performer-x']);
    expect(conditionOf(operator)).toMatchObject({ status: 'False' });
  });

  it('FM-6 that comes back brings a pod that is not routed to any more, and goes', async () => {
    const operator = await servedOnFar();
    lose(operator);
    const { stop } = await operator.watch();
    await operator.clock.advance(8_000);
    changeNode(operator, 'far', {}, 'True');
    setReady(operator, true);
    expect(names(serving(operator))).toEqual([replaced]);
    await operator.clock.advance(60_000);
    await stop();
    expect(operator.cluster.find(pods, first)?.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      annotations: { [annotations.withdrawnAt]: expect.any(String) },
    });
  });

  it('FM-7 together with most others changes nothing: it is the view that is broken', async () => {
    const operator = await servedOnFar();
    for (const name of ['b', 'c', 'd', 'node-1']) changeNode(operator, name, unreachable(operator, 'NoSchedule'), 'Unknown');
    lose(operator);
    const { writes, stop } = await operator.watch();
    await operator.clock.advance(600_000);
    await stop();
    expect(writes.delete).toBe(0);
    expect(names(operator.pods())).toEqual(['performer-x']);
    expect(operator.cluster.find(pods, first)?.metadata?.labels).toMatchObject({ [labels.performer]: 'x' });
    expect(conditionOf(operator, 'NodeLost')?.status).toBe('True');
  });
});

describe('a new pod that is ready', () => {
  it('FM-32 does not take over before calls are sent to it', () => {
    const fresh = { name: 'performer-x-aaaa-1', index: 1, revision: revisionOf({ image: 'avs:2' }), image: 'avs:2' };
    const both = snapshot({
      performer: performer({ image: 'avs:2' }),
      pods: [pod(), pod({ ...fresh, createdAtMs: startMs })],
      service: service(),
    });
    const said = (routed: readonly string[]): readonly string[] => lines(planPerformer({ ...both, routed }, settings).actions);
    expect(said(['uid-performer-x'])).not.toContain('patch Pod performer-x Withdraw');
    expect(said(['uid-performer-x', `uid-${fresh.name}`])).toContain('patch Pod performer-x Withdraw');
  });
});
