import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodView } from '../../src/reconcile/plan/pod-view.ts';
import { planRollout, type RolloutFacts } from '../../src/reconcile/plan/rollout.ts';
import { type Rules, rulesOf } from '../../src/reconcile/plan/rules.ts';
import { spec } from '../support/snapshots.ts';

/** A cluster of counted pods that obeys what the planner asks for. */
class Pods {
  readonly pods = new Map<string, PodView>();
  nowMs = 0;

  view(index: number, revision: string, change: Partial<PodView>): PodView {
    return {
      name: `p-${index}`,
      uid: `uid-${index}`,
      resourceVersion: '1',
      word: 'starting',
      revision,
      index,
      mayServe: false,
      ended: false,
      createdAtMs: this.nowMs,
      sureAtMs: this.nowMs,
      withdrawnAtMs: undefined,
      readySinceMs: undefined,
      availableAtMs: undefined,
      routed: undefined,
      node: { word: 'well', name: 'n' },
      failures: 0,
      notReadySinceMs: this.nowMs,
      selected: true,
      replaceAtMs: this.nowMs + 31_000,
      edited: false,
      ip: undefined,
      ports: [8080],
      trouble: undefined,
      ...change,
    };
  }

  /** The pod is ready, and the Service sends calls to it. */
  ready(pod: PodView): void {
    const sinceMs = this.nowMs;
    this.pods.set(pod.name, { ...pod, word: 'serving', mayServe: true, readySinceMs: sinceMs, availableAtMs: sinceMs, routed: true });
  }

  inService(): PodView[] {
    return [...this.pods.values()].filter(({ word }) => word === 'starting' || word === 'serving');
  }

  serving(): number {
    return this.inService().filter(({ word }) => word === 'serving').length;
  }

  plan(revision: string, rules: Rules): ReturnType<typeof planRollout> {
    const facts: RolloutFacts = {
      revision,
      rules,
      pods: [...this.pods.values()],
      servingRevision: 'r0',
      lastIndex: undefined,
      nowMs: this.nowMs,
    };
    return planRollout(facts);
  }

  /** Carries out the first `count` steps, and no more: a pass that died. */
  obey(revision: string, rules: Rules, count: number): number {
    const { steps } = this.plan(revision, rules);
    for (const step of steps.slice(0, count)) {
      if (step.kind === 'create') this.pods.set(`p-${step.index}`, this.view(step.index, revision, { failures: step.failures }));
      else if (step.kind === 'delete') this.pods.delete(step.pod.name);
      else this.pods.set(step.pod.name, { ...step.pod, word: 'out', selected: false, withdrawnAtMs: this.nowMs });
    }
    return steps.length;
  }
}

const rules = fc
  .record({
    replicas: fc.integer({ min: 1, max: 5 }),
    maxSurge: fc.constantFrom(0, 1, 2, '25%', '100%'),
    maxUnavailable: fc.constantFrom(0, 1, '25%'),
    recreate: fc.constantFrom(false, false, true),
  })
  .map(({ replicas, maxSurge, maxUnavailable, recreate }) =>
    rulesOf(spec({ replicas, strategy: { type: recreate ? 'Recreate' : 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } })),
  );

describe('a rollout', () => {
  it('ends in the wanted pods, whatever pass dies where and whichever pod is ready first, and keeps its bounds on the way', () => {
    fc.assert(
      fc.property(
        rules,
        fc.array(fc.nat(5), { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (wanted, chances, before) => {
          const world = new Pods();
          for (let index = 0; index < before; index += 1) world.ready(world.view(index, 'r0', {}));
          const minAvailable = wanted.replicas - wanted.maxUnavailable;
          let left = 0;
          for (let turn = 0; turn < 400; turn += 1) {
            const chance = turn < chances.length ? (chances[turn] ?? 0) : 99;
            const servedBefore = world.serving();
            left = world.obey('r1', wanted, chance);
            if (!wanted.recreate) {
              expect(world.serving()).toBeGreaterThanOrEqual(Math.min(servedBefore, minAvailable));
              expect(world.inService().length).toBeLessThanOrEqual(Math.max(wanted.replicas + wanted.maxSurge, before));
            } else {
              expect(new Set(world.inService().map(({ revision }) => revision)).size).toBeLessThanOrEqual(1);
            }
            world.nowMs += 1_000;
            const starting = [...world.pods.values()].filter(({ word }) => word === 'starting');
            const next = starting[chance % Math.max(1, starting.length)];
            if (next !== undefined && chance !== 3) world.ready(next);
            if (turn > chances.length && left === 0 && starting.length === 0 && world.pods.size === wanted.replicas) break;
          }
          expect([...world.pods.values()].map(({ revision, word }) => `${revision} ${word}`)).toEqual(
            Array.from({ length: wanted.replicas }, () => 'r1 serving'),
          );
          expect(left).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('to a revision that never is ready takes nothing away that serves beyond what may be missing', () => {
    fc.assert(
      fc.property(rules, (wanted) => {
        fc.pre(!wanted.recreate);
        const world = new Pods();
        for (let index = 0; index < wanted.replicas; index += 1) world.ready(world.view(index, 'r0', {}));
        for (let turn = 0; turn < 50; turn += 1) {
          world.obey('bad', wanted, 99);
          world.nowMs += 20_000;
        }
        expect(world.serving()).toBeGreaterThanOrEqual(wanted.replicas - wanted.maxUnavailable);
        // Put back: settles with what serves, once the drained ones are made up for.
        for (let turn = 0; turn < 50; turn += 1) {
          world.obey('r0', wanted, 99);
          for (const pod of world.pods.values()) if (pod.word === 'starting' && pod.revision === 'r0') world.ready(pod);
          world.nowMs += 20_000;
        }
        expect([...world.pods.values()].map(({ revision, word }) => `${revision} ${word}`)).toEqual(
          Array.from({ length: wanted.replicas }, () => 'r0 serving'),
        );
      }),
    );
  });
});
