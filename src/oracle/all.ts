import { churnOracles } from './churn.ts';
import type { OracleContext } from './define.ts';
import { entitlementOracles } from './entitlement.ts';
import { leaseOracles } from './lease.ts';
import { Memory } from './memory.ts';
import type { Oracle } from './oracle.ts';
import { ownershipOracles } from './ownership.ts';
import { restOracles } from './rest.ts';
import { servingOracles } from './serving.ts';
import { statusOracles } from './status.ts';

/** All statements about a cluster, for one run: they share one memory of it. Each is told by the same board, in order. */
export function createOracles(context: OracleContext): readonly Oracle[] {
  const memory = new Memory(context);
  const groups = [servingOracles, ownershipOracles, entitlementOracles, statusOracles, churnOracles, leaseOracles, restOracles];
  const all = groups.flatMap((group) => group(memory));
  // The first one that is told makes the memory take it.
  return all.map((oracle, place): Oracle => (place > 0 ? oracle : { ...oracle, ...remembering(memory, oracle) }));
}

function remembering(memory: Memory, oracle: Oracle): Pick<Oracle, 'onChange' | 'onWrite'> {
  return {
    onChange: (change, view) => {
      memory.change(change, view);
      return oracle.onChange?.(change, view) ?? [];
    },
    onWrite: (write, view) => {
      memory.write(write);
      return oracle.onWrite?.(write, view) ?? [];
    },
  };
}
