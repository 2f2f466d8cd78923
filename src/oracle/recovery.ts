import { findCondition } from '../api/v1alpha1/conditions.ts';
import { keyOf, keyText, type Node, type ObjectKey, type Pod } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory, PodTrace } from './memory.ts';
import type { Change, ClusterView, Oracle, Violation } from './oracle.ts';
import { isEnded, isInService, isManagedElsewhere, isUnreachable, performerOf } from './words.ts';

/** A node out of sight, and the Performers (uids) that were judged by it. */
interface Lost {
  readonly fromMs: number;
  readonly judged: Set<string>;
  /** The most pods that stood elsewhere at once since then: what becomes of those later is another matter. */
  readonly stood: Map<string, number>;
}

/**
 * Judged once for each lost node and Performer, at the first change after the time is up. Guards: views that may be old; a Performer
 * that changed meanwhile, is refused, paused or invalid; most nodes out of sight; pods that had come to nothing, which the back-off replaces.
 */
export function lostIsReplaced(memory: Memory): Oracle {
  const lost = new Map<string, Lost>();
  const statement = 'Under Route a pod on a node that stays out of sight is replaced in time, whatever becomes of its object.';
  return defineOracle('N4', statement, (test) => {
    const count = (name: string, key: ObjectKey, uid: string): number =>
      memory.pods(key, uid).filter((one) => stands(one, key, name)).length;
    const judge = (name: string, { fromMs, judged, stood }: Lost, atMs: number, view: ClusterView): readonly Violation[] => {
      const graceMs = memory.context.viewLagMs + memory.context.settleMs;
      if (atMs - fromMs <= graceMs || memory.most.toMs >= fromMs) return [];
      return [...view.performers.values()].flatMap((performer) => {
        const key = keyOf(performer);
        const [version, ...others] = memory.versions(key, atMs, atMs - fromMs);
        const asked = version?.asked;
        if (version === undefined || asked === undefined || judged.has(version.uid) || atMs - fromMs <= asked.nodeLossMs + graceMs)
          return [];
        judged.add(version.uid);
        if (others.length > 0 || version.deleting || asked.strict || asked.paused) return [];
        // What runs goes on where the spec cannot be carried out.
        const isInvalid = findCondition(performer.status?.conditions, 'Ready')?.reason === 'InvalidSpec';
        if (isInvalid || isManagedElsewhere(performer) || memory.wasRefused(key, atMs)) return [];
        const pods = memory.podsSince(key, fromMs, version.uid);
        if (!pods.some((one) => one.pod.spec?.nodeName === name && one.bornMs < fromMs && !one.touched)) return [];
        const most = Math.max(count(name, key, version.uid), stood.get(version.uid) ?? 0);
        const message = (): string =>
          `${most} of ${asked.replicas} pods stood elsewhere ${(atMs - fromMs) / 1_000} s after ${name} was lost`;
        return test(most >= asked.replicas, atMs, keyText(key), message);
      });
    };
    return {
      onChange: (change, view) => {
        if (change.kind === 'nodes') {
          const { key, after, atMs } = change as Change<'nodes'>;
          if (!isUnreachable(after as Node | undefined)) lost.delete(key.name);
          else if (!lost.has(key.name)) lost.set(key.name, { fromMs: atMs, judged: new Set(), stood: new Map() });
        }
        const owner = change.kind === 'pods' ? performerOf(change.after as Pod | undefined) : undefined;
        if (owner !== undefined)
          for (const [name, { stood }] of lost) stood.set(owner.uid, Math.max(stood.get(owner.uid) ?? 0, count(name, owner, owner.uid)));
        return [...lost].flatMap(([name, since]) => judge(name, since, change.atMs, view));
      },
    };
  });
}

/** Whether it serves the Performer away from that node, or came to nothing wherever it was. */
function stands({ pod, everReady }: PodTrace, { name }: ObjectKey, nodeName: string): boolean {
  return (isEnded(pod) && !everReady) || (pod.spec?.nodeName !== nodeName && isInService(pod, name));
}
