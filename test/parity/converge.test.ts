import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import type { TestOperator } from '../support/operator.ts';
import { corpus } from './golden/corpus.ts';
import { comparableStatus } from './support/comparable.ts';
import { avsAddress, conditionOf, imageOf, keyOf, operatorOn, serving, statusOf } from './support/world.ts';

type Change = Partial<PerformerSpecInput>;

const additive: readonly Change[] = [
  { replicas: 3 },
  { replicas: 2, strategy: { type: 'Recreate' } },
  { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
  { minReadySeconds: 2, drainSeconds: 0 },
  { config: { grpcPort: 8081, env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] } },
  { security: { profile: 'restricted' }, terminationGracePeriodSeconds: 5 },
  { probes: { readiness: { periodSeconds: 15 } } },
];
const changes = [...corpus.map((row) => row.spec), ...additive];
const anyChange = fc.constantFrom(...changes);

/** Replaces the whole spec, as `kubectl replace` does. */
const replaceSpec = (operator: TestOperator, change: Change): void => {
  const stored = operator.cluster.find(performers, keyOf('x'))?.spec as object;
  const cleared = Object.fromEntries(Object.keys(stored).map((field) => [field, undefined]));
  operator.change('x', { ...cleared, avsAddress, image: 'avs:1', ...change });
};

/** What must be the same whichever way it came about: no names, times, addresses, counts of generations. */
function outcome(operator: TestOperator): unknown {
  const pods = operator.pods().map((pod) => {
    const { 'hourglass.eigenlayer.io/index': _index, ...labels } = pod.metadata?.labels ?? {};
    return { labels, spec: pod.spec };
  });
  return {
    pods,
    services: operator.services().map(({ spec }) => ({ selector: spec?.selector, ports: spec?.ports })),
    status: comparableStatus(statusOf(operator)),
  };
}

const settle = async (operator: TestOperator): Promise<void> => {
  const { outcomes } = await operator.once(120_000);
  expect(outcomes.map((one) => one.outcome.reason)).toEqual(['Serving']);
};
const converged = async (change: Change): Promise<TestOperator> => {
  const operator = operatorOn();
  await operator.ask('x', change);
  await settle(operator);
  return operator;
};

describe('converging', () => {
  it('from one spec to another ends where a new Performer of the other does', async () => {
    await fc.assert(
      fc.asyncProperty(anyChange, anyChange, async (a, b) => {
        const direct = await converged(b);
        const operator = await converged(a);
        replaceSpec(operator, b);
        await settle(operator);
        expect(outcome(operator)).toEqual(outcome(direct));
        expect((await operator.once()).writes).toEqual({ create: 0, patch: 0, delete: 0 });
      }),
      { numRuns: 60, seed: 4_711 },
    );
  });

  it('through edits that follow each other faster than pods start ends where the last one does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyChange, fc.integer({ min: 0, max: 3_000 })), { minLength: 1, maxLength: 5 }),
        anyChange,
        async (edits, last) => {
          const direct = await converged(last);
          const operator = await converged({});
          const { stop } = await operator.watch();
          for (const [edit, pauseMs] of edits) {
            replaceSpec(operator, edit);
            await operator.clock.advance(pauseMs);
            // A Performer that serves goes on serving through each edit but one that asks for the old pods to go first.
            if (!edits.some(([one]) => one.strategy !== undefined)) expect(serving(operator).length).toBeGreaterThanOrEqual(1);
          }
          replaceSpec(operator, last);
          await operator.clock.advance(120_000);
          await stop();
          expect(outcome(operator)).toEqual(outcome(direct));
        },
      ),
      { numRuns: 25, seed: 4_712 },
    );
  });

  it.each([
    { name: 'an image that cannot be pulled', bad: { image: 'avs:typo' } },
    { name: 'a command that is not there', bad: { config: { command: ['nothing'] } } },
    { name: 'resources no node has', bad: { resources: { requests: { cpu: '4000' } } } },
  ])('through $name and back ends where it was, with the very pod', async ({ bad }) => {
    const operator = await converged({});
    const before = outcome(operator);
    const uids = operator.pods().map((pod) => pod.metadata?.uid);
    const { stop } = await operator.watch();
    replaceSpec(operator, bad);
    for (let step = 0; step < 100; step += 1) {
      await operator.clock.advance(100);
      for (const pod of operator.pods().filter((one) => !uids.includes(one.metadata?.uid)))
        operator.cluster.setPodStatus(keyOf(pod.metadata?.name ?? ''), {
          phase: 'Pending',
          conditions: [{ type: 'Ready', status: 'False' }],
          containerStatuses: [],
        });
    }
    expect(statusOf(operator)).toMatchObject({ ready: true, phase: 'Upgrading' });
    replaceSpec(operator, {});
    await operator.clock.advance(30_000);
    await stop();
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual(uids);
    expect(outcome(operator)).toEqual(before);
    expect(operator.pods().map(imageOf)).toEqual(['avs:1']);
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });
});
