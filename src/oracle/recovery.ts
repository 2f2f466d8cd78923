import type { Reason } from '../api/v1alpha1/conditions.ts';
import { keyOf, keyText, type Node, type ObjectKey, type Pod } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { Change, ClusterView, Oracle, Violation } from './oracle.ts';
import { denials, isHindered } from './why.ts';
import { isEnded, isInService, isManagedElsewhere, isUnreachable, performerOf } from './words.ts';

/** A node out of sight, and the Performers (uids) that were judged by it. */
interface Lost {
  readonly fromMs: number;
  readonly judged: Set<string>;
  /** When no pod could be made for them, at last; and those for whom that is so now. */
  readonly hinderedMs: Map<string, number>;
  readonly hindered: Set<string>;
  /** The most pods that stood elsewhere at once since it counted as lost: what becomes of those later is another matter. */
  readonly stood: Map<string, number>;
}

/** The longest back-off of pods that come to nothing. */
const backOffMs = 600_000;
/** Reasons for which no pod can be made, each to be true of the cluster. */
const hindrances: ReadonlySet<Reason> = new Set<Reason>([...denials, 'InvalidSpec', 'NameConflict']);

/**
 * Judged once for each lost node and Performer, at the first change after the time is up. Guards: views that may be old; a Performer
 * that changed meanwhile or is paused; while it is invalid, and as long as the back-off of a refusal lasts; most nodes out of sight; pods
 * that had come to nothing, while the back-off lasts.
 */
export function lostIsReplaced(memory: Memory): Oracle {
  const lost = new Map<string, Lost>();
  const statement = 'Under Route a pod on a node that stays out of sight is replaced in time, whatever becomes of its object.';
  return defineOracle('N4', statement, (test) => {
    const { context } = memory;
    const graceMs = (): number => context.viewLagMs + context.settleMs;
    /** Pods that stand for it away from that node or came after it was lost (who tolerates that may land there again), and those whose successor waits. */
    const count = (name: string, fromMs: number, key: ObjectKey, uid: string, atMs: number): number =>
      memory.pods(key, uid).filter(({ pod, everReady, bornMs }) => {
        const waits = isEnded(pod) && !everReady && atMs - bornMs <= backOffMs + graceMs();
        return waits || ((pod.spec?.nodeName !== name || bornMs > fromMs) && isInService(pod, key.name));
      }).length;
    const judge = (
      name: string,
      { fromMs, judged, stood, hinderedMs, hindered }: Lost,
      atMs: number,
      view: ClusterView,
    ): readonly Violation[] => {
      if (memory.most.toMs >= fromMs) return [];
      return [...view.performers.values()].flatMap((performer) => {
        const key = keyOf(performer);
        const [version, ...others] = memory.versions(key, atMs, atMs - fromMs);
        const asked = version?.asked;
        if (version === undefined || asked === undefined || judged.has(version.uid) || others.length > 0) return [];
        if (version.deleting || asked.strict || asked.paused || isManagedElsewhere(performer)) return [];
        const pods = memory.podsSince(key, fromMs, version.uid);
        if (!pods.some((one) => one.pod.spec?.nodeName === name && one.bornMs < fromMs && !one.touched)) return [];
        // What runs goes on where the spec cannot be carried out. What held up to this change was so until now.
        if (hindered.delete(version.uid)) hinderedMs.set(version.uid, atMs);
        if (isHindered(hindrances, version.uid, { performer, asked, view, memory, atMs })) hindered.add(version.uid);
        const untils = [memory.refusedUntilMs(key) ?? fromMs, memory.takenUntilMs(key), hinderedMs.get(version.uid) ?? fromMs];
        const dueMs = Math.max(fromMs + asked.nodeLossMs, context.lateUntilMs?.() ?? fromMs, ...untils) + graceMs();
        if (hindered.has(version.uid) || atMs <= dueMs) return [];
        judged.add(version.uid);
        const most = Math.max(count(name, fromMs, key, version.uid, atMs), stood.get(version.uid) ?? 0);
        const message = (): string =>
          `${most} of ${asked.replicas} pods stood elsewhere ${(atMs - fromMs) / 1_000} s after ${name} was lost`;
        return test(most >= asked.replicas, atMs, keyText(key), message);
      });
    };
    /** Notes how many stood up to this change of a pod, where its Performer could count the node as lost by then. */
    const note = (name: string, { fromMs, stood }: Lost, { before, after, atMs }: Change<'pods'>): void => {
      const owner = performerOf(after ?? before);
      const asked = owner === undefined ? undefined : memory.current(owner, atMs)?.asked;
      if (owner === undefined || asked === undefined || atMs + memory.context.clockAheadMs < fromMs + asked.nodeLossMs) return;
      const stands = (pod: Pod | undefined): boolean =>
        pod?.spec?.nodeName !== undefined && pod.spec.nodeName !== name && isInService(pod, owner.name);
      const bound = memory.pods(owner, owner.uid).filter(({ pod }) => stands(pod)).length;
      const until = bound + (stands(before) && !stands(after) ? 1 : 0);
      stood.set(owner.uid, Math.max(stood.get(owner.uid) ?? 0, until));
    };
    return {
      onChange: (change, view) => {
        if (change.kind === 'nodes') {
          const { key, after, atMs } = change as Change<'nodes'>;
          if (!isUnreachable(after as Node | undefined)) lost.delete(key.name);
          else if (!lost.has(key.name))
            lost.set(key.name, { fromMs: atMs, judged: new Set(), stood: new Map(), hinderedMs: new Map(), hindered: new Set() });
        }
        if (change.kind === 'pods') for (const [name, since] of lost) note(name, since, change as Change<'pods'>);
        return [...lost].flatMap(([name, since]) => judge(name, since, change.atMs, view));
      },
    };
  });
}
