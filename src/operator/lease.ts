import { leaseName, leaseNameOf } from '../api/v1alpha1/naming.ts';
import type { Shard } from '../controller/shard.ts';
import { joinLeases } from '../kube/joint-lease.ts';
import { createLease, type LeaseElector, type LeaseOptions } from '../kube/lease.ts';

export interface OperatorLeaseOptions extends Omit<LeaseOptions, 'key'> {
  readonly namespace: string;
  readonly shard?: Shard | undefined;
}

/** What an operator must hold to write: of one that looks after a shard, that shard's Lease, and together with the other shards the operator's. */
export function createOperatorLease({ namespace, shard, ...options }: OperatorLeaseOptions): LeaseElector {
  if (shard === undefined) return createLease({ ...options, key: { namespace, name: leaseName } });
  const own = createLease({ ...options, key: { namespace, name: leaseNameOf(shard) } });
  // Which Performers are whose depends on the count: only those of one count may work at a time.
  const shared = createLease({ ...options, key: { namespace, name: leaseName }, identity: `shards-of-${shard.count}` });
  return joinLeases(own, shared);
}
