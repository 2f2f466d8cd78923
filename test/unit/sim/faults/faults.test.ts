import { describe, expect, it } from 'vitest';
import { type KubeObject, pods } from '../../../../src/kube/objects.ts';
import { OracleBoard } from '../../../../src/oracle/board.ts';
import { armFaults, type FaultId, type FaultStep } from '../../../../src/sim/faults/faults.ts';
import { podOfStrangers } from '../../../../src/sim/faults/tamper.ts';
import { kindIdOf } from '../../../../src/sim/kind-rules.ts';
import { fastTimings } from '../../../../src/sim/nodes/timings.ts';
import { SimWorld } from '../../../../src/sim/sim-world.ts';

/** A cluster in which nobody has asked for anything, and what came of those faults. */
async function armed(faults: readonly FaultStep[]) {
  const world = new SimWorld({ seed: 1, nodes: 2, fronts: 2, timings: fastTimings, board: new OracleBoard([]), keeps: 10 });
  const came: [FaultId, number | undefined][] = [];
  const { counts, healAll } = armFaults({ world, operators: [] }, faults, (id, forMs) => came.push([id, forMs]));
  await world.clock.runUntil(10_000);
  return { world, counts, healAll, came };
}

describe('faults of a run', () => {
  const moments = ['pod-deleted', 'service-edited', 'service-deleted', 'foreign-pod', 'operator-kill'] as const;
  const spans = ['pod-unready', 'finalizer-of-another', 'operator-cut', 'operator-frozen'] as const;
  const steps: readonly FaultStep[] = [
    ...moments.map((id): FaultStep => ({ id, atMs: 1_000, draw: 0.5 })),
    ...spans.map((id): FaultStep => ({ id, atMs: 1_000, forMs: 5_000, draw: 0.5 })),
  ];
  it.each(steps)('that meet nobody do not count: $id', async (step) => {
    const { counts, came } = await armed([step]);
    expect([...counts]).toEqual([]);
    expect(came).toEqual([]);
  });

  it('are told as they come, with the time for which they last', async () => {
    const { came, counts } = await armed([
      { id: 'watch-held', atMs: 2_000, forMs: 5_000, draw: 0 },
      { id: 'node-drained', atMs: 1_000, draw: 0 },
    ]);
    expect(came).toEqual([
      ['node-drained', undefined],
      ['watch-held', 5_000],
    ]);
    expect(Object.fromEntries(counts)).toEqual({ 'node-drained': 1, 'watch-held': 1 });
  });

  it('count a missed deletion once one is missed, by whichever watch', async () => {
    const { world, counts } = await armed([{ id: 'deletion-missed', atMs: 1_000, draw: 0 }]);
    expect([...counts]).toEqual([]);
    world.createNamespace('a');
    const key = { namespace: 'a', name: 'p' };
    world.server.create(pods, { ...podOfStrangers, metadata: key } as KubeObject);
    for (const front of world.fronts)
      front.watch(
        kindIdOf(pods),
        world.server.store.revision,
        () => true,
        () => undefined,
        () => undefined,
      );
    world.removeByUser(pods, key, { gracePeriodSeconds: 0 });
    expect([...counts]).toEqual([['deletion-missed', 1]]);
  });

  it('end with the healing, a deletion that was to be missed among them', async () => {
    const { world, healAll } = await armed([
      { id: 'deletion-missed', atMs: 1_000, draw: 0 },
      { id: 'watch-held', atMs: 2_000, forMs: 50_000, draw: 0 },
    ]);
    const moods = (): readonly unknown[] => world.fronts.map(({ mood: { losesDeletion, held } }) => [losesDeletion !== undefined, held]);
    expect(moods()).toEqual([
      [true, 'all'],
      [true, 'all'],
    ]);
    healAll();
    expect(moods()).toEqual([
      [false, 'none'],
      [false, 'none'],
    ]);
  });
});
