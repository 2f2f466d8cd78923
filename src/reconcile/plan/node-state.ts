import type { Node } from '../../kube/objects.ts';
import { parseTime } from '../../lib/time.ts';
import { secondMs } from './rules.ts';
import type { NodesSeen } from './snapshot.ts';

/**
 * What a pod's node is to the pod that is bound to it.
 * `unknown` nodes may not be read, or need not · `well` no sign of trouble · `doubtful` unreachable, not yet for long enough, or together with most others ·
 * `lost` unreachable for long enough: the pod may still run there · `gone` proven: the pod does not run any more.
 */
export interface NodeState {
  readonly word: 'unknown' | 'well' | 'doubtful' | 'lost' | 'gone';
  /** Server time at which `doubtful` becomes `lost`, where time alone does that, or at which it became `lost` or `gone`. */
  readonly lostAtMs?: number;
}

const unreachableTaint = 'node.kubernetes.io/unreachable';
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';
/** From this share of unreachable nodes on it is our view that is broken, not the nodes: the node controller withholds evictions at the same share. */
const mostNodes = 0.55;

/** Whether the node controller has lost sight of a node. Pure. */
export function isUnreachable(node: Node): boolean {
  return node.spec?.taints?.some((taint) => taint.key === unreachableTaint) ?? false;
}

/**
 * The state of the node of that name. Pure.
 *
 * @param name undefined for a pod that is not bound yet
 * @param lossMs how long the NoExecute taint must stand; the taint's own time and the server's clock are compared, so a second is added
 */
export function nodeStateOf(name: string | undefined, seen: NodesSeen | undefined, lossMs: number, nowMs: number): NodeState {
  const node = name === undefined || name === '' ? undefined : seen?.byName[name];
  if (node === undefined || seen === undefined) return { word: 'unknown' };
  if (node === null) return { word: 'gone' };
  const taints = node.spec?.taints ?? [];
  const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const ready = condition?.status === 'True';
  // A person vouches that the machine is off: it has been since it was Ready last.
  if (!ready && taints.some((taint) => taint.key === outOfServiceTaint)) {
    const sinceMs = parseTime(condition?.lastTransitionTime) ?? Number.POSITIVE_INFINITY;
    return { word: 'gone', lostAtMs: sinceMs + secondMs };
  }
  if (!isUnreachable(node)) return { word: 'well' };
  // Back already: the node controller takes its taints off one after the other, and what was deleted meanwhile still runs.
  if (ready) return { word: 'doubtful' };
  if (seen.unreachable / Math.max(1, seen.total) >= mostNodes) return { word: 'doubtful' };
  const noExecute = taints.find((taint) => taint.key === unreachableTaint && taint.effect === 'NoExecute');
  const sinceMs = parseTime(noExecute?.timeAdded);
  if (sinceMs === undefined) return { word: 'doubtful' };
  const lostAtMs = sinceMs + lossMs + secondMs;
  return { word: nowMs >= lostAtMs ? 'lost' : 'doubtful', lostAtMs };
}
