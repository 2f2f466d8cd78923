import { keyText, type ObjectKey } from '../kube/objects.ts';
import { hashHex } from '../lib/hash.ts';

/** One of `count` parts into which all keys fall; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Whether the key falls to this shard. Namespace and name alone decide: they stand on the children too, also when the object is gone,
 * and the object of that name that comes next is the same shard's. Pure.
 */
export function isInShard(key: ObjectKey, { index, count }: Shard): boolean {
  // The resync shares its time out by the other half of the hash: by the same one, the keys of a shard would meet in few moments.
  return Number.parseInt(hashHex(keyText(key)).slice(0, 8), 16) % count === index - 1;
}
