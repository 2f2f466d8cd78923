import type { Performer } from '../api/v1alpha1/performer.ts';
import { keyText } from '../kube/objects.ts';
import { defineOracle, type Test } from './define.ts';
import type { Memory } from './memory.ts';
import type { ClusterView, Oracle, Violation, Write } from './oracle.ts';
import { type Takeaway, takeawayOf } from './takeaway.ts';
import {
  type Asked,
  isEnded,
  isInService,
  isManagedElsewhere,
  isOperator,
  isProvenGone,
  isReady,
  isSelected,
  performerOf,
  withdrawnAtMs,
} from './words.ts';

/** Why anything is taken away, and by whom. */
export function entitlementOracles(memory: Memory): readonly Oracle[] {
  return [goesForAReason(memory), keepsWhatIsOutOfSight(memory), managedElsewhere(memory)];
}

/**
 * Judged at each pod an operator takes away, entitled or not: what was proven must hold, so a reason counts if it held within the proof lag.
 * Guards: pods another hand touched, and those that may be of a former spec, have a reason by that. One that another operator made beside
 * ours is none for ours to go, and stays itself while its image is the spec's.
 */
function goesForAReason(memory: Memory): Oracle {
  /** A Service goes with its Performer and for nothing else. */
  const judgeService = (write: Write, test: Test): readonly Violation[] => {
    const owner = performerOf(write.before);
    if (owner === undefined) return [];
    const versions = memory.versions(owner, write.atMs, memory.context.proofLagMs);
    const lives = versions.at(-1)?.toMs === Number.POSITIVE_INFINITY && versions.every((one) => one.uid === owner.uid && !one.deleting);
    return test(!lives, write.atMs, keyText(owner), () => `${write.actor} deleted Service ${write.key.name}, whose Performer lives`);
  };
  return defineOracle('S6', 'Nothing is taken away against the present spec, whoever believes to lead.', (test) => ({
    onWrite: (write, view) => {
      if (isOperator(write) && write.plural === 'services' && write.verb === 'delete' && write.result === 'ok')
        return judgeService(write, test);
      const taken = takeawayOf(write);
      if (taken === undefined) return [];
      const who = write.entitled === false ? `${write.actor}, which did not lead,` : write.actor;
      const isGrounded = hasReason(taken, write, view, memory) || mayBeLost(taken, write, view, memory);
      return test(
        isGrounded,
        write.atMs,
        keyText(taken.key),
        () => `${who} ${taken.how} pod ${taken.pod.metadata?.name}, which the spec wants and nothing speaks against`,
      );
    },
  }));
}

/** Whether something other than the state of its node speaks for a pod to go. */
function hasReason({ key, uid, pod }: Takeaway, { atMs }: Write, view: ClusterView, memory: Memory): boolean {
  const { proofLagMs } = memory.context;
  const current = memory.current(key, atMs);
  if (current?.uid !== uid || current.deleting || isEnded(pod)) return true;
  if (withdrawnAtMs(pod) !== undefined || !isSelected(pod, key.name) || pod.metadata?.deletionTimestamp !== undefined) return true;
  const trace = memory.trace(pod.metadata?.uid);
  const asked = memory.asked(key, atMs, proofLagMs, uid);
  if (trace === undefined || trace.touched) return true;
  if (memory.isAnothers(trace)) return asked.some((one) => !memory.passesFor(trace, one));
  if (asked.some((one) => !memory.isSurelyNewest(trace, one))) return true;
  const sinceMs = atMs - proofLagMs;
  const beside = memory.podsSince(key, sinceMs, uid).filter((one) => one !== trace && !memory.isAnothers(one));
  const standing = beside.filter((one) => isInService(one.pod, key.name) || one.routableToMs >= sinceMs || one.goneMs !== undefined);
  // Pods of former specs are no reason for one of the newest to go, unless a pause keeps both.
  const isSurplus = (one: Asked): boolean => standing.filter((trace) => one.paused || memory.passesFor(trace, one)).length >= one.replicas;
  return asked.some(isSurplus) || isProvenGone(pod, view);
}

/** Whether it counts as lost under Route: not Ready, its node out of sight for long enough, and not most nodes with it. */
function mayBeLost({ key, uid, pod }: Takeaway, { atMs }: Write, view: ClusterView, memory: Memory): boolean {
  const { proofLagMs, viewLagMs, clockAheadMs } = memory.context;
  if (isReady(pod) || !memory.wasUnreachable(pod.spec?.nodeName, atMs - proofLagMs)) return false;
  const sinceMs = memory.unreachableSince(pod.spec?.nodeName) ?? Number.NEGATIVE_INFINITY;
  const { most } = memory;
  if (most.fromMs <= atMs - viewLagMs && most.toMs === Number.POSITIVE_INFINITY && view.nodes.size > 0) return false;
  return memory.asked(key, atMs, proofLagMs, uid).some((one) => !one.strict && atMs - sinceMs + clockAheadMs >= one.nodeLossMs);
}

/** Guards: the view lag before most nodes count as out of sight; reasons other than a lost node. Put to the test when they are seen again, too. */
function keepsWhatIsOutOfSight(memory: Memory): Oracle {
  let seen = memory.most;
  return defineOracle('N3', 'While most nodes are out of sight no pod is taken out of its Service for that.', (test) => ({
    onWrite: (write, view) => {
      const taken = takeawayOf(write);
      const { most, context } = memory;
      if (taken === undefined || write.atMs - context.viewLagMs < most.fromMs || most.toMs !== Number.POSITIVE_INFINITY) return [];
      if (hasReason(taken, write, view, memory)) return [];
      return test(
        false,
        write.atMs,
        keyText(taken.key),
        () => `${write.actor} ${taken.how} pod ${taken.pod.metadata?.name} while most nodes are out of sight`,
      );
    },
    onChange: ({ kind, atMs, key }) => {
      const isHealed = kind === 'nodes' && memory.most.toMs === atMs && seen !== memory.most;
      if (isHealed) seen = memory.most;
      return isHealed ? test(true, atMs, key.name, () => '') : [];
    },
  }));
}

/** Guard: handed over no longer ago than the view lag. */
function managedElsewhere(memory: Memory): Oracle {
  const sinceMs = new Map<string, number>();
  return defineOracle('S6m', 'Nothing is written for a Performer that another controller manages.', (test) => ({
    onChange: ({ kind, key, after, atMs }) => {
      if (kind !== 'performers') return [];
      if (after === undefined || !isManagedElsewhere(after as Performer)) sinceMs.delete(keyText(key));
      else if (!sinceMs.has(keyText(key))) sinceMs.set(keyText(key), atMs);
      return [];
    },
    onWrite: (write) => {
      if (!isOperator(write) || write.result !== 'ok' || !['pods', 'services', 'performers'].includes(write.plural)) return [];
      const { namespace, name } = performerOf(write.after ?? write.before) ?? write.key;
      const handedMs = sinceMs.get(keyText({ namespace, name }));
      if (handedMs === undefined) return [];
      const isEarly = write.atMs - handedMs <= memory.context.viewLagMs;
      return test(
        isEarly,
        write.atMs,
        keyText({ namespace, name }),
        () => `${write.actor}: ${write.verb} of ${write.plural} ${write.key.name}, whose Performer another controller manages`,
      );
    },
  }));
}
