import type { Reason } from '../api/v1alpha1/conditions.ts';
import { labels, serviceName } from '../api/v1alpha1/naming.ts';
import { keyText, type ObjectKey, type Pod } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import { hasSlices, type Memory, type PodTrace } from './memory.ts';
import type { Change, ClusterView, Oracle, Violation, Write } from './oracle.ts';
import { Overdue } from './overdue.ts';
import { lostIsReplaced } from './recovery.ts';
import { takeawayOf } from './takeaway.ts';
import { isHindered } from './why.ts';
import {
  isEnded,
  isInService,
  isManagedElsewhere,
  isOperator,
  isProvenGone,
  isReady,
  isRoutable,
  mayServe,
  performerOf,
  readySinceMs,
  withdrawnAtMs,
} from './words.ts';

/** What serves: how many at most, and never nobody by our doing. */
export function servingOracles(memory: Memory): readonly Oracle[] {
  return [
    oneForEachSlot(memory),
    neverNobody(memory),
    wayOut(memory),
    strictWaits(memory),
    recreateRunsNoMore(memory),
    outIsOut(memory),
    callersGetThrough(memory),
    lostIsReplaced(memory),
  ];
}

/** An operator's pod that was created just now, with its trace. */
function createdPod(write: Write, memory: Memory): { readonly trace: PodTrace; readonly key: ObjectKey } | undefined {
  if (!isOperator(write) || write.verb !== 'create' || write.plural !== 'pods' || write.result !== 'ok') return undefined;
  const [owner, trace] = [performerOf(write.after), memory.trace(write.after?.metadata?.uid)];
  // A name that comes back was made on an old view and goes again: the design lets it.
  if (owner === undefined || trace === undefined || memory.timesNamed(owner.uid, write.after?.metadata?.name ?? '') > 1) return undefined;
  return { trace, key: owner };
}

function revisionOf(pod: Pod): string | undefined {
  return pod.metadata?.labels?.[labels.revision];
}

/** By then calls reach a pod, as its kubelet tells the time of its readiness. */
const standInMs = 2_000;

/** Under these nothing is taken away but what is left of others. */
const blocks: ReadonlySet<Reason> = new Set<Reason>(['InvalidSpec', 'NameConflict', 'WaitingForLeftover']);

/**
 * Guards: names that come back, pods another hand touched or made, former counts of replicas within the view lag.
 * What stands too long is counted twice, by the pods and by where EndpointSlices send calls, against `replicas`, and `maxSurge` more while
 * two revisions serve. Guards: a Performer that is going, managed elsewhere, or whose status says truly that nothing can be done.
 */
function oneForEachSlot(memory: Memory): Oracle {
  const overdue = new Overdue(memory);
  return defineOracle('S1', 'For each replica there is at most one pod of a revision in the Service.', (test) => {
    const judge = (key: ObjectKey, atMs: number, view: ClusterView): readonly Violation[] => {
      const [current, performer] = [memory.current(key, atMs), view.performers.get(keyText(key))];
      if (current === undefined || performer === undefined) return [];
      const { uid } = current;
      const asked = memory.asked(key, atMs, memory.context.viewLagMs, uid);
      const isLeft = current.asked === undefined || current.deleting || isManagedElsewhere(performer);
      if (isLeft || isHindered(blocks, uid, { performer, asked: current.asked, view, memory, atMs })) {
        overdue.clears(uid);
        return [];
      }
      const ours = memory.pods(key, uid).filter((one) => one.marked && !one.touched);
      const routable = ours.filter((one) => isRoutable(one.pod, key.name));
      const routed = ours.filter((one) => one.routedToMs === Number.POSITIVE_INFINITY);
      const mixed = new Set([...routable, ...routed].map((one) => revisionOf(one.pod))).size > 1;
      const allowed = Math.max(...asked.map((one) => one.replicas + (mixed ? one.maxSurge : 0)));
      const count = Math.max(routable.length, routed.length);
      const byMs = overdue.byMs(uid, count > allowed, atMs, memory.refusedUntilMs(key) ?? Number.NEGATIVE_INFINITY);
      const message = (): string =>
        `${routable.length} pods may answer, calls are sent to ${routed.length}, and have been for too long: ${allowed} are wanted`;
      return byMs === undefined ? [] : test(byMs <= 0, atMs, keyText(key), message);
    };
    return {
      onWrite: (write) => {
        const made = createdPod(write, memory);
        if (made === undefined) return [];
        const { trace, key } = made;
        const allowed = Math.max(...trace.madeUnder.map((one) => one.replicas));
        const same = memory
          .pods(key, trace.owner.uid)
          .filter((one) => one.bornMs <= trace.bornMs && !one.touched && isInService(one.pod, key.name))
          .filter((one) => revisionOf(one.pod) === revisionOf(trace.pod))
          .filter((one) => memory.timesNamed(one.owner.uid, one.pod.metadata?.name ?? '') === 1);
        return test(
          trace.madeUnder.length === 0 || same.length <= allowed,
          write.atMs,
          keyText(key),
          () => `${write.actor} made pod ${write.key.name}: ${same.length} of its revision are in the Service, ${allowed} are wanted`,
        );
      },
      onChange: (change, view) => {
        const key = change.kind === 'pods' ? performerOf((change as Change<'pods'>).after) : undefined;
        return key === undefined ? [] : judge(key, change.atMs, view);
      },
      onAnswer: ({ key, atMs }, view) => judge(key, atMs, view),
    };
  });
}

