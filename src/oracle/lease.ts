import { keyText, type Lease } from '../kube/objects.ts';
import { defineOracle, type OracleContext } from './define.ts';
import type { Memory } from './memory.ts';
import type { Oracle, Write } from './oracle.ts';
import { isOperator } from './words.ts';

/** A write that was sent while the Lease was held may arrive so much later, where nobody knows better. */
const onTheWayMs = 10_000;
/** Its holder learns that a Lease was removed when it is to be renewed; it goes by it for so long. */
const learnsMs = 10_000;
/** Whoever looks counts from the look before, one of these before what it sees. */
const lookMs = 2_000;
/** Who holds it goes by it for so long after a renewal, and gives it to others for so long. */
const [holdsMs, usualDurationMs] = [10_000, 15_000];
/** Between what another one sees and what is told here. */
const toleranceMs = 1_000;
/** Of a run's faults, the one that believes it leads whatever the Lease says. */
const rogue = 'operator-rogue';

/** Who leads. Lease writes are told where they can be seen. */
export function leaseOracles({ context }: Memory): readonly Oracle[] {
  return [handedOver(context), loserIsSilent(context)];
}

function holders({ before, after }: Write): readonly [string, string] {
  return [(before as Lease | undefined)?.spec?.holderIdentity ?? '', (after as Lease | undefined)?.spec?.holderIdentity ?? ''];
}

function isLeaseWrite(write: Write): boolean {
  return write.plural === 'leases' && write.result === 'ok' && write.verb !== 'delete';
}

/** How long a holder is silent at least before another one takes the Lease, by the fastest clock of the run: what that gains in a second is granted. */
function shortestSilenceMs(durationMs: number, { clockAheadMs }: OracleContext): number {
  return (durationMs - lookMs) / (1 + clockAheadMs / 1_000);
}

function handedOver(context: OracleContext): Oracle {
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
        silentMs >= shortestSilenceMs(durationMs, context) - toleranceMs,
        write.atMs,
        key,
        () => `${is} took it from ${was}, which had renewed it ${silentMs} ms before`,
      );
    },
  }));
}

interface Left {
  readonly atMs: number;
  /** By how much whoever had it may count longer than who took it. */
  readonly apartMs: number;
  /** For how long after that whoever had it may not know. */
  readonly unknownMs: number;
}

/**
 * Guards: what was on its way, and what the clocks of two may differ by. Where it is known who held the Lease as a write came, one that never
 * had it is judged, too.
 */
function loserIsSilent(context: OracleContext): Oracle {
  const lost = new Map<string, Left>();
  /** Lost or given up. */
  const left = new Map<string, Left>();
  /** By Lease, who wrote itself into it last. */
  const current = new Map<string, string>();
  const apartMs = Math.max(0, holdsMs * context.waitFactor - shortestSilenceMs(usualDurationMs, context));
  return defineOracle('E2', 'Who does not hold the Lease writes nothing, whether it lost it or never had it.', (test) => ({
    onWrite: (write) => {
      const { actor, verb, plural, atMs, entitled } = write;
      if (isLeaseWrite(write)) {
        const lease = keyText(write.key);
        const [stored, is] = holders(write);
        // Of a Lease that another hand removed, its holder learns at its next renewal.
        const was = write.before === undefined ? (current.get(lease) ?? '') : stored;
        current.set(lease, is);
        const isTaken = was !== '' && is !== '' && was !== is;
        // Who gives it up knows it at once.
        const gone: Left = { atMs, apartMs: isTaken ? apartMs : 0, unknownMs: write.before === undefined ? learnsMs : 0 };
        if (was !== is) left.set(was, gone);
        if (isTaken) lost.set(was, gone);
        lost.delete(is);
        // From here on a word of the loser's would be heard.
        return isTaken ? test(true, atMs, lease, () => '') : [];
      }
      if (!isOperator(write) || actor === rogue || !['pods', 'services', 'performers'].includes(plural)) return [];
      const since = entitled === false ? left.get(actor) : lost.get(actor);
      if (since === undefined && entitled === undefined) return [];
      const lateMs = since === undefined ? undefined : atMs - since.atMs;
      const holds =
        since === undefined
          ? entitled === true
          : atMs - since.atMs <= since.apartMs + Math.max(since.unknownMs, context.onTheWayMs ?? onTheWayMs);
      const when = lateMs === undefined ? 'and it never held the Lease' : `${lateMs} ms after it lost the Lease`;
      return test(holds, atMs, keyText(write.key), () => `${actor}: ${verb} of ${plural} ${keyText(write.key)}, ${when}`);
    },
  }));
}
