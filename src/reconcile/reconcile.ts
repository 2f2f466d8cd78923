import { labels } from '../api/v1alpha1/naming.ts';
import { performers } from '../api/v1alpha1/performer.ts';
import type { Outcome, PassContext } from '../controller/outcome.ts';
import { isKubeFault, type KubeFault, kubeFaults } from '../kube/faults.ts';
import { findObject } from '../kube/find.ts';
import type { ObjectKey } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import { type Applied, apply } from './apply.ts';
import type { ReconcileDeps } from './deps.ts';
import { listPodsInService, observe, refresh } from './observe.ts';
import type { Plan } from './plan/actions.ts';
import { checkPlan } from './plan/check-plan.ts';
import { classifyDenial } from './plan/denial.ts';
import { planPerformer } from './plan/plan.ts';
import type { Snapshot } from './plan/snapshot.ts';

/**
 * One pass over one key: the only place where the three verbs meet.
 *
 * Flow: observe → plan → (prove) → apply → outcome.
 * Guarantees: a failed call is an outcome, not an exception; before something is taken away the Performer, and where pods go because
 * others serve also those, are shown to be current; a settled key makes no call that writes.
 * Errors: throws only for bugs (`checkPlan`), before any write.
 */
export async function reconcile(key: ObjectKey, deps: ReconcileDeps, context: PassContext): Promise<Outcome> {
  try {
    const snapshot = await observe(key, deps, context.lastPass, context.signal);
    const plan = checkPlan(planPerformer(snapshot, deps.settings), snapshot);
    deps.onPlan?.(key, plan);
    if (plan.actions.length === 0 || !deps.mayWrite()) return toOutcome(plan, false);
    if (!(await isProven(plan, snapshot, deps, context.signal))) return lookAgain(key, deps, context.signal);
    const applied = await apply(plan, snapshot, deps, context.signal);
    return await conclude(applied, plan, snapshot, deps, context.signal);
  } catch (error) {
    if (isKubeFault(error)) return failed(error);
    throw error;
  }
}

async function conclude(applied: Applied, plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  switch (applied.kind) {
    case 'done':
      return toOutcome(plan, true);
    case 'stopped':
      return toOutcome(plan, false);
    case 'stale':
      return lookAgain(snapshot.key, deps, signal);
    case 'denied': {
      // The refusal becomes part of what was seen, so that status can say it. What goes still goes: it may be what stands in the way.
      const seen = { ...(await observe(snapshot.key, deps, snapshot.lastPass, signal)), denied: applied.fault.message };
      const told = checkPlan(planPerformer(seen, deps.settings), seen);
      const second = (await isProven(told, seen, deps, signal)) ? await apply(told, seen, deps, signal) : undefined;
      if (second?.kind === 'failed') return failed(second.fault);
      return { ...failed(applied.fault), reason: classifyDenial(applied.fault.message) };
    }
    case 'failed':
      return failed(applied.fault);
  }
}

/** A view that turned out old: what the next pass reads comes from the API server. Backed off, since two writers could otherwise chase each other. */
async function lookAgain(key: ObjectKey, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  await refresh(key, deps, signal);
  return { kind: 'failed', reason: 'StaleView', message: 'somebody else wrote first; looking again', retry: 'observe' };
}

/** Whether what the plan takes away may go: its grounds still hold on the API server itself. */
async function isProven(plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<boolean> {
  if (plan.proof === 'none') return true;
  if (plan.proof === 'performer-and-pods') {
    const live = await listPodsInService(snapshot.key, deps.kube, signal);
    const out = snapshot.pods.filter((pod) => pod.metadata?.labels?.[labels.performer] !== snapshot.key.name);
    const again = planPerformer({ ...snapshot, pods: [...out, ...live] }, deps.settings);
    if (!sameJson(again, plan)) return false;
  }
  // A status patch goes first and carries the resourceVersion: it is the proof. Without one it takes a look.
  if (plan.actions.some((action) => action.resource === 'PerformerStatus')) return true;
  const live = await findObject(deps.kube, performers, snapshot.key, { signal });
  if (live?.metadata?.uid !== snapshot.performer?.uid) return false;
  return live === undefined || live.metadata?.resourceVersion === snapshot.performer?.resourceVersion;
}

function toOutcome(plan: Plan, again: boolean): Outcome {
  const { verdict, unsaid, requeueAfterMs } = plan;
  return { ...verdict, again, unsaid, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

function failed(fault: KubeFault): Outcome {
  return {
    kind: 'failed',
    reason: fault.code,
    message: fault.message,
    retry: kubeFaults[fault.code].retry,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  };
}
