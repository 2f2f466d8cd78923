import type { ObjectKey, Pod } from '../kube/objects.ts';
import type { Write } from './oracle.ts';
import { isOperator, isSelected, performerOf, withdrawnAtMs } from './words.ts';

/** A pod of a Performer that an operator took out of the Service, or deleted. */
export interface Takeaway {
  readonly how: 'withdrew' | 'deleted';
  /** As it stood before. */
  readonly pod: Pod;
  /** Of its Performer. */
  readonly key: ObjectKey;
  readonly uid: string;
}

/** What an operator's write took away, if it did. Pure. */
export function takeawayOf(write: Write): Takeaway | undefined {
  if (!isOperator(write) || write.plural !== 'pods' || write.result !== 'ok') return undefined;
  const pod = write.before as Pod | undefined;
  const owner = performerOf(pod);
  if (pod === undefined || owner === undefined) return undefined;
  const { uid, ...key } = owner;
  if (write.verb === 'delete') return { how: 'deleted', pod, key, uid };
  const wasIn = isSelected(pod, key.name) && withdrawnAtMs(pod) === undefined;
  const after = write.after as Pod | undefined;
  if (!wasIn || after === undefined) return undefined;
  return isSelected(after, key.name) && withdrawnAtMs(after) === undefined ? undefined : { how: 'withdrew', pod, key, uid };
}
