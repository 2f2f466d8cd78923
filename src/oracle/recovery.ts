import { keyOf, keyText, type Node } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { Change, ClusterView, Oracle, Violation } from './oracle.ts';
import { isEnded, isInService, isManagedElsewhere, isUnreachable } from './words.ts';

/** A node out of sight, and the Performers that were judged by it. */
interface Lost {
  readonly fromMs: number;
  readonly judged: Set<string>;
}

/**
 * Judged once for each lost node and Performer, at the first change after the time is up. Guards: views that may be old; a Performer
 * that changed meanwhile, is refused or paused; most nodes out of sight.
 */
export function lostIsReplaced(memory: Memory): Oracle {
  const lost = new Map<string, Lost>();
  const statement = 'Under Route a pod on a node that stays out of sight is replaced in time, whatever becomes of its object.';
  return defineOracle('N4', statement, (test) => {
    const judge = (name: string, { fromMs, judged }: Lost, atMs: number, view: ClusterView): readonly Violation[] => {
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
        if (isManagedElsewhere(performer) || memory.wasRefused(key, atMs)) return [];
        const pods = memory.podsSince(key, fromMs, version.uid);
        if (!pods.some((one) => one.pod.spec?.nodeName === name && one.bornMs < fromMs && !one.touched)) return [];
        const standing = pods.filter(
          ({ pod, goneMs }) => goneMs === undefined && pod.spec?.nodeName !== name && (isInService(pod, key.name) || isEnded(pod)),
        );
        const message = (): string =>
          `${standing.length} of ${asked.replicas} pods stand elsewhere ${(atMs - fromMs) / 1_000} s after ${name} was lost`;
        return test(standing.length >= asked.replicas, atMs, keyText(key), message);
      });
    };
    return {
      onChange: (change, view) => {
        if (change.kind === 'nodes') {
          const { key, after, atMs } = change as Change<'nodes'>;
          if (!isUnreachable(after as Node | undefined)) lost.delete(key.name);
          else if (!lost.has(key.name)) lost.set(key.name, { fromMs: atMs, judged: new Set() });
        }
        return [...lost].flatMap(([name, since]) => judge(name, since, change.atMs, view));
      },
    };
  });
}