/**
 * Judged at each withdrawal or deletion by an operator of a pod that calls reach, as its version stood when that was decided.
 * Guards: the Performer is going; Recreate; the pod had been withdrawn before; pods that stood in within the proof lag count, those of
 * another operator do not. Who may not read EndpointSlices goes by what the pod says: that it has been Ready for a while.
 */
function neverNobody(memory: Memory): Oracle {
  return defineOracle('R1', 'No operator takes a pod away that callers need: a rollout goes on serving throughout.', (test) => ({
    onWrite: (write, view) => {
      const taken = takeawayOf(write);
      if (taken === undefined || !isRoutable(taken.pod, taken.key.name)) return [];
      const { key, uid, pod } = taken;
      const { slicesOffUntilMs = Number.NEGATIVE_INFINITY } = memory.context;
      const sinceMs = write.atMs - memory.context.proofLagMs;
      const current = memory.current(key, write.atMs);
      const asked = memory.asked(key, write.atMs, memory.context.proofLagMs, uid);
      if (current?.uid !== uid || current.deleting || asked.length === 0 || asked.some((one) => one.recreate)) return [];
      const needed = Math.min(...asked.map((one) => one.minAvailable));
      const trace = memory.trace(pod.metadata?.uid);
      const others = memory.podsSince(key, sinceMs, uid).filter((one) => one !== trace && !memory.isAnothers(one));
      const left = others.filter((one) => one.routableToMs >= sinceMs);
      // A surplus one goes whoever is reached; a former one only once a newer is.
      const isFormer = asked.every((one) => trace !== undefined && !memory.passesFor(trace, one));
      const counts = isFormer && needed > 0 && left.length > 0 && hasSlices(view, key);
      const isReached = (one: PodTrace): boolean =>
        one.routedToMs >= sinceMs ||
        (write.atMs <= slicesOffUntilMs && isReady(one.pod) && write.atMs - readySinceMs(one.pod) >= standInMs);
      const reached = !counts || left.some(isReached);
      return test(
        left.length >= needed && reached,
        write.atMs,
        keyText(key),
        () =>
          `${write.actor} ${taken.how} pod ${pod.metadata?.name}, which served: ${left.length} others do, ${needed} must${reached ? '' : ', and no call reaches them yet'}`,
      );
    },
  }));
}

