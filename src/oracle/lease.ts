import { keyText, type Lease } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Oracle, Write } from './oracle.ts';
import { isOperator } from './words.ts';

/** A call that was sent while the Lease was held may arrive so much later. */
const onTheWayMs = 10_000;

/** Who leads. Lease writes are told where they can be seen. */
export function leaseOracles(): readonly Oracle[] {
  return [handedOver(), loserIsSilent()];
}

function holders({ before, after }: Write): readonly [string, string] {
  return [(before as Lease | undefined)?.spec?.holderIdentity ?? '', (after as Lease | undefined)?.spec?.holderIdentity ?? ''];
}

function isLeaseWrite(write: Write): boolean {
  return write.plural === 'leases' && write.result === 'ok' && write.verb !== 'delete';
}

/** Clocks may run twice as fast as the world's, and whoever looks counts from the look before: so much of the duration must have passed. */
const silentShare = 0.4;

function handedOver(): Oracle {
  const heardMs = new Map<string, number>();
  return defineOracle('E1', 'A Lease goes to another only when its holder gave it up or has been silent.', (test) => ({
    onWrite: (write) => {
      if (!isLeaseWrite(write)) return [];
      const key = keyText(write.key);
      const [was, is] = holders(write);
      const silentMs = write.atMs - (heardMs.get(key) ?? Number.NEGATIVE_INFINITY);
      heardMs.set(key, write.atMs);
      if (was === '' || is === '' || is === was) return [];
      const durationMs = ((write.before as Lease).spec?.leaseDurationSeconds ?? 0) * 1_000;
      return test(
        silentMs >= durationMs * silentShare,
        write.atMs,
        key,
        () => `${is} took it from ${was}, which had renewed it ${silentMs} ms before`,
      );
    },
  }));
}

/** Guard: what was on its way. One that never held the Lease is not judged here. */
function loserIsSilent(): Oracle {
  const lostMs = new Map<string, number>();
  return defineOracle('E2', 'Who lost the Lease to another writes nothing more.', (test) => ({
    onWrite: (write) => {
      if (isLeaseWrite(write)) {
        const [was, is] = holders(write);
        const isTaken = was !== '' && is !== '' && was !== is;
        if (isTaken) lostMs.set(was, write.atMs);
        lostMs.delete(is);
        // From here on a word of the loser's would be heard.
        return isTaken ? test(true, write.atMs, keyText(write.key), () => '') : [];
      }
      const sinceMs = lostMs.get(write.actor);
      if (!isOperator(write) || sinceMs === undefined || !['pods', 'services', 'performers'].includes(write.plural)) return [];
      const { actor, verb, plural, atMs } = write;
      const message = (): string => `${actor}: ${verb} of ${plural} ${keyText(write.key)}, ${atMs - sinceMs} ms after it lost the Lease`;
      return test(atMs - sinceMs <= onTheWayMs, atMs, keyText(write.key), message);
    },
  }));
}
