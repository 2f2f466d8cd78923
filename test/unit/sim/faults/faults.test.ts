import { describe, expect, it } from 'vitest';
import { performers } from '../../../../src/api/v1alpha1/performer.ts';
import type { KubeFault } from '../../../../src/kube/faults.ts';
import { type KubeObject, leases, pods, type Resource } from '../../../../src/kube/objects.ts';
import type { KubeApi } from '../../../../src/kube/port.ts';
import { OracleBoard } from '../../../../src/oracle/board.ts';
import { armFaults, type FaultId, type FaultStep } from '../../../../src/sim/faults/faults.ts';
import { podOfStrangers } from '../../../../src/sim/faults/tamper.ts';
import type { Front } from '../../../../src/sim/front.ts';
import { kindIdOf } from '../../../../src/sim/kind-rules.ts';
import { fastTimings } from '../../../../src/sim/nodes/timings.ts';
import type { SimOperator } from '../../../../src/sim/operators.ts';
import { SimProcess } from '../../../../src/sim/process.ts';
import { SimWorld } from '../../../../src/sim/sim-world.ts';

/** A cluster in which nobody has asked for anything, with a process that does nothing where there is one, and what came of those faults. */
async function armed(faults: readonly FaultStep[], { fronts = 2, processes = 0, untilMs = 10_000 } = {}) {
  const world = new SimWorld({ seed: 1, nodes: 2, fronts, timings: fastTimings, board: new OracleBoard([]), keeps: 10 });
  world.createNamespace('a');
  const operators = Array.from({ length: processes }, (_, index) => {
    const process = new SimProcess(`operator-${index}`, world.clock);
    const kill = (): void => process.kill();
    return { spec: { name: process.name, mode: 'watch' }, process, kill, ...world.apisOf(process) } as unknown as SimOperator;
  });
  const came: [FaultId, number | undefined][] = [];
  const { counts, healAll } = armFaults({ world, operators }, faults, (id, forMs) => came.push([id, forMs]));
  await world.clock.runUntil(untilMs);
  const makePod = (name: string): unknown =>
    world.server.create(pods, { ...podOfStrangers, metadata: { namespace: 'a', name } } as KubeObject);
  /** What a call comes to: an object, or the code by which it failed. */
  const answered = async (call: Promise<unknown>): Promise<unknown> => {
    const told = call.catch((error: KubeFault) => error.code);
    await world.clock.runUntil(world.clock.monotonicMs() + 40_000);
    return told;
  };
  return { world, counts, healAll, came, operators, makePod, answered };
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
    const { world, counts, makePod } = await armed([{ id: 'deletion-missed', atMs: 1_000, draw: 0 }]);
    expect([...counts]).toEqual([]);
    const key = { namespace: 'a', name: 'p' };
    makePod(key.name);
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

  it('keep an event from lists as from watches, and count once a reader missed it', async () => {
    const { world: calm } = await armed([]);
    const { world, counts, makePod } = await armed([{ id: 'event-blocked', event: calm.seenCount + 1, untilWrite: 1 }]);
    const [front] = world.fronts;
    const names = (): unknown => front?.list(kindIdOf(pods)).map(({ metadata }) => metadata.name);
    makePod('p');
    expect([...counts]).toEqual([]);
    expect(names()).toEqual([]);
    expect(names()).toEqual([]);
    expect([...counts]).toEqual([['event-blocked', 1]]);
    await world.clock.runUntil(75_000);
    expect(names()).toEqual(['p']);
  });

  it('count an event that a watch missed', async () => {
    const { world: calm } = await armed([]);
    const { world, counts, makePod } = await armed([{ id: 'event-blocked', event: calm.seenCount + 1, untilWrite: 1 }]);
    const told: string[] = [];
    const [front] = world.fronts;
    front?.watch(
      kindIdOf(pods),
      world.server.store.revision,
      () => true,
      ({ type }) => told.push(type),
      () => undefined,
    );
    makePod('p');
    expect([...counts]).toEqual([['event-blocked', 1]]);
    await world.clock.runUntil(20_000);
    expect(told).toEqual([]);
    await world.clock.runUntil(75_000);
    expect(told).toContain('ADDED');
  });

  it('strike one API server where a draw names it', async () => {
    const { world } = await armed([
      { id: 'watch-held', atMs: 1_000, forMs: 50_000, draw: 0, front: 0.9 },
      { id: 'cache-stale', atMs: 1_000, forMs: 50_000, draw: 0, front: 0.1 },
    ]);
    expect(world.fronts.map(({ isBehind, mood: { held } }) => [isBehind, held])).toEqual([
      [true, 'none'],
      [false, 'all'],
    ]);
  });

  /** What a process hears of pods from now on, through the port that fills its caches. */
  function listen(operators: readonly SimOperator[]): string[] {
    const { cacheKube } = operators[0] as unknown as { readonly cacheKube: KubeApi };
    const told: string[] = [];
    const hear = async (): Promise<void> => {
      for await (const { type } of cacheKube.watch(pods, { resourceVersion: '1' })) if (type === 'ADDED') told.push(type);
    };
    hear().catch(({ code }: KubeFault) => told.push(code));
    return told;
  }

  it.each([
    { forMs: 3_000, hears: ['ADDED'], why: 'shorter than the wait for an answer to a ping: what was sent arrives' },
    { forMs: 6_000, hears: ['unreachable'], why: 'longer: the connection is given up, and what was sent is lost' },
  ])('cut an operator off from its watches, too; $why', async ({ forMs, hears }) => {
    const { world, operators, makePod } = await armed([{ id: 'operator-cut', atMs: 1_000, forMs, draw: 0 }], {
      processes: 1,
      untilMs: 100,
    });
    const told = listen(operators);
    await world.clock.runUntil(2_000);
    makePod('p');
    await world.clock.runUntil(3_900);
    expect(told).toEqual([]);
    await world.clock.runUntil(9_000);
    expect(told).toEqual(hears);
  });

  it('end a watch whose time is over while its operator is cut off', async () => {
    const { world, operators } = await armed([], { processes: 1, untilMs: 100 });
    const { process, cacheKube } = operators[0] as unknown as { readonly process: SimProcess; readonly cacheKube: KubeApi };
    let end = '';
    const hear = async (): Promise<void> => {
      for await (const { type } of cacheKube.watch(pods, { resourceVersion: '1', timeoutSeconds: 100 })) end = type;
      end = 'over';
    };
    hear().catch(({ code }: KubeFault) => (end = code));
    await world.clock.runUntil(99_000);
    const heal = process.cutOff();
    await world.clock.runUntil(102_000);
    expect(end).not.toBe('over');
    heal();
    await world.clock.runUntil(103_000);
    expect(end).toBe('over');
  });

  it('have nothing of a watch left that an API server opens too late, nor of a process that was killed', async () => {
    const { world, operators } = await armed([], { processes: 2, untilMs: 100 });
    const [late, killed] = operators as unknown as readonly { readonly process: SimProcess; readonly cacheKube: KubeApi }[];
    const open = (one: typeof late): void =>
      void one?.cacheKube
        .watch(pods, { resourceVersion: '1' })
        [Symbol.asyncIterator]()
        .next()
        .catch(() => undefined);
    open(killed);
    await world.clock.runUntil(1_000);
    killed?.process.kill();
    world.slowMs = [5_000, 5_000];
    open(late);
    await world.clock.runUntil(20_000);
    expect(world.fronts.map(({ streamCount }) => streamCount)).toEqual([0, 0]);
  });

  it('have nothing of a watch left whose opening was never heard of', async () => {
    const { world, operators, makePod } = await armed([], { processes: 1, untilMs: 100 });
    const { process, cacheKube } = operators[0] as unknown as { readonly process: SimProcess; readonly cacheKube: KubeApi };
    world.slowMs = [200, 200];
    const [first] = [cacheKube.watch(pods, { resourceVersion: '1' })[Symbol.asyncIterator]()];
    const told = first.next().catch(({ code }: KubeFault) => code);
    await world.clock.runUntil(250);
    const heal = process.cutOff();
    await world.clock.runUntil(6_000);
    heal();
    expect(await told).toBe('timeout');
    let steps = 0;
    process.onStep = () => (steps += 1);
    makePod('p');
    await world.clock.runUntil(9_000);
    expect(steps).toBe(0);
  });

  it('cut an operator off for as long as any of two cuts lasts', async () => {
    const cuts: readonly FaultStep[] = [
      { id: 'operator-cut', atMs: 1_000, forMs: 5_000, draw: 0 },
      { id: 'operator-cut', atMs: 2_000, forMs: 6_000, draw: 0 },
    ];
    const { world, operators } = await armed(cuts, { processes: 1, untilMs: 7_000 });
    expect(operators[0]?.process?.isCut).toBe(true);
    await world.clock.runUntil(9_000);
    expect(operators[0]?.process?.isCut).toBe(false);
  });

  it.each([
    { id: 'cache-stale', atMs: 1_000, forMs: 20_000, draw: 0 },
    { id: 'operator-time-travel', atMs: 1_000, draw: 0 },
  ] as const)('keep lists and watches in the past: $id', async (step) => {
    const { world, makePod } = await armed([step], { processes: 1, untilMs: 2_000 });
    const [front] = world.fronts as [Front];
    const told: string[] = [];
    front.watch(
      kindIdOf(pods),
      world.server.store.revision,
      () => true,
      ({ type }) => type === 'ADDED' && told.push(type),
      () => undefined,
    );
    makePod('p');
    await world.clock.runUntil(4_500);
    const listed = (): number => front.list(kindIdOf(pods)).length;
    expect([told, listed()]).toEqual([[], 0]);
    await world.clock.runUntil(32_000);
    expect([told, listed()]).toEqual([['ADDED'], 1]);
  });

  it('keep an API server in the past for as long as any of them does', async () => {
    const { world } = await armed(
      [
        { id: 'cache-stale', atMs: 1_000, forMs: 20_000, draw: 0 },
        { id: 'operator-time-travel', atMs: 8_000, draw: 0 },
      ],
      { processes: 1, untilMs: 22_000 },
    );
    const areBehind = (): readonly boolean[] => world.fronts.map(({ isBehind }) => isBehind);
    expect(areBehind()).toEqual([true, true]);
    await world.clock.runUntil(39_000);
    expect(areBehind()).toEqual([false, false]);
  });

  it('move an operator to an API server that is behind the one it comes from, and goes on later', async () => {
    const step = { id: 'front-switch', atMs: 1_000, draw: 0.5 } as const;
    const { world, counts, operators, makePod } = await armed([step], { processes: 1, untilMs: 3_000 });
    const process = operators[0]?.process as SimProcess;
    const [from, to] = [world.frontOf(process), world.frontOf(process, 1)];
    const told: string[] = [];
    to.watch(
      kindIdOf(pods),
      world.server.store.revision,
      () => true,
      (event) => told.push(event.type),
      () => undefined,
    );
    makePod('p');
    await world.clock.runUntil(4_900);
    expect([world.frontOf(process), [...counts]]).toEqual([from, []]);
    await world.clock.runUntil(5_100);
    expect(world.frontOf(process)).toBe(to);
    expect([...counts]).toEqual([['front-switch', 1]]);
    const names = (front: typeof from): unknown => front.list(kindIdOf(pods)).map(({ metadata }) => metadata.name);
    expect([names(from), names(to), to.revisionOf('pods') < from.revisionOf('pods'), told]).toEqual([['p'], [], true, []]);
    await world.clock.runUntil(30_000);
    expect([names(to), told[0]]).toEqual([['p'], 'ADDED']);
  });

  it.each([
    ['lease-conflict', 'conflict'],
    ['lease-gone', 'notFound'],
    ['lease-timeout-applied', 'unknownOutcome'],
    ['lease-timeout-lost', 'unknownOutcome'],
    ['lease-500', 'unavailable'],
  ] as const)('strike a write to the Lease: %s', async (id, code) => {
    const { world, counts, operators, answered } = await armed([{ id, atBeside: 2 }], { processes: 1 });
    const { kube } = operators[0] as unknown as { readonly kube: KubeApi };
    const key = { namespace: 'a', name: 'lease' };
    const made = (await answered(kube.create(leases, { metadata: key, spec: {} }))) as KubeObject;
    const { resourceVersion = '' } = made.metadata ?? {};
    expect(await answered(kube.patch(leases, key, { spec: { leaseTransitions: 1 } }, { resourceVersion }))).toBe(code);
    expect([...counts]).toEqual([[id, 1]]);
    const isApplied = world.server.find(leases, key)?.spec?.leaseTransitions === 1;
    expect(isApplied).toBe(id === 'lease-timeout-applied');
  });

  it.each([
    ['event-refused', 'forbidden'],
    ['event-timeout-applied', 'unknownOutcome'],
  ] as const)('strike an Event, and let writes to the Lease pass: %s', async (id, code) => {
    const { counts, operators, answered } = await armed([{ id, atBeside: 1 }], { processes: 1 });
    const { kube } = operators[0] as unknown as { readonly kube: KubeApi };
    await answered(kube.create(leases, { metadata: { namespace: 'a', name: 'lease' }, spec: {} }));
    expect([...counts]).toEqual([]);
    const regarding = { apiVersion: 'v1', kind: 'Performer', namespace: 'a', name: 'x', uid: 'u1' };
    const event = { regarding, name: 'x.1', type: 'Warning', reason: 'PodFailed', message: '', action: 'Reconcile' } as const;
    expect(await answered(kube.event(event))).toBe(code);
    expect([...counts]).toEqual([[id, 1]]);
  });

  it('take a Performer away just before its status is written, and before nothing else of it', async () => {
    const { world, counts, operators, answered } = await armed([{ id: 'performer-gone', atWrite: 1 }], { processes: 1 });
    const { kube } = operators[0] as unknown as { readonly kube: KubeApi };
    const key = { namespace: 'a', name: 'x' };
    const of = performers as Resource<KubeObject>;
    const spec = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' };
    const { resourceVersion = '' } = world.server.create(of, { metadata: key, spec } as KubeObject).metadata;
    const labelled = await answered(kube.patch(of, key, { metadata: { labels: { a: 'b' } } }, { resourceVersion }));
    expect([...counts]).toEqual([]);
    const version = { resourceVersion: (labelled as KubeObject).metadata?.resourceVersion ?? '' };
    expect(await answered(kube.patch(of, key, { status: { ready: true } }, { ...version, subresource: 'status' }))).toBe('notFound');
    expect([...counts]).toEqual([['performer-gone', 1]]);
  });

  it.each([
    ['quota-tight', 'exceeded quota: tight, requested: pods=1, used: pods=0, limited: pods=0'],
    ['security-enforced', 'violates PodSecurity "restricted:latest"'],
  ] as const)('make the API server refuse pods of a namespace for a while: %s', async (id, says) => {
    const { world, came, makePod } = await armed([{ id, atMs: 1_000, forMs: 20_000, draw: 0.0001 }]);
    expect(came).toEqual([[id, 20_000]]);
    expect(() => makePod('p')).toThrow(says);
    await world.clock.runUntil(22_000);
    expect(makePod('p')).toBeDefined();
  });

  it('hold a Performer beside what holds it already, and let it go', async () => {
    const { world, came } = await armed([{ id: 'object-held', atMs: 12_000, forMs: 10_000, draw: 0 }]);
    const key = { namespace: 'a', name: 'x' };
    const of = performers as Resource<KubeObject>;
    const spec = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1' };
    world.server.create(of, { metadata: { ...key, finalizers: ['example.com/own'] }, spec } as KubeObject);
    await world.clock.runUntil(13_000);
    expect(came).toEqual([['object-held', 10_000]]);
    expect(world.server.find(of, key)?.metadata.finalizers).toEqual(['example.com/own', 'example.com/held']);
    world.removeByUser(of, key);
    await world.clock.runUntil(23_000);
    expect(world.server.find(of, key)?.metadata.finalizers).toEqual(['example.com/own']);
  });

  it('move nobody where there is one API server, and nobody once all is healed', async () => {
    const step = { id: 'front-switch', atMs: 1_000, draw: 0.5 } as const;
    expect((await armed([step], { processes: 1, fronts: 1 })).counts.size).toBe(0);
    const { world, counts, operators, healAll } = await armed([step], { processes: 1, untilMs: 3_000 });
    const process = operators[0]?.process as SimProcess;
    const from = world.frontOf(process);
    healAll();
    await world.clock.runUntil(30_000);
    expect([world.frontOf(process) === from, counts.size]).toEqual([true, 0]);
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