/** Guards: its Performer is going, gone or another one; it ended; it never started; another hand touched it. The deletion's resourceVersion shows what was decided on. */
function wayOut(memory: Memory): Oracle {
  return defineOracle('R2', 'A pod that may serve leaves the Service, drains for drainSeconds, and only then is deleted.', (test) => ({
    onWrite: (write) => {
      const taken = takeawayOf(write);
      if (taken === undefined || taken.how !== 'deleted' || isEnded(taken.pod) || !mayServe(taken.pod)) return [];
      const { key, uid, pod } = taken;
      const current = memory.current(key, write.atMs);
      const asked = memory.asked(key, write.atMs, memory.context.proofLagMs, uid);
      const trace = memory.trace(pod.metadata?.uid);
      if (current?.uid !== uid || current.deleting || asked.length === 0 || trace?.touched !== false) return [];
      const outMs = withdrawnAtMs(pod);
      const drainMs = Math.min(...asked.map((one) => one.drainMs));
      // The annotation holds the time of the pass that wrote it, a proof before the pod was out.
      const outAtMs = trace.routableToMs < write.atMs ? trace.routableToMs - memory.context.proofLagMs - 1_000 : Number.NEGATIVE_INFINITY;
      const leftMs = Math.max(outMs ?? Number.NEGATIVE_INFINITY, outAtMs);
      return test(
        outMs !== undefined && write.atMs - leftMs >= drainMs,
        write.atMs,
        keyText(key),
        () =>
          `${write.actor} deleted pod ${pod.metadata?.name} ${outMs === undefined ? 'that was still in the Service' : `${Math.round((write.atMs - leftMs) / 100) / 10} s after it left, drainSeconds is ${drainMs / 1_000}`}`,
      );
    },
  }));
}

/** Guards: signs of the node younger than the view lag; pods that were withdrawn before; proof: Node or pod object gone, out-of-service taint. */
function strictWaits(memory: Memory): Oracle {
  return defineOracle('N1', 'Under Strict a pod on a lost node is replaced only once it is proven that it does not run.', (test) => ({
    onWrite: (write, view) => {
      const made = createdPod(write, memory);
      if (made === undefined) return [];
      const { key, trace } = made;
      if (trace.madeUnder.length === 0 || !trace.madeUnder.every((one) => one.strict)) return [];
      const seenMs = write.atMs - memory.context.viewLagMs;
      const older = memory.pods(key, trace.owner.uid).filter((one) => one.bornMs <= trace.bornMs && !isEnded(one.pod));
      const same = older.filter((one) => revisionOf(one.pod) === revisionOf(trace.pod));
      const keepsPlace = ({ pod }: PodTrace): boolean =>
        withdrawnAtMs(pod) === undefined &&
        (memory.unreachableSince(pod.spec?.nodeName) ?? Number.POSITIVE_INFINITY) < seenMs &&
        !isProvenGone(pod, view);
      const held = same.filter((one) => one !== trace && !one.touched && keepsPlace(one));
      const others = same.filter((one) => one !== trace && !held.includes(one) && isInService(one.pod, key.name) && !one.touched);
      const allowed = Math.max(...trace.madeUnder.map((one) => one.replicas));
      return test(
        held.length === 0 || held.length + others.length + 1 <= allowed,
        write.atMs,
        keyText(key),
        () => `${write.actor} made pod ${write.key.name} while ${held[0]?.pod.metadata?.name} may still run on a node out of sight`,
      );
    },
  }));
}

/**
 * Judged at each container that starts, by the nodes themselves: only older pods count, and each by what was asked when the new one was made.
 * Guards: names that come back; pods another hand touched, and adopted ones; those that another operator made beside ours and that were not claimed, or made just now; pods whose object is gone (a forced deletion is another's doing); under Route those on nodes out of sight lately.
 */
