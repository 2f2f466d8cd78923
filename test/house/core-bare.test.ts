import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { buildCore } from '../../scripts/build.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import type { Snapshot } from '../../src/reconcile/plan/snapshot.ts';
import { performer, pod, settings, snapshot } from '../support/snapshots.ts';

/** Evaluates a script in a V8 context that has the language's own globals and nothing of Node's, then calls `planPerformer` on values that crossed as text. */
function planBare(core: string, input: Snapshot): unknown {
  const context = createContext(Object.create(null) as object);
  runInContext(core, context);
  const args = JSON.stringify([input, settings]);
  return JSON.parse(runInContext(`JSON.stringify(core.planPerformer(...JSON.parse(${JSON.stringify(args)})))`, context) as string);
}

describe('the pure core in a bare V8 context', () => {
  it('plans as it does under Node', async () => {
    const core = await buildCore();
    const inputs = [snapshot({ performer: performer(), pods: [] }), snapshot({ performer: performer(), pods: [pod()] })];
    for (const input of inputs) {
      const plan = planBare(core, input);
      expect(plan).toEqual(JSON.parse(JSON.stringify(planPerformer(input, settings))));
      expect(JSON.stringify(plan).length).toBeGreaterThan(100);
    }
  });

  it.each(['process', 'setTimeout', 'require', 'Buffer', 'fetch', 'performance', 'URL', 'TextEncoder'])('has no %s there', (name) => {
    const core = `var core = { planPerformer: () => ${name} };`;
    expect(() => planBare(core, snapshot())).toThrow(`${name} is not defined`);
  });
});
