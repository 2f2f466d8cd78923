import { describe, expect, it } from 'vitest';
import { labels } from '../../src/api/v1alpha1/naming.ts';
import { type Pod, pods } from '../../src/kube/objects.ts';
import { crds } from './support/crd.ts';
import { runOriginal } from './support/original-operator.ts';
import { avsAddress, conditionOf, imageOf, keyOf, leaveByOriginal, operatorOn, serving, total } from './support/world.ts';

const minuteMs = 60_000;

describe('the stand-in for the Go operator', () => {
  it('brings up a Performer, and at a new image takes the old pod down first', async () => {
    const operator = operatorOn('chart');
    await operator.ask('x', { config: { environment: { A: '1' } } });
    const original = await runOriginal(operator);
    await operator.clock.advance(5_000);
    expect(operator.pods().map((pod) => [pod.metadata?.name, imageOf(pod)])).toEqual([['performer-x', 'avs:1']]);
    expect(operator.status('x')).toMatchObject({ phase: 'Running', ready: true, readyTime: '2026-01-01T00:00:00Z' });
    operator.change('x', { image: 'avs:2' });
    let outage = false;
    for (let step = 0; step < 100; step += 1) {
      await operator.clock.advance(50);
      outage ||= serving(operator).length === 0;
    }
    await original.stop();
    expect(outage).toBe(true);
    expect(operator.pods().map((pod) => [pod.metadata?.name, imageOf(pod)])).toEqual([['performer-x', 'avs:2']]);
  });
});

describe.each(crds)('the Go operator and ours at once, with the CRD %s', (crd) => {
  it('get through one image change with two pods made at most, without an end of writing, and say ForeignWriter', async () => {
    const operator = operatorOn(crd);
    await leaveByOriginal(operator, 'x', { avsAddress, image: 'avs:1', config: { grpcPort: 8080 } });
    let made = 0;
    const seen = new Set(operator.pods().map((pod) => pod.metadata?.uid));
    const original = await runOriginal(operator);
    const { writes, stop } = await operator.watch();
    await operator.clock.advance(minuteMs);

    operator.change('x', { image: 'avs:2' });
    let said = false;
    const written: number[] = [];
    for (let minute = 0; minute < 10; minute += 1) {
      const before = total(writes) + total(original.writes);
      for (let step = 0; step < 120; step += 1) {
        await operator.clock.advance(500);
        for (const pod of operator.cluster.objects(pods)) {
          if (seen.has(pod.metadata?.uid)) continue;
          seen.add(pod.metadata?.uid);
          made += 1;
        }
        said ||= conditionOf(operator, 'ForeignWriter') !== undefined;
      }
      if (minute === 4) expect(made).toBeLessThanOrEqual(2);
      written.push(total(writes) + total(original.writes) - before);
    }
    expect(serving(operator).map(imageOf)).toContain('avs:2');
    expect(said).toBe(true);
    // The first minute may be lively; what follows is the pace at which both look again.
    expect(written.slice(1).every((count) => count <= 20)).toBe(true);
    await stop();
    await original.stop();
  });

  it('end in our hands once the other is stopped and the pod it made, which the status names, is deleted', async () => {
    const operator = operatorOn(crd);
    await leaveByOriginal(operator, 'x', { avsAddress, image: 'avs:1', config: { grpcPort: 8080 } });
    const original = await runOriginal(operator);
    const { stop } = await operator.watch();
    await operator.clock.advance(minuteMs);
    operator.change('x', { image: 'avs:2' });
    await operator.clock.advance(minuteMs);
    await original.stop();
    await operator.clock.advance(10 * minuteMs);
    expect(serving(operator).map(imageOf)).toEqual(['avs:2', 'avs:2']);
    expect(conditionOf(operator, 'ForeignWriter')?.message).toContain('Pod performer-x was made by another operator');
    operator.cluster.remove(pods, keyOf('performer-x'));
    await operator.clock.advance(minuteMs);
    await stop();
    const { outcomes, writes } = await operator.once();
    expect(outcomes.map(({ outcome }) => outcome.reason)).toEqual(['Serving']);
    expect(total(writes)).toBe(0);
    expect(operator.pods().map(imageOf)).toEqual(['avs:2']);
    expect(conditionOf(operator, 'ForeignWriter')).toBeUndefined();
  });
});

describe('the way back to the Go operator', () => {
  it.each(crds)('leaves one pod of its own per Performer once ours are deleted, and no Service empty meanwhile: %s', async (crd) => {
    const operator = operatorOn(crd);
    await operator.ask('x');
    await operator.ask('y', { config: { grpcPort: 8080 } });
    await operator.once(minuteMs);
    operator.change('x', { image: 'avs:2' });
    await operator.once(minuteMs);
    const kept = operator.cluster.find(pods, keyOf('performer-y'))?.metadata?.uid;

    const original = await runOriginal(operator);
    await operator.clock.advance(5_000);
    const isOurs = (pod: Pod): boolean => (pod.metadata?.labels?.[labels.index] ?? '0') !== '0';
    const leaving = operator.pods().filter(isOurs);
    expect(leaving).toHaveLength(1);
    expect(serving(operator)).toHaveLength(2);
    for (const pod of leaving) operator.cluster.remove(pods, keyOf(pod.metadata?.name ?? ''));
    expect(serving(operator)).toHaveLength(1);
    await operator.clock.advance(5 * minuteMs);
    await original.stop();
    expect(operator.pods().map((pod) => [pod.metadata?.name, imageOf(pod)])).toEqual([
      ['performer-x', 'avs:2'],
      ['performer-y', 'avs:1'],
    ]);
    expect(operator.cluster.find(pods, keyOf('performer-y'))?.metadata?.uid).toBe(kept);
    expect(operator.status('x')).toMatchObject({ phase: 'Running', ready: true, podName: 'performer-x' });
  });
});