function recreateRunsNoMore(memory: Memory): Oracle {
  let known = new Set<string>();
  return defineOracle('N2', 'With Recreate no more containers run than replicas are wanted.', (test) => ({
    onInstances: (instances, atMs, view) => {
      const started = instances.filter((one) => !known.has(one.podUid));
      known = new Set(instances.map((one) => one.podUid));
      return started.flatMap(({ podUid, key }) => {
        const trace = memory.trace(podUid);
        const asked = trace?.madeUnder ?? [];
        if (trace === undefined || asked.length === 0 || !asked.every((one) => one.recreate)) return [];
        if (trace.touched || trace.adopted || !trace.marked) return [];
        if (memory.timesNamed(trace.owner.uid, trace.pod.metadata?.name ?? '') > 1) return [];
        const allowed = Math.max(...asked.map((one) => one.replicas));
        // One that follows others is made on proof.
        const isFollower = Number(/-[0-9a-f]{4}-(\d+)$/.exec(trace.pod.metadata?.name ?? '')?.[1] ?? 0) >= allowed;
        const sinceMs = trace.bornMs - (isFollower ? memory.context.proofLagMs : memory.context.viewLagMs);
        const counts = (uid: string, node: string): boolean => {
          const other = memory.trace(uid);
          if (other === undefined || other === trace || other.owner.uid !== trace.owner.uid || other.touched) return false;
          // A name that came back since the proof was made on an old view, as this one's may be.
          if (other.bornMs >= sinceMs && memory.timesNamed(other.owner.uid, other.pod.metadata?.name ?? '') > 1) return false;
          // What another operator made counts once ours has made it its own.
          if (!other.marked && other.markedMs > sinceMs && (other.bornMs >= sinceMs || memory.isRival(other))) return false;
          if (other.goneMs !== undefined || other.bornMs > trace.bornMs || isEnded(other.pod) || isProvenGone(other.pod, view))
            return false;
          return asked.every((one) => one.strict) || !memory.wasUnreachable(node, sinceMs);
        };
        const older = instances.filter((one) => keyText(one.key) === keyText(key) && counts(one.podUid, one.node));
        const message = (): string => `${trace.pod.metadata?.name} started while ${older.length} older ones run, ${allowed} are wanted`;
        return test(older.length < allowed, atMs, keyText(key), message);
      });
    },
  }));
}

/** Guards: callers on the far side of a cut; the time a withdrawal takes to reach the last kube-proxy. */
function outIsOut(memory: Memory): Oracle {
  return defineOracle('R3', 'A pod that was taken out of the Service answers nobody outside a cut any more.', (test) => ({
    onAnswer: ({ podUid, insideCut, atMs, key }) => {
      const trace = memory.trace(podUid);
      if (trace === undefined || insideCut || trace.touched) return [];
      const outMs = isReady(trace.pod) && isRoutable(trace.pod, key.name) ? Number.POSITIVE_INFINITY : trace.routableToMs;
      const isOut = withdrawnAtMs(trace.pod) !== undefined && outMs < atMs - memory.context.endpointLagMs;
      const name = trace.pod.metadata?.name;
      return test(
        !isOut,
        atMs,
        keyText(key),
        () => `pod ${name} answered ${Math.round((atMs - outMs) / 1_000)} s after it had left the Service`,
      );
    },
  }));
}

/**
 * Judged at each call while a pod of the Performer has been Ready and in service for as long as clients may take to hear of it.
 * Guards: a Performer that is going or managed elsewhere; a Service that is as new, or that somebody else wrote or removed; the far side of a cut.
 */
function callersGetThrough(memory: Memory): Oracle {
  const bornMs = new Map<string, number>();
  return defineOracle('R4', 'While a pod of a Performer is Ready and in service, its Service sends calls to one.', (test) => ({
    onChange: ({ kind, key, before, after, atMs }) => {
      if (kind === 'services' && before?.metadata?.uid !== after?.metadata?.uid) bornMs.set(keyText(key), atMs);
      return [];
    },
    onAnswer: ({ atMs, key, routed, insideCut, from }, view) => {
      const current = memory.current(key, atMs);
      const performer = view.performers.get(keyText(key));
      const service = view.services.get(keyText({ ...key, name: serviceName(key.name) }));
      if (
        routed === undefined ||
        insideCut ||
        current === undefined ||
        current.deleting ||
        performer === undefined ||
        isManagedElsewhere(performer)
      )
        return [];
      if (performerOf(service)?.uid !== current.uid || atMs <= (memory.disputedUntilMs(key) ?? atMs)) return [];
      const sinceMs = atMs - memory.context.endpointLagMs;
      const known = memory
        .pods(key, current.uid)
        .find((one) => one.routableToMs === Number.POSITIVE_INFINITY && one.routableFromMs <= sinceMs);
      if (known === undefined || (bornMs.get(keyText({ ...key, name: serviceName(key.name) })) ?? atMs) > sinceMs) return [];
      const message = (): string =>
        `a client on ${from} is sent nowhere, while ${known.pod.metadata?.name} has served for ${Math.round((atMs - known.routableFromMs) / 1_000)} s`;
      return test(routed, atMs, keyText(key), message);
    },
  }));
}
